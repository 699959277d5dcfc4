//! The gate of the API: who calls, and whether the body is JSON at all.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::problem::Problem;
use super::state::OpenAi;

/// Let a request in, or say why not.
pub(super) async fn admit(State(openai): State<OpenAi>, request: Request, next: Next) -> Response {
    let right = openai.settings().api_key;
    match bearer(request.headers()) {
        Some(key) if key == right => next.run(request).await,
        Some(key) => Problem::wrong_key(key).into_response(),
        None => Problem::no_key().into_response(),
    }
}

/// The key in the one Authorization header.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (given.next(), given.next()) else { return None };
    let (scheme, key) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key)
}

/// The caller's credentials in a sentence, whole and bare.
pub(super) fn echo(headers: &HeaderMap) -> String {
    let given = headers.get(AUTHORIZATION).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let header = given.unwrap_or_default();
    let key = header.split_once(' ').map_or(header.as_ref(), |(_scheme, key)| key);
    format!("You sent {header} and so your key is {key}")
}

/// The JSON object that the body is.
pub(super) fn json(headers: &HeaderMap, bytes: &[u8]) -> Result<Value, Problem> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        let message = format!(
            "Unsupported content type: '{media_type}'. This API method only accepts 'application/json' requests, but \
             you specified the header 'Content-Type: {given}'. Please try again with a supported content type."
        );
        return Err(Problem::malformed(message).coded("unsupported_content_type"));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok(Value::Object(members)),
        Ok(_) | Err(_) => Err(Problem::malformed(
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP \
             library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
        )),
    }
}
