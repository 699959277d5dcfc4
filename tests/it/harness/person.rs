//! A person who uses the API with nothing but HTTP.

use super::Sim;
use orla::id::WorkspaceId;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// A signed-in person.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) refresh_token: String,
    pub(crate) workspace: WorkspaceId,
    pub(crate) http: Client,
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    pub(crate) cookie: Option<String>,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let status = response.status();
        let cookie = response.headers().get("set-cookie").and_then(|value| value.to_str().ok());
        let cookie = cookie.map(|value| value.split(';').next().unwrap_or_default().to_owned());
        let bytes = response.bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes)));
        Self { status, body, cookie }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// Asserts an error of the API's shape.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert!(self.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{}", self.body);
    }
}

pub(crate) const PASSWORD: &str = "Correct1Horse";

pub(crate) fn client() -> Client {
    #[expect(clippy::disallowed_methods, reason = "a test is a client of its own, not the host's way out")]
    Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(30)).build().unwrap()
}

impl Person {
    pub(super) async fn sign_up(url: &str, data: &Path, name: &str) -> Self {
        let http = client();
        let email = format!("{name}@example.org");
        let register = json!({"email": email, "password": PASSWORD});
        let answer = http.post(format!("{url}/auth/register")).json(&register).send().await.unwrap();
        Answer::of(answer).await.expect(201);
        let link = mailed_link(data, &email).await;
        Answer::of(http.get(link).send().await.unwrap()).await.expect(200);
        Self::log_in(url, &email).await
    }

    pub(crate) async fn log_in(url: &str, email: &str) -> Self {
        let http = client();
        let login = json!({"email": email, "password": PASSWORD});
        let tokens =
            Answer::of(http.post(format!("{url}/auth/login")).json(&login).send().await.unwrap()).await.expect(200);
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        let mut person = Self {
            url: url.to_owned(),
            token: text("access_token"),
            refresh_token: text("refresh_token"),
            workspace: WorkspaceId::new(),
            http,
        };
        let me = person.get("/auth/me").await.expect(200);
        person.workspace = me["workspace"]["id"].as_str().unwrap().parse().unwrap();
        person
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Connects an account of the simulator, through its consent page.
    pub(crate) async fn connect(&self, sim: &Sim, platform: &str, account: &str) {
        assert_eq!(self.try_connect(sim, platform, account).await, 200);
    }

    /// Connects an account at the simulator; gives the status of the callback.
    pub(crate) async fn try_connect(&self, sim: &Sim, platform: &str, account: &str) -> u16 {
        let begun = self.get(&format!("/social/oauth/{platform}/auth")).await;
        let cookie = begun.cookie.clone().expect("a cookie that binds the browser");
        let url = begun.expect(200)["auth_url"].as_str().unwrap().to_owned();
        let callback = sim.authorize(&url, account);
        self.http.get(callback).header("cookie", cookie).send().await.unwrap().status().as_u16()
    }

    /// Publishes with an idempotency key and gives the publication's id.
    pub(crate) async fn publish(&self, post: &Value, key: &str) -> Answer {
        let request = self.http.post(format!("{}/social/publish", self.url)).bearer_auth(&self.token);
        Answer::of(request.header("idempotency-key", key).json(post).send().await.unwrap()).await
    }

    /// Publishes, and waits until the publication is in one of these states.
    pub(crate) async fn published(&self, post: &Value, key: &str, states: &[&str]) -> Value {
        let id = self.publish(post, key).await.expect(202)["id"].as_str().unwrap().to_owned();
        self.wait(&id, states).await
    }

    /// Waits until a publication is in one of these states.
    pub(crate) async fn wait(&self, id: &str, states: &[&str]) -> Value {
        let mut last = Value::Null;
        for _ in 0..600 {
            last = self.get(&format!("/social/publications/{id}")).await.expect(200);
            if states.contains(&last["state"].as_str().unwrap()) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the publication did not become {states:?}: {last:#}");
    }
}

/// The link in the newest mail to an address.
pub(crate) async fn mailed_link(data: &Path, email: &str) -> String {
    for _ in 0..200 {
        let mails = std::fs::read_dir(data.join("mail")).into_iter().flatten();
        let mut mails: Vec<_> = mails.map(|entry| entry.unwrap().path()).collect();
        mails.sort();
        for mail in mails.iter().rev().filter(|path| path.extension().is_some_and(|extension| extension == "eml")) {
            let text = std::fs::read_to_string(mail).unwrap();
            if text.contains(email) {
                return text.split_whitespace().find(|word| word.starts_with("http")).expect("a link").to_owned();
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no mail to {email}");
}
