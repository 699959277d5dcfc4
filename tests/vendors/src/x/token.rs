//! `POST /2/oauth2/token` and `/2/oauth2/revoke`, for a confidential client (documented: form-encoded, HTTP Basic).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::body::media_type;
use super::clock::Moment;
use super::pairs::Pairs;
use super::settings::Settings;
use super::state::{World, X};

/// A refusal of the token endpoints (RFC 6749, 5.2).
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: String,
    description: String,
}

impl Refusal {
    /// What X says of nearly everything that is wrong, a bad code included (observed).
    pub(super) fn invalid(description: impl Into<String>) -> Self {
        Self::grant("invalid_request", description)
    }

    pub(super) fn grant(error: &str, description: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: error.to_owned(), description: description.into() }
    }

    fn unauthorized() -> Self {
        let description = "Missing valid authorization header";
        Self { status: StatusCode::UNAUTHORIZED, ..Self::grant("unauthorized_client", description) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.error, "error_description": self.description }));
        (self.status, [(CACHE_CONTROL, "no-store")], body).into_response()
    }
}

/// Exchange a code or a refresh token.
pub(super) async fn token(State(x): State<X>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let mut world = x.world();
    let World { settings, grants, .. } = &mut *world;
    let form = form(settings, &headers, &body)?;
    let now = Moment::now();
    let answer = match required(&form, "grant_type")? {
        "authorization_code" => {
            closed(&form, &["grant_type", "code", "redirect_uri", "code_verifier", "client_id"])?;
            let (code, redirect_uri) = (required(&form, "code")?, required(&form, "redirect_uri")?);
            grants.exchange(settings, code, redirect_uri, required(&form, "code_verifier")?, now)?
        }
        "refresh_token" => {
            closed(&form, &["grant_type", "refresh_token", "client_id"])?;
            grants.refresh(settings, required(&form, "refresh_token")?, now)?
        }
        other => {
            return Err(Refusal::grant(
                "unsupported_grant_type",
                format!("The grant type [{other}] is not supported."),
            ));
        }
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// Revoke a token.
pub(super) async fn revoke(State(x): State<X>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let mut world = x.world();
    let World { settings, grants, .. } = &mut *world;
    let form = form(settings, &headers, &body)?;
    closed(&form, &["token", "token_type_hint", "client_id"])?;
    grants.revoke(required(&form, "token")?);
    Ok(([(CACHE_CONTROL, "no-store")], Json(json!({ "revoked": true }))).into_response())
}

/// The form of an authenticated client.
fn form(settings: &Settings, headers: &HeaderMap, body: &[u8]) -> Result<Pairs, Refusal> {
    if media_type(headers) != "application/x-www-form-urlencoded" {
        return Err(Refusal::invalid("The Content-Type must be application/x-www-form-urlencoded."));
    }
    let Settings { client_id, client_secret, .. } = settings;
    if basic(headers).is_none_or(|credentials| credentials != format!("{client_id}:{client_secret}")) {
        return Err(Refusal::unauthorized());
    }
    let form = Pairs::parse(body);
    if let Some(name) = form.repeated() {
        return Err(Refusal::invalid(format!("The parameter [{name}] is given twice.")));
    }
    if form.get("client_id").is_some_and(|given| given != client_id) {
        return Err(Refusal::unauthorized());
    }
    Ok(form)
}

fn basic(headers: &HeaderMap) -> Option<String> {
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded = BASE64_STANDARD.decode(encoded).ok()?;
    scheme.eq_ignore_ascii_case("basic").then(|| String::from_utf8(decoded).ok()).flatten()
}

fn required<'form>(form: &'form Pairs, name: &str) -> Result<&'form str, Refusal> {
    let value = form.get(name).filter(|value| !value.is_empty());
    value.ok_or_else(|| Refusal::invalid(format!("Missing required parameter [{name}].")))
}

fn closed(form: &Pairs, allowed: &[&str]) -> Result<(), Refusal> {
    match form.outside(allowed) {
        Some(name) => Err(Refusal::invalid(format!("The parameter [{name}] is not known here."))),
        None => Ok(()),
    }
}
