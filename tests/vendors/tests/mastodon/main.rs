//! The simulated Mastodon, seen through HTTP: that it is as strict as it claims, and breaks only when told to.

mod access;
mod control;
mod faults;
mod hostile;
mod media;
mod posting;
mod python;
mod reading;
#[path = "../venv/mod.rs"]
mod venv;

use orla_vendors::mastodon::{Settings, Sim};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

const ACCOUNT: &str = "109382006402042919";
const STATUSES: &str = "/api/v1/statuses";

/// An instance, and a client with all that publishing needs, that neither follows redirects nor keeps connections.
struct Bench {
    sim: Sim,
    http: Client,
    token: String,
}

impl Bench {
    async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    #[expect(clippy::disallowed_methods, reason = "a test is the outside world, and has no egress policy")]
    async fn with(settings: Settings) -> Self {
        let sim = Sim::start(settings).await;
        let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(0);
        let http = builder.build().expect("a client needs nothing that could be missing");
        let token = sim.settings().tokens[0].token.clone();
        Self { sim, http, token }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sim.origin())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path)).bearer_auth(&self.token)
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    fn post(&self, draft: &Value) -> RequestBuilder {
        self.request(Method::POST, STATUSES).json(draft)
    }

    async fn read(&self, path: &str) -> Value {
        body(sent(self.get(path)).await, StatusCode::OK).await
    }

    /// Post and return the status.
    async fn posted(&self, draft: &Value) -> Value {
        body(sent(self.post(draft)).await, StatusCode::OK).await
    }

    /// Post words and return the id.
    async fn posted_words(&self, words: &str) -> String {
        text(&self.posted(&json!({ "status": words })).await["id"])
    }

    /// Post, be refused with this status, and return the error.
    async fn refused(&self, draft: &Value, status: StatusCode) -> String {
        refusal(self.post(draft), status).await
    }
}

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.expect("the simulator answers")
}

/// The error of a refusal, which has Mastodon's shape and the headers of its limits.
async fn refusal(request: RequestBuilder, status: StatusCode) -> String {
    let response = sent(request).await;
    for header in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
        assert!(response.headers().contains_key(header), "{header} is missing");
    }
    let answer = body(response, status).await;
    assert_eq!(answer.as_object().map(serde_json::Map::len), Some(1), "{answer}");
    text(&answer["error"])
}

/// The JSON of a response that must have this status.
async fn body(response: Response, status: StatusCode) -> Value {
    let (given, text) = (response.status(), response.text().await.expect("the body arrives whole"));
    assert_eq!(given, status, "{text}");
    serde_json::from_str(&text).expect("the body is JSON")
}

fn text(value: &Value) -> String {
    value.as_str().expect("the member is a string").to_owned()
}
