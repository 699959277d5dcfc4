//! Refusals: `{"error": {"type", "code", "param", "message"}}`, as Stripe documents them.

use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

const INVALID: &str = "invalid_request_error";

/// What is answered instead of doing what was asked.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    pub(super) message: String,
}

impl Problem {
    /// 400 about the request as a whole.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind: INVALID, code: None, param: None, message: message.into() }
    }

    /// 400 about one parameter.
    pub(super) fn at(param: &str, message: impl Into<String>) -> Self {
        Self { param: Some(param.to_owned()), ..Self::invalid(message) }
    }

    pub(super) fn coded(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(super) fn unknown(param: &str) -> Self {
        Self::at(param, format!("Received unknown parameter: {param}")).coded("parameter_unknown")
    }

    pub(super) fn missing(param: &str) -> Self {
        Self::at(param, format!("Missing required param: {param}.")).coded("parameter_missing")
    }

    pub(super) fn empty(param: &str) -> Self {
        let message = format!(
            "You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter; however \
             '{param}' cannot be unset. You should remove '{param}' from your request or supply a non-empty value."
        );
        Self::at(param, message).coded("parameter_invalid_empty")
    }

    /// 404 for an object that there is not.
    pub(super) fn no_such(what: &str, id: &str, param: &str) -> Self {
        let missing = Self::at(param, format!("No such {what}: '{id}'")).coded("resource_missing");
        Self { status: StatusCode::NOT_FOUND, ..missing }
    }

    /// 404 for a route that there is not.
    pub(super) fn no_route(method: &Method, path: &str) -> Self {
        let message = format!(
            "Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at \
             https://support.stripe.com/."
        );
        Self { status: StatusCode::NOT_FOUND, ..Self::invalid(message) }
    }

    pub(super) fn no_key() -> Self {
        let message = "You did not provide an API key. You need to provide your API key in the Authorization header, using \
                       Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').";
        Self { status: StatusCode::UNAUTHORIZED, ..Self::invalid(message) }
    }

    pub(super) fn wrong_key() -> Self {
        Self { status: StatusCode::UNAUTHORIZED, ..Self::invalid("Invalid API Key provided.") }
    }

    /// 400 for an idempotency key that came with other parameters.
    pub(super) fn other_parameters(key: &str) -> Self {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a \
             key other than '{key}' if you meant to execute a different request."
        );
        Self { kind: "idempotency_error", ..Self::invalid(message) }
    }

    /// 402 for a card that was declined.
    pub(super) fn declined() -> Self {
        let declined = Self::invalid("Your card was declined.").coded("card_declined");
        Self { status: StatusCode::PAYMENT_REQUIRED, kind: "card_error", ..declined }
    }

    /// Something of the vendor's went wrong, or was told to.
    pub(super) fn of(status: StatusCode) -> Self {
        let (kind, code, message) = match status {
            StatusCode::UNAUTHORIZED => return Self::wrong_key(),
            StatusCode::TOO_MANY_REQUESTS => (INVALID, Some("rate_limit"), "Request rate limit exceeded."),
            StatusCode::CONFLICT => {
                ("idempotency_error", None, "There is currently another in-progress request using this key.")
            }
            StatusCode::PAYMENT_REQUIRED => return Self::declined(),
            status if status.is_server_error() => ("api_error", None, "An unknown error occurred."),
            _ => (INVALID, None, "The request was refused."),
        };
        Self { status, kind, code, param: None, message: message.to_owned() }
    }

    /// The body.
    pub(super) fn body(&self) -> Value {
        let mut error = Map::new();
        error.insert("type".to_owned(), self.kind.into());
        error.insert("message".to_owned(), self.message.clone().into());
        if let Some(code) = self.code {
            error.insert("code".to_owned(), code.into());
            error.insert("doc_url".to_owned(), format!("https://docs.stripe.com/error-codes#{code}").into());
        }
        if let Some(param) = &self.param {
            error.insert("param".to_owned(), param.clone().into());
        }
        json!({ "error": error })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, axum::Json(self.body())).into_response()
    }
}

/// An answer with this status in Stripe's manner.
pub(super) fn manner(status: StatusCode) -> Response {
    Problem::of(status).into_response()
}

/// Why something that a customer or a bank was to do cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem.message)
    }
}
