//! The lines of a case: what a connector asks its vendor, and what the vendor answers. Shapes of JSON, and no more.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A request that is expected, and what the vendor answers to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) request: Wanted,
    pub(super) answer: Answer,
    /// Of a commit: how the vendor shows what became of it, for when this answer is lost.
    #[serde(default)]
    pub(super) lost: Option<Lost>,
}

/// What a connector that looks for a lost commit asks, and sees.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lost {
    /// Where the vendor did it.
    pub(super) there: Vec<Exchange>,
    /// Where it did not.
    pub(super) absent: Vec<Exchange>,
}

/// A request that is expected.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The endpoint's name in the manifest.
    pub(super) endpoint: String,
    /// Such as `POST`.
    pub(super) method: String,
    /// The path as it is on the wire, percent-encoded.
    pub(super) path: String,
    /// All query parameters, decoded.
    #[serde(default)]
    pub(super) query: BTreeMap<String, String>,
    /// Headers that must be there; others may be as well.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) body: WantedBody,
}

/// The body that is expected.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum WantedBody {
    /// None at all.
    #[default]
    None,
    /// Whatever it is.
    Any,
    /// This JSON, and nothing besides.
    Json(Value),
    /// JSON that holds at least these members. Lists have the same length.
    JsonSubset(Value),
    /// These fields of a form, `application/x-www-form-urlencoded`.
    Form(BTreeMap<String, String>),
    /// This text.
    Text(String),
    /// These bytes.
    Bytes(Source),
    /// These parts of `multipart/form-data`, in order.
    Multipart(Vec<WantedPart>),
}

/// A part of a multipart body.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedPart {
    pub(super) name: String,
    #[serde(default)]
    pub(super) filename: Option<String>,
    /// Its media type, as it stands in the part's header; not looked at where absent.
    #[serde(default)]
    pub(super) content_type: Option<String>,
    pub(super) content: WantedContent,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum WantedContent {
    Text(String),
    Bytes(Source),
}

/// What the vendor answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) body: AnswerBody,
}

/// The body of an answer. Its media type is the obvious one unless `headers` says otherwise.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum AnswerBody {
    #[default]
    None,
    Json(Value),
    Text(String),
    Bytes(Source),
    /// Server-sent events.
    Events(Vec<Event>),
}

/// A server-sent event.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Event {
    /// Its type, where the vendor gives one.
    #[serde(default)]
    pub(super) event: Option<String>,
    /// A text as it is, anything else as JSON.
    pub(super) data: Value,
}

/// Bytes of a case.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Source {
    /// A file, by its path from the folder of the cases.
    File(PathBuf),
    Base64(String),
}

impl Source {
    /// # Errors
    /// The file cannot be read, or the text is no base64.
    pub(super) fn bytes(&self, folder: &Path) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::File(path) => {
                let path = folder.join(path);
                std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
            }
            Self::Base64(text) => STANDARD.decode(text).with_context(|| format!("`{text:.40}` is no base64")),
        }
    }
}

impl Answer {
    /// The events, where the answer is a stream of them.
    pub(super) fn events(&self) -> Option<&[Event]> {
        match &self.body {
            AnswerBody::Events(events) => Some(events),
            AnswerBody::None | AnswerBody::Json(_) | AnswerBody::Text(_) | AnswerBody::Bytes(_) => None,
        }
    }

    /// The media type that the body has by itself.
    pub(super) fn content_type(&self) -> Option<&'static str> {
        match &self.body {
            AnswerBody::None => None,
            AnswerBody::Json(_) => Some("application/json"),
            AnswerBody::Text(_) => Some("text/plain; charset=utf-8"),
            AnswerBody::Bytes(_) => Some("application/octet-stream"),
            AnswerBody::Events(_) => Some("text/event-stream"),
        }
    }

    /// # Errors
    /// As [`Source::bytes`].
    pub(super) fn bytes(&self, folder: &Path) -> anyhow::Result<Vec<u8>> {
        Ok(match &self.body {
            AnswerBody::None => Vec::new(),
            AnswerBody::Json(value) => value.to_string().into_bytes(),
            AnswerBody::Text(text) => text.clone().into_bytes(),
            AnswerBody::Bytes(source) => source.bytes(folder)?,
            AnswerBody::Events(events) => events.iter().map(Event::wire).collect::<String>().into_bytes(),
        })
    }
}

impl Event {
    /// The event as it is on the wire (WHATWG HTML, section 9.2).
    pub(super) fn wire(&self) -> String {
        let data = self.data.as_str().map_or_else(|| self.data.to_string(), str::to_owned);
        let name = self.event.as_deref().map(|name| format!("event: {name}\n")).unwrap_or_default();
        let data: String = data.split('\n').map(|line| format!("data: {line}\n")).collect();
        format!("{name}{data}\n")
    }
}

impl Wanted {
    /// The request in a few words, such as `POST /2/tweets`.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}
