//! JSON bodies, read as strictly as the closed objects of X's OpenAPI document: no unknown or repeated member, no
//! null (nothing there is nullable), no other content type.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::Problem;

/// A JSON body that has exactly the shape of `T`, which must itself refuse unknown members.
pub(super) struct Closed<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Closed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if media_type(request.headers()) != "application/json" {
            return Err(Problem::content_type("application/json"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|_| Problem::too_large())?;
        let closed = serde_json::from_slice(&bytes).map_err(|wrong| Problem::invalid("body", "", wrong.to_string()))?;
        match serde_json::from_slice::<Value>(&bytes).ok().as_ref().and_then(null_in) {
            Some(path) => Err(Problem::invalid(&path, "null", format!("${path}: null found"))),
            None => Ok(Self(closed)),
        }
    }
}

/// The content type without its parameters, in lower case.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The path of the first null, such as `.reply` or `.media.media_ids[0]`.
fn null_in(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Object(members) => {
            members.iter().find_map(|(name, member)| Some(format!(".{name}{}", null_in(member)?)))
        }
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(at, item)| Some(format!("[{at}]{}", null_in(item)?)))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
