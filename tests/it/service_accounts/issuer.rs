//! A vendor of service accounts: it takes an assertion once, if all of it is right, and what its tokens sign. It shares no
//! code with the host.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;

pub(super) const ACCOUNT: &str = "robot@project.example";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What a vendor knows, and what it is told to do.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// The public keys of the account, in PEM, by their names.
    pub(super) keys: BTreeMap<String, String>,
    /// Requests for tokens that are answered with 500 first.
    pub(super) failures: usize,
    /// Tokens that were minted.
    pub(super) minted: usize,
    /// Assertions that were refused, and why.
    pub(super) refused: Vec<String>,
    /// Tokens that work.
    tokens: BTreeSet<String>,
    /// The ids of assertions that were used.
    used: BTreeSet<String>,
    /// Every assertion that it was sent.
    pub(super) assertions: Vec<String>,
    /// Texts that were posted.
    pub(super) posts: Vec<String>,
}

/// A running vendor, which ends with the test's runtime.
#[derive(Clone)]
pub(super) struct Issuer {
    pub(super) origin: String,
    known: Arc<Mutex<Known>>,
}

impl Issuer {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let issuer = Self { origin, known: Arc::default() };
        let routes = Router::new().route("/token", post(token)).route("/me", get(me)).route("/posts", post(publish));
        let routes = routes.with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        issuer
    }

    /// What it knows by now.
    pub(super) fn known(&self) -> Known {
        self.lock().clone()
    }

    /// Changes what it knows.
    pub(super) fn tell(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.lock());
    }

    /// Ends every token before its time.
    pub(super) fn expire_tokens(&self) {
        self.lock().tokens.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        given.and_then(|given| given.strip_prefix("Bearer ")).is_some_and(|token| self.lock().tokens.contains(token))
    }
}

fn answer(status: u16, body: Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

/// Everything that is wrong with an assertion, in the words of such vendors.
fn check(issuer: &Issuer, form: &[(String, String)]) -> Result<String, String> {
    let [(grant_type, grant), (name, assertion)] = form else { return Err("two parameters are wanted".to_owned()) };
    if (grant_type.as_str(), grant.as_str(), name.as_str()) != ("grant_type", GRANT, "assertion") {
        return Err("this is no grant of an assertion".to_owned());
    }
    let header = jsonwebtoken::decode_header(assertion).map_err(|_| "Invalid JWT.".to_owned())?;
    let known = issuer.known();
    let key = header.kid.as_ref().and_then(|kid| known.keys.get(kid));
    let key = key.ok_or("Invalid JWT Signature.")?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = 0;
    validation.set_audience(&[format!("{}/token", issuer.origin)]);
    validation.set_issuer(&[ACCOUNT]);
    validation.set_required_spec_claims(&["iss", "aud", "exp"]);
    let key = DecodingKey::from_rsa_pem(key.as_bytes()).unwrap();
    let read = jsonwebtoken::decode::<Value>(assertion, &key, &validation);
    let claims = read.map_err(|wrong| format!("Invalid JWT: {wrong}."))?.claims;
    let number = |name: &str| claims[name].as_i64().ok_or(format!("Invalid JWT: {name} is missing."));
    let (iat, exp, now) = (number("iat")?, number("exp")?, unix_s());
    if (now - iat).abs() > 60 || exp - iat > 3_600 {
        return Err("Invalid JWT: it must be short-lived and in a reasonable timeframe.".to_owned());
    }
    if claims["scope"] != "me.read posts.write" || claims.get("sub").is_some() {
        return Err("Invalid JWT: the scope or subject is wrong.".to_owned());
    }
    claims["jti"].as_str().map(str::to_owned).ok_or("Invalid JWT: jti is missing.".to_owned())
}

#[expect(clippy::disallowed_methods, reason = "a vendor has a clock of its own")]
fn unix_s() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

async fn token(State(issuer): State<Issuer>, headers: HeaderMap, body: Bytes) -> Response {
    let is_form = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/x-www-form-urlencoded");
    if !is_form || headers.contains_key(header::AUTHORIZATION) {
        return answer(400, json!({"error": "invalid_request"}));
    }
    {
        let mut known = issuer.lock();
        if known.failures > 0 {
            known.failures -= 1;
            return answer(500, json!({"error": "internal_failure"}));
        }
    }
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let checked = check(&issuer, &form);
    let mut known = issuer.lock();
    known.assertions.extend(form.iter().filter(|(name, _)| name == "assertion").map(|(_, value)| value.clone()));
    let checked = checked.and_then(|jti| if known.used.insert(jti) { Ok(()) } else { Err("used before".to_owned()) });
    if let Err(why) = checked {
        known.refused.push(why.clone());
        // A vendor that repeats what it was sent must not make it known.
        let repeated = form.iter().find(|(name, _)| name == "assertion").map(|(_, value)| value.as_str());
        let words = format!("{why} {}", repeated.unwrap_or_default());
        return answer(400, json!({"error": "invalid_grant", "error_description": words}));
    }
    known.minted += 1;
    let token = format!("minted-access-token-{}", known.minted);
    known.tokens.insert(token.clone());
    answer(200, json!({"access_token": token, "expires_in": 3_599, "token_type": "Bearer"}))
}

async fn me(State(issuer): State<Issuer>, headers: HeaderMap) -> Response {
    if issuer.admits(&headers) {
        answer(200, json!({"id": "robot-7", "name": "robot"}))
    } else {
        answer(401, json!({"error": "invalid_token"}))
    }
}

async fn publish(State(issuer): State<Issuer>, headers: HeaderMap, Json(post): Json<Value>) -> Response {
    if !issuer.admits(&headers) {
        return answer(401, json!({"error": "invalid_token"}));
    }
    let mut known = issuer.lock();
    known.posts.push(post["text"].as_str().unwrap().to_owned());
    answer(200, json!({"id": format!("post-{}", known.posts.len())}))
}
