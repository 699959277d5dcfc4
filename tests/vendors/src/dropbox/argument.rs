//! The argument of a call: JSON in the body, nothing at all, or JSON in a header.
//!
//! Objects are closed: Dropbox refuses members that it does not know.

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use super::form::Form;
use super::problem::Problem;

/// What stands in front of words about a body.
const BODY: &str = "request body";

/// A JSON body that has exactly the shape of `T`, which must itself refuse unknown members.
pub(super) struct Argument<T>(pub(super) T);

/// The body of a call without an argument: none, or JSON's `null`.
pub(super) struct Nothing;

/// The argument of a download, in `Dropbox-API-Arg` or in the URL parameter `arg`; there is no body.
pub(super) struct HeaderArgument<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Argument<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        json_type(request.headers())?;
        parse(BODY, &whole(request).await?).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for Nothing {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let typed = request.headers().contains_key(CONTENT_TYPE);
        if typed {
            json_type(request.headers())?;
        }
        let bytes = whole(request).await?;
        if bytes.is_empty() && !typed {
            return Ok(Self);
        }
        match parse::<serde_json::Value>(BODY, &bytes)? {
            serde_json::Value::Null => Ok(Self),
            _ => Err(Problem::bad("request body: expected null, got value")),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequest<S> for HeaderArgument<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let headers = request.headers();
        if let Some(given) = headers.get(CONTENT_TYPE) {
            let given = given.to_str().unwrap_or_default();
            let kind = given.split(';').next().unwrap_or_default().trim();
            if !["application/octet-stream", "text/plain"].iter().any(|known| kind.eq_ignore_ascii_case(known)) {
                return Err(Problem::bad(format!(
                    "Bad HTTP \"Content-Type\" header: \"{given}\".  Expecting one of \"application/octet-stream\", \
                     \"text/plain; charset=utf-8\"."
                )));
            }
        }
        let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
        if let Some(fault) = query.fault(&["arg"]) {
            return Err(Problem::strict(fault));
        }
        let mut given = headers.get_all("dropbox-api-arg").iter();
        let argument = match (given.next(), given.next(), query.get("arg")) {
            (Some(header), None, None) => {
                let header = header.as_bytes();
                if !header.iter().all(|byte| matches!(byte, b' '..=b'~')) {
                    let words = "HTTP header \"Dropbox-API-Arg\": could not decode input as JSON: it must be ASCII";
                    return Err(Problem::bad(words));
                }
                parse("HTTP header \"Dropbox-API-Arg\"", header)
            }
            (None, _, Some(parameter)) => parse("URL parameter \"arg\"", parameter.as_bytes()),
            (None, _, None) => {
                Err(Problem::bad("Must provide HTTP header \"Dropbox-API-Arg\" or URL parameter \"arg\"."))
            }
            (Some(_), ..) => Err(Problem::bad("HTTP header \"Dropbox-API-Arg\" is given twice.")),
        }?;
        if !whole(request).await?.is_empty() {
            return Err(Problem::bad("The request body is supposed to be empty, but isn't."));
        }
        Ok(Self(argument))
    }
}

fn parse<T: DeserializeOwned>(place: &str, bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|wrong| {
        let words = if wrong.is_data() { wrong.to_string() } else { "could not decode input as JSON".to_owned() };
        Problem::bad(format!("{place}: {words}"))
    })
}

fn json_type(headers: &HeaderMap) -> Result<(), Problem> {
    const KNOWN: [&str; 3] =
        ["application/json", "application/json; charset=utf-8", "text/plain; charset=dropbox-cors-hack"];
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let plain = |text: &str| text.replace(' ', "").to_ascii_lowercase();
    if KNOWN.iter().any(|known| plain(known) == plain(given)) {
        return Ok(());
    }
    let known = KNOWN.map(|known| format!("\"{known}\"")).join(", ");
    Err(Problem::bad(format!("Bad HTTP \"Content-Type\" header: \"{given}\".  Expecting one of {known}.")))
}

async fn whole(request: Request) -> Result<Bytes, Problem> {
    to_bytes(request.into_body(), usize::MAX).await.map_err(|_| Problem::bad("The request body cannot be read."))
}
