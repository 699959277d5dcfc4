//! The log of requests: what a test counts when it asserts that nothing was sent twice.

use std::collections::BTreeMap;

use axum::extract::Request;
use serde::{Serialize, Serializer};

use super::Door;

/// A request as it was received. Neither header, value nor body is kept here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Received {
    /// Counts up from 1.
    pub seq: u64,
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The names in the query, in order.
    pub query_keys: Vec<String>,
    /// Who proved to have sent it, where the vendor knows its callers: the account's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// How it ended; in JSON a number or `"pending"`, `"cut"`, `"hanging"`, `"abandoned"`.
    pub status: Answer,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has not, yet.
    Pending,
    /// Answered with this status.
    Status(u16),
    /// The connection was cut, before, instead of or within the answer.
    Cut,
    /// It waits for faults to be cleared, or its caller grew tired of waiting.
    Hanging,
    /// The caller left before the request was received whole; it was not executed.
    Abandoned,
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Status(status) => serializer.serialize_u16(*status),
            Self::Pending => serializer.serialize_str("pending"),
            Self::Cut => serializer.serialize_str("cut"),
            Self::Hanging => serializer.serialize_str("hanging"),
            Self::Abandoned => serializer.serialize_str("abandoned"),
        }
    }
}

/// All requests since the start or the last reset.
#[derive(Default)]
pub(super) struct Traffic(Vec<Received>);

impl Traffic {
    pub(super) fn received(&self) -> &[Received] {
        &self.0
    }

    /// By method and path, where segments of digits, with underscores between them, count as `{id}`.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for Received { method, path, .. } in &self.0 {
            let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let is_id = |segment: &str| segment.split('_').all(is_number);
            // The first segment may be a version, such as `/2`.
            let segments = path.split('/').enumerate();
            let segments = segments.map(|(at, segment)| if at > 1 && is_id(segment) { "{id}" } else { segment });
            *counts.entry(format!("{method} {}", segments.collect::<Vec<_>>().join("/"))).or_default() += 1;
        }
        counts
    }
}

/// The log entry of a request in progress.
pub(super) struct Entry(Visitor);

/// The handle by which a handler says who sent a request. It is among the request's extensions.
#[derive(Clone)]
pub(crate) struct Visitor {
    door: Door,
    seq: u64,
}

impl Entry {
    pub(super) fn open(door: &Door, request: &Request) -> Self {
        let mut log = door.log();
        let seq = log.traffic.0.last().map_or(1, |last| last.seq + 1);
        let query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
        log.traffic.0.push(Received {
            seq,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query_keys: query.map(|(name, _)| name.into_owned()).collect(),
            user: None,
            status: Answer::Pending,
        });
        drop(log);
        Self(Visitor { door: door.clone(), seq })
    }

    pub(super) fn visitor(&self) -> Visitor {
        self.0.clone()
    }

    pub(super) fn answer(&self, answer: Answer) {
        self.0.update(|received| received.status = answer);
    }
}

impl Visitor {
    /// The sender has proved to be this account.
    pub(crate) fn is(&self, name: &str) {
        self.update(|received| received.user = Some(name.to_owned()));
    }

    fn update(&self, change: impl FnOnce(&mut Received)) {
        let mut log = self.door.log();
        // After a reset there is no such entry any more.
        if let Some(received) = log.traffic.0.iter_mut().rfind(|received| received.seq == self.seq) {
            change(received);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.update(|received| {
            if received.status == Answer::Pending {
                received.status = Answer::Abandoned;
            }
        });
    }
}
