//! Requests for tokens, written as the vendor wants them, and sent.

use super::{Client, Refused, locate};
use crate::clock::Timestamp;
use crate::connectors::answer::Secrets;
use crate::connectors::egress::{ChosenBy, Connection, Owner, retry_after};
use crate::connectors::run::Services;
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use orla_manifest::{ClientAuth, Encoding, Place};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue};
use reqwest::{Method, Request, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use zeroize::Zeroizing;

/// A lease of refreshing lasts a little longer: see `refreshing`.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(15);
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// What is asked for, by the standard's names.
pub(super) struct Asked<'a> {
    pub(super) at: &'a Place,
    pub(super) params: Vec<(&'a str, &'a str)>,
    /// Those of the values that are secrets.
    pub(super) secrets: Vec<&'a SecretString>,
    pub(super) encoding: Encoding,
}

/// A request, and the secrets in it: a vendor may repeat them where it says what is wrong.
pub(super) struct Written {
    pub(super) request: Request,
    pub(super) secrets: Secrets,
}

impl Written {
    pub(super) fn new<'a>(request: Request, secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let known = Secrets::default();
        secrets.into_iter().for_each(|secret| known.add(secret));
        Self { request, secrets: known }
    }
}

/// What the vendor answered.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// What time it is there (RFC 9110 section 6.6.1).
    pub(super) date: Option<Timestamp>,
    pub(super) body: Zeroizing<Vec<u8>>,
    /// What was sent, to be blanked in what is told of it.
    pub(super) sent: Secrets,
}

/// Writes a request in which the app proves itself.
///
/// # Errors
/// The app has no secret where it needs one, or the manifest names no such place.
pub(super) fn write<'a>(client: Client<'a>, asked: Asked<'a>) -> anyhow::Result<Written> {
    let Client { release, oauth, app, .. } = client;
    let Asked { at, mut params, secrets, encoding } = asked;
    let mut request = Request::new(Method::POST, locate(release, at)?);
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    let secret = || {
        let secret = app.client_secret.as_ref().map(|secret| secret.expose_secret());
        secret.context("this server has no client secret for the connector's app")
    };
    match oauth.client_auth {
        ClientAuth::Basic => {
            let pair = pair(&app.client_id, &secret()?.into());
            let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair.expose_secret())))?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        ClientAuth::Body => params.extend([("client_id", app.client_id.as_str()), ("client_secret", secret()?)]),
        ClientAuth::None => params.push(("client_id", app.client_id.as_str())),
    }
    let names = &oauth.token_request.names;
    let own = oauth.token_request.params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let named = params.into_iter().map(|(name, value)| (names.get(name).map_or(name, String::as_str), value));
    let params: Vec<(&str, &str)> = named.chain(own).collect();
    match encoding {
        Encoding::Form => {
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
            set_body(&mut request, "application/x-www-form-urlencoded", body.into_bytes());
        }
        Encoding::Json => {
            let document: serde_json::Map<String, serde_json::Value> =
                params.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            set_body(&mut request, "application/json", serde_json::to_vec(&document)?);
        }
        Encoding::Query => {
            *request.method_mut() = Method::GET;
            request.url_mut().query_pairs_mut().extend_pairs(params);
        }
    }
    let written = Written::new(request, secrets.into_iter().chain(&app.client_secret));
    // HTTP Basic writes the secret together with the id.
    app.client_secret.iter().for_each(|secret| written.secrets.add(&pair(&app.client_id, secret)));
    Ok(written)
}

/// An app's id and secret as HTTP Basic joins them (RFC 6749 section 2.3.1).
pub(super) fn pair(client_id: &str, secret: &SecretString) -> SecretString {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let (id, secret) = (encode(client_id), Zeroizing::new(encode(secret.expose_secret())));
    SecretString::from(format!("{id}:{}", *secret))
}

pub(super) fn set_body(request: &mut Request, content_type: &'static str, body: Vec<u8>) {
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    *request.body_mut() = Some(body.into());
}

/// Signs a request with an access token.
pub(super) fn bear(request: &mut Request, access: &SecretString) -> anyhow::Result<()> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", access.expose_secret()))
        .map_err(|_| anyhow::anyhow!("the network's token cannot stand in a header"))?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(())
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// `Transient`: there was no answer, or no end of it.
pub(super) async fn send(services: &Services, written: Written) -> Result<Answered, Refused> {
    let Written { mut request, secrets: sent } = written;
    let transient = |words: String| Refused::Transient { words, retry_after: None };
    *request.timeout_mut() = Some(TOTAL_TIMEOUT);
    // A refresh token that rotates is as precious as a post: no half-dead connection for it either.
    let answered = services.egress.send(Owner::Host, request, Connection::Fresh, ChosenBy::Operator).await;
    let mut response = answered.map_err(|none| transient(none.message))?;
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|_| transient("the vendor's answer broke off".to_owned()))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(transient("the vendor's answer is too large".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    let retry_after = retry_after(response.headers(), services.clock.now());
    let date = response.headers().get(DATE).and_then(|value| value.to_str().ok());
    let date = date.and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok());
    let date = date.map(|date| Timestamp(date.unix_timestamp().saturating_mul(1_000_000)));
    Ok(Answered { status: response.status(), retry_after, date, body, sent })
}
