//! The log of requests: what a test counts when it asserts that nothing was sent twice, and reads to see what was.

use std::collections::BTreeMap;

use axum::extract::Request;
use serde::Serialize;
use serde_json::Value;

use super::gate;
use super::state::OpenAi;
use crate::door::Answer;

/// A request as it was received. No header is kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Received {
    /// Counts up from 1.
    pub seq: u64,
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// Whether it carried the right key.
    pub authorized: bool,
    /// Its JSON; null if it had none, or was not received whole.
    pub body: Value,
    /// How it ended; in JSON a number or `"pending"`, `"cut"`, `"abandoned"`. What becomes of a stream shows in
    /// [`OpenAi::hung_up`].
    pub status: Answer,
}

/// All requests since the start or the last reset.
#[derive(Default)]
pub(super) struct Traffic(Vec<Received>);

impl Traffic {
    pub(super) fn received(&self) -> &[Received] {
        &self.0
    }

    /// By method and path, such as `GET /v1/models/{id}`.
    pub(super) fn counts(&self) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for Received { method, path, .. } in &self.0 {
            let path = if path.starts_with("/v1/models/") { "/v1/models/{id}" } else { path };
            *counts.entry(format!("{method} {path}")).or_default() += 1;
        }
        counts
    }
}

/// The log entry of a request in progress.
pub(super) struct Entry {
    openai: OpenAi,
    seq: u64,
}

impl Entry {
    pub(super) fn open(openai: &OpenAi, request: &Request) -> Self {
        let mut world = openai.world();
        let seq = world.traffic.0.last().map_or(1, |last| last.seq + 1);
        let authorized = gate::bearer(request.headers()).is_some_and(|key| key == world.settings.api_key);
        world.traffic.0.push(Received {
            seq,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            authorized,
            body: Value::Null,
            status: Answer::Pending,
        });
        drop(world);
        Self { openai: openai.clone(), seq }
    }

    pub(super) fn body(&self, bytes: &[u8]) {
        let body = serde_json::from_slice(bytes).unwrap_or_default();
        self.update(|received| received.body = body);
    }

    pub(super) fn answer(&self, answer: Answer) {
        self.update(|received| received.status = answer);
    }

    fn update(&self, change: impl FnOnce(&mut Received)) {
        let mut world = self.openai.world();
        // After a reset there is no such entry any more.
        if let Some(received) = world.traffic.0.iter_mut().rfind(|received| received.seq == self.seq) {
            change(received);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.update(|received| {
            if received.status == Answer::Pending {
                received.status = Answer::Abandoned;
            }
        });
    }
}
