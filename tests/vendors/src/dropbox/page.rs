//! The two pages that people see. No scripts, nothing from elsewhere.

use super::settings::Settings;

const STYLE: &str = "
body { margin: 0; background: #f7f5f2; color: #1e1919; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 27rem; margin: 8vh auto; padding: 2rem; background: #fff; border-radius: .5rem }
h1 { margin: 0 0 1rem; font-size: 1.4rem }
fieldset { border: 1px solid #d0cbc4; margin: 1.25rem 0; padding: .75rem 1rem }
label { display: block; padding: .25rem 0 }
small { color: #736c64 }
button { width: 100%; padding: .75rem; margin-top: .5rem; font: inherit; border: 1px solid #d0cbc4; background: #fff }
button.primary { background: #1e1919; color: #fff }";

/// Where a person chooses an account and decides.
pub(super) fn consent(consent: &str, settings: &Settings, scopes: &[String]) -> String {
    let accounts: String = (settings.accounts.iter().enumerate())
        .map(|(at, account)| {
            let checked = if at == 0 { " checked" } else { "" };
            let (name, shown) = (escape(&account.name), escape(&account.display_name));
            format!(
                "<label><input type=\"radio\" name=\"account\" value=\"{name}\"{checked}> {shown} \
                 <small>{name}</small></label>\n"
            )
        })
        .collect();
    let scopes: String = scopes.iter().map(|scope| format!("<li><code>{}</code></li>\n", escape(scope))).collect();
    let (app, consent) = (escape(&settings.client_id), escape(consent));
    page(
        "Authorize",
        &format!(
            "<h1>{app} would like access to your Dropbox.</h1>\n\
             <form method=\"post\" action=\"/oauth2/authorize\">\n\
             <input type=\"hidden\" name=\"consent\" value=\"{consent}\">\n\
             <fieldset><legend>Continue as</legend>\n{accounts}</fieldset>\n\
             <p>This app will have:</p>\n<ul>\n{scopes}</ul>\n\
             <button class=\"primary\" name=\"decision\" value=\"allow\">Allow</button>\n\
             <button name=\"decision\" value=\"cancel\">Cancel</button>\n</form>\n\
             <p><small>This is a simulator. Nothing here reaches Dropbox.</small></p>"
        ),
    )
}

/// What is shown instead when a request is wrong.
pub(super) fn error(reason: &str) -> String {
    page("Error", &format!("<h1>Error (400)</h1>\n<p>{}</p>", escape(reason)))
}

fn page(title: &str, content: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title} / Dropbox (simulated)</title>\
         <style>{STYLE}</style></head>\n<body><main>\n{content}\n</main></body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
