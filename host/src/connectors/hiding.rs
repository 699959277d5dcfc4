//! Secrets that are known by their names: what a member or parameter such as `access_token` holds never reaches a guest,
//! wherever in an answer it stands.

use super::answer::Secrets;
use aho_corasick::AhoCorasick;
use orla_manifest::Manifest;
use secrecy::SecretString;
use serde_json::Value;

const BLANK: &str = "[redacted]";
/// Secret by their name in every answer.
const ALWAYS: [&str; 4] = ["access_token", "refresh_token", "id_token", "client_secret"];

/// The names of secrets.
#[derive(Debug)]
pub(crate) struct Names {
    names: Vec<String>,
    /// Finds any of them in a text, and escapes, in which a name may be written.
    finder: AhoCorasick,
}

impl Names {
    /// Those of every answer, and those of the connector's vendor.
    ///
    /// # Errors
    /// There are more than can be looked for.
    pub(crate) fn of(manifest: &Manifest) -> anyhow::Result<Self> {
        of_names(&manifest.secret_members)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| name.eq_ignore_ascii_case(known))
    }

    /// Whether a text may hold one: most hold none, and need not be taken apart.
    fn may_stand_in(&self, text: &[u8]) -> bool {
        self.finder.is_match(text)
    }

    /// Takes what they hold out of an answer, which is JSON or anything else. What was found is blanked from now on, however it
    /// comes back.
    pub(crate) fn hide(&self, secrets: &Secrets, body: Vec<u8>) -> Vec<u8> {
        if !self.may_stand_in(&body) {
            return body;
        }
        if let Ok(mut document) = serde_json::from_slice(&body) {
            return if self.hide_in(secrets, &mut document) { document.to_string().into_bytes() } else { body };
        }
        match String::from_utf8(body) {
            Ok(text) => self.hide_parameters(secrets, &text).unwrap_or(text).into_bytes(),
            Err(error) => error.into_bytes(),
        }
    }

    /// As [`Names::hide`], for a text.
    pub(crate) fn hide_text(&self, secrets: &Secrets, text: String) -> String {
        String::from_utf8(self.hide(secrets, text.into_bytes())).unwrap_or_else(|_| BLANK.to_owned())
    }

    /// Whether something was hidden.
    fn hide_in(&self, secrets: &Secrets, value: &mut Value) -> bool {
        let mut hid = false;
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    if self.has(name) && !value.is_null() && !value.is_boolean() {
                        found(secrets, value);
                        *value = BLANK.into();
                        hid = true;
                    } else {
                        hid |= self.hide_in(secrets, value);
                    }
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    hid |= self.hide_in(secrets, element);
                }
            }
            Value::String(text) => {
                if let Some(hidden) = self.hide_parameters(secrets, text) {
                    *text = hidden;
                    hid = true;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        hid
    }

    /// Hides what stands behind `name=`, as in a URL's query; `None` where nothing does.
    fn hide_parameters(&self, secrets: &Secrets, text: &str) -> Option<String> {
        let mut hidden: Option<String> = None;
        for name in &self.names {
            let mut rest = hidden.clone().unwrap_or_else(|| text.to_owned());
            let mut done = String::new();
            let mut hid = false;
            while let Some(at) = find_parameter(&rest, name) {
                let end = rest[at..]
                    .find(|c: char| matches!(c, '&' | '#' | ';' | '"' | '\'' | '<' | '>') || c.is_whitespace());
                let end = end.map_or(rest.len(), |end| at + end);
                if end > at {
                    secret(secrets, &rest[at..end]);
                    hid = true;
                }
                done.push_str(&rest[..at]);
                if end > at {
                    done.push_str(BLANK);
                }
                rest = rest.split_off(end);
            }
            if hid {
                hidden = Some(done + &rest);
            }
        }
        hidden
    }
}

fn of_names(further: &[String]) -> anyhow::Result<Names> {
    let names: Vec<String> = ALWAYS.into_iter().map(str::to_owned).chain(further.iter().cloned()).collect();
    let wanted = names.iter().map(String::as_str).chain(["\\u"]);
    let finder = AhoCorasick::builder().ascii_case_insensitive(true).build(wanted)?;
    Ok(Names { names, finder })
}

/// Where the value of a parameter begins.
fn find_parameter(text: &str, name: &str) -> Option<usize> {
    let (bytes, name) = (text.as_bytes(), name.as_bytes());
    let at = (0..bytes.len().saturating_sub(name.len())).find(|at| {
        let end = at + name.len();
        let begins = *at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        begins && bytes[end] == b'=' && bytes[*at..end].eq_ignore_ascii_case(name)
    })?;
    Some(at + name.len() + 1)
}

/// Every text in a value that is a secret.
fn found(secrets: &Secrets, value: &Value) {
    match value {
        Value::String(text) => secret(secrets, text),
        Value::Array(elements) => elements.iter().for_each(|element| found(secrets, element)),
        Value::Object(members) => members.values().for_each(|value| found(secrets, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A secret as it stands in an answer, and as it stood before it was written into a URL.
fn secret(secrets: &Secrets, text: &str) {
    secrets.add(&SecretString::from(text));
    for (plain, _) in url::form_urlencoded::parse(text.as_bytes()) {
        if plain != text {
            secrets.add(&SecretString::from(plain.into_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, of_names};
    use crate::connectors::answer::Secrets;

    fn hidden(body: &str) -> String {
        let secrets = Secrets::default();
        let names: Names = of_names(&[]).expect("four names");
        let hidden = names.hide(&secrets, body.as_bytes().to_vec());
        String::from_utf8(secrets.blank(hidden)).expect("text")
    }

    #[test]
    fn what_is_a_secret_by_its_name_is_hidden_wherever_it_stands() {
        for body in [
            r#"{"access_token": "SECRET-123"}"#,
            r#"{"data": [{"id": 7, "Access_Token": "SECRET-123"}], "echo": "it was SECRET-123"}"#,
            r#"{"access\u005ftoken": "SECRET-123"}"#,
            r#"{"refresh_token": {"value": "SECRET-123"}, "list": ["SECRET-123"]}"#,
            r#"{"paging": {"next": "https://a.example/me?limit=1&access_token=SECRET-123&after=x"}}"#,
            "access_token=SECRET-123&expires=5",
            "<a href='/x?a=b&amp;access_token=SECRET-123'>x</a>",
            "?client_secret=SECRET-123 and again ?CLIENT_SECRET=SECRET-123",
        ] {
            let hidden = hidden(body);
            assert!(!hidden.contains("SECRET-123") && hidden.contains("[redacted]"), "{hidden}");
        }
    }

    #[test]
    fn all_else_stays_as_it_is() {
        for body in [
            r#"{"my_access_tokens": 3, "text": "an access_token is a secret"}"#,
            r#"{ "access_token": null, "has": "no_access_token=1" }"#,
            "\u{1f980} access_token= and nothing",
        ] {
            assert_eq!(hidden(body), body);
        }
        let next = hidden(r#"{"next": "https://a.example/?limit=1&access_token=SECRET-123&after=x"}"#);
        assert!(next.contains("limit=1&access_token=[redacted]&after=x"), "{next}");
    }
}
