//! The simulated Facebook, seen through HTTP: that it is as strict as it claims, and breaks only when told to.

mod access;
mod comments;
mod control;
mod faults;
mod media;
mod oauth;
mod posting;
mod python;
mod reading;
#[path = "../venv/mod.rs"]
mod venv;
mod videos;

use orla_vendors::facebook::{Settings, Sim};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use url::Url;

const CALLBACK: &str = "http://127.0.0.1:8000/social/oauth/facebook/callback";
const SCOPES: &str = "pages_show_list,pages_read_engagement,pages_manage_posts,pages_manage_engagement,\
                      pages_read_user_content";
const PERSON: &str = "Orla Demo";
const PAGE: &str = "615500000000001";
const OTHER_PAGE: &str = "615500000000002";
const ARCHIVE: &str = "615500000000003";

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
        format!("{}/v26.0/{path}", self.sim.origin())
    }

    fn dialog_url(&self, scopes: &str) -> String {
        let mut url = Url::parse(&self.url("dialog/oauth")).expect("the origin is a URL");
        url.query_pairs_mut().extend_pairs([
            ("client_id", self.sim.settings().app_id.as_str()),
            ("redirect_uri", CALLBACK),
            ("state", "some state"),
            ("scope", scopes),
            ("response_type", "code"),
        ]);
        url.into()
    }

    fn code(&self, scopes: &str) -> String {
        parameter(&self.sim.authorize(&self.dialog_url(scopes), PERSON), "code")
    }

    /// A request of the token endpoint by the app, whose parameters can be overridden.
    async fn exchange(&self, parameters: &[(&str, &str)]) -> Response {
        let settings = self.sim.settings();
        let app = [("client_id", settings.app_id.as_str()), ("client_secret", settings.app_secret.as_str())];
        let given = |name: &str| parameters.iter().any(|(other, _)| *other == name);
        let app = app.into_iter().filter(|(name, _)| !given(name));
        let query: Vec<(&str, &str)> = app.chain(parameters.iter().copied()).filter(|(_, v)| !v.is_empty()).collect();
        sent(self.http.get(self.url("oauth/access_token")).query(&query)).await
    }

    async fn exchange_code(&self, code: &str) -> Response {
        self.exchange(&[("redirect_uri", CALLBACK), ("code", code)]).await
    }

    /// A short-lived token with these scopes.
    async fn short(&self, scopes: &str) -> Caller<'_> {
        let tokens = body(self.exchange_code(&self.code(scopes)).await, StatusCode::OK).await;
        self.holding(&text(&tokens["access_token"]))
    }

    /// A long-lived token with these scopes.
    fn person(&self, scopes: &str) -> Caller<'_> {
        self.holding(&self.sim.issue_token(PERSON, scopes).expect("the person exists"))
    }

    /// The token of the first page, with all scopes.
    async fn page(&self) -> Caller<'_> {
        self.person(SCOPES).page(PAGE).await
    }

    fn holding(&self, token: &str) -> Caller<'_> {
        Caller { bench: self, token: token.to_owned() }
    }
}

/// Somebody with an access token.
struct Caller<'bench> {
    bench: &'bench Bench,
    token: String,
}

impl<'bench> Caller<'bench> {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bench.http.request(method, self.bench.url(path)).bearer_auth(&self.token)
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    fn post(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        self.request(Method::POST, path).form(form)
    }

    fn delete(&self, path: &str) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    async fn read(&self, path: &str) -> Value {
        body(sent(self.get(path)).await, StatusCode::OK).await
    }

    /// Post and return the answer.
    async fn posted(&self, path: &str, form: &[(&str, &str)]) -> Value {
        body(sent(self.post(path, form)).await, StatusCode::OK).await
    }

    /// Post words on the first page and return the post's id.
    async fn posted_words(&self, words: &str) -> String {
        text(&self.posted(&format!("{PAGE}/feed"), &[("message", words)]).await["id"])
    }

    /// The token of a page, as `/me/accounts` has it.
    async fn page(&self, id: &str) -> Caller<'bench> {
        let pages = self.read("me/accounts").await;
        let page = pages["data"].as_array().and_then(|pages| pages.iter().find(|page| page["id"] == id));
        self.bench.holding(&text(&page.expect("the page is listed")["access_token"]))
    }

    /// Send a file under a name, and other parameters.
    fn upload(&self, path: &str, file: (&'static str, Vec<u8>), form: &[(&str, &str)]) -> RequestBuilder {
        let (name, bytes) = file;
        let parts =
            form.iter().fold(Form::new(), |parts, (name, value)| parts.text((*name).to_owned(), (*value).to_owned()));
        let parts = parts.part(name, Part::bytes(bytes).file_name("file"));
        self.request(Method::POST, path).multipart(parts)
    }
}

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.expect("the simulator answers")
}

/// The code, the subcode or 0, and the message of a refusal, which has Facebook's shape.
async fn refused(request: RequestBuilder) -> (u64, u64, String) {
    refusal(sent(request).await).await
}

async fn refusal(response: Response) -> (u64, u64, String) {
    assert!(response.status().is_client_error(), "{}", response.status());
    let answer: Value = response.json().await.expect("the body is JSON");
    let error = &answer["error"];
    assert!(error["type"].is_string() && error["fbtrace_id"].is_string(), "{answer}");
    let code = error["code"].as_u64().expect("there is a code");
    (code, error["error_subcode"].as_u64().unwrap_or(0), text(&error["message"]))
}

/// The code and subcode of a refusal.
async fn code(request: RequestBuilder) -> (u64, u64) {
    let (code, subcode, _) = refused(request).await;
    (code, subcode)
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

/// The messages of a list.
fn messages(list: &Value) -> Vec<&str> {
    let items = list["data"].as_array().expect("there is a list");
    items.iter().map(|item| item["message"].as_str().expect("there is a message")).collect()
}

fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(given, _)| given == name);
    found.expect("the parameter is there").1.into_owned()
}
