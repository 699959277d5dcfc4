//! Refusals: `{"error": "…"}` (documented under "Error"), in Mastodon's words where they are known.

use axum::Json;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// What the API answers instead of doing what was asked.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    error: String,
}

impl Problem {
    fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into() }
    }

    /// 401 for a token that is wrong or not there at all (documented; the same words for both are observed).
    pub(super) fn invalid_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "The access token is invalid")
    }

    /// 401 for a token that its user has taken back (observed).
    pub(super) fn revoked_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "The access token was revoked")
    }

    /// 403 for a token without the scope (observed).
    pub(super) fn outside_scopes() -> Self {
        Self::new(StatusCode::FORBIDDEN, "This action is outside the authorized scopes")
    }

    /// 422 for a route that needs a user (documented).
    pub(super) fn user_required() -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "This method requires an authenticated user")
    }

    /// 404 (documented).
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Record not found")
    }

    /// 404 for a reply to what is not there, or not to be seen (observed).
    pub(super) fn no_such_thread() -> Self {
        Self::new(StatusCode::NOT_FOUND, "The post you are trying to reply to does not appear to exist.")
    }

    /// 422 of a record that does not hold: `Validation failed: Text can't be blank` (documented).
    pub(super) fn validation(words: impl AsRef<str>) -> Self {
        Self::unprocessable(format!("Validation failed: {}", words.as_ref()))
    }

    /// 422 in other words.
    pub(super) fn unprocessable(error: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error)
    }

    /// 422 in the simulator's own words, for what Mastodon would ignore or guess at.
    pub(super) fn strict(error: impl AsRef<str>) -> Self {
        Self::unprocessable(format!("The simulator is strict: {}", error.as_ref()))
    }

    /// 429 (observed).
    pub(super) fn rate_limited() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
    }

    /// What Mastodon says with this status when nothing better is known.
    pub(super) fn of(status: StatusCode) -> Self {
        let words = match status {
            StatusCode::UNAUTHORIZED => return Self::invalid_token(),
            StatusCode::NOT_FOUND => return Self::not_found(),
            StatusCode::TOO_MANY_REQUESTS => return Self::rate_limited(),
            StatusCode::FORBIDDEN => "This action is not allowed",
            StatusCode::UNPROCESSABLE_ENTITY => "Validation failed: The simulator was told to.",
            StatusCode::SERVICE_UNAVAILABLE => "There was a temporary problem serving your request, please try again",
            other => other.canonical_reason().unwrap_or("The simulator was told to."),
        };
        Self::new(status, words)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({ "error": self.error }))).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge =
                format!(r#"Bearer realm="Doorkeeper", error="invalid_token", error_description="{}""#, self.error);
            if let Ok(challenge) = HeaderValue::try_from(challenge) {
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
        }
        response
    }
}
