//! The simulated X, seen through HTTP: that it is as strict as it claims, and breaks only when told to.

mod control;
mod faults;
mod media;
mod oauth;
mod pictures;
mod posting;
mod reading;

use orla_vendors::x::{Settings, Sim};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

const CALLBACK: &str = "http://127.0.0.1:8000/social/oauth/twitter/callback";
const ALL_SCOPES: &str = "tweet.read tweet.write users.read media.write offline.access";
/// The pair from RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A simulator, and a client that neither follows redirects nor keeps connections.
struct Bench {
    sim: Sim,
    http: Client,
}

impl Bench {
    async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    #[expect(clippy::disallowed_methods, reason = "a test is the outside world, and has no egress policy")]
    async fn with(settings: Settings) -> Self {
        let sim = Sim::start(settings).await;
        sim.register_redirect_uri(CALLBACK);
        let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(0);
        Self { sim, http: builder.build().expect("a client needs nothing that could be missing") }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sim.origin())
    }

    fn authorize_url(&self, scopes: &str) -> String {
        let mut url = Url::parse(&self.url("/i/oauth2/authorize")).expect("the origin is a URL");
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", "orla-demo"),
            ("redirect_uri", CALLBACK),
            ("scope", scopes),
            ("state", "some state"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        url.into()
    }

    /// A code for these scopes, as `@orla_demo`.
    fn code(&self, scopes: &str) -> String {
        parameter(&self.sim.authorize(&self.authorize_url(scopes), "orla_demo"), "code")
    }

    async fn token_request(&self, form: &[(&str, &str)]) -> Response {
        let request = self.http.post(self.url("/2/oauth2/token")).basic_auth("orla-demo", Some("orla-demo-secret"));
        sent(request.form(form)).await
    }

    async fn exchange(&self, code: &str, verifier: &str) -> Response {
        self.token_request(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ])
        .await
    }

    async fn refresh(&self, token: &str) -> Response {
        self.token_request(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// The token answer for these scopes, as `@orla_demo`.
    async fn tokens(&self, scopes: &str) -> Value {
        body(self.exchange(&self.code(scopes), VERIFIER).await, StatusCode::OK).await
    }

    /// A caller with all scopes, as `@orla_demo`.
    async fn caller(&self) -> Caller<'_> {
        self.caller_with(ALL_SCOPES).await
    }

    async fn caller_with(&self, scopes: &str) -> Caller<'_> {
        let tokens = self.tokens(scopes).await;
        Caller { bench: self, token: text(&tokens["access_token"]) }
    }
}

/// Somebody with an access token.
struct Caller<'bench> {
    bench: &'bench Bench,
    token: String,
}

impl Caller<'_> {
    fn get(&self, path: &str) -> RequestBuilder {
        self.bench.http.get(self.bench.url(path)).bearer_auth(&self.token)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.bench.http.post(self.bench.url(path)).bearer_auth(&self.token)
    }

    fn delete(&self, path: &str) -> RequestBuilder {
        self.bench.http.delete(self.bench.url(path)).bearer_auth(&self.token)
    }

    async fn read(&self, path: &str) -> Value {
        body(sent(self.get(path)).await, StatusCode::OK).await
    }

    async fn tweet(&self, draft: &Value) -> reqwest::Result<Response> {
        self.post("/2/tweets").json(draft).send().await
    }

    /// Post and return the id.
    async fn tweeted(&self, draft: &Value) -> String {
        let response = self.tweet(draft).await.expect("the simulator answers");
        text(&body(response, StatusCode::CREATED).await["data"]["id"])
    }

    /// Post, be refused with this status, and return the problem.
    async fn refused(&self, draft: &Value, status: StatusCode) -> Value {
        body(self.tweet(draft).await.expect("the simulator answers"), status).await
    }

    async fn tweet_text(&self, words: &str) -> String {
        self.tweeted(&json!({ "text": words })).await
    }
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

fn text(value: &Value) -> String {
    value.as_str().expect("the member is a string").to_owned()
}

fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(given, _)| given == name);
    found.expect("the parameter is there").1.into_owned()
}
