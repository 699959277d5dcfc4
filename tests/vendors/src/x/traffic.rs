//! The log of requests: what a test counts when it asserts that nothing was sent twice.

use std::collections::BTreeMap;

use axum::extract::Request;
use serde::{Serialize, Serializer};

use super::gate;
use super::pairs::Pairs;
use super::state::X;

/// A request as it was received. Neither header, value nor body is kept.
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
    /// Whose access token it carried, if that was valid: the handle.
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

    /// By method and path, where segments of digits count as `{id}`.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for Received { method, path, .. } in &self.0 {
            let is_id = |segment: &str| !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
            // The version, `/2`, stands at the front and is no id.
            let segments = path.split('/').enumerate().map(|(at, s)| if at > 1 && is_id(s) { "{id}" } else { s });
            *counts.entry(format!("{method} {}", segments.collect::<Vec<_>>().join("/"))).or_default() += 1;
        }
        counts
    }
}

/// The log entry of a request in progress.
pub(super) struct Entry {
    x: X,
    seq: u64,
}

impl Entry {
    pub(super) fn open(x: &X, request: &Request) -> Self {
        let mut world = x.world();
        let seq = world.traffic.0.last().map_or(1, |last| last.seq + 1);
        let user = gate::bearer(request.headers()).and_then(|token| world.caller(token).ok());
        let query = Pairs::parse(request.uri().query().unwrap_or_default().as_bytes());
        world.traffic.0.push(Received {
            seq,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query_keys: query.names().map(str::to_owned).collect(),
            user: user.map(|caller| caller.account.username),
            status: Answer::Pending,
        });
        drop(world);
        Self { x: x.clone(), seq }
    }

    pub(super) fn answer(&self, answer: Answer) {
        self.update(|status| *status = answer);
    }

    fn update(&self, change: impl FnOnce(&mut Answer)) {
        let mut world = self.x.world();
        // After a reset there is no such entry any more.
        if let Some(received) = world.traffic.0.iter_mut().rfind(|received| received.seq == self.seq) {
            change(&mut received.status);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.update(|status| {
            if *status == Answer::Pending {
                *status = Answer::Abandoned;
            }
        });
    }
}
