//! The two pages that people see. No scripts, nothing from elsewhere.

use super::authorize::SCOPES;
use super::settings::Settings;

const STYLE: &str = "
body { margin: 0; background: #f4f5f6; color: #0f1419; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 27rem; margin: 8vh auto; padding: 2rem; background: #fff; border-radius: 1rem }
h1 { margin: 0 0 1rem; font-size: 1.4rem }
fieldset { border: 1px solid #cfd9de; border-radius: .75rem; margin: 1.25rem 0; padding: .75rem 1rem }
label { display: block; padding: .25rem 0 }
li { margin: .35rem 0 } code, small { color: #536471 }
button { width: 100%; padding: .75rem; margin-top: .5rem; border-radius: 2rem; font: inherit; font-weight: 600;
  border: 1px solid #cfd9de; background: #fff; cursor: pointer }
button.primary { background: #0f1419; border-color: #0f1419; color: #fff }";

/// Where a user chooses an account and decides.
pub(super) fn consent(consent: &str, settings: &Settings, scopes: &[String]) -> String {
    let accounts: String = (settings.accounts.iter().enumerate())
        .map(|(at, account)| {
            let checked = if at == 0 { " checked" } else { "" };
            let (handle, name) = (escape(&account.username), escape(&account.name));
            format!(
                "<label><input type=\"radio\" name=\"account\" value=\"{handle}\"{checked}> {name} \
                 <small>@{handle}</small></label>\n"
            )
        })
        .collect();
    let scopes: String = (SCOPES.iter().filter(|(scope, _)| scopes.iter().any(|asked| asked == scope)))
        .map(|(scope, words)| format!("<li>{words} <code>{scope}</code></li>\n"))
        .collect();
    let (app, consent) = (escape(&settings.client_id), escape(consent));
    page(
        "Authorize app",
        &format!(
            "<h1>{app} wants to access your X account.</h1>\n\
             <form method=\"post\" action=\"/i/oauth2/authorize\">\n\
             <input type=\"hidden\" name=\"consent\" value=\"{consent}\">\n\
             <fieldset><legend>Continue as</legend>\n{accounts}</fieldset>\n\
             <p>This app will be able to:</p>\n<ul>\n{scopes}</ul>\n\
             <button class=\"primary\" name=\"decision\" value=\"authorize\">Authorize app</button>\n\
             <button name=\"decision\" value=\"cancel\">Cancel</button>\n</form>\n\
             <p><small>This is a simulator. Nothing here reaches X.</small></p>"
        ),
    )
}

/// What X shows instead when a request is wrong; this one also says what is wrong.
pub(super) fn error(reason: &str) -> String {
    let reason = escape(reason);
    page(
        "Something went wrong",
        &format!("<h1>Something went wrong</h1>\n<p>You weren’t able to give access to the App.</p>\n<p>{reason}</p>"),
    )
}

fn page(title: &str, content: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title} / X (simulated)</title>\
         <style>{STYLE}</style></head>\n<body><main>\n{content}\n</main></body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
