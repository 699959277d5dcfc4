//! Refusals: plain text for what is wrong with a request as such, JSON with a `.tag` for everything else (documented
//! under "Errors by status code").

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What the API answers instead of doing what was asked.
#[derive(Debug)]
pub(super) enum Problem {
    /// 400 in plain text. The gate says in front of it which function was called.
    BadInput(String),
    /// A status with the error as JSON.
    Tagged(StatusCode, Value),
}

/// The words of a [`Problem::BadInput`], on their way to the gate.
#[derive(Clone)]
struct Words(String);

impl Problem {
    pub(super) fn bad(words: impl Into<String>) -> Self {
        Self::BadInput(words.into())
    }

    /// 400 for what the vendor may accept, or accepts and the simulator does not know.
    pub(super) fn strict(words: impl AsRef<str>) -> Self {
        Self::bad(format!("The simulator is strict: {}", words.as_ref()))
    }

    /// 401 with this tag (documented as `AuthError`).
    pub(super) fn unauthorized(tag: &str) -> Self {
        Self::Tagged(StatusCode::UNAUTHORIZED, json!({ ".tag": tag }))
    }

    pub(super) fn missing_scope(scope: &str) -> Self {
        Self::Tagged(StatusCode::UNAUTHORIZED, json!({ ".tag": "missing_scope", "required_scope": scope }))
    }

    /// 409 of the endpoint's own.
    pub(super) fn conflict(tag: &str) -> Self {
        Self::Tagged(StatusCode::CONFLICT, json!({ ".tag": tag }))
    }

    /// 409 about the path (documented as `LookupError`).
    pub(super) fn path(tag: &str) -> Self {
        Self::Tagged(StatusCode::CONFLICT, json!({ ".tag": "path", "path": { ".tag": tag } }))
    }

    /// 422 about `Dropbox-API-Path-Root` (documented as `PathRootError`).
    pub(super) fn path_root(error: Value) -> Self {
        Self::Tagged(StatusCode::UNPROCESSABLE_ENTITY, error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::BadInput(words) => {
                let mut response = plain(StatusCode::BAD_REQUEST, words.clone());
                response.extensions_mut().insert(Words(words));
                response
            }
            Self::Tagged(status, error) => tagged(status, &error),
        }
    }
}

/// Say in a refusal in plain text which function was called; others stay as they are.
pub(super) fn named(response: Response, function: &str) -> Response {
    match response.extensions().get::<Words>() {
        Some(Words(words)) => {
            let words = format!("Error in call to API function \"{function}\": {words}");
            plain(StatusCode::BAD_REQUEST, words)
        }
        None => response,
    }
}

fn tagged(status: StatusCode, error: &Value) -> Response {
    // What follows the tags is padding, which clients must not rely on.
    let summary = format!("{}/..", tags(error));
    (status, Json(json!({ "error_summary": summary, "error": error }))).into_response()
}

/// The tags of an error from the outside in, such as `path/not_found`.
fn tags(error: &Value) -> String {
    let Some(tag) = error[".tag"].as_str() else { return "other".to_owned() };
    match error[tag].get(".tag") {
        Some(_) => format!("{tag}/{}", tags(&error[tag])),
        None => tag.to_owned(),
    }
}

fn plain(status: StatusCode, words: String) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], words).into_response()
}

/// 429 with this time to wait, in the body and in `Retry-After`.
pub(super) fn rate_limit(retry_after_s: u64) -> Value {
    json!({
        "error_summary": "too_many_requests/..",
        "error": { "reason": { ".tag": "too_many_requests" }, "retry_after": retry_after_s },
    })
}

/// An answer with this status in Dropbox's manner.
pub(super) fn manner(status: StatusCode) -> Response {
    match status {
        StatusCode::UNAUTHORIZED => Problem::unauthorized("expired_access_token").into_response(),
        StatusCode::FORBIDDEN => {
            let error = json!({ ".tag": "invalid_account_type", "invalid_account_type": { ".tag": "endpoint" } });
            tagged(status, &error)
        }
        StatusCode::CONFLICT => Problem::conflict("other").into_response(),
        StatusCode::TOO_MANY_REQUESTS => {
            let mut response = (status, Json(rate_limit(1))).into_response();
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            response
        }
        other => plain(other, other.canonical_reason().unwrap_or("The simulator was told to.").to_owned()),
    }
}
