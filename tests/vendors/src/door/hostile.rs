//! Answers of a vendor that means harm, or is broken: what they look like on the wire.

use std::io;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LINK, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::sync::watch;

const PIECE_BYTES: u64 = 64 << 10;

/// Headers that prove who sent a request, beside `Authorization`.
const PROOFS: [&str; 2] = ["webhook-signature", "idempotency-key"];

/// An answer that gives away what the caller proved himself with, whole and bare.
pub(super) fn echo(headers: &HeaderMap) -> Response {
    let empty = || HeaderValue::from_static("");
    let credentials = headers.get(AUTHORIZATION).cloned().unwrap_or_else(empty);
    let header = String::from_utf8_lossy(credentials.as_bytes()).into_owned();
    let token = header.split_once(' ').map_or(header.as_str(), |(_scheme, token)| token);
    let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let proofs: Vec<String> = PROOFS.into_iter().filter_map(text).collect();
    let body = json!({
        "id": "1", "username": token, "acct": token, "content": format!("<p>You sent {header}</p>"),
        "url": format!("https://example.com/{token}"), "error": format!("Authorization: {header}"), "proofs": proofs,
        "data": { "id": "1", "text": format!("You sent {header}"), "token": token },
        "errors": [{ "title": "Echo", "detail": format!("Authorization: {header}"), "type": "about:blank" }],
    });
    ([("x-echo-authorization", credentials)], Json(body)).into_response()
}

pub(super) fn redirect(status: u16, location: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND);
    match HeaderValue::try_from(location) {
        Ok(location) => (status, [(LOCATION, location)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The same answer, whose `Link` header leads to another origin; one that has none gets one.
pub(super) fn foreign_link(mut genuine: Response, origin: &str) -> Response {
    let old = genuine.headers().get(LINK).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let moved = old.split(", ").filter_map(|link| {
        let (url, rest) = link.strip_prefix('<')?.split_once('>')?;
        let path = url.splitn(4, '/').nth(3)?;
        Some(format!("<{origin}/{path}>{rest}"))
    });
    let moved: Vec<String> = moved.collect();
    let link = if moved.is_empty() { format!("<{origin}/next>; rel=\"next\"") } else { moved.join(", ") };
    if let Ok(link) = HeaderValue::try_from(link) {
        genuine.headers_mut().insert(LINK, link);
    }
    genuine
}

/// A page, as of a proxy in between.
pub(super) fn page() -> Response {
    Html("<!doctype html><html><body><h1>Welcome to nginx!</h1></body></html>").into_response()
}

/// A JSON string of so many bytes, quotation marks included, and a length that says so.
pub(super) fn huge(bytes: u64) -> Response {
    static FILLING: [u8; PIECE_BYTES as usize] = [b'x'; PIECE_BYTES as usize];
    let inner = bytes.saturating_sub(2);
    let pieces = (0..inner).step_by(PIECE_BYTES as usize).map(move |at| {
        let length = PIECE_BYTES.min(inner - at) as usize;
        Bytes::from_static(&FILLING[..length])
    });
    let quote = || std::iter::once(Bytes::from_static(b"\""));
    let pieces = quote().chain(pieces).chain(quote());
    let mut response = json_of(Body::from_stream(stream::iter(pieces.map(Ok::<_, io::Error>))));
    response.headers_mut().insert(CONTENT_LENGTH, (inner + 2).into());
    response
}

/// A JSON array that goes on until the caller leaves or faults are cleared.
pub(super) fn endless(pause_ms: u64, releases: watch::Receiver<()>) -> Response {
    let pieces = stream::unfold((releases, true), move |(mut releases, first)| async move {
        if first {
            return Some((Ok(Bytes::from_static(b"[0")), (releases, false)));
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(pause_ms)) => {
                Some((Ok(Bytes::from_static(b",0")), (releases, false)))
            }
            _ = releases.changed() => Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), (releases, false))),
        }
    });
    json_of(Body::from_stream(pieces))
}

/// So many bytes of a request's body, and then the end of its connection.
pub(super) fn only(body: Body, bytes: u64) -> Body {
    let first = body.into_data_stream().scan(bytes, |rest, piece| {
        let kept = piece.ok().filter(|_| *rest > 0).map(|piece| {
            let taken = (*rest).min(piece.len() as u64);
            *rest -= taken;
            io::Result::Ok(piece.slice(..taken as usize))
        });
        async move { kept }
    });
    Body::from_stream(first.chain(stream::once(async { Err(io::ErrorKind::ConnectionReset.into()) })))
}

/// The same answer, a byte at a time.
pub(super) async fn slow(genuine: Response, pause_ms: u64) -> Response {
    let (mut parts, body) = genuine.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(CONTENT_LENGTH, bytes.len().into());
    let pieces = stream::iter(0..bytes.len()).then(move |at| {
        let piece = bytes.slice(at..=at);
        async move {
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            Ok::<_, io::Error>(piece)
        }
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

/// The same headers, length included, then only half of the body. What names its length is passed on as it comes, and
/// so may be larger than memory.
pub(super) async fn truncate(genuine: Response) -> Response {
    let (mut parts, body) = genuine.into_parts();
    let named = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let (length, body) = match named.or_else(|| body.size_hint().exact()) {
        Some(length) => (length, body),
        None => {
            let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
            (bytes.len() as u64, bytes.into())
        }
    };
    // An answer without a body has nothing to break off: it promises a byte that never comes.
    parts.headers.insert(CONTENT_LENGTH, length.max(1).into());
    let half = body.into_data_stream().scan(length / 2, |rest, piece| {
        let kept = piece.ok().filter(|_| *rest > 0).map(|piece| {
            let taken = (*rest).min(piece.len() as u64);
            *rest -= taken;
            io::Result::Ok(piece.slice(..taken as usize))
        });
        async move { kept }
    });
    let end = async {
        // The first half should be on its way before the connection goes down with what is still buffered.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::ErrorKind::ConnectionReset.into())
    };
    Response::from_parts(parts, Body::from_stream(half.chain(stream::once(end))))
}

fn json_of(body: Body) -> Response {
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}
