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

use crate::bindings::connector::orla::connector::{http, log};
use crate::bindings::unbacked_blob;
use crate::{Committed, Fault, Media, Part, Response, Result, Variant};
use std::cell::RefCell;

/// What the vendor of a test answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An answer.
    Response(Response),
    /// A commit that is known to stand.
    Known(Committed),
    /// A fault of the host.
    Fault(Fault),
}

/// What came of a test's run.
#[derive(Debug)]
pub struct Played<T> {
    /// What the run returned.
    pub result: T,
    /// What it asked, line by line, with a line `forget <key>` for each step that it dropped.
    pub lines: Vec<String>,
}

struct Stage {
    vendor: Box<dyn FnMut(&str) -> Answer>,
    lines: Vec<String>,
}

thread_local! {
    static STAGE: RefCell<Option<Stage>> = const { RefCell::new(None) };
}

/// Runs code of a connector against a vendor, which is asked in lines and answers.
pub fn play<T>(vendor: impl FnMut(&str) -> Answer + 'static, run: impl FnOnce() -> T) -> Played<T> {
    STAGE.set(Some(Stage { vendor: Box::new(vendor), lines: Vec::new() }));
    let result = run();
    let lines = STAGE.take().map(|stage| stage.lines).unwrap_or_default();
    Played { result, lines }
}

/// An answer of JSON.
#[must_use]
pub fn answer(status: u16, json: &serde_json::Value) -> Answer {
    Answer::Response(Response::new(status, &[], json.to_string()))
}

/// A variant that lives as long as the test's process: the host owns the blobs, and here is none to take them back.
#[must_use]
pub fn variant(parts: Vec<Part>) -> &'static Variant {
    Box::leak(Box::new(Variant { parts }))
}

/// A part of text and media.
#[must_use]
pub fn part(text: &str, media: Vec<Media>) -> Part {
    Part { text: text.to_owned(), media }
}

/// A medium without bytes behind it. It may only be dropped by the host: put it into a [`variant`].
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
    match answer {
        Answer::Response(response) => Ok(http::Outcome::Fresh(http::Response {
            status: response.status(),
            headers: response.headers().to_vec(),
            body: http::Answer::Bytes(response.bytes().to_vec()),
        })),
        Answer::Known(committed) => Ok(http::Outcome::Known(committed)),
        Answer::Fault(fault) => Err(fault),
    }
}

/// Stands for the host's `forget`.
pub(crate) fn forget(key: &str) {
    note(format!("forget {key}"));
}

/// Stands for the host's log.
pub(crate) fn write(level: log::Level, message: &str) {
    note(format!("{level:?} {message}"));
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
    format!("{effect} {method} {place}{body}")
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
