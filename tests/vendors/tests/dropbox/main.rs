//! The simulated Dropbox, seen through HTTP: that it is as strict as it claims, and breaks only when told to.

mod consent;
mod control;
mod download;
mod faults;
mod links;
mod listing;
mod python;
mod refusals;
mod search;
mod tokens;
#[path = "../venv/mod.rs"]
mod venv;

use orla_vendors::dropbox::{Account, File, Settings, Sim};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

const CALLBACK: &str = "http://127.0.0.1:8000/social/oauth/dropbox/callback";
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

    /// One whose first account has these files.
    async fn of(files: Vec<File>) -> Self {
        let account = Account { files, ..Account::new("orla_demo", "Orla Demo") };
        Self::with(Settings { accounts: vec![account], ..Settings::default() }).await
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

    /// An authorize URL for offline access with PKCE.
    fn authorize_url(&self) -> String {
        self.authorize_url_with(&[
            ("token_access_type", "offline"),
            ("scope", "account_info.read files.metadata.read files.content.read"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ])
    }

    fn authorize_url_with(&self, parameters: &[(&str, &str)]) -> String {
        let mut url = Url::parse(&self.url("/oauth2/authorize")).expect("the origin is a URL");
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", "orla-demo"),
            ("redirect_uri", CALLBACK),
            ("state", "some state"),
        ]);
        url.query_pairs_mut().extend_pairs(parameters);
        url.into()
    }

    /// A code, as `orla_demo`.
    fn code(&self) -> String {
        parameter(&self.sim.authorize(&self.authorize_url(), "orla_demo"), "code")
    }

    async fn token_request(&self, form: &[(&str, &str)]) -> Response {
        let request = self.http.post(self.url("/oauth2/token")).basic_auth("orla-demo", Some("orla-demo-secret"));
        sent(request.form(form)).await
    }

    async fn exchange(&self, code: &str) -> Response {
        self.token_request(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    async fn refresh(&self, token: &str) -> Response {
        self.token_request(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// The token answer, as `orla_demo`.
    async fn tokens(&self) -> Value {
        body(self.exchange(&self.code()).await, StatusCode::OK).await
    }

    /// A caller with all scopes, as `orla_demo`.
    async fn caller(&self) -> Caller<'_> {
        Caller { bench: self, token: text(&self.tokens().await["access_token"]) }
    }
}

/// Somebody with an access token.
struct Caller<'bench> {
    bench: &'bench Bench,
    token: String,
}

impl Caller<'_> {
    fn post(&self, function: &str) -> RequestBuilder {
        self.bench.http.post(self.bench.url(&format!("/2/{function}"))).bearer_auth(&self.token)
    }

    fn call(&self, function: &str, argument: &Value) -> RequestBuilder {
        self.post(function).json(argument)
    }

    async fn read(&self, function: &str, argument: &Value) -> Value {
        body(sent(self.call(function, argument)).await, StatusCode::OK).await
    }

    /// Be refused with 409, and return the error.
    async fn conflict(&self, function: &str, argument: &Value) -> Value {
        body(sent(self.call(function, argument)).await, StatusCode::CONFLICT).await["error"].take()
    }

    fn download(&self, path: &str) -> RequestBuilder {
        let argument = json!({ "path": path }).to_string();
        assert!(argument.is_ascii(), "such a path is for a test that escapes it");
        self.post("files/download").header("dropbox-api-arg", argument)
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

/// The plain text of a 400.
async fn bad_input(request: RequestBuilder) -> String {
    let response = sent(request).await;
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    let (given, text) = (response.status(), response.text().await.expect("the body arrives whole"));
    assert_eq!(given, StatusCode::BAD_REQUEST, "{text}");
    text
}

fn text(value: &Value) -> String {
    value.as_str().expect("the member is a string").to_owned()
}

/// The members of this name of all objects in a list.
fn each(list: &Value, member: &str) -> Vec<String> {
    list.as_array().expect("the member is a list").iter().map(|item| text(&item[member])).collect()
}

fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(given, _)| given == name);
    found.expect("the parameter is there").1.into_owned()
}
