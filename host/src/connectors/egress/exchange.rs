//! One request and its answer: sent once, bounded in time, unpacked as it comes.

use super::leaving::{Leaving, Signs};
use super::pools::Client;
use super::resolver::NoAddress;
use super::{NoAnswer, Stage, chain, unpack};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use http::Method;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, HeaderValue, RANGE, USER_AGENT};
use http_body_util::{BodyDataStream, BodyExt as _};
use hyper::body::Incoming;
use reqwest::{Body, Request, Response};
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

const OUR_NAME: &str = concat!("Orla/", env!("CARGO_PKG_VERSION"));
/// For a request and all of its answer, where the caller sets nothing shorter.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// How long is waited for the other side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// In all.
    until: Instant,
    /// From one sign of life to the next.
    silence: Duration,
}

impl Patience {
    fn next(self) -> Instant {
        self.after(Instant::now())
    }

    /// Until when is waited after a sign of life.
    fn after(self, sign: Instant) -> Instant {
        self.until.min(sign + self.silence)
    }

    /// What to say of whom we do not wait for any longer.
    fn ended(self) -> io::Error {
        let words = if Instant::now() >= self.until {
            "the answer took too long in all".to_owned()
        } else {
            format!("the other side was silent for {} ms", self.silence.as_millis())
        };
        io::Error::new(io::ErrorKind::TimedOut, words)
    }
}

/// Sends a request and waits for the head of its answer, whose body is bounded by the same patience. While pieces of the
/// request leave, nobody is silent.
///
/// # Errors
/// [`NoAnswer`], which says whether the request may have arrived.
pub(super) async fn send(client: &Client, request: Request, silence: Duration) -> Result<Response, NoAnswer> {
    let total = request.timeout().copied().unwrap_or(LONGEST);
    let patience = Patience { until: Instant::now() + total, silence };
    let mut request: http::Request<Body> = request
        .try_into()
        .map_err(|_| NoAnswer { message: "the URL cannot be called".to_owned(), stage: Stage::Forbidden })?;
    let asks_for_range = request.headers().contains_key(RANGE);
    // Of a method that could have a body, no body is said in so many words (RFC 9110, section 8.6); some servers insist.
    let says_no_body = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH)
        && hyper::body::Body::size_hint(request.body()).exact() == Some(0);
    let headers = request.headers_mut();
    headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(OUR_NAME));
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    // What is said in answer to it has to be unpacked here. A range is one of the bytes as they are.
    let packings = if asks_for_range { unpack::AS_IT_IS } else { unpack::ACCEPTED };
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(packings));
    if says_no_body {
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let (mut parts, body) = answer(client, request, patience).await?.into_parts();
    let body = unpack::body(&mut parts, body, |body| pieces(body, patience))
        .map_err(|unknown| NoAnswer { message: unknown.to_string(), stage: Stage::Lost })?;
    Ok(http::Response::from_parts(parts, body).into())
}

/// The head of the answer, for as long as there is patience.
async fn answer(
    client: &Client,
    request: http::Request<Body>,
    patience: Patience,
) -> Result<http::Response<Incoming>, NoAnswer> {
    let signs = Signs::begin();
    let mut answer = pin!(client.request(request.map(|body| Leaving::of(body, signs.clone()))));
    loop {
        let last = signs.last();
        match timeout_at(patience.after(last), &mut answer).await {
            Ok(answer) => return answer.map_err(|error| no_answer(&error)),
            Err(_) if signs.last() > last && Instant::now() < patience.until => {}
            Err(_) => return Err(NoAnswer { message: patience.ended().to_string(), stage: Stage::Lost }),
        }
    }
}

/// The pieces of a body, for as long as there is patience.
fn pieces(body: Incoming, patience: Patience) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let pieces = BodyDataStream::new(body.map_err(|error| io::Error::other(chain(&error))));
    futures_util::stream::try_unfold(pieces, move |mut pieces| async move {
        match timeout_at(patience.next(), pieces.try_next()).await {
            Ok(piece) => Ok(piece?.map(|piece| (piece, pieces))),
            Err(_) => Err(patience.ended()),
        }
    })
}

fn no_answer(error: &hyper_util::client::legacy::Error) -> NoAnswer {
    let mut cause = std::error::Error::source(error);
    // The outermost error says no more than the stage.
    let message = cause.map_or_else(|| error.to_string(), chain);
    while let Some(inner) = cause {
        if let Some(NoAddress::NotPublic(refused)) = inner.downcast_ref() {
            return NoAnswer { message: refused.to_string(), stage: Stage::Forbidden };
        }
        cause = inner.source();
    }
    let stage = if error.is_connect() { Stage::Unreached } else { Stage::Lost };
    NoAnswer { message, stage }
}

/// Why an answer could not be read to its end, as far as anybody knows.
pub(crate) fn broken(error: &reqwest::Error) -> String {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    // The outermost error has the URL, which may hold secrets.
    if std::ptr::addr_eq(cause, error) { "its end did not come".to_owned() } else { cause.to_string() }
}
