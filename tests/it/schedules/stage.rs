//! A host whose clock a test moves, and a person who has connected an account.

use crate::harness::{Backend, Host, Person};
use orla::clock::{Clock, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub(crate) struct Stage {
    pub(crate) host: Host,
    pub(crate) ada: Person,
    micros: Arc<AtomicI64>,
}

fn micros(moment: &str) -> i64 {
    serde_json::from_value::<Timestamp>(json!(moment)).unwrap().0
}

/// A schedule for nine o'clock each day, from before any test on.
pub(crate) fn daily(content: &str, zone: &str) -> Value {
    let post = json!({"platform": "twitter", "content": content});
    json!({"post": post, "rule": "FREQ=DAILY", "zone": zone, "starts_at": "2026-09-01T09:00:00"})
}

pub(crate) fn due_at(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["due_at"].as_str().unwrap()).collect()
}

pub(crate) fn states(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["state"].as_str().unwrap()).collect()
}

impl Stage {
    /// A host whose clock shows a moment.
    pub(crate) async fn at(backend: Backend, moment: &str) -> Self {
        let micros = Arc::new(AtomicI64::new(micros(moment)));
        let host = Host::start_by(backend, Clock::Manual(Arc::clone(&micros))).await;
        let ada = host.connected("ada", "twitter").await;
        Self { host, ada, micros }
    }

    /// Moves the clock. Sessions end meanwhile, so the person signs in anew.
    pub(crate) async fn go_to(&mut self, moment: &str) {
        self.micros.store(micros(moment), Ordering::SeqCst);
        self.host.app.wake_worker();
        self.ada = Person::log_in(&self.host.url, "ada@example.org").await;
    }

    /// The host stops, and starts again at a later moment.
    pub(crate) async fn off_until(self, moment: &str) -> Self {
        self.host.app.stop().await;
        self.micros.store(micros(moment), Ordering::SeqCst);
        let host = self.host.again().await;
        let ada = Person::log_in(&host.url, "ada@example.org").await;
        Self { host, ada, ..self }
    }

    pub(crate) async fn scheduled(&self, schedule: &Value) -> String {
        self.ada.post("/schedules", schedule).await.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// The occurrences of a schedule, the earliest first.
    pub(crate) async fn occurrences(&self, id: &str) -> Vec<Value> {
        let page = self.ada.get(&format!("/schedules/{id}/occurrences?limit=100")).await.expect(200);
        let mut rows = page["items"].as_array().unwrap().clone();
        rows.reverse();
        rows
    }

    /// Waits until the occurrences of a schedule are as wanted.
    pub(crate) async fn until(&self, id: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut rows = Vec::new();
        for _ in 0..400 {
            rows = self.occurrences(id).await;
            if wanted(&rows) {
                return rows;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the occurrences did not become what is wanted: {rows:#?}");
    }

    /// Waits until the publication of an occurrence is in a state.
    pub(crate) async fn ended(&self, id: &str, due: &str, state: &str) {
        let is_it = |row: &Value| row["due_at"] == due && row["publication_state"] == state;
        self.until(id, |rows| rows.iter().any(is_it)).await;
    }

    pub(crate) async fn publication(&self, occurrence: &Value) -> Value {
        let id = occurrence["publication_id"].as_str().unwrap();
        self.ada.get(&format!("/social/publications/{id}")).await.expect(200)
    }

    /// Credits posted, and held.
    pub(crate) async fn balance(&self) -> (i64, i64) {
        let balance = self.ada.get("/credits/balance").await.expect(200);
        (balance["posted"].as_i64().unwrap(), balance["held"].as_i64().unwrap())
    }
}
