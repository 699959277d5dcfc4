//! What Dropbox's refusals mean: <https://www.dropbox.com/developers/documentation/http/documentation#error-handling>.
//!
//! Errors are unions whose `.tag` is to be matched; `error_summary` ends in padding that means nothing. A request that is
//! malformed as such is answered 400 in plain text.

use orla_sdk::{Explained, FaultKind, Response};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    error: Value,
}

/// The tags of an error from the outside in, such as `path/not_found`.
fn tags(error: &Value) -> String {
    let Some(tag) = error[".tag"].as_str() else { return String::new() };
    match tags(&error[tag]) {
        inner if inner.is_empty() => tag.to_owned(),
        inner => format!("{tag}/{inner}"),
    }
}

pub(crate) fn explain(answer: &Response) -> Explained {
    let Problem { error } = answer.json().unwrap_or_default();
    let reason = if error["reason"].is_object() { tags(&error["reason"]) } else { tags(&error) };
    if reason.is_empty() {
        let words = answer.text();
        let is_page = words.trim_start().starts_with(['<', '{', '[']);
        return Explained { message: (!is_page).then(|| words.into_owned()), ..Explained::default() };
    }
    let (kind, message) = meaning(answer.status(), &reason, &error);
    let retry_after_ms = error["retry_after"].as_u64().map(|seconds| seconds.saturating_mul(1_000));
    Explained { kind, code: Some(reason), message: Some(message), field: None, retry_after_ms }
}

/// The kind, where the status does not tell it, and a sentence for a person.
fn meaning(status: u16, reason: &str, error: &Value) -> (Option<FaultKind>, String) {
    match (status, reason) {
        (401, "missing_scope") => {
            let scope = error["required_scope"].as_str().unwrap_or("one that it does not name");
            let message = format!("Dropbox did not grant the permission {scope}.");
            (Some(FaultKind::ScopeMissing), message)
        }
        (401, "user_suspended") => (None, "Dropbox has suspended this account.".to_owned()),
        (401, _) => (None, "Dropbox no longer accepts this connection's token.".to_owned()),
        (409, "path/not_found") => (Some(FaultKind::NotFound), "Dropbox has no such file or folder.".to_owned()),
        (409, "path/not_folder") => (Some(FaultKind::Invalid), "This is a file, not a folder.".to_owned()),
        (409, "path/not_file") => (Some(FaultKind::Invalid), "This is a folder, not a file.".to_owned()),
        (409, "path/restricted_content") => {
            (Some(FaultKind::Invalid), "Dropbox does not hand this file out, for legal reasons.".to_owned())
        }
        (409, "unsupported_file" | "path/unsupported_content_type") => {
            let message = "This document lives in an editor on the web and has no bytes to fetch. Export it to a file in \
                           Dropbox first.";
            (Some(FaultKind::Invalid), message.to_owned())
        }
        (409, "reset") => (None, "Dropbox has given up its place in this list.".to_owned()),
        (409, _) => (Some(FaultKind::Invalid), format!("Dropbox refused this: {reason}.")),
        (429, _) => (None, "Dropbox asks to slow down.".to_owned()),
        _ => (None, format!("Dropbox refused this: {reason}.")),
    }
}
