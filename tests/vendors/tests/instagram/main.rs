//! The simulated Instagram, seen through HTTP: that it is as strict as it claims, and breaks only when told to.

mod access;
mod comments;
mod containers;
mod faults;
mod publishing;
mod python;
mod uploads;
#[path = "../venv/mod.rs"]
mod venv;

use orla_vendors::facebook;
use orla_vendors::instagram::{Settings, Sim};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

const SCOPES: &str =
    "instagram_basic,instagram_content_publish,instagram_manage_comments,pages_show_list,pages_read_engagement";
const PERSON: &str = "Orla Demo";
const ACCOUNT: &str = "17841400000000001";
/// Its page allows the person no posts.
const ARCHIVE: &str = "17841400000000003";
const MEDIA: &str = "17841400000000001/media";
const PUBLISH: &str = "17841400000000001/media_publish";

/// A simulator, and a client that neither follows redirects nor keeps connections.
struct Bench {
    sim: Sim,
    http: Client,
}

impl Bench {
    async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(instagram: Settings) -> Self {
        Self::of(facebook::Settings { instagram, ..facebook::Settings::default() }).await
    }

    #[expect(clippy::disallowed_methods, reason = "a test is the outside world, and has no egress policy")]
    async fn of(settings: facebook::Settings) -> Self {
        let sim = Sim::start(settings).await;
        let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(0);
        Self { sim, http: builder.build().expect("a client needs nothing that could be missing") }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v26.0/{path}", self.sim.origin())
    }

    fn picture(&self, name: &str) -> String {
        format!("{}/pictures/{name}", self.sim.origin())
    }

    /// Somebody with a long-lived token of these scopes.
    fn person(&self, scopes: &str) -> Caller<'_> {
        Caller { bench: self, token: self.sim.issue_token(PERSON, scopes).expect("the person exists") }
    }

    fn change(&self, change: impl FnOnce(&mut Settings)) {
        self.sim.change(|settings| change(&mut settings.instagram));
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

    fn post(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        self.request(Method::POST, path).form(form)
    }

    async fn read(&self, path: &str) -> Value {
        body(sent(self.get(path)).await, StatusCode::OK).await
    }

    /// Posts a form, and gives the id of what that made.
    async fn made(&self, path: &str, form: &[(&str, &str)]) -> String {
        text(&body(sent(self.post(path, form)).await, StatusCode::OK).await["id"])
    }

    /// A container of an image.
    async fn image(&self, more: &[(&str, &str)]) -> String {
        let url = self.bench.picture("photo.jpg");
        self.made(MEDIA, &[&[("image_url", url.as_str())], more].concat()).await
    }

    async fn status(&self, container: &str) -> String {
        text(&self.read(&format!("{container}?fields=status_code")).await["status_code"])
    }

    async fn published(&self, container: &str) -> String {
        self.made(PUBLISH, &[("creation_id", container)]).await
    }

    /// Sends bytes of a film to its container.
    fn upload(&self, container: &str, (offset, size): (usize, usize), bytes: &[u8]) -> RequestBuilder {
        let url = format!("{}/ig-api-upload/v26.0/{container}", self.bench.sim.origin());
        let request = self.bench.http.post(url).header("authorization", format!("OAuth {}", self.token));
        request.header("offset", offset.to_string()).header("file_size", size.to_string()).body(bytes.to_vec())
    }
}

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.expect("the simulator answers")
}

/// The code and subcode of a refusal, which has Facebook's shape.
async fn code(request: RequestBuilder) -> (u64, u64) {
    let response = sent(request).await;
    let status = response.status();
    let answer: Value = response.json().await.expect("the body is JSON");
    let error = &answer["error"];
    assert!(status.is_client_error() && error["fbtrace_id"].is_string(), "{status} {answer}");
    (error["code"].as_u64().expect("there is a code"), error["error_subcode"].as_u64().unwrap_or(0))
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
