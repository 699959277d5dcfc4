//! OAuth 2 as the manifest describes it (RFC 6749, 7009, 7636): the authorize URL, the exchange, the refresh and the
//! revocation. It knows the protocol and no tables.

use super::egress::{ChosenBy, Connection};
use super::release::Release;
use super::run::Services;
use crate::clock::Timestamp;
use crate::config::ConnectorConfig;
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use orla_manifest::{ClientAuth, OAuth2, Pkce, Place};
use rand::RngExt as _;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_ANSWER_BYTES: usize = 64 << 10;
/// Longest stretch of a vendor's words that is passed on.
const MAX_WORDS: usize = 300;

/// Tokens that a vendor minted.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access: SecretString,
    pub(crate) refresh: Option<SecretString>,
    pub(crate) expires_at: Option<Timestamp>,
    /// What was granted, where the vendor says so.
    pub(crate) scope: Option<String>,
}

/// Why a refresh gave no tokens.
#[derive(Debug)]
pub(crate) enum RefreshError {
    /// The vendor does not honour the refresh token any more.
    Revoked(String),
    /// It may work later.
    Transient(String),
    /// The vendor does not accept this host's app.
    Misconfigured(String),
}

/// 256 random bits in base64url: state, verifier, cookie.
pub(crate) fn random_text() -> SecretString {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    rand::rng().fill(&mut *bytes);
    SecretString::from(URL_SAFE_NO_PAD.encode(*bytes))
}

/// Where the browser goes to ask for the person's consent.
///
/// # Errors
/// The operator has not configured the app, or the manifest names no such place.
pub(crate) fn authorize_url(
    release: &Release,
    oauth: &OAuth2,
    client_id: &str,
    redirect_uri: &str,
    state: &SecretString,
    verifier: &SecretString,
) -> anyhow::Result<Url> {
    let mut url = place(release, &oauth.authorize)?;
    let mut query = url.query_pairs_mut();
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", &oauth.scopes.join(&oauth.scope_separator))
        .append_pair("state", state.expose_secret());
    match oauth.pkce {
        Pkce::S256 => {
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret()));
            query.append_pair("code_challenge", &challenge).append_pair("code_challenge_method", "S256");
        }
        Pkce::Plain => {
            query.append_pair("code_challenge", verifier.expose_secret()).append_pair("code_challenge_method", "plain");
        }
        Pkce::None => {}
    }
    for (name, value) in &oauth.authorize_params {
        query.append_pair(name, value);
    }
    drop(query);
    Ok(url)
}

fn place(release: &Release, place: &Place) -> anyhow::Result<Url> {
    let origin =
        release.origins.get(&place.endpoint).context("the manifest names an endpoint that it does not declare")?;
    Ok(origin.join(&place.path)?)
}

/// Exchanges an authorization code for tokens.
///
/// # Errors
/// A sentence for the person who is connecting, with the vendor's own words.
pub(crate) async fn exchange(
    services: &Services,
    release: &Release,
    oauth: &OAuth2,
    code: &str,
    redirect_uri: &str,
    verifier: &SecretString,
) -> Result<Tokens, RefreshError> {
    let mut fields = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)];
    if oauth.pkce != Pkce::None {
        fields.push(("code_verifier", verifier.expose_secret()));
    }
    mint(services, release, oauth, fields).await
}

/// Exchanges a refresh token for new tokens.
///
/// # Errors
/// [`RefreshError`], of which only `Revoked` says anything about the connection.
pub(crate) async fn refresh(
    services: &Services,
    release: &Release,
    oauth: &OAuth2,
    refresh_token: &SecretString,
) -> Result<Tokens, RefreshError> {
    let fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())];
    mint(services, release, oauth, fields).await.map_err(|error| match error {
        RefreshError::Misconfigured(words) if oauth.revoked_errors.iter().any(|known| is_error(&words, known)) => {
            RefreshError::Revoked(words)
        }
        error => error,
    })
}

/// Whether the words of a refusal begin with this error.
fn is_error(words: &str, error: &str) -> bool {
    words.strip_prefix(error).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// The standard's answer (RFC 6749 section 5.1).
#[derive(Deserialize)]
struct Minted {
    access_token: SecretString,
    refresh_token: Option<SecretString>,
    expires_in: Option<u64>,
    scope: Option<String>,
}

/// The standard's refusal (RFC 6749 section 5.2).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    error: String,
    error_description: Option<String>,
}

async fn mint(
    services: &Services,
    release: &Release,
    oauth: &OAuth2,
    fields: Vec<(&str, &str)>,
) -> Result<Tokens, RefreshError> {
    let app = services.apps.get(&release.manifest.id).cloned().unwrap_or_default();
    let request = token_request(release, oauth, &oauth.token, &app, fields)
        .map_err(|error| RefreshError::Misconfigured(format!("{error:#}")))?;
    let (status, body) = send(services, request).await.map_err(RefreshError::Transient)?;
    if !status.is_success() {
        return Err(refusal(status, &body));
    }
    let minted: Minted = serde_json::from_slice(&body)
        .map_err(|_| RefreshError::Transient("the vendor's answer holds no access token".to_owned()))?;
    let lifetime = minted.expires_in.unwrap_or_else(|| u64::from(oauth.default_lifetime_s));
    let expires_at = (lifetime > 0).then(|| services.clock.now().after(Duration::from_secs(lifetime)));
    let refresh = minted.refresh_token.filter(|token| !token.expose_secret().is_empty());
    Ok(Tokens { access: minted.access_token, refresh, expires_at, scope: minted.scope })
}

fn token_request<'a>(
    release: &Release,
    oauth: &OAuth2,
    at: &Place,
    app: &'a ConnectorConfig,
    mut fields: Vec<(&'a str, &'a str)>,
) -> anyhow::Result<Request> {
    let id = app.client_id.as_deref().context("this server has no client id for the connector's app")?;
    let secret = app.client_secret.as_ref().map(|secret| secret.expose_secret());
    let mut request = Request::new(Method::POST, place(release, at)?);
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    match oauth.client_auth {
        ClientAuth::Basic => {
            let secret = secret.context("this server has no client secret for the connector's app")?;
            let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = Zeroizing::new(format!("{}:{}", encode(id), encode(secret)));
            let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair.as_bytes())))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        ClientAuth::Body => {
            let secret = secret.context("this server has no client secret for the connector's app")?;
            fields.extend([("client_id", id), ("client_secret", secret)]);
        }
        ClientAuth::None => fields.push(("client_id", id)),
    }
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    *request.body_mut() = Some(body.into());
    Ok(request)
}

async fn send(services: &Services, mut request: Request) -> Result<(reqwest::StatusCode, Zeroizing<Vec<u8>>), String> {
    *request.timeout_mut() = Some(TOTAL_TIMEOUT);
    // A refresh token that rotates is as precious as a post: no half-dead connection for it either.
    let sent = services.egress.send(request, Connection::Fresh, ChosenBy::Operator).await;
    let mut response = sent.map_err(|none| none.message)?;
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|_| "the vendor's answer broke off".to_owned())? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err("the vendor's answer is too large".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok((response.status(), body))
}

fn refusal(status: reqwest::StatusCode, body: &[u8]) -> RefreshError {
    let refused: Refused = serde_json::from_slice(body).unwrap_or_default();
    let words = match (refused.error.as_str(), &refused.error_description) {
        ("", _) => format!("the vendor answered {status}"),
        (error, Some(description)) => format!("{error}: {description}"),
        (error, None) => error.to_owned(),
    };
    let words = words.chars().filter(|character| !character.is_control()).take(MAX_WORDS).collect();
    match refused.error.as_str() {
        "invalid_grant" => RefreshError::Revoked(words),
        "invalid_client" | "unauthorized_client" | "unsupported_grant_type" | "invalid_scope" | "invalid_request" => {
            RefreshError::Misconfigured(words)
        }
        _ => RefreshError::Transient(words),
    }
}

/// Tells the vendor that a token is no longer needed. The connection is gone either way.
pub(crate) async fn revoke(
    services: &Services,
    release: &Release,
    oauth: &OAuth2,
    token: &SecretString,
) -> Result<(), RefreshError> {
    let Some(at) = &oauth.revoke else { return Ok(()) };
    let app = services.apps.get(&release.manifest.id).cloned().unwrap_or_default();
    let request = token_request(release, oauth, at, &app, vec![("token", token.expose_secret())])
        .map_err(|error| RefreshError::Misconfigured(format!("{error:#}")))?;
    let (status, body) = send(services, request).await.map_err(RefreshError::Transient)?;
    if status.is_success() { Ok(()) } else { Err(refusal(status, &body)) }
}
