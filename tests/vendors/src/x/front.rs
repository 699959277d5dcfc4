//! The front door: logs every request, lets faults have their way, and runs what is left of it.
//!
//! A request that was received whole is executed in a task of its own, as at any real vendor: a caller who hangs up
//! does not take back what he asked for.

use std::io;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde_json::json;

use super::faults::Mode;
use super::problem::Problem;
use super::state::X;
use super::traffic::{Answer, Entry};
use crate::wire::Cut;

/// More than any request may have: the largest is a media chunk of 5 MB with its multipart frame.
const BODY_LIMIT_BYTES: usize = 16 << 20;

enum Outcome {
    Answer(Response),
    Cut,
    Hang(Entry),
}

/// Receive a request.
pub(super) async fn receive(
    State(x): State<X>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
    next: Next,
) -> Response {
    let mut releases = x.releases();
    let entry = Entry::open(&x, &request);
    let mode = x.world().faults.take(request.method().as_str(), request.uri().path());
    if matches!(mode, Some(Mode::CutBefore)) {
        entry.answer(Answer::Cut);
        return cut.pull();
    }
    let (parts, body) = request.into_parts();
    let body = match whole(body).await {
        Ok(bytes) => bytes,
        // A connection that broke while it was read leaves nobody to answer, and the entry as abandoned.
        Err(Unread::Broken) => return cut.pull(),
        Err(Unread::TooLarge) => {
            entry.answer(Answer::Status(StatusCode::PAYLOAD_TOO_LARGE.as_u16()));
            return Problem::too_large().into_response();
        }
    };
    let request = Request::from_parts(parts, body.into());
    match tokio::spawn(execute(entry, mode, request, next)).await {
        Ok(Outcome::Answer(response)) => response,
        Ok(Outcome::Cut) => cut.pull(),
        Ok(Outcome::Hang(entry)) => {
            // An error says that the simulator is gone, which lets go as well.
            let _ = releases.changed().await;
            entry.answer(Answer::Cut);
            cut.pull()
        }
        Err(_) => Problem::simulated(StatusCode::INTERNAL_SERVER_ERROR).into_response(),
    }
}

enum Unread {
    Broken,
    TooLarge,
}

async fn whole(body: Body) -> Result<Vec<u8>, Unread> {
    let mut pieces = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece.map_err(|_| Unread::Broken)?);
        if bytes.len() > BODY_LIMIT_BYTES {
            return Err(Unread::TooLarge);
        }
    }
    Ok(bytes)
}

async fn execute(entry: Entry, mode: Option<Mode>, request: Request, next: Next) -> Outcome {
    if let Some(Mode::DelayMs(ms)) = mode {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    let credentials = request.headers().get(AUTHORIZATION).cloned();
    let genuine = if mode.as_ref().is_none_or(Mode::executes) { next.run(request).await } else { ().into_response() };
    let response = match mode {
        None | Some(Mode::DelayMs(_)) => genuine,
        Some(Mode::Status(canned) | Mode::ExecutedThenStatus(canned)) => canned.into_response(),
        Some(Mode::EchoToken) => echo(credentials),
        Some(Mode::RejectInBody) => {
            Problem::forbidden("The simulator was told to reject this.").in_body().into_response()
        }
        Some(Mode::TruncatedBody) => {
            entry.answer(Answer::Cut);
            return Outcome::Answer(truncate(genuine).await);
        }
        Some(Mode::CutBefore | Mode::CutAfter) => {
            entry.answer(Answer::Cut);
            return Outcome::Cut;
        }
        Some(Mode::Hang { .. }) => {
            entry.answer(Answer::Hanging);
            return Outcome::Hang(entry);
        }
    };
    entry.answer(Answer::Status(response.status().as_u16()));
    Outcome::Answer(response)
}

/// An answer that gives the caller's credentials away, whole and bare.
fn echo(credentials: Option<HeaderValue>) -> Response {
    let credentials = credentials.unwrap_or_else(|| HeaderValue::from_static(""));
    let header = String::from_utf8_lossy(credentials.as_bytes()).into_owned();
    let token = header.split_once(' ').map_or(header.as_str(), |(_scheme, token)| token);
    let body = json!({
        "data": { "id": "1", "text": format!("You sent {header}"), "token": token },
        "errors": [{ "title": "Echo", "detail": format!("Authorization: {header}"), "type": "about:blank" }],
    });
    ([("x-echo-authorization", credentials)], Json(body)).into_response()
}

/// The same headers, length included, then only half of the body.
async fn truncate(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(CONTENT_LENGTH, bytes.len().into());
    let half = bytes.slice(..bytes.len() / 2);
    let end = async {
        // The first half should be on its way before the connection goes down with what is still buffered.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::ErrorKind::ConnectionReset.into())
    };
    let body = Body::from_stream(stream::once(async { io::Result::Ok(half) }).chain(stream::once(end)));
    Response::from_parts(parts, body)
}
