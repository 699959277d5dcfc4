//! The receiver of webhooks, seen through HTTP: that it takes what is signed right, refuses the rest, and breaks only
//! when told to.

mod control;
mod faults;
mod python;
mod receiving;
#[path = "../venv/mod.rs"]
mod venv;

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use orla_vendors::webhook::Sim;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};

const HOOK: &str = "/hooks/orla?tenant=1";
const EVENT: &str = r#"{"type":"post.published","timestamp":"2026-01-31T12:00:00Z","data":{"id":"1"}}"#;

/// A receiver, and a client that neither follows redirects nor keeps connections.
struct Bench {
    sim: Sim,
    http: Client,
}

impl Bench {
    #[expect(clippy::disallowed_methods, reason = "a test is the outside world, and has no egress policy")]
    async fn start() -> Self {
        let sim = Sim::start(orla_vendors::webhook::Settings::default()).await;
        let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(0);
        Self { sim, http: builder.build().expect("a client needs nothing that could be missing") }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sim.origin())
    }

    /// A delivery without a signature.
    fn unsigned(&self, id: &str, timestamp: &str, body: &str) -> RequestBuilder {
        let request = self.http.post(self.url(HOOK)).header("content-type", "application/json");
        request.header("webhook-id", id).header("webhook-timestamp", timestamp).body(body.to_owned())
    }

    /// A delivery as it should be.
    fn delivery(&self, id: &str, body: &str) -> RequestBuilder {
        let (timestamp, secret) = (now_s().to_string(), self.sim.settings().secrets[0].clone());
        let signature = signature(&secret, id, &timestamp, body);
        self.unsigned(id, &timestamp, body).header("webhook-signature", signature)
    }
}

#[expect(clippy::disallowed_methods, reason = "a test is the outside world, and has its own clock")]
fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs()
}

/// `v1,` and the signature, by the definition of HMAC and not by the simulator's code.
fn signature(secret: &str, id: &str, timestamp: &str, body: &str) -> String {
    let secret = secret.strip_prefix("whsec_").expect("a secret begins so");
    let mut key = BASE64_STANDARD.decode(secret).expect("a secret is base64");
    key.resize(64, 0);
    let padded = |with: u8| -> Vec<u8> { key.iter().map(|byte| byte ^ with).collect() };
    let inner = Sha256::digest([padded(0x36), format!("{id}.{timestamp}.{body}").into_bytes()].concat());
    let outer = Sha256::digest([padded(0x5c), inner.to_vec()].concat());
    format!("v1,{}", BASE64_STANDARD.encode(outer))
}

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.expect("the simulator answers")
}

/// The JSON of a response that must have this status.
async fn body(response: Response, status: StatusCode) -> Value {
    let (given, text) = (response.status(), response.text().await.expect("the body arrives whole"));
    assert_eq!(given, status, "{text}");
    serde_json::from_str(&text).expect("the body is JSON")
}
