//! The simulated Vertex, seen through HTTP: what a person's consent opens, and what it does not. The consent page and the tokens are
//! those of the simulated YouTube, and tested there.

use orla_vendors::vertex::{Project, Settings, Sim};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use url::Url;

const CALLBACK: &str = "http://127.0.0.1:8000/social/oauth/vertex/callback";
const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
const SEVERAL: &str = "several@example.com";

/// A simulator, and a client.
struct Bench {
    sim: Sim,
    http: Client,
}

impl Bench {
    #[expect(clippy::disallowed_methods, reason = "a test is the outside world, and has no egress policy")]
    async fn with(settings: Settings) -> Self {
        let sim = Sim::start(settings).await;
        sim.register_redirect_uri(CALLBACK);
        Self { sim, http: Client::new() }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sim.origin())
    }

    async fn token(&self, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let settings = self.sim.settings();
        let client = [("client_id", settings.client_id.as_str()), ("client_secret", settings.client_secret.as_str())];
        let form: Vec<_> = client.iter().chain(form).collect();
        told(self.http.post(self.url("/token")).form(&form)).await
    }

    /// The tokens of a person who grants these scopes.
    async fn granted(&self, person: &str, scopes: &str) -> Value {
        let query = [
            ("response_type", "code"),
            ("client_id", &self.sim.settings().client_id),
            ("redirect_uri", CALLBACK),
            ("state", "some state"),
            ("scope", scopes),
            ("access_type", "offline"),
        ];
        let url = Url::parse_with_params(&self.url("/o/oauth2/v2/auth"), query).expect("a URL");
        let back = self.sim.authorize(url.as_str(), person);
        let (_, code) = back.query_pairs().find(|(name, _)| name == "code").expect("a code");
        let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
        let (status, tokens) = self.token(&form).await;
        assert_eq!(status, StatusCode::OK, "{tokens}");
        // It serves once.
        let (_, again) = self.token(&form).await;
        assert_eq!(again["error"], "invalid_grant", "{again}");
        tokens
    }

    async fn get(&self, path: &str, token: &str) -> (StatusCode, Value) {
        told(self.http.get(self.url(path)).bearer_auth(token)).await
    }

    /// Begins a video in a project, counted against another or the same.
    async fn begin(&self, token: &str, project: &str, counted: Option<&str>) -> (StatusCode, Value) {
        let parameters =
            json!({ "sampleCount": 1, "durationSeconds": 4, "aspectRatio": "16:9", "generateAudio": false });
        let body = json!({ "instances": [{ "prompt": "A lighthouse" }], "parameters": parameters });
        let url = self.url(&self.sim.method_in(project, "predictLongRunning"));
        let request = self.http.post(url).bearer_auth(token).json(&body);
        told(counted.into_iter().fold(request, |request, project| request.header("x-goog-user-project", project))).await
    }
}

async fn told(request: RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.expect("an answer");
    (answer.status(), answer.json().await.expect("JSON"))
}

fn text<'value>(value: &'value Value, member: &str) -> &'value str {
    value[member].as_str().unwrap_or_default()
}

#[tokio::test]
async fn what_is_granted_opens_as_much_and_goes_by_its_long_name() {
    let bench = Bench::with(Settings::default()).await;
    let tokens = bench.granted(SEVERAL, "openid email").await;
    assert_eq!(tokens["scope"], format!("openid {EMAIL}"));
    assert!(tokens["id_token"].is_string() && tokens["refresh_token"].is_string(), "{tokens}");
    let (_, who) = bench.get("/v1/userinfo", text(&tokens, "access_token")).await;
    assert_eq!(who, json!({ "sub": "100000000000000000002", "email": SEVERAL, "email_verified": true }));
    let (status, refused) = bench.get("/v3/projects:search", text(&tokens, "access_token")).await;
    assert_eq!((status, &refused["error"]["status"]), (StatusCode::FORBIDDEN, &json!("PERMISSION_DENIED")));
    assert_eq!(refused["error"]["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    let (status, _) = bench.begin(text(&tokens, "access_token"), "orla-films", Some("orla-films")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let plain = bench.granted(SEVERAL, "openid").await;
    let (_, who) = bench.get("/v1/userinfo", text(&plain, "access_token")).await;
    assert_eq!(who, json!({ "sub": "100000000000000000002" }));
}

#[tokio::test]
async fn projects_are_listed_page_by_page_and_only_ones_own_are_used() {
    let mut settings = Settings { projects_a_page: 2, ..Settings::default() };
    let locked = Project { may_use: false, ..Project::new("orla-locked", "") };
    let gone = Project { is_active: false, ..Project::new("orla-gone", "Gone") };
    settings.people[1].projects.extend([locked, gone]);
    let bench = Bench::with(settings).await;
    let tokens = bench.granted(SEVERAL, CLOUD_PLATFORM).await;
    let token = text(&tokens, "access_token");
    let (_, first) = bench.get("/v3/projects:search?pageSize=100", token).await;
    let next = text(&first, "nextPageToken");
    let (_, second) = bench.get(&format!("/v3/projects:search?pageSize=100&pageToken={next}"), token).await;
    let listed = |list: &Value| -> Vec<(String, String)> {
        let projects = list["projects"].as_array().expect("projects").iter();
        projects.map(|project| (text(project, "projectId").to_owned(), text(project, "state").to_owned())).collect()
    };
    let told = |id: &str, state: &str| (id.to_owned(), state.to_owned());
    assert_eq!(listed(&first), [told("orla-films", "ACTIVE"), told("orla-trials", "ACTIVE")]);
    assert_eq!(listed(&second), [told("orla-locked", "ACTIVE"), told("orla-gone", "DELETE_REQUESTED")]);
    assert_eq!((&second["nextPageToken"], &second["projects"][0]["displayName"]), (&Value::Null, &Value::Null));
    for query in ["pageToken=two", "pageSize=0", "query=x", "pageSize=1&pageSize=2"] {
        let (status, _) = bench.get(&format!("/v3/projects:search?{query}"), token).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
    }
    for (project, counted, wanted) in [
        ("orla-demo", Some("orla-demo"), StatusCode::FORBIDDEN),
        ("orla-locked", Some("orla-locked"), StatusCode::FORBIDDEN),
        ("orla-gone", Some("orla-gone"), StatusCode::FORBIDDEN),
        ("orla-films", None, StatusCode::BAD_REQUEST),
        ("orla-films", Some("orla-trials"), StatusCode::BAD_REQUEST),
        ("orla-films", Some("orla-films"), StatusCode::OK),
    ] {
        assert_eq!(bench.begin(token, project, counted).await.0, wanted, "{project} {counted:?}");
    }
    assert_eq!(bench.sim.operations().len(), 1);
}

#[tokio::test]
async fn access_ends_is_renewed_and_is_taken_back() {
    let bench = Bench::with(Settings::default()).await;
    let tokens = bench.granted(SEVERAL, CLOUD_PLATFORM).await;
    bench.sim.expire_access_tokens();
    let (status, _) = bench.get("/v3/projects:search", text(&tokens, "access_token")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let renew = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
    let (_, renewed) = bench.token(&renew).await;
    let (status, _) = bench.get("/v3/projects:search", text(&renewed, "access_token")).await;
    assert_eq!(status, StatusCode::OK);
    bench.sim.revoke(SEVERAL);
    let (_, refused) = bench.token(&renew).await;
    assert_eq!(refused["error"], "invalid_grant", "{refused}");
    let (status, _) = bench.get("/v3/projects:search", text(&renewed, "access_token")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let made = bench.sim.made();
    assert_eq!((made.code_exchanges, made.refreshes, made.revocations), (1, 1, 0));
}
