//! Requests for tokens, written as the vendor wants them, and sent.

use super::{Client, Refused, locate};
use crate::connectors::egress::{ChosenBy, Connection, Owner, retry_after};
use crate::connectors::run::Services;
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use orla_manifest::{ClientAuth, Encoding, Place};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;
use zeroize::Zeroizing;

/// A lease of refreshing lasts a little longer: see `refreshing`.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(15);
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// What is asked for, by the standard's names.
pub(super) struct Asked<'a> {
    pub(super) at: &'a Place,
    pub(super) params: Vec<(&'a str, &'a str)>,
    pub(super) encoding: Encoding,
}

/// What the vendor answered.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// Writes a request in which the app proves itself.
///
/// # Errors
/// The app has no secret where it needs one, or the manifest names no such place.
pub(super) fn write<'a>(client: Client<'a>, asked: Asked<'a>) -> anyhow::Result<Request> {
    let Client { release, oauth, app, .. } = client;
    let Asked { at, mut params, encoding } = asked;
    let mut request = Request::new(Method::POST, locate(release, at)?);
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    let secret = || {
        let secret = app.client_secret.as_ref().map(|secret| secret.expose_secret());
        secret.context("this server has no client secret for the connector's app")
    };
    match oauth.client_auth {
        ClientAuth::Basic => {
            let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = Zeroizing::new(format!("{}:{}", encode(&app.client_id), encode(secret()?)));
            let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair.as_bytes())))?;
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
    Ok(request)
}

fn set_body(request: &mut Request, content_type: &'static str, body: Vec<u8>) {
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
pub(super) async fn send(services: &Services, mut request: Request) -> Result<Answered, Refused> {
    let transient = |words: String| Refused::Transient { words, retry_after: None };
    *request.timeout_mut() = Some(TOTAL_TIMEOUT);
    // A refresh token that rotates is as precious as a post: no half-dead connection for it either.
    let sent = services.egress.send(Owner::Host, request, Connection::Fresh, ChosenBy::Operator).await;
    let mut response = sent.map_err(|none| transient(none.message))?;
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|_| transient("the vendor's answer broke off".to_owned()))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(transient("the vendor's answer is too large".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    let retry_after = retry_after(response.headers(), services.clock.now());
    Ok(Answered { status: response.status(), retry_after, body })
}
