//! The simulated YouTube, seen through HTTP: that it is as strict as it claims, and breaks only when told to.

mod access;
mod comments;
mod control;
mod faults;
mod python;
mod uploads;
#[path = "../venv/mod.rs"]
mod venv;
mod videos;

use orla_vendors::youtube::{Settings, Sim};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

const CALLBACK: &str = "http://127.0.0.1:8000/social/oauth/youtube/callback";
const ACCOUNT: &str = "orla@example.com";
const SCOPES: &str = "https://www.googleapis.com/auth/youtube.upload https://www.googleapis.com/auth/youtube.readonly \
                      https://www.googleapis.com/auth/youtube.force-ssl";
/// The pair from RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const UPLOAD: &str = "/upload/youtube/v3/videos";
const GRANULE: usize = 256 << 10;

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

    /// An authorize URL for offline access with PKCE, whose parameters can be overridden, or left out where empty.
    fn authorize_url(&self, parameters: &[(&str, &str)]) -> String {
        let settings = self.sim.settings();
        let usual = [
            ("response_type", "code"),
            ("client_id", settings.client_id.as_str()),
            ("redirect_uri", CALLBACK),
            ("state", "some state"),
            ("scope", SCOPES),
            ("access_type", "offline"),
            ("prompt", "consent"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let given = |name: &str| parameters.iter().any(|(other, _)| *other == name);
        let mut url = Url::parse(&self.url("/o/oauth2/v2/auth")).expect("the origin is a URL");
        let all = usual.into_iter().filter(|(name, _)| !given(name)).chain(parameters.iter().copied());
        url.query_pairs_mut().extend_pairs(all.filter(|(_, value)| !value.is_empty()));
        url.into()
    }

    fn code(&self, parameters: &[(&str, &str)]) -> String {
        parameter(&self.sim.authorize(&self.authorize_url(parameters), ACCOUNT), "code")
    }

    /// A request of the token endpoint by the client, whose parameters can be overridden, or left out where empty.
    async fn token_request(&self, form: &[(&str, &str)]) -> Response {
        let settings = self.sim.settings();
        let usual = [
            ("client_id", settings.client_id.as_str()),
            ("client_secret", settings.client_secret.as_str()),
            ("grant_type", "authorization_code"),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let given = |name: &str| form.iter().any(|(other, _)| *other == name);
        let all = usual.into_iter().filter(|(name, _)| !given(name)).chain(form.iter().copied());
        let all: Vec<(&str, &str)> = all.filter(|(_, value)| !value.is_empty()).collect();
        sent(self.http.post(self.url("/token")).form(&all)).await
    }

    async fn refresh(&self, token: &str) -> Response {
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", token), ("redirect_uri", ""), ("code_verifier", "")];
        self.token_request(&form).await
    }

    /// The answer to the exchange of a code.
    async fn tokens(&self, parameters: &[(&str, &str)]) -> Value {
        body(self.token_request(&[("code", &self.code(parameters))]).await, StatusCode::OK).await
    }

    /// Somebody with all scopes.
    fn caller(&self) -> Caller<'_> {
        self.caller_with(ACCOUNT, SCOPES)
    }

    fn caller_with(&self, account: &str, scopes: &str) -> Caller<'_> {
        Caller { bench: self, token: self.sim.issue_token(account, scopes).expect("the account exists") }
    }
}

/// Somebody with an access token.
struct Caller<'bench> {
    bench: &'bench Bench,
    token: String,
}

impl Caller<'_> {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bench.http.request(method, self.bench.url(path)).bearer_auth(&self.token)
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    fn post(&self, path: &str, json: &Value) -> RequestBuilder {
        self.request(Method::POST, path).json(json)
    }

    async fn read(&self, path: &str) -> Value {
        body(sent(self.get(path)).await, StatusCode::OK).await
    }

    /// The request that begins an upload of so many bytes.
    fn beginning(&self, size: usize, video: &Value) -> RequestBuilder {
        let request = self.post(&format!("{UPLOAD}?uploadType=resumable&part=snippet,status"), video);
        request.header("x-upload-content-length", size).header("x-upload-content-type", "video/mp4")
    }

    /// The address of a new upload of so many bytes.
    async fn upload(&self, size: usize) -> String {
        location(&sent(self.beginning(size, &bread())).await)
    }

    /// A stretch of a content, at the address of an upload.
    fn put(&self, address: &str, content: &[u8], (from, to): (usize, usize)) -> RequestBuilder {
        let range = format!("bytes {from}-{}/{}", to - 1, content.len());
        let request = self.bench.http.put(address).bearer_auth(&self.token).header("content-range", range);
        request.body(content[from..to].to_vec())
    }

    fn question(&self, address: &str, size: usize) -> RequestBuilder {
        let request = self.bench.http.put(address).bearer_auth(&self.token).header("content-length", "0");
        request.header("content-range", format!("bytes */{size}"))
    }

    /// Upload a content at once, and give the video's id.
    async fn uploaded(&self, content: &[u8]) -> String {
        let address = self.upload(content.len()).await;
        text(&body(sent(self.put(&address, content, (0, content.len()))).await, StatusCode::OK).await["id"])
    }
}

fn bread() -> Value {
    json!({ "snippet": { "title": "Bread", "description": "How we bake" }, "status": { "privacyStatus": "public" } })
}

/// So many bytes that begin as a video does.
fn film(size: usize) -> Vec<u8> {
    let mut content: Vec<u8> = (0..size).map(|at| (at / 7 % 251) as u8).collect();
    let head = b"\0\0\0\x18ftypisom";
    let length = head.len().min(size);
    content[..length].copy_from_slice(&head[..length]);
    content
}

fn location(response: &Response) -> String {
    assert_eq!(response.status(), StatusCode::OK);
    response.headers()["location"].to_str().expect("it is ASCII").to_owned()
}

/// How many bytes an answer says have arrived.
fn arrived(response: &Response) -> usize {
    assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
    let range = response.headers().get("range").map(|range| range.to_str().expect("it is ASCII"));
    range.map_or(0, |range| {
        range.strip_prefix("bytes=0-").expect("from the beginning").parse::<usize>().expect("a number") + 1
    })
}

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.expect("the simulator answers")
}

/// The status and reason of a refusal, which has YouTube's shape.
async fn refused(request: RequestBuilder) -> (u16, String) {
    let response = sent(request).await;
    let status = response.status().as_u16();
    let answer: Value = response.json().await.expect("the body is JSON");
    let error = &answer["error"];
    assert!(error["code"] == status && error["message"].is_string(), "{answer}");
    (status, text(&error["errors"][0]["reason"]))
}

/// The JSON of a response that must have this status.
async fn body(response: Response, status: StatusCode) -> Value {
    let (given, text) = (response.status(), response.text().await.expect("the body arrives whole"));
    assert_eq!(given, status, "{text}");
    serde_json::from_str(&text).expect("the body is JSON")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is a string")).to_owned()
}

fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(given, _)| given == name);
    found.expect("the parameter is there").1.into_owned()
}
