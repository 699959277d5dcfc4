//! The way of an answer to the caller: whole or as a stream of events, and what goes wrong on the way.

use std::io;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::Value;

use super::faults::Mode;
use super::generation::Generation;
use super::settings::Settings;
use super::state::{OpenAi, Watch};

/// What a stream pads its pieces with, so that their lengths tell nothing about the text.
const OBFUSCATION: &str = "Zk3vQp9sLw7xRt2b";

/// How an API tells an answer. Events are complete: lines and the empty line that ends them.
pub(super) trait Dialect: Send + 'static {
    /// The answer in one piece.
    fn whole(&self) -> Value;

    /// The events before the first piece of text.
    fn opening(&self) -> Vec<Bytes>;

    /// The event of a piece of text, of which this many came before.
    fn piece(&self, before: usize, text: &str) -> Bytes;

    /// The events after the last piece of text, of which there were this many.
    fn closing(&self, pieces: usize) -> Vec<Bytes>;

    /// The events that tell that the service failed after this many pieces of text.
    fn failing(&self, pieces: usize) -> Vec<Bytes>;

    /// The answer that is told.
    fn generation(&self) -> &Generation;
}

/// Send an answer, which counts as made from here on.
pub(super) async fn deliver(
    openai: &OpenAi,
    dialect: impl Dialect,
    streamed: bool,
    settings: &Settings,
    mode: Option<&Mode>,
) -> Response {
    openai.generate();
    let response = match mode {
        // The connection will be cut. A stream begun here would count as one that its caller left.
        Some(Mode::CutAfter) => return ().into_response(),
        mode if streamed => stream_of(openai, dialect, settings, mode),
        _ => Json(dialect.whole()).into_response(),
    };
    if settings.pieces.is_none() && settings.first_byte_delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(settings.first_byte_delay_ms)).await;
    }
    response
}

/// The padding of a piece that is so long.
pub(super) fn obfuscation(piece: &str) -> &'static str {
    OBFUSCATION.get(..OBFUSCATION.len() - piece.len() % OBFUSCATION.len()).unwrap_or_default()
}

/// What a stream does next.
enum Step {
    Send(Bytes),
    Rest(Duration),
    /// Silence, until faults are cleared.
    Stall,
    /// The connection closes, once what was sent is out.
    Die,
}

fn stream_of(openai: &OpenAi, dialect: impl Dialect, settings: &Settings, mode: Option<&Mode>) -> Response {
    let rest = match settings.pieces {
        None if settings.piece_delay_ms > 0 => Some(Duration::from_millis(settings.piece_delay_ms)),
        _ => None,
    };
    let steps = steps(dialect, rest, mode).peekable();
    let state = (steps, Watch::begin(openai), openai.releases());
    let body = stream::unfold(state, |(mut steps, mut watch, mut releases)| async move {
        loop {
            let sent = match steps.next()? {
                Step::Send(event) => Ok(event),
                Step::Rest(duration) => {
                    tokio::time::sleep(duration).await;
                    continue;
                }
                Step::Stall => {
                    // An error says that the simulator is gone, which lets go as well.
                    let _ = releases.changed().await;
                    continue;
                }
                Step::Die => {
                    // What was sent should be on its way before the connection goes down with what is still buffered.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Err(io::Error::from(io::ErrorKind::ConnectionReset))
                }
            };
            if steps.peek().is_none() {
                watch.end();
            }
            return Some((sent, (steps, watch, releases)));
        }
    });
    let headers = [(CONTENT_TYPE, "text/event-stream; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(body)).into_response()
}

/// All that a stream does. Pieces are made one at a time, for there may be very many.
fn steps<D: Dialect>(
    dialect: D,
    rest: Option<Duration>,
    mode: Option<&Mode>,
) -> impl Iterator<Item = Step> + Send + use<D> {
    let all = dialect.generation().pieces.len();
    let reached = |after_pieces: &u32| usize::try_from(*after_pieces).unwrap_or(usize::MAX).min(all);
    let (sent, huge, last) = match mode {
        Some(Mode::TruncateStream { after_pieces }) => (reached(after_pieces), None, vec![Step::Die]),
        Some(Mode::StallStream { after_pieces }) => (reached(after_pieces), None, vec![Step::Stall, Step::Die]),
        Some(Mode::FailStream { after_pieces }) => {
            let sent = reached(after_pieces);
            (sent, None, sending(dialect.failing(sent)))
        }
        Some(Mode::HugeEvent { bytes }) => (all, Some("x".repeat(*bytes)), sending(dialect.closing(all + 1))),
        _ => (all, None, sending(dialect.closing(all))),
    };
    let opening = sending(dialect.opening());
    let shift = usize::from(huge.is_some());
    let first = huge.map(|text| Step::Send(dialect.piece(0, &text)));
    let pieces = (0..sent).flat_map(move |at| {
        let text = dialect.generation().pieces.get(at).map_or("", String::as_str);
        let event = Step::Send(dialect.piece(at + shift, text));
        rest.map(Step::Rest).into_iter().chain([event])
    });
    opening.into_iter().chain(first).chain(pieces).chain(last)
}

fn sending(events: Vec<Bytes>) -> Vec<Step> {
    events.into_iter().map(Step::Send).collect()
}
