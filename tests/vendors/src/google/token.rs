//! `POST /token` and `POST /revoke` (documented under "Using OAuth 2.0 for Web Server Applications"; the words are
//! observed).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::authorize::{Access, Again};
use super::form::Form;
use super::grants::Grants;
use super::{Client, SignsIn};
use crate::clock::Moment;

/// A refusal of the token endpoint (RFC 6749, 5.2).
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: String,
}

impl Refusal {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description: description.into() }
    }

    fn client() -> Self {
        Self { status: StatusCode::UNAUTHORIZED, ..Self::new("invalid_client", "Unauthorized") }
    }

    fn ended() -> Self {
        Self::new("invalid_grant", "Token has been expired or revoked.")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.error, "error_description": self.description }));
        (self.status, [(CACHE_CONTROL, "no-store")], body).into_response()
    }
}

const KNOWN: [&str; 8] = [
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "grant_type",
    "redirect_uri",
    "refresh_token",
    // Which may narrow what a refresh gives.
    "scope",
];

/// Exchange a code or a refresh token.
pub(crate) async fn token<S: SignsIn>(
    State(sim): State<S>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let form = form(&headers, &body, &KNOWN)?;
    let answer = sim.google(|client, grants, now| {
        check_client(client, &headers, &form)?;
        match required(&form, "grant_type")? {
            "authorization_code" => exchange(client, grants, now, &form),
            "refresh_token" => refresh(client, grants, now, &form),
            other => Err(Refusal::new("unsupported_grant_type", format!("Invalid grant_type: {other}"))),
        }
    })?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// Take a grant back, by any token of it. That a client proves itself here is allowed and not needed.
pub(crate) async fn revoke<S: SignsIn>(
    State(sim): State<S>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let form = form(&headers, &body, &["token", "token_type_hint", "client_id", "client_secret"])?;
    let token = required(&form, "token")?;
    sim.google(|_client, grants, _now| {
        let grant = grants.stems_from(token);
        grants.revoke(grant.ok_or_else(|| Refusal::new("invalid_token", "Token expired or revoked"))?);
        grants.counts.revocations += 1;
        Ok(Json(json!({})).into_response())
    })
}

/// Exchange a code. It is spent by the first attempt, successful or not.
fn exchange(client: &Client, grants: &mut Grants, now: Moment, form: &Form) -> Result<Value, Refusal> {
    let code = grants.code(required(form, "code")?);
    let code = code.ok_or_else(|| Refusal::new("invalid_grant", "Malformed auth code."))?;
    if std::mem::replace(&mut code.spent, true) || code.expires <= now {
        return Err(Refusal::new("invalid_grant", "Bad Request"));
    }
    // One that was taken out of the client's settings since the consent is no better than a wrong one.
    let is_registered = client.redirect_uris.contains(&code.ask.redirect_uri);
    if form.get("redirect_uri") != Some(code.ask.redirect_uri.as_str()) || !is_registered {
        return Err(Refusal::new("redirect_uri_mismatch", "Bad Request"));
    }
    if !code.ask.is_proved_by(form.get("code_verifier")) {
        return Err(Refusal::new("invalid_grant", "Invalid code verifier."));
    }
    let (grant, access, again) = (code.grant, code.ask.access, code.ask.again);
    let mut answer = new_access(client, grants, now, grant);
    // Who agreed before gets no second one, unless the consent was asked for again.
    let is_first = !grants.grants[grant].lasts || again == Again::Always;
    if access == Access::Offline && is_first {
        answer["refresh_token"] = grants.new_refresh(client, grant).into();
    }
    grants.counts.code_exchanges += 1;
    Ok(answer)
}

/// Exchange a refresh token, which stays.
fn refresh(client: &Client, grants: &mut Grants, now: Moment, form: &Form) -> Result<Value, Refusal> {
    let grant = grants.refresh_token(required(form, "refresh_token")?).ok_or_else(Refusal::ended)?;
    let granted = &grants.grants[grant].scopes;
    let asked = form.get("scope").map(|scopes| scopes.split(' ').collect::<Vec<_>>()).unwrap_or_default();
    if asked.iter().any(|scope| !granted.iter().any(|known| known == scope)) {
        return Err(Refusal::new("invalid_scope", "Bad Request"));
    }
    grants.counts.refreshes += 1;
    Ok(new_access(client, grants, now, grant))
}

fn new_access(client: &Client, grants: &mut Grants, now: Moment, grant: usize) -> Value {
    let access = grants.new_access(client, grant, now);
    let scopes = grants.grants[grant].scopes.clone();
    let (lifetime, scope) = (client.access_lifetime_s, scopes.join(" "));
    let mut answer = json!({ "access_token": access, "expires_in": lifetime, "scope": scope, "token_type": "Bearer" });
    if scopes.iter().any(|scope| scope == "openid") {
        answer["id_token"] = grants.new_id(client, grant).into();
    }
    answer
}

fn form(headers: &HeaderMap, body: &[u8], known: &[&str]) -> Result<Form, Refusal> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/x-www-form-urlencoded") {
        return Err(Refusal::new("invalid_request", "Bad Request: the body must be application/x-www-form-urlencoded"));
    }
    let form = Form::parse(body);
    match form.fault(known) {
        Some(fault) => Err(Refusal::new("invalid_request", fault)),
        None => Ok(form),
    }
}

/// Google's clients prove themselves in the body; by Basic as well, which the simulator does not take.
fn check_client(client: &Client, headers: &HeaderMap, form: &Form) -> Result<(), Refusal> {
    if headers.contains_key(AUTHORIZATION) {
        return Err(Refusal::new("invalid_request", "The simulator is strict: the client belongs into the body."));
    }
    let is_client = form.get("client_id") == Some(client.id.as_str());
    let is_proved = form.get("client_secret") == Some(client.secret.as_str());
    if is_client && is_proved { Ok(()) } else { Err(Refusal::client()) }
}

fn required<'form>(form: &'form Form, name: &str) -> Result<&'form str, Refusal> {
    form.get(name).ok_or_else(|| Refusal::new("invalid_request", format!("Missing required parameter: {name}")))
}
