//! A vendor played by a test, on the developer's machine.
//!
//! What a connector asks is written as one line a request, `<effect> <method> <path>?<query> <body>`, and answered by the
//! test. There is no journal here: a test of a re-run answers the same line again.
//!
//! ```
//! use orla_sdk::testing::{answer, play};
//! use orla_sdk::Api;
//! use serde_json::json;
//!
//! let played = play(
//!     |line| match line {
//!         "read GET /v1/me?fields=id" => answer(200, &json!({ "id": "7" })),
//!         _ => answer(404, &json!({})),
//!     },
//!     || Api::new("api").get("/v1/me").query("fields", "id").read(),
//! );
//! assert_eq!(played.result.unwrap().text(), r#"{"id":"7"}"#);
//! assert_eq!(played.lines, ["read GET /v1/me?fields=id"]);
//! ```

mod video;

pub use video::{still, video_wish};

use crate::bindings::connector::orla::connector::{http, log};
use crate::bindings::{unbacked_blob, unbacked_events};
use crate::{Committed, Event, Fault, Media, Part, Response, Result, Variant};
use std::cell::RefCell;
use std::collections::VecDeque;

/// What the vendor of a test answers.
///
/// ```
/// use orla_sdk::testing::{Answer, play};
/// use orla_sdk::{Api, Response};
///
/// let slow_down = || Answer::Response(Response::new(429, &[("retry-after", "7")], ""));
/// let played = play(move |_line| slow_down(), || Api::new("api").get("/v1/me").read());
/// assert_eq!(played.result.unwrap_err().retry_after_ms, Some(7_000));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An answer.
    Response(Response),
    /// An answer whose body the host stored: a request for a blob gets one without bytes behind it, one for the base64 members of
    /// JSON gets one for each that is there. They may only be dropped by a host. Leak what holds them.
    Stored(Response),
    /// A commit that is known to stand.
    Known(Committed),
    /// A fault of the host.
    Fault(Fault),
    /// Server-sent events, one by one, and what keeps the rest from coming. A request that did not ask for events gets
    /// them in one body.
    Events(Vec<Event>, Option<Fault>),
}

/// What came of a test's run.
///
/// ```
/// use orla_sdk::testing::{answer, play};
///
/// let played = play(|_line| answer(200, &serde_json::json!(7)), || orla_sdk::Api::new("api").get("/v1/count").read());
/// assert_eq!(played.result.unwrap().json(), Ok(7));
/// assert_eq!(played.lines.len(), 1);
/// ```
#[derive(Debug)]
pub struct Played<T> {
    /// What the run returned.
    pub result: T,
    /// What it asked, line by line, with a line `forget <key>` for each step that it dropped, `write "<piece>"` for each
    /// piece of text that it handed on, `stop` for each stream of events that it left before its end, and a note's level
    /// and words, such as `warn <words>`.
    pub lines: Vec<String>,
}

struct Stage {
    vendor: Box<dyn FnMut(&str) -> Answer>,
    /// The run's clock; the machine's where the test does not care.
    now_ms: Option<u64>,
    lines: Vec<String>,
    /// Streams of events until they are opened; a handle is a place in here, counted from 1.
    streams: Vec<Option<Events>>,
}

thread_local! {
    static STAGE: RefCell<Option<Stage>> = const { RefCell::new(None) };
}

/// Runs code of a connector against a vendor, which is asked in lines and answers.
///
/// ```
/// use orla_sdk::testing::{answer, play};
///
/// let whoami = || orla_sdk::Api::new("api").get("/v1/me").read();
/// let played = play(|_line| answer(200, &serde_json::json!({ "id": "7" })), whoami);
/// assert_eq!(played.lines, ["read GET /v1/me"]);
/// ```
pub fn play<T>(vendor: impl FnMut(&str) -> Answer + 'static, run: impl FnOnce() -> T) -> Played<T> {
    on_stage(Stage { vendor: Box::new(vendor), now_ms: None, lines: Vec::new(), streams: Vec::new() }, run)
}

/// Runs code of a connector as [`play`] does, in a run that began at this time, in milliseconds since
/// 1970-01-01T00:00Z.
///
/// ```
/// use orla_sdk::{testing, time};
///
/// let played = testing::play_at(1_000, |_line| unreachable!("nothing is asked"), time::now_ms);
/// assert_eq!(played.result, 1_000);
/// ```
pub fn play_at<T>(began_ms: u64, vendor: impl FnMut(&str) -> Answer + 'static, run: impl FnOnce() -> T) -> Played<T> {
    on_stage(Stage { vendor: Box::new(vendor), now_ms: Some(began_ms), lines: Vec::new(), streams: Vec::new() }, run)
}

fn on_stage<T>(stage: Stage, run: impl FnOnce() -> T) -> Played<T> {
    STAGE.set(Some(stage));
    let result = run();
    let lines = STAGE.take().map(|stage| stage.lines).unwrap_or_default();
    Played { result, lines }
}

/// An answer of JSON.
///
/// ```
/// use orla_sdk::testing::{answer, play};
///
/// let refusal = answer(422, &serde_json::json!({ "message": "No." }));
/// let played = play(move |_line| refusal.clone(), || orla_sdk::Api::new("api").get("/v1/me").read());
/// assert_eq!(played.result.unwrap_err().kind, orla_sdk::FaultKind::Invalid);
/// ```
#[must_use]
pub fn answer(status: u16, json: &serde_json::Value) -> Answer {
    Answer::Response(Response::new(status, &[], json.to_string()))
}

/// An answer of server-sent events, each with its name and its data.
///
/// ```
/// use orla_sdk::testing::{events, play};
/// use orla_sdk::Api;
///
/// let played = play(
///     |_line| events([("delta", "Good "), ("delta", "day"), ("done", "")]),
///     || Api::new("api").post("/v1/write").spend_events("complete")?.map(|event| Ok(event?.data)).collect(),
/// );
/// let whole: orla_sdk::Result<String> = played.result;
/// assert_eq!(whole.unwrap(), "Good day");
/// ```
#[must_use]
pub fn events<N: Into<String>, D: Into<String>>(events: impl IntoIterator<Item = (N, D)>) -> Answer {
    let events = events.into_iter().map(|(name, data)| Event { name: name.into(), data: data.into() });
    Answer::Events(events.collect(), None)
}

/// An answer of server-sent events that breaks off after the last of these.
///
/// ```
/// use orla_sdk::testing::{broken_events, play};
/// use orla_sdk::{Api, Fault, FaultKind};
///
/// let fault = Fault::new(FaultKind::VendorDown, "The stream broke off.");
/// let played = play(
///     move |_line| broken_events([("delta", "Good ")], fault.clone()),
///     || Api::new("api").post("/v1/write").spend_events("complete")?.map(|event| Ok(event?.data)).collect(),
/// );
/// let whole: orla_sdk::Result<String> = played.result;
/// assert_eq!(whole.unwrap_err().kind, FaultKind::VendorDown);
/// ```
#[must_use]
pub fn broken_events<N: Into<String>, D: Into<String>>(
    events: impl IntoIterator<Item = (N, D)>,
    fault: Fault,
) -> Answer {
    let events = events.into_iter().map(|(name, data)| Event { name: name.into(), data: data.into() });
    Answer::Events(events.collect(), Some(fault))
}

/// A variant that lives as long as the test's process: the host owns the blobs, and here is none to take them back.
///
/// ```
/// use orla_sdk::testing::{part, variant};
///
/// let thread = variant(vec![part("one", vec![]), part("two", vec![])]);
/// assert_eq!(thread.parts[1].text, "two");
/// ```
#[must_use]
pub fn variant(parts: Vec<Part>) -> &'static Variant {
    Box::leak(Box::new(with_parts(parts)))
}

fn with_parts(parts: Vec<Part>) -> Variant {
    Variant { parts, title: None, link: None, first_comment: None, privacy: None, extras: Vec::new() }
}

/// A variant of these texts, to be given a title, a first comment or whatever else it may have.
///
/// ```
/// use orla_sdk::Variant;
/// use orla_sdk::testing::post;
///
/// let titled = Variant { title: Some("Bread".to_owned()), ..post(&["How we bake it"]) };
/// assert_eq!(titled.parts[0].text, "How we bake it");
/// ```
#[must_use]
pub fn post(texts: &[&str]) -> Variant {
    with_parts(texts.iter().map(|text| part(text, Vec::new())).collect())
}

/// A part of text and media.
///
/// ```
/// let part = orla_sdk::testing::part("Hello", vec![]);
/// assert!(part.media.is_empty());
/// ```
#[must_use]
pub fn part(text: &str, media: Vec<Media>) -> Part {
    Part { text: text.to_owned(), media }
}

/// A medium without bytes behind it. It may only be dropped by the host: put it into a [`variant`].
///
/// ```
/// use orla_sdk::testing::{media, part, variant};
///
/// let post = variant(vec![part("Tea", vec![media("image/png", 70_000, Some("A cup of tea."))])]);
/// assert_eq!(post.parts[0].media[0].size, 70_000);
/// ```
#[must_use]
pub fn media(content_type: &str, size: u64, alt_text: Option<&str>) -> Media {
    Media { blob: unbacked_blob(), content_type: content_type.to_owned(), size, alt_text: alt_text.map(str::to_owned) }
}

/// Stands for the host's `send`.
pub(crate) fn send(request: &http::Request<'_>) -> Result<http::Outcome> {
    let line = line(request);
    let answer = STAGE.with_borrow_mut(|stage| {
        let stage = stage.as_mut().expect("a connector's request needs a vendor: run it in `testing::play`");
        stage.lines.push(line.clone());
        (stage.vendor)(&line)
    });
    let fresh = |status, headers, body| Ok(http::Outcome::Fresh(http::Response { status, headers, body }));
    match answer {
        Answer::Response(response) if matches!(request.answer, http::AnswerKind::Discard) && response.is_success() => {
            fresh(response.status(), response.headers().to_vec(), http::Answer::None)
        }
        Answer::Response(response) => {
            fresh(response.status(), response.headers().to_vec(), http::Answer::Bytes(response.bytes().to_vec()))
        }
        Answer::Stored(response) => {
            fresh(response.status(), response.headers().to_vec(), video::stored(request, &response))
        }
        Answer::Events(events, fault) => {
            let body = match request.answer {
                http::AnswerKind::Events => http::Answer::Events(handle_to(events, fault)),
                _ => http::Answer::Bytes(written_out(&events).into_bytes()),
            };
            fresh(200, vec![("content-type".to_owned(), "text/event-stream".to_owned())], body)
        }
        Answer::Known(committed) => Ok(http::Outcome::Known(committed)),
        Answer::Fault(fault) => Err(fault),
    }
}

/// Stands for the host's `public-url`. Each medium has a size, by which a test tells it from others.
pub(crate) fn public_url(media: &Media) -> Result<String> {
    Ok(format!("https://media.example/{}", media.size))
}

/// Stands for the host's clock.
pub(crate) fn now_ms() -> u64 {
    STAGE.with_borrow(|stage| stage.as_ref()?.now_ms).unwrap_or_else(crate::time::system_ms)
}

/// Stands for the host's `forget`.
pub(crate) fn forget(key: &str) {
    note(format!("forget {key}"));
}

/// Stands for the host's `events`.
#[derive(Debug)]
pub(crate) struct Events {
    events: VecDeque<Event>,
    fault: Option<Fault>,
    ended: bool,
}

impl Events {
    pub(crate) fn next(&mut self) -> Result<Option<Event>> {
        let next = self.events.pop_front();
        self.ended = next.is_none();
        self.fault.take_if(|_| self.ended).map_or(Ok(next), Err)
    }
}

/// What stands behind a handle to events.
#[expect(clippy::needless_pass_by_value, reason = "it takes the place of a function that keeps the handle")]
pub(crate) fn open(raw: http::Events) -> Events {
    // Taking the handle keeps the drop from calling a host that is not there.
    let place = raw.take_handle() as usize - 1;
    STAGE
        .with_borrow_mut(|stage| stage.as_mut()?.streams.get_mut(place)?.take())
        .expect("a stream of events belongs to the play that it came from")
}

fn handle_to(events: Vec<Event>, fault: Option<Fault>) -> http::Events {
    let stream = Events { events: events.into(), fault, ended: false };
    let handle = STAGE.with_borrow_mut(|stage| {
        let streams = &mut stage.as_mut()?.streams;
        streams.push(Some(stream));
        u32::try_from(streams.len()).ok()
    });
    unbacked_events(handle.expect("a stage, and few streams"))
}

/// Events in one body, as they are on the wire.
fn written_out(events: &[Event]) -> String {
    let block = |event: &Event| {
        let data: String = event.data.split('\n').map(|line| format!("data: {line}\n")).collect();
        format!("event: {}\n{data}\n", event.name)
    };
    events.iter().map(block).collect()
}

impl Drop for Events {
    fn drop(&mut self) {
        if !self.ended {
            note("stop".to_owned());
        }
    }
}

/// Stands for the host's log.
pub(crate) fn write_note(level: log::Level, message: &str) {
    let level = match level {
        log::Level::Debug => "debug",
        log::Level::Info => "info",
        log::Level::Warn => "warn",
        log::Level::Error => "error",
    };
    note(format!("{level} {message}"));
}

/// Stands for the host's `text-sink`.
pub(crate) fn write_text(piece: &str) {
    note(format!("write {}", serde_json::Value::from(piece)));
}

fn note(line: String) {
    STAGE.with_borrow_mut(|stage| {
        if let Some(stage) = stage {
            stage.lines.push(line);
        }
    });
}

fn line(request: &http::Request<'_>) -> String {
    let effect = match &request.effect {
        http::Effect::Read => "read".to_owned(),
        http::Effect::Prepare(preparation) => format!("prepare {}", preparation.key),
        http::Effect::Commit(key) => format!("commit {key}"),
        http::Effect::Spend(key) => format!("spend {key}"),
    };
    let method = format!("{:?}", request.method).trim_start_matches("Method::").to_uppercase();
    let mut place = match &request.destination {
        http::Destination::At(at) => at.path.clone(),
        http::Destination::Follow(link) => link.clone(),
    };
    if !request.query.is_empty() {
        place = format!("{place}?{}", fields(&request.query));
    }
    let body = match &request.body {
        http::Body::None => String::new(),
        http::Body::Bytes(body) => format!(" [{} bytes]", body.bytes.len()),
        http::Body::Json(json) => format!(" {json}"),
        http::Body::Form(form) => format!(" {}", fields(form)),
        http::Body::Multipart(parts) => parts.iter().map(|part| format!(" {}={}", part.name, content(part))).collect(),
        http::Body::JsonWithBlobs(body) => format!(" {}", body.document),
        http::Body::Blob(slice) => format!(" {}", stretch(slice)),
    };
    let slot = request.slot.as_ref().map_or_else(String::new, |slot| format!(" as {slot}"));
    format!("{effect} {method} {place}{slot}{body}")
}

fn fields(fields: &[(String, String)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn content(part: &http::Part<'_>) -> String {
    match &part.content {
        http::PartContent::Text(text) => text.clone(),
        http::PartContent::Blob(slice) => stretch(slice),
    }
}

fn stretch(slice: &http::BlobSlice<'_>) -> String {
    format!("[{}..{}]", slice.offset, slice.offset + slice.length)
}
