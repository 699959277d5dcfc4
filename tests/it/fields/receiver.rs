//! A server that a person names in a connection: an instance with a token, and a webhook with a secret. It is strict, and
//! shares no code with the host; a test can make it fail or turn hostile.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;

/// Path and query of the webhook, which are as secret as its key.
pub(super) const HOOK: &str = "/hooks/T0/B0/FIELDMARK5D1C?key=FIELDMARK5D1C";

/// What a receiver does with a webhook whose signature is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Take,
    /// Answers with this status.
    Fail(u16),
    /// Changes a byte of the body on its way, as somebody in between might.
    Tamper,
}

/// What a receiver was told, and what it is to do.
#[derive(Debug, Clone)]
pub(super) struct Wishes {
    pub(super) token: String,
    pub(super) secret: String,
    /// The next webhooks' fate, the first to come at the end; it takes all others.
    pub(super) moods: Vec<Mood>,
    /// The header `Link` of its pages.
    pub(super) link: Option<String>,
    /// Where it redirects to.
    pub(super) redirect: String,
    /// Each `Authorization` that it was sent, good or not.
    pub(super) authorizations: Vec<String>,
    /// Posts that it took: their texts.
    pub(super) posts: Vec<String>,
    /// Webhooks whose signature was good: their ids and texts.
    pub(super) webhooks: Vec<(String, String)>,
    /// Webhooks whose signature was not.
    pub(super) forged: usize,
    pub(super) requests: usize,
}

/// A running receiver, which ends with the test's runtime.
#[derive(Clone)]
pub(super) struct Receiver {
    /// `127.0.0.1:<port>`.
    pub(super) address: String,
    wishes: Arc<Mutex<Wishes>>,
}

impl Receiver {
    pub(super) async fn start(token: &str, secret: &str) -> Self {
        let wishes = Wishes {
            token: token.to_owned(),
            secret: secret.to_owned(),
            moods: Vec::new(),
            link: None,
            redirect: "/".to_owned(),
            authorizations: Vec::new(),
            posts: Vec::new(),
            webhooks: Vec::new(),
            forged: 0,
            requests: 0,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let receiver = Self { address, wishes: Arc::new(Mutex::new(wishes)) };
        let routes = Router::new()
            .route("/api/me", get(me))
            .route("/api/posts", post(take_post))
            .route("/api/pages", get(pages))
            .route("/api/echo", get(echo))
            .route("/api/redirect", get(redirect))
            .route("/hooks/T0/B0/FIELDMARK5D1C", post(take_webhook).get(echo))
            .fallback(async |State(receiver): State<Self>| {
                receiver.wishes().requests += 1;
                StatusCode::NOT_FOUND
            })
            .with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        receiver
    }

    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn hook(&self) -> String {
        format!("{}{HOOK}", self.origin())
    }

    /// What it was told until now.
    pub(super) fn told(&self) -> Wishes {
        self.wishes().clone()
    }

    /// Tells it what to do.
    pub(super) fn tell(&self, change: impl FnOnce(&mut Wishes)) {
        change(&mut self.wishes());
    }

    fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap()
    }

    /// Counts a request, and refuses it without the token.
    fn admit(&self, headers: &HeaderMap) -> Result<(), Box<Response>> {
        let mut wishes = self.wishes();
        wishes.requests += 1;
        let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let authorization = authorization.unwrap_or("none").to_owned();
        let is_good = authorization == format!("Bearer {}", wishes.token);
        wishes.authorizations.push(authorization);
        if is_good {
            Ok(())
        } else {
            Err(Box::new(answer(401, &json!({"error": "This access token is not valid here."}))))
        }
    }
}

fn answer(status: u16, body: &Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

async fn me(State(receiver): State<Receiver>, headers: HeaderMap) -> Response {
    match receiver.admit(&headers) {
        Ok(()) => answer(200, &json!({"id": "7@elsewhere.example", "handle": "ada"})),
        Err(refusal) => *refusal,
    }
}

async fn take_post(
    State(receiver): State<Receiver>,
    headers: HeaderMap,
    axum::Json(post): axum::Json<Value>,
) -> Response {
    if let Err(refusal) = receiver.admit(&headers) {
        return *refusal;
    }
    assert_eq!(post["author"], "7@elsewhere.example", "a connector is told the vendor's own id");
    let mut wishes = receiver.wishes();
    wishes.posts.push(post["text"].as_str().unwrap().to_owned());
    answer(200, &json!({"id": format!("post-{}", wishes.posts.len())}))
}

async fn pages(State(receiver): State<Receiver>, headers: HeaderMap, uri: Uri) -> Response {
    if let Err(refusal) = receiver.admit(&headers) {
        return *refusal;
    }
    let mut response = answer(200, &json!({"page": uri.query()}));
    if let Some(link) = receiver.wishes().link.clone() {
        response.headers_mut().insert(header::LINK, HeaderValue::from_str(&link).unwrap());
    }
    response
}

/// Repeats all that it was sent, in body and headers.
async fn echo(State(receiver): State<Receiver>, headers: HeaderMap, uri: Uri) -> Response {
    let mut wishes = receiver.wishes();
    wishes.requests += 1;
    let authorization = headers.get(header::AUTHORIZATION).cloned();
    let url = format!("http://{}{uri}", receiver.address);
    let mut response = answer(
        200,
        &json!({
            "authorization": authorization.as_ref().map(|value| value.to_str().unwrap()),
            "url": url,
            "path": uri.to_string(),
            // Each is repeated to the connection that it is of: another's is unknown to the host's run.
            "secret": (uri == HOOK).then_some(&wishes.secret),
        }),
    );
    if let Some(authorization) = authorization {
        wishes.authorizations.push(authorization.to_str().unwrap().to_owned());
        response.headers_mut().insert("x-authorization", authorization);
    }
    response.headers_mut().insert("x-url", HeaderValue::from_str(&url).unwrap());
    response
}

async fn redirect(State(receiver): State<Receiver>, headers: HeaderMap) -> Response {
    match receiver.admit(&headers) {
        Ok(()) => (StatusCode::FOUND, [(header::LOCATION, receiver.wishes().redirect.clone())]).into_response(),
        Err(refusal) => *refusal,
    }
}

/// Verifies with the standard's own library, which refuses old timestamps too.
async fn take_webhook(State(receiver): State<Receiver>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut wishes = receiver.wishes();
    wishes.requests += 1;
    if uri != HOOK {
        return answer(404, &json!({}));
    }
    let mood = wishes.moods.pop().unwrap_or(Mood::Take);
    let mut body = body.to_vec();
    if mood == Mood::Tamper {
        body[2] ^= 1;
    }
    let key = standardwebhooks::Webhook::new(&wishes.secret).unwrap();
    if key.verify(&body, &headers).is_err() {
        wishes.forged += 1;
        return answer(401, &json!({}));
    }
    let values = headers.get_all("webhook-id").iter().chain(headers.get_all("webhook-signature"));
    assert_eq!(values.count(), 2, "one id and one signature");
    let text = serde_json::from_slice::<Value>(&body).unwrap()["text"].as_str().unwrap().to_owned();
    wishes.webhooks.push((headers["webhook-id"].to_str().unwrap().to_owned(), text));
    match mood {
        Mood::Fail(status) => answer(status, &json!({})),
        Mood::Take | Mood::Tamper => StatusCode::NO_CONTENT.into_response(),
    }
}
