//! Refusals, in the shape of the document's `ErrorResponse`. Messages and codes are those of the real service
//! (observed) unless they say that the simulator cannot do something.

use axum::Json;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

const INVALID: &str = "invalid_request_error";

/// What the API answers instead of doing what was asked.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, code: None, param: None, message: message.into() }
    }

    /// 400 about the request as a whole.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID, message)
    }

    /// 400 about one parameter.
    pub(super) fn invalid(param: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self::malformed(message).about(param).coded(code)
    }

    pub(super) fn coded(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    fn about(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    /// 400 for a parameter that OpenAI knows and the simulator does not act on.
    pub(super) fn not_simulated(param: &str) -> Self {
        Self::invalid(param, "unsupported_parameter", format!("The simulator does not support this use of '{param}'."))
    }

    pub(super) fn unsupported_by_model(param: &str) -> Self {
        let message = format!("Unsupported parameter: '{param}' is not supported with this model.");
        Self::invalid(param, "unsupported_parameter", message)
    }

    pub(super) fn unknown_parameter(param: &str) -> Self {
        Self::invalid(param, "unknown_parameter", format!("Unknown parameter: '{param}'."))
    }

    pub(super) fn missing_parameter(param: &str) -> Self {
        Self::invalid(param, "missing_required_parameter", format!("Missing required parameter: '{param}'."))
    }

    pub(super) fn no_key() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            INVALID,
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer \
             auth (i.e. Authorization: Bearer YOUR_KEY).",
        )
    }

    pub(super) fn wrong_key(key: &str) -> Self {
        let message = format!(
            "Incorrect API key provided: {}. You can find your API key at https://platform.openai.com/account/api-keys.",
            masked(key)
        );
        Self::new(StatusCode::UNAUTHORIZED, INVALID, message).coded("invalid_api_key")
    }

    pub(super) fn no_such_model(model: &str) -> Self {
        let message = format!("The model `{model}` does not exist or you do not have access to it.");
        Self::new(StatusCode::NOT_FOUND, INVALID, message).about("model").coded("model_not_found")
    }

    pub(super) fn no_such_path(method: &Method, uri: &Uri) -> Self {
        Self::new(StatusCode::NOT_FOUND, INVALID, format!("Invalid URL ({method} {})", uri.path()))
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, INVALID, "The request body is too large.")
    }

    pub(super) fn server_error() -> Self {
        let message = "The server had an error while processing your request. Sorry about that!";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", message).coded("server_error")
    }

    /// The JSON of it, without the status.
    pub(super) fn body(&self) -> Value {
        let Self { status: _, kind, code, param, message } = self;
        json!({ "error": { "message": message, "type": kind, "param": param, "code": code } })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(self.body())).into_response()
    }
}

/// A key as the service repeats it (observed): the first eight and the last four characters, the rest as stars. Of a
/// key that this would give away, nothing.
fn masked(key: &str) -> String {
    let count = key.chars().count();
    let shows = |at: usize| count > 16 && (at < 8 || at + 4 >= count);
    key.chars().enumerate().map(|(at, letter)| if shows(at) { letter } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_key_is_repeated_without_its_middle() {
        assert_eq!(masked("sk-proj-0123456789abcd"), "sk-proj-**********abcd");
        assert_eq!(masked("sk-orla-demo"), "************");
    }
}
