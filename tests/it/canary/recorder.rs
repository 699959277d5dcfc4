//! A recorder between two sides: it passes requests on as they are, and keeps all that both sides say.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri, header};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::net::TcpListener;

/// A running recorder, which ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Recorder {
    /// `127.0.0.1:<port>`.
    pub(crate) address: String,
    behind: Arc<OnceLock<String>>,
    said: Arc<Mutex<Said>>,
    http: reqwest::Client,
}

/// What was said, with everything in a row.
#[derive(Default)]
struct Said {
    asked: Vec<u8>,
    answered: Vec<u8>,
}

impl Recorder {
    /// Before what listens at an origin.
    pub(crate) async fn before(origin: impl Into<String>) -> Self {
        let recorder = Self::unset().await;
        recorder.set(origin.into());
        recorder
    }

    /// Before what will only be known later.
    pub(crate) async fn unset() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let recorder = Self {
            address: listener.local_addr().unwrap().to_string(),
            behind: Arc::default(),
            said: Arc::default(),
            http: crate::harness::client(),
        };
        let routes = Router::new().fallback(pass_on).with_state(recorder.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        recorder
    }

    /// Puts it before what listens at an origin.
    pub(crate) fn set(&self, origin: String) {
        self.behind.set(origin).unwrap();
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request: method, path, query, headers and body.
    pub(crate) fn asked(&self) -> Vec<u8> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).asked.clone()
    }

    /// Every answer: status, headers and body.
    pub(crate) fn answered(&self) -> Vec<u8> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).answered.clone()
    }

    fn note(&self, change: impl FnOnce(&mut Said)) {
        change(&mut self.said.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn write(into: &mut Vec<u8>, line: &str, headers: &HeaderMap, body: &[u8]) {
    into.extend_from_slice(line.as_bytes());
    for (name, value) in headers {
        into.extend_from_slice(format!("\r\n{name}: ").as_bytes());
        into.extend_from_slice(value.as_bytes());
    }
    into.extend_from_slice(b"\r\n\r\n");
    into.extend_from_slice(body);
    into.extend_from_slice(b"\r\n");
}

/// All but what belongs to one connection.
fn passing(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    for own in [header::CONNECTION, header::TRANSFER_ENCODING] {
        kept.remove(own);
    }
    kept
}

async fn pass_on(
    State(recorder): State<Recorder>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    recorder.note(|said| write(&mut said.asked, &format!("{method} {uri}"), &headers, &body));
    let request =
        recorder.http.request(method, format!("{}{uri}", recorder.behind.get().unwrap())).headers(passing(&headers));
    let answer = request.body(body).send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.unwrap();
    recorder.note(|said| write(&mut said.answered, status.as_str(), &headers, &body));
    let mut passed = Response::new(Body::from(body));
    (*passed.status_mut(), *passed.headers_mut()) = (status, passing(&headers));
    passed
}
