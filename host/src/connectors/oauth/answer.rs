//! What a vendor answers to a request for tokens: tokens, or why there are none.

use super::Tokens;
use super::request::Answered;
use crate::clock::Timestamp;
use crate::connectors::answer::Secrets;
use secrecy::SecretString;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest stretch of a vendor's words that is passed on.
const MAX_WORDS: usize = 300;

/// Why there are no tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The vendor does not honour the code or token any more.
    Revoked(String),
    /// It may work later.
    Transient {
        /// For a person.
        words: String,
        /// For how long the vendor wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The vendor does not accept this host's app.
    Misconfigured(String),
}

impl Refused {
    /// Why, for a person.
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Revoked(words) | Self::Transient { words, .. } | Self::Misconfigured(words) => words,
        }
    }
}

/// How a vendor's answer with tokens is read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    /// Pointers to the members that the vendor calls otherwise than the standard.
    pub(super) at: &'a BTreeMap<String, String>,
    /// How long a token lives where the vendor does not say; 0 where it has no end.
    pub(super) default_lifetime_s: u32,
    /// Errors by which the vendor says that it no longer honours what it was given, besides the standard's.
    pub(super) revoked: &'a [String],
}

/// Reads tokens out of an answer.
///
/// # Errors
/// The vendor refused, or its answer holds no token.
pub(super) fn tokens(reading: Reading<'_>, answer: &Answered, now: Timestamp) -> Result<Tokens, Refused> {
    let document = document(&answer.body);
    let member = |name: &str| {
        let pointer = reading.at.get(name).cloned().unwrap_or_else(|| format!("/{name}"));
        document.pointer(&pointer).filter(|value| !value.is_null())
    };
    let secret = |name: &str| {
        let text = member(name)?.as_str().filter(|text| !text.is_empty())?;
        Some(SecretString::from(text))
    };
    let access = match secret("access_token") {
        Some(access) if answer.status.is_success() => access,
        // Some vendors refuse with a 200.
        _ => return Err(refusal(answer, &document, reading.revoked)),
    };
    let said = member("expires_in").and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
    let lifetime = said.unwrap_or_else(|| u64::from(reading.default_lifetime_s));
    let scopes = member("scope").map(|value| match value {
        Value::Array(scopes) => scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        // The standard separates by spaces, and some vendors as they were asked.
        value => value
            .as_str()
            .unwrap_or_default()
            .split([' ', ','])
            .filter(|one| !one.is_empty())
            .map(str::to_owned)
            .collect(),
    });
    Ok(Tokens {
        access,
        refresh: secret("refresh_token"),
        expires_at: (lifetime > 0).then(|| now.after(Duration::from_secs(lifetime))),
        scopes,
    })
}

/// Whether a request without tokens in its answer was done.
///
/// # Errors
/// The vendor refused.
pub(super) fn done(answer: &Answered) -> Result<(), Refused> {
    if answer.status.is_success() { Ok(()) } else { Err(refusal(answer, &document(&answer.body), &[])) }
}

/// JSON, or the form that it was before everybody spoke JSON.
fn document(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| {
        let pairs = url::form_urlencoded::parse(body);
        Value::Object(pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect())
    })
}

/// What a vendor says of a request that it did not do.
pub(super) struct Said {
    /// Its code; empty where it names none.
    pub(super) code: String,
    /// For a person, as long as the vendor made it and with whatever it repeats: see [`shown`].
    pub(super) words: String,
}

impl Said {
    /// Reads it out of an answer.
    pub(super) fn of(answer: &Answered) -> Self {
        Self::read(answer, &document(&answer.body))
    }

    fn read(answer: &Answered, document: &Value) -> Self {
        let text = |pointer: &str| {
            let value = document.pointer(pointer)?;
            value.as_str().map(str::to_owned).or_else(|| value.is_number().then(|| value.to_string()))
        };
        // The standard's form (RFC 6749 section 5.2), or an object with a code in it.
        let code = text("/error").or_else(|| text("/error/code")).unwrap_or_default();
        let description = text("/error_description").or_else(|| text("/error/message"));
        let words = match (code.as_str(), description) {
            ("", _) => format!("the vendor answered {}", answer.status),
            (code, Some(description)) => format!("{code}: {description}"),
            (code, None) => code.to_owned(),
        };
        let words = words.chars().filter(|character| !character.is_control()).collect();
        Self { code, words }
    }
}

/// A vendor's words as they may be stored and shown: without secrets, then cut, for half a secret would not be known as one.
pub(super) fn shown(secrets: &Secrets, words: String) -> String {
    secrets.blank_text(words).chars().take(MAX_WORDS).collect()
}

fn refusal(answer: &Answered, document: &Value, revoked: &[String]) -> Refused {
    let Said { code, words } = Said::read(answer, document);
    let words = shown(&answer.sent, words);
    let is_fault_of_theirs = answer.status.is_server_error() || answer.status.as_u16() == 429;
    match code.as_str() {
        _ if is_fault_of_theirs => Refused::Transient { words, retry_after: answer.retry_after },
        "invalid_grant" => Refused::Revoked(words),
        code if revoked.iter().any(|known| known == code) => Refused::Revoked(words),
        "invalid_client" | "unauthorized_client" | "unsupported_grant_type" | "invalid_scope" | "invalid_request" => {
            Refused::Misconfigured(words)
        }
        _ => Refused::Transient { words, retry_after: answer.retry_after },
    }
}
