//! The two pages that people see. No scripts, nothing from elsewhere.

use super::dialog::SCOPES;
use super::settings::Settings;

const STYLE: &str = "
body { margin: 0; background: #f0f2f5; color: #1c1e21; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 27rem; margin: 8vh auto; padding: 2rem; background: #fff; border-radius: .5rem }
h1 { margin: 0 0 1rem; font-size: 1.4rem }
fieldset { border: 1px solid #dddfe2; border-radius: .5rem; margin: 1.25rem 0; padding: .75rem 1rem }
label { display: block; padding: .25rem 0 }
code, small { color: #606770 }
button { width: 100%; padding: .75rem; margin-top: .5rem; border-radius: .4rem; font: inherit; font-weight: 600;
  border: 1px solid #dddfe2; background: #fff; cursor: pointer }
button.primary { background: #0866ff; border-color: #0866ff; color: #fff }";

/// Where a person chooses an account and decides, about every permission alone.
pub(super) fn page(consent: &str, version: &str, settings: &Settings, scopes: &[String]) -> String {
    let people: String = (settings.people.iter().enumerate())
        .map(|(at, person)| {
            let checked = if at == 0 { " checked" } else { "" };
            let (id, name) = (escape(&person.id), escape(&person.name));
            format!("<label><input type=\"radio\" name=\"person\" value=\"{id}\"{checked}> {name}</label>\n")
        })
        .collect();
    let scopes: String = (SCOPES.iter().filter(|(scope, _)| scopes.iter().any(|asked| asked == scope)))
        .map(|(scope, words)| {
            let checked =
                if settings.declined_scopes.iter().any(|declined| declined == scope) { " checked" } else { "" };
            format!(
                "<label><input type=\"checkbox\" name=\"decline\" value=\"{scope}\"{checked}> {words} \
                 <code>{scope}</code></label>\n"
            )
        })
        .collect();
    let (app, consent, version) = (escape(&settings.app_name), escape(consent), escape(version));
    document(
        "Log in",
        &format!(
            "<h1>{app} is requesting access to your Facebook account.</h1>\n\
             <form method=\"post\" action=\"/{version}/dialog/oauth\">\n\
             <input type=\"hidden\" name=\"consent\" value=\"{consent}\">\n\
             <fieldset><legend>Continue as</legend>\n{people}</fieldset>\n\
             <fieldset><legend>Decline</legend>\n{scopes}</fieldset>\n\
             <button class=\"primary\" name=\"decision\" value=\"continue\">Continue</button>\n\
             <button name=\"decision\" value=\"cancel\">Cancel</button>\n</form>\n\
             <p><small>This is a simulator. Nothing here reaches Facebook.</small></p>"
        ),
    )
}

/// What Facebook shows instead when a request is wrong.
pub(super) fn error(reason: &str) -> String {
    let reason = escape(reason);
    document("Error", &format!("<h1>Sorry, something went wrong.</h1>\n<p>{reason}</p>"))
}

fn document(title: &str, content: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title} / Facebook (simulated)</title>\
         <style>{STYLE}</style></head>\n<body><main>\n{content}\n</main></body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
