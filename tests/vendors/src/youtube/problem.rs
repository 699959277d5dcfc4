//! Refusals: `{"error": {"code", "message", "errors": [{"message", "domain", "reason", …}]}}` (documented under "Errors").

use axum::Json;
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What the API answers instead of doing what was asked.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    domain: &'static str,
    reason: &'static str,
    message: String,
    location: Option<&'static str>,
}

impl Problem {
    fn new(status: StatusCode, domain: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { status, domain, reason, message: message.into(), location: None }
    }

    /// 400 for a member of the body.
    pub(super) fn member(domain: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { location: Some("body"), ..Self::new(StatusCode::BAD_REQUEST, domain, reason, message) }
    }

    /// 400 for a parameter.
    pub(super) fn parameter(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            location: Some("parameters"),
            ..Self::new(StatusCode::BAD_REQUEST, "youtube.parameter", reason, message)
        }
    }

    /// 400 in the simulator's own words, for what YouTube would ignore or guess at.
    pub(super) fn strict(message: impl AsRef<str>) -> Self {
        let message = format!("The simulator is strict: {}", message.as_ref());
        Self::new(StatusCode::BAD_REQUEST, "global", "badRequest", message)
    }

    pub(super) fn forbidden(domain: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, domain, reason, message)
    }

    pub(super) fn not_found(domain: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, domain, reason, message)
    }

    /// The day's allowance is used up (the words are observed, their HTML included).
    pub(super) fn quota() -> Self {
        let message = "The request cannot be completed because you have exceeded your \
                       <a href=\"/youtube/v3/getting-started#quota\">quota</a>.";
        Self::forbidden("youtube.quota", "quotaExceeded", message)
    }

    pub(super) fn no_token() -> Self {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other \
                       valid authentication credential. See \
                       https://developers.google.com/identity/sign-in/web/devconsole-project.";
        let problem = Self::new(StatusCode::UNAUTHORIZED, "global", "authError", message);
        Self { location: Some("Authorization"), ..problem }
    }

    pub(super) fn no_scope() -> Self {
        Self::forbidden("global", "insufficientPermissions", "Request had insufficient authentication scopes.")
    }

    /// The account has not begun a channel.
    pub(super) fn no_channel() -> Self {
        let problem = Self::new(StatusCode::UNAUTHORIZED, "youtube.header", "youtubeSignupRequired", "Unauthorized");
        Self { location: Some("Authorization"), ..problem }
    }

    /// Something of the vendor's went wrong, or was told to.
    pub(super) fn of(status: StatusCode) -> Self {
        let (reason, message) = match status {
            StatusCode::UNAUTHORIZED => return Self::no_token(),
            StatusCode::FORBIDDEN => ("forbidden", "Forbidden"),
            StatusCode::NOT_FOUND => ("notFound", "Not Found"),
            StatusCode::TOO_MANY_REQUESTS => ("rateLimitExceeded", "Too many requests."),
            StatusCode::LENGTH_REQUIRED => ("lengthRequired", "A request with a body says how long it is."),
            StatusCode::PAYLOAD_TOO_LARGE => ("uploadTooLarge", "Media too large."),
            status if status.is_server_error() => ("backendError", "Backend Error"),
            _ => ("badRequest", "Bad Request"),
        };
        Self::new(status, "global", reason, message)
    }

    fn body(&self) -> Value {
        let mut detail = json!({ "message": self.message, "domain": self.domain, "reason": self.reason });
        if let Some(location) = self.location {
            detail["location"] = location.into();
            detail["locationType"] = if location == "Authorization" { "header" } else { "parameter" }.into();
        }
        json!({ "error": { "code": self.status.as_u16(), "message": self.message, "errors": [detail] } })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, [(CACHE_CONTROL, "private, max-age=0")], Json(self.body())).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge =
                HeaderValue::from_static(r#"Bearer realm="https://accounts.google.com/", error="invalid_token""#);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// An answer with this status in YouTube's manner.
pub(super) fn manner(status: StatusCode) -> Response {
    Problem::of(status).into_response()
}
