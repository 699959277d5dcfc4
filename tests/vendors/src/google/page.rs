//! The two pages that people see. No scripts, nothing from elsewhere.

use super::Client;

const STYLE: &str = "
body { margin: 0; background: #f0f4f9; color: #1f1f1f; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 27rem; margin: 8vh auto; padding: 2rem; background: #fff; border-radius: 1.5rem }
h1 { margin: 0 0 1rem; font-size: 1.4rem; font-weight: 400 }
fieldset { border: 1px solid #c4c7c5; margin: 1.25rem 0; padding: .75rem 1rem }
label { display: block; padding: .25rem 0 }
small { color: #444746 }
button { width: 100%; padding: .75rem; margin-top: .5rem; font: inherit; border: 1px solid #c4c7c5; background: #fff }
button.primary { background: #0b57d0; color: #fff }";

/// Where a person chooses an account and decides.
pub(super) fn consent(consent: &str, client: &Client, scopes: &[String]) -> String {
    let accounts: String = (client.accounts.iter().enumerate())
        .map(|(at, (email, word))| {
            let checked = if at == 0 { " checked" } else { "" };
            let (email, word) = (escape(email), escape(word));
            format!(
                "<label><input type=\"radio\" name=\"account\" value=\"{email}\"{checked}> {email} <small>{word}</small></label>\n"
            )
        })
        .collect();
    let scopes: String = scopes.iter().map(|scope| format!("<li><code>{}</code></li>\n", escape(scope))).collect();
    let (app, consent) = (escape(&client.id), escape(consent));
    page(
        "Sign in",
        &format!(
            "<h1>{app} wants access to your Google Account</h1>\n\
             <form method=\"post\" action=\"/o/oauth2/v2/auth\">\n\
             <input type=\"hidden\" name=\"consent\" value=\"{consent}\">\n\
             <fieldset><legend>Choose an account</legend>\n{accounts}</fieldset>\n\
             <p>This will allow it to use:</p>\n<ul>\n{scopes}</ul>\n\
             <button class=\"primary\" name=\"decision\" value=\"authorize\">Continue</button>\n\
             <button name=\"decision\" value=\"cancel\">Cancel</button>\n</form>\n\
             <p><small>This is a simulator. Nothing here reaches Google.</small></p>"
        ),
    )
}

/// What is shown instead when a request is wrong.
pub(super) fn error(reason: &str) -> String {
    page("Error", &format!("<h1>Access blocked: authorization error</h1>\n<p>{}</p>", escape(reason)))
}

fn page(title: &str, content: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title} / Google (simulated)</title>\
         <style>{STYLE}</style></head>\n<body><main>\n{content}\n</main></body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
