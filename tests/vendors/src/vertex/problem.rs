//! Refusals: `{"error": {"code", "message", "status", "details"}}`, as `google.rpc.Status` is written over HTTP.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// What is answered instead of doing what was asked.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    code: StatusCode,
    status: &'static str,
    message: String,
    /// Of `google.rpc.ErrorInfo`.
    reason: Option<&'static str>,
}

impl Problem {
    fn new(code: StatusCode, status: &'static str, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into(), reason: None }
    }

    /// 400 for what the model does not take.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message)
    }

    /// 400 in the simulator's own words, for what Google would ignore or guess at.
    pub(super) fn strict(message: impl AsRef<str>) -> Self {
        Self::invalid(format!("The simulator is strict: {}", message.as_ref()))
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    pub(super) fn denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message)
    }

    pub(super) fn no_scope() -> Self {
        let problem = Self::denied("Request had insufficient authentication scopes.");
        Self { reason: Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), ..problem }
    }

    pub(super) fn no_token() -> Self {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other \
                       valid authentication credential. See \
                       https://developers.google.com/identity/sign-in/web/devconsole-project.";
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message)
    }

    /// Something of the vendor's went wrong, or was told to.
    pub(super) fn of(code: StatusCode) -> Self {
        let (status, message) = match code {
            StatusCode::UNAUTHORIZED => return Self::no_token(),
            StatusCode::FORBIDDEN => ("PERMISSION_DENIED", "The caller does not have permission"),
            StatusCode::NOT_FOUND => ("NOT_FOUND", "Requested entity was not found."),
            StatusCode::CONFLICT => ("ABORTED", "The operation was aborted."),
            StatusCode::TOO_MANY_REQUESTS => ("RESOURCE_EXHAUSTED", "Quota exceeded for aiplatform.googleapis.com."),
            StatusCode::SERVICE_UNAVAILABLE => ("UNAVAILABLE", "The service is currently unavailable."),
            StatusCode::GATEWAY_TIMEOUT => ("DEADLINE_EXCEEDED", "Deadline exceeded."),
            code if code.is_server_error() => ("INTERNAL", "Internal error encountered."),
            _ => ("INVALID_ARGUMENT", "Request contains an invalid argument."),
        };
        Self::new(code, status, message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { code, status, message, reason } = self;
        let mut body = json!({ "error": { "code": code.as_u16(), "message": message, "status": status } });
        if let Some(reason) = reason {
            let info = "type.googleapis.com/google.rpc.ErrorInfo";
            body["error"]["details"] = json!([{ "@type": info, "reason": reason, "domain": "googleapis.com" }]);
        }
        (code, Json(body)).into_response()
    }
}

/// An answer with this status in Google's manner.
pub(super) fn manner(status: StatusCode) -> Response {
    Problem::of(status).into_response()
}
