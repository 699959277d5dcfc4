//! A server that a person takes for a Mastodon, and that means ill. It keeps every byte that it is sent.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use futures_util::stream;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

/// What it does to the requests of one kind, until it is told otherwise.
#[derive(Debug, Clone)]
pub(super) enum Malice {
    /// Leads elsewhere, with this status.
    Redirect(u16, String),
    /// Answers without end.
    Endless,
    /// Answers with 500, the first time.
    FailOnce,
    /// Answers as it should, under this header.
    Header(&'static str, String),
    /// Calls what it names by this id.
    Id(String),
    /// Refuses, and repeats in body and headers what it was sent.
    Repeat,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) method: Method,
    pub(super) uri: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Received {
    /// All of it in a row.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut all = format!("{} {}\n", self.method, self.uri).into_bytes();
        for (name, value) in &self.headers {
            all.extend_from_slice(format!("{name}: ").as_bytes());
            all.extend_from_slice(value.as_bytes());
            all.push(b'\n');
        }
        all.extend_from_slice(&self.body);
        all
    }
}

#[derive(Default)]
struct Mind {
    /// For paths that begin like this.
    malice: Option<(&'static str, Malice)>,
    received: Vec<Received>,
}

/// A running server, which ends with the test's runtime.
#[derive(Clone)]
pub(super) struct Hostile {
    /// `127.0.0.1:<port>`.
    pub(super) address: String,
    mind: Arc<Mutex<Mind>>,
}

impl Hostile {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let hostile = Self { address, mind: Arc::default() };
        let routes = Router::new().fallback(receive).with_state(hostile.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        hostile
    }

    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it does from now on where a path begins like this.
    pub(super) fn turn(&self, path: &'static str, malice: Malice) {
        self.mind.lock().unwrap_or_else(PoisonError::into_inner).malice = Some((path, malice));
    }

    pub(super) fn behave(&self) {
        self.mind.lock().unwrap_or_else(PoisonError::into_inner).malice = None;
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.mind.lock().unwrap_or_else(PoisonError::into_inner).received.clone()
    }
}

async fn receive(
    State(hostile): State<Hostile>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let received = Received { method, uri: uri.to_string(), headers, body };
    let mut mind = hostile.mind.lock().unwrap_or_else(PoisonError::into_inner);
    mind.received.push(received.clone());
    let malice =
        mind.malice.as_ref().filter(|(path, _)| received.uri.starts_with(*path)).map(|(_, malice)| malice.clone());
    if matches!(malice, Some(Malice::FailOnce)) {
        mind.malice = None;
    }
    drop(mind);
    answer(&received, malice)
}

fn answer(received: &Received, malice: Option<Malice>) -> Response<Body> {
    let mut id = "7".to_owned();
    let mut response = Response::new(Body::empty());
    match malice {
        None => {}
        Some(Malice::Redirect(status, location)) => {
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response.headers_mut().insert("location", location.parse().unwrap());
            return response;
        }
        Some(Malice::Endless) => {
            let piece = Bytes::from_static(&[b'['; 64 << 10]);
            *response.body_mut() = Body::from_stream(stream::repeat_with(move || Ok::<_, Infallible>(piece.clone())));
            return response;
        }
        Some(Malice::FailOnce) => {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            return response;
        }
        Some(Malice::Header(name, value)) => drop(response.headers_mut().insert(name, value.parse().unwrap())),
        Some(Malice::Id(evil)) => id = evil,
        Some(Malice::Repeat) => {
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            response.headers_mut().insert("x-repeated", received.headers["authorization"].clone());
            let words = String::from_utf8_lossy(received.headers["authorization"].as_bytes()).into_owned();
            let words = format!("{words}: {}", String::from_utf8_lossy(&received.bytes()));
            *response.body_mut() = Body::from(json!({ "error": words }).to_string());
            return response;
        }
    }
    if received.uri.starts_with("/api/v2/media") {
        // It is still at work, so that it is asked for the medium by the id.
        *response.status_mut() = StatusCode::ACCEPTED;
    }
    *response.body_mut() = Body::from(usual(received, &id).to_string());
    response
}

/// What a Mastodon answers, about.
fn usual(received: &Received, id: &str) -> Value {
    let path = received.uri.split('?').next().unwrap_or_default();
    match (received.method.as_str(), path) {
        ("GET", "/api/v1/accounts/verify_credentials") => json!({"id": id, "username": "ada", "display_name": "Ada"}),
        ("POST", "/api/v1/statuses") => json!({"id": id, "url": format!("https://evil.example/{id}")}),
        ("POST", "/api/v2/media") => json!({"id": id, "url": null}),
        ("GET", path) if path.starts_with("/api/v1/accounts/") => json!([]),
        _ => json!({"id": id}),
    }
}
