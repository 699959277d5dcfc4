//! Somebody who is told of events. What it does with them is the test's wish; it keeps all that it was sent.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;

/// What a receiver does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// Answers with this status.
    Answer(u16),
    /// Answers with this status, and asks to be left alone for so many seconds.
    Quiet(u16, u64),
    /// Leads elsewhere.
    Redirect,
    /// Says nothing.
    Hang,
}

/// What a receiver was sent.
#[derive(Debug, Clone)]
pub(super) struct Got {
    pub(super) id: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// What it was answered; 0 for nothing.
    pub(super) status: u16,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    /// What it is about.
    pub(super) fn subject(&self) -> String {
        self.json()["data"]["id"].as_str().unwrap().to_owned()
    }
}

#[derive(Debug)]
struct Kept {
    mood: Mood,
    got: Vec<Got>,
    at_once: usize,
    most_at_once: usize,
}

/// A running receiver, which ends with the test's runtime.
#[derive(Clone)]
pub(super) struct Receiver {
    /// `127.0.0.1:<port>`.
    pub(super) address: String,
    kept: Arc<Mutex<Kept>>,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let kept = Kept { mood: Mood::Answer(200), got: Vec::new(), at_once: 0, most_at_once: 0 };
        let receiver = Self { address: listener.local_addr().unwrap().to_string(), kept: Arc::new(Mutex::new(kept)) };
        let routes = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        receiver
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/orla?from=here", self.address)
    }

    pub(super) fn be(&self, mood: Mood) {
        self.kept().mood = mood;
    }

    /// All that it was sent.
    pub(super) fn got(&self) -> Vec<Got> {
        self.kept().got.clone()
    }

    /// What it answered with 2xx.
    pub(super) fn took(&self) -> Vec<Got> {
        self.got().into_iter().filter(|got| (200..300).contains(&got.status)).collect()
    }

    /// The types of what it took, in order.
    pub(super) fn kinds(&self) -> Vec<String> {
        self.took().iter().map(Got::kind).collect()
    }

    /// Waits until it has taken so many.
    pub(super) async fn takes(&self, count: usize) -> Vec<Got> {
        for _ in 0..800 {
            if self.took().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let took = self.took();
        assert_eq!(took.len(), count, "{:?}", self.got());
        took
    }

    /// Waits until it was sent so many.
    pub(super) async fn gets(&self, count: usize) -> Vec<Got> {
        for _ in 0..800 {
            if self.got().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let got = self.got();
        assert!(got.len() >= count, "{got:?}");
        got
    }

    /// The most that it was sent at once.
    pub(super) fn most_at_once(&self) -> usize {
        self.kept().most_at_once
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }
}

/// Counts those who are being answered.
struct Present(Receiver);

impl Drop for Present {
    fn drop(&mut self) {
        self.0.kept().at_once -= 1;
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    let mood = {
        let mut kept = receiver.kept();
        let status = match kept.mood {
            Mood::Answer(status) | Mood::Quiet(status, _) => status,
            Mood::Redirect => 302,
            Mood::Hang => 0,
        };
        let id = headers["webhook-id"].to_str().unwrap().to_owned();
        kept.got.push(Got { id, headers, body: body.to_vec(), status });
        kept.at_once += 1;
        kept.most_at_once = kept.most_at_once.max(kept.at_once);
        kept.mood
    };
    let _present = Present(receiver);
    match mood {
        Mood::Answer(status) => (StatusCode::from_u16(status).unwrap(), "what I say of it").into_response(),
        Mood::Quiet(status, seconds) => {
            (StatusCode::from_u16(status).unwrap(), [("retry-after", seconds.to_string())]).into_response()
        }
        Mood::Redirect => (StatusCode::FOUND, [("location", "http://127.0.0.1:1/")]).into_response(),
        Mood::Hang => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            StatusCode::OK.into_response()
        }
    }
}
