//! Refusals of the API: problem JSON, as documented under "Response codes & errors" (docs.x.com).

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::door::{Canned, Mode};

/// What the API answers instead of doing what was asked.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<Value>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, title, detail: detail.into(), errors: Vec::new() }
    }

    /// 400 for one parameter, named in `errors`.
    pub(super) fn invalid(parameter: &str, value: &str, message: impl Into<String>) -> Self {
        Self {
            errors: vec![json!({ "parameters": { parameter: [value] }, "message": message.into() })],
            ..Self::malformed("One or more parameters to your request was invalid.")
        }
    }

    /// 400 for a request that is wrong as a whole.
    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "https://api.x.com/2/problems/invalid-request", "Invalid Request", detail)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "about:blank", "Unauthorized", "Unauthorized")
    }

    /// 403 of the kind whose only explanation is its detail (observed).
    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "about:blank", "Forbidden", detail)
    }

    /// 403 because the token, or the access level, does not reach this far.
    pub(super) fn client_forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "https://api.x.com/2/problems/client-forbidden", "Client Forbidden", detail)
    }

    /// 404 for one resource. Lookups put it [in the body](Self::in_body) instead.
    pub(super) fn not_found(resource: &str, parameter: &str, id: &str) -> Self {
        let detail = format!("Could not find {resource} with {parameter}: [{id}].");
        let kind = "https://api.x.com/2/problems/resource-not-found";
        Self {
            errors: vec![json!({
                "value": id, "detail": detail, "title": "Not Found Error", "resource_type": resource,
                "parameter": parameter, "resource_id": id, "type": kind,
            })],
            ..Self::new(StatusCode::NOT_FOUND, kind, "Not Found Error", detail)
        }
    }

    /// 200 with `errors` and no `data`: how a lookup by id says that there is nothing to find (observed).
    pub(super) fn in_body(mut self) -> Json<Value> {
        if self.errors.is_empty() {
            self.errors.push(json!({ "title": self.title, "detail": self.detail, "type": self.kind }));
        }
        Json(json!({ "errors": self.errors }))
    }

    pub(super) fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "about:blank", "Not Found", "Not Found")
    }

    pub(super) fn no_such_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "about:blank", "Method Not Allowed", "Method Not Allowed")
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "about:blank", "Payload Too Large", "The request body is too large.")
    }

    pub(super) fn content_type(expected: &str) -> Self {
        let detail = format!("The Content-Type of this request must be {expected}.");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "about:blank", "Unsupported Media Type", detail)
    }

    pub(super) fn rate_limited() -> Self {
        let kind = "https://api.x.com/2/problems/rate-limit-exceeded";
        Self::new(StatusCode::TOO_MANY_REQUESTS, kind, "Too Many Requests", "Too Many Requests")
    }

    fn simulated(status: StatusCode) -> Self {
        Self::new(status, "about:blank", status.canonical_reason().unwrap_or("Simulated"), "The simulator was told to.")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, kind, title, detail, errors } = self;
        let mut body = json!({ "title": title, "detail": detail, "type": kind, "status": status.as_u16() });
        if !errors.is_empty() {
            body["errors"] = errors.into();
        }
        (status, [(CONTENT_TYPE, "application/problem+json")], Json(body)).into_response()
    }
}

/// An answer with this status in X's manner.
pub(super) fn manner(status: StatusCode) -> Response {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large().into_response(),
        status => Problem::simulated(status).into_response(),
    }
}

/// Not executed; 200 with `errors` and no `data`.
pub fn reject_in_body() -> Mode {
    let Json(body) = Problem::forbidden("The simulator was told to reject this.").in_body();
    Mode::Status(Canned { status: 200, body: Some(body), ..Canned::default() })
}
