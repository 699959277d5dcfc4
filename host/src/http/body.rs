//! What a request brings, read so that a mistake is told in our words: the body, the query and the path.

use super::MAX_BODY_BYTES;
use crate::connectors::MAX_COMPONENT_BYTES;
use crate::error::{Error, Result};
use axum::Json;
use axum::body::{Bytes, HttpBody as _};
use axum::extract::rejection::JsonRejection;
use axum::extract::{self, FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// A JSON body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        match Json::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(JsonRejection::MissingJsonContentType(_)) => {
                Err(Error::MediaType("Send JSON, with `Content-Type: application/json`."))
            }
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Error::TooLarge(MAX_BODY_BYTES))
            }
            Err(rejection) => Err(unreadable("body", &rejection)),
        }
    }
}

/// A JSON body that may be left out, where everything in it may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maybe<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for Maybe<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        let Body(value) = Body::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// A component, as `application/wasm`.
#[derive(Debug, Clone)]
pub(super) struct Component(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Component {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.eq_ignore_ascii_case("application/wasm") {
            return Err(Error::MediaType("Send the component's bytes, with `Content-Type: application/wasm`."));
        }
        match Bytes::from_request(request, state).await {
            Ok(bytes) => Ok(Self(bytes)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Error::TooLarge(MAX_COMPONENT_BYTES))
            }
            Err(rejection) => Err(unreadable("body", &rejection)),
        }
    }
}

/// The parameters after the `?`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match extract::Query::from_request_parts(parts, state).await {
            Ok(extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(unreadable("query", &rejection)),
        }
    }
}

/// The parameters in the path. What does not read as an id names nothing: 404, as for a stranger's id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match extract::Path::from_request_parts(parts, state).await {
            Ok(extract::Path(value)) => Ok(Self(value)),
            Err(rejection) if rejection.status() == StatusCode::INTERNAL_SERVER_ERROR => {
                Err(Error::Internal(anyhow::anyhow!("a handler and its path disagree: {}", rejection.body_text())))
            }
            Err(_) => Err(Error::NotFound("thing")),
        }
    }
}

/// Says what is wrong in the words of whoever found it, such as `limit: invalid digit found in string`.
fn unreadable(what: &str, rejection: &dyn std::error::Error) -> Error {
    let finding = rejection.source().map_or_else(|| rejection.to_string(), ToString::to_string);
    Error::Malformed(format!("The {what} cannot be read: {finding}."))
}
