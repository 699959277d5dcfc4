//! The front door: logs every request, lets faults that need no execution have their way, and hands the others on.

use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

use super::canned::manner;
use super::faults::Mode;
use super::problem::Problem;
use super::state::OpenAi;
use super::traffic::Entry;
use crate::door::{Answer, Unread, whole};
use crate::wire::Cut;

/// More than any request of ours may have: images travel inside of it.
const BODY_LIMIT_BYTES: usize = 64 << 20;

/// The limits that the headers tell. Nothing is refused for them; a test orders that.
const REQUESTS_PER_MINUTE: u32 = 10_000;
const TOKENS_PER_MINUTE: u32 = 2_000_000;

/// What else shall go wrong with a request, for its handler.
#[derive(Clone)]
pub(super) struct Ordered(pub(super) Option<Mode>);

impl Ordered {
    pub(super) fn echoes(&self) -> bool {
        matches!(self.0, Some(Mode::EchoToken))
    }
}

/// Receive a request.
pub(super) async fn receive(
    State(openai): State<OpenAi>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
    next: Next,
) -> Response {
    let entry = Entry::open(&openai, &request);
    let mode = openai.world().faults.take(request.method().as_str(), request.uri().path());
    if matches!(mode, Some(Mode::CutBefore)) {
        entry.answer(Answer::Cut);
        return cut.pull();
    }
    let (parts, body) = request.into_parts();
    let credentials = parts.headers.get(AUTHORIZATION).cloned();
    let mut response = match whole(body, BODY_LIMIT_BYTES).await {
        Ok(bytes) => {
            entry.body(&bytes);
            execute(mode.clone(), Request::from_parts(parts, bytes.into()), next).await
        }
        // A connection that broke while it was read leaves nobody to answer, and the entry as abandoned.
        Err(Unread::Broken) => return cut.pull(),
        Err(Unread::TooLarge) => Problem::too_large().into_response(),
    };
    match mode {
        Some(Mode::CutAfter) => {
            entry.answer(Answer::Cut);
            return cut.pull();
        }
        // Dropped meanwhile, the request is abandoned, and its stream left.
        Some(Mode::DelayMs(ms)) => tokio::time::sleep(Duration::from_millis(ms)).await,
        Some(Mode::EchoToken) => {
            let credentials = credentials.unwrap_or_else(|| HeaderValue::from_static(""));
            response.headers_mut().insert("x-echo-authorization", credentials);
        }
        _ => {}
    }
    stamp(response.headers_mut(), openai.generations());
    entry.answer(Answer::Status(response.status().as_u16()));
    response
}

async fn execute(mode: Option<Mode>, mut request: Request, next: Next) -> Response {
    match mode {
        Some(Mode::Status(canned)) => canned.into_response(manner),
        Some(Mode::NotJson) => Html("<html><body><h1>Welcome to nginx!</h1></body></html>").into_response(),
        mode => {
            request.extensions_mut().insert(Ordered(mode));
            next.run(request).await
        }
    }
}

/// The headers of every answer. Those that a fault has set stay.
fn stamp(headers: &mut HeaderMap, generations: u32) {
    let id = format!("req_{:032x}", rand::random::<u128>());
    let requests_left = REQUESTS_PER_MINUTE.saturating_sub(generations);
    let tokens_left = TOKENS_PER_MINUTE.saturating_sub(generations.saturating_mul(100));
    let all = [
        ("x-request-id", id),
        ("x-ratelimit-limit-requests", REQUESTS_PER_MINUTE.to_string()),
        ("x-ratelimit-limit-tokens", TOKENS_PER_MINUTE.to_string()),
        ("x-ratelimit-remaining-requests", requests_left.to_string()),
        ("x-ratelimit-remaining-tokens", tokens_left.to_string()),
        ("x-ratelimit-reset-requests", "6ms".to_owned()),
        ("x-ratelimit-reset-tokens", "1m0s".to_owned()),
        ("openai-version", "2020-10-01".to_owned()),
        ("openai-processing-ms", "12".to_owned()),
    ];
    for (name, value) in all {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.entry(name).or_insert(value);
        }
    }
}
