//! `POST /oauth2/token` and `POST /2/auth/token/revoke`.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::argument::Nothing;
use super::form::Form;
use super::gate::Visit;
use super::grants::{Family, Proof};
use super::settings::{RefreshTokens, Settings, TokenFailure};
use super::state::{Dropbox, World};

/// A refusal of the token endpoint (RFC 6749, 5.2). Dropbox answers all of them with 400 (observed).
#[derive(Debug)]
pub(super) enum Refusal {
    Invalid { error: &'static str, description: String },
    Broken,
}

impl Refusal {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self::Invalid { error, description: description.into() }
    }

    fn grant(description: &str) -> Self {
        Self::new("invalid_grant", description)
    }

    fn client() -> Self {
        Self::new("invalid_client", "Invalid client_id or client_secret")
    }

    /// In the words that were observed.
    fn refresh() -> Self {
        Self::grant("refresh token is invalid or revoked")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Invalid { error, description } => {
                let body = Json(json!({ "error": error, "error_description": description }));
                (StatusCode::BAD_REQUEST, [(CACHE_CONTROL, "no-store")], body).into_response()
            }
            Self::Broken => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response(),
        }
    }
}

/// Exchange a code or a refresh token.
pub(super) async fn token(
    State(dropbox): State<Dropbox>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut world = dropbox.world();
    world.fail()?;
    let (form, proof) = read(&world.settings, &headers, &body)?;
    let answer = match required(&form, "grant_type")? {
        "authorization_code" => world.exchange(&form, proof)?,
        "refresh_token" => world.refresh(&form, proof)?,
        other => return Err(Refusal::new("unsupported_grant_type", format!("unsupported grant_type \"{other}\""))),
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// Revoke the access token that the call is made with, and all that stems from the same consent.
pub(super) async fn revoke(
    State(dropbox): State<Dropbox>,
    Extension(visit): Extension<Visit>,
    _: Nothing,
) -> Json<Value> {
    let mut world = dropbox.world();
    world.grants.revoke(visit.family);
    world.tally.revocations += 1;
    Json(Value::Null)
}

impl World {
    /// What the settings say that goes wrong with this request.
    fn fail(&mut self) -> Result<(), Refusal> {
        if self.settings.token_failures.is_empty() {
            return Ok(());
        }
        Err(match self.settings.token_failures.remove(0) {
            TokenFailure::ServerError => Refusal::Broken,
            TokenFailure::InvalidGrant => Refusal::refresh(),
        })
    }

    /// Exchange a code. It is spent by the first attempt, successful or not.
    fn exchange(&mut self, form: &Form, proof: Option<Proof>) -> Result<Value, Refusal> {
        let now = self.now();
        let unknown = || Refusal::grant("code doesn't exist or has expired");
        let code = self.grants.code(required(form, "code")?).ok_or_else(unknown)?;
        if std::mem::replace(&mut code.spent, true) {
            let family = code.family;
            self.tally.reused_codes += 1;
            if let Some(family) = family {
                self.grants.revoke(family);
            }
            return Err(Refusal::grant("code has already been used"));
        }
        if code.expires <= now {
            return Err(unknown());
        }
        // One that was taken out of the app's settings since the consent is no better than a wrong one.
        let is_registered = self.settings.redirect_uris.contains(&code.ask.redirect_uri);
        if form.get("redirect_uri") != Some(code.ask.redirect_uri.as_str()) || !is_registered {
            return Err(Refusal::grant("redirect_uri mismatch"));
        }
        let proof = match (&code.ask.challenge, form.get("code_verifier"), proof) {
            (Some(challenge), Some(verifier), proof) if challenge.is_met_by(verifier) => {
                proof.unwrap_or(Proof::Verifier)
            }
            (Some(_), Some(_), _) => return Err(Refusal::grant("invalid code verifier")),
            (Some(_), None, _) => return Err(Refusal::new("invalid_request", "Missing parameter \"code_verifier\"")),
            (None, Some(_), _) => return Err(Refusal::grant("code was not created with a code challenge")),
            (None, None, Some(proof)) => proof,
            (None, None, None) => return Err(Refusal::client()),
        };
        let (account_id, scopes, access) = (code.account_id.clone(), code.ask.scopes.clone(), code.ask.access);
        let family = self.grants.families.len();
        if let Some(code) = self.grants.code(required(form, "code")?) {
            code.family = Some(family);
        }
        let granted = Family { account_id: account_id.clone(), scopes: scopes.clone(), proof, access, revoked: false };
        self.grants.families.push(granted);
        self.tally.exchanges += 1;
        let mut answer = json!({
            "token_type": "bearer", "expires_in": self.settings.access_lifetime_s, "scope": scopes.join(" "),
            "account_id": account_id, "uid": uid(&account_id),
        });
        answer["access_token"] = self.grants.new_access(&self.settings, family, scopes, now).into();
        if let Some(refresh) = self.grants.new_refresh(&self.settings, family) {
            answer["refresh_token"] = refresh.into();
        }
        Ok(answer)
    }

    /// Exchange a refresh token. What it was once used for goes on until it expires.
    fn refresh(&mut self, form: &Form, proof: Option<Proof>) -> Result<Value, Refusal> {
        let now = self.now();
        let rotates = self.settings.refresh_tokens == RefreshTokens::Rotating;
        let found = self.grants.refresh_token(required(form, "refresh_token")?).ok_or_else(Refusal::refresh)?;
        let family = found.family;
        let was_spent = found.spent;
        let Family { revoked, proof: wanted, scopes: granted, .. } = &self.grants.families[family];
        if *wanted == Proof::Secret && proof != Some(Proof::Secret) {
            return Err(Refusal::client());
        }
        if *revoked || was_spent {
            if was_spent {
                self.tally.reused_refresh_tokens += 1;
                self.grants.revoke(family);
            }
            return Err(Refusal::refresh());
        }
        let asked = form.get("scope").map(|scopes| scopes.split(' ').map(str::to_owned).collect::<Vec<_>>());
        if let Some(beyond) = asked.iter().flatten().find(|scope| !granted.contains(scope)) {
            return Err(Refusal::new("invalid_scope", format!("scope \"{beyond}\" was not granted")));
        }
        let scopes = asked.clone().unwrap_or_else(|| granted.clone());
        self.tally.refreshes += 1;
        let mut answer = json!({ "token_type": "bearer", "expires_in": self.settings.access_lifetime_s });
        if asked.is_some() {
            answer["scope"] = scopes.join(" ").into();
        }
        if rotates {
            if let Some(old) = self.grants.refresh_token(required(form, "refresh_token")?) {
                old.spent = true;
            }
            answer["refresh_token"] = self.grants.new_refresh(&self.settings, family).into();
        }
        answer["access_token"] = self.grants.new_access(&self.settings, family, scopes, now).into();
        Ok(answer)
    }
}

/// The user id of old, which is a number.
fn uid(account_id: &str) -> String {
    let digits: String = account_id.bytes().map(|byte| char::from(b'0' + byte % 10)).collect();
    format!("1{}", &digits[digits.len() - 9..])
}

/// The form, and how its sender proved to be the app; nothing if only by its key.
fn read(settings: &Settings, headers: &HeaderMap, body: &[u8]) -> Result<(Form, Option<Proof>), Refusal> {
    const KNOWN: [&str; 9] = [
        "client_id",
        "client_secret",
        "code",
        "code_verifier",
        "grant_type",
        "locale",
        "redirect_uri",
        "refresh_token",
        "scope",
    ];
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/x-www-form-urlencoded") {
        return Err(Refusal::new("invalid_request", "the body must be application/x-www-form-urlencoded"));
    }
    let form = Form::parse(body);
    if let Some(fault) = form.fault(&KNOWN) {
        return Err(Refusal::new("invalid_request", fault));
    }
    let in_body = (form.get("client_id"), form.get("client_secret"));
    let (id, secret) = match (basic(headers), in_body) {
        (Some((id, secret)), (again, None)) if again.is_none_or(|again| again == id) => (id, Some(secret)),
        (None, (Some(id), secret)) => (id.to_owned(), secret.map(str::to_owned)),
        (Some(_), _) => return Err(Refusal::new("invalid_request", "client credentials are given twice")),
        (None, (None, _)) => return Err(Refusal::client()),
    };
    if id != settings.client_id || secret.as_ref().is_some_and(|secret| *secret != settings.client_secret) {
        return Err(Refusal::client());
    }
    Ok((form, secret.map(|_| Proof::Secret)))
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (id.to_owned(), secret.to_owned()))
}

fn required<'form>(form: &'form Form, name: &str) -> Result<&'form str, Refusal> {
    form.get(name).ok_or_else(|| Refusal::new("invalid_request", format!("Missing parameter \"{name}\"")))
}
