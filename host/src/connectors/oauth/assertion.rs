//! Service accounts: an assertion that the account's own RSA key has signed is exchanged for an access token (RFC 7523 section
//! 2.1, RS256). It knows the protocol and no tables.

use super::answer::{self, Reading};
use super::request::{self, Answered, Written};
use super::{Refused, Tokens, locate};
use crate::clock::Timestamp;
use crate::connectors::entered::Entered;
use crate::connectors::release::Release;
use crate::connectors::run::Services;
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use orla_manifest::ServiceAccount;
use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;
use zeroize::Zeroizing;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Further apart, a vendor takes an assertion for one of another time, and so a good key for a bad one.
const CLOCKS_AGREE: Duration = Duration::from_secs(60);

/// The names under which a key is kept.
const ISSUER: &str = "client_email";
const KEY: &str = "private_key";
const KEY_ID: &str = "private_key_id";
const SUBJECT: &str = "subject";

/// The key of a service account, and who it is.
#[derive(Debug, Clone)]
pub(crate) struct ServiceKey {
    /// Who signs (`iss`), such as the account's mail address.
    pub(crate) issuer: String,
    /// What the vendor calls the key (`kid`).
    pub(crate) key_id: Option<String>,
    /// In whose name the account acts (`sub`).
    pub(crate) subject: Option<String>,
    /// `RSAPrivateKey` (RFC 8017) in base64 of DER.
    pub(crate) private_key: SecretString,
}

impl ServiceKey {
    /// What was kept of a key.
    ///
    /// # Errors
    /// `Revoked`: nothing was, or the connector has asked for another since.
    pub(crate) fn kept(fields: &BTreeMap<String, SecretString>) -> Result<Self, Refused> {
        let text = |name: &str| fields.get(name).map(|value| value.expose_secret().to_owned());
        match (text(ISSUER), fields.get(KEY)) {
            (Some(issuer), Some(private_key)) => {
                let (key_id, subject) = (text(KEY_ID), text(SUBJECT));
                Ok(Self { issuer, key_id, subject, private_key: private_key.clone() })
            }
            _ => Err(Refused::Revoked("no key of its service account is stored: connect the account again".to_owned())),
        }
    }

    /// The key as it is kept.
    pub(crate) fn entered(&self) -> Entered {
        let Self { issuer, key_id, subject, private_key } = self;
        let texts = [(ISSUER, Some(issuer)), (KEY_ID, key_id.as_ref()), (SUBJECT, subject.as_ref())];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, SecretString::from(text?.as_str()))));
        let values = texts.chain([(KEY, private_key.clone())]);
        Entered::kept(values.map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

/// Reads a private key in PEM, PKCS#8 or PKCS#1, and gives it as it is kept.
///
/// # Errors
/// What is wrong with it, to be read on after the name of a field.
pub(crate) fn read_pem(pem: &str) -> Result<SecretString, &'static str> {
    // Whoever copies it out of a JSON file copies its escapes.
    let pem = Zeroizing::new(pem.replace("\\n", "\n"));
    if !(pem.contains("-----BEGIN ") && pem.contains("PRIVATE KEY-----")) {
        return Err("must hold a private key in PEM, which begins with -----BEGIN PRIVATE KEY-----");
    }
    let key = EncodingKey::from_rsa_pem(pem.as_bytes())
        .map_err(|_| "must hold an RSA key that is whole and has no passphrase")?;
    // Only a signature shows whether it can sign.
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &(), &key)
        .map_err(|_| "must hold an RSA key of 2048 to 8192 bits")?;
    Ok(SecretString::from(STANDARD.encode(key.as_bytes())))
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: Uuid,
}

/// An assertion for `audience`, which is of use for a short time only.
fn assertion(
    account: &ServiceAccount,
    key: &ServiceKey,
    audience: &str,
    now: Timestamp,
) -> anyhow::Result<SecretString> {
    let der = Zeroizing::new(STANDARD.decode(key.private_key.expose_secret()).context("the stored key is no key")?);
    let header = Header { kid: key.key_id.clone(), ..Header::new(Algorithm::RS256) };
    let claims = Claims {
        iss: &key.issuer,
        sub: key.subject.as_deref(),
        scope: account.scopes.join(" "),
        aud: audience,
        iat: now.seconds(),
        exp: now.after(Duration::from_secs(account.assertion_lifetime_s.into())).seconds(),
        jti: Uuid::new_v4(),
    };
    let signed = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_rsa_der(&der));
    Ok(SecretString::from(signed.context("the stored key cannot sign")?))
}

/// A vendor's service accounts.
#[derive(Clone, Copy)]
pub(crate) struct Asserting<'a> {
    pub(crate) services: &'a Services,
    pub(crate) release: &'a Release,
    pub(crate) account: &'a ServiceAccount,
}

impl Asserting<'_> {
    /// Gets an access token by a new assertion.
    ///
    /// # Errors
    /// [`Refused`], of which only `Revoked` says anything about the key.
    pub(crate) async fn token(self, key: &ServiceKey) -> Result<Tokens, Refused> {
        let Self { services, release, account } = self;
        let misconfigured = |error: anyhow::Error| Refused::Misconfigured(format!("{error:#}"));
        let url = locate(release, &account.token).map_err(misconfigured)?;
        let assertion = assertion(account, key, url.as_str(), services.clock.now()).map_err(misconfigured)?;
        let mut request = Request::new(Method::POST, url);
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        let params = [("grant_type", GRANT), ("assertion", assertion.expose_secret())];
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        request::set_body(&mut request, "application/x-www-form-urlencoded", form.into_bytes());
        let answer = request::send(services, Written::new(request, [&assertion])).await?;
        let reading = Reading {
            at: &BTreeMap::new(),
            default_lifetime_s: account.default_lifetime_s,
            revoked: &account.revoked_errors,
        };
        let now = services.clock.now();
        let tokens = answer::tokens(reading, &answer, now).map_err(|refused| doubted(refused, &answer, now))?;
        // What stands for the account is its key: another secret beside it would only be one more to lose.
        Ok(Tokens { refresh: None, ..tokens })
    }
}

/// A refusal, which says nothing about the key where both sides' clocks disagree.
fn doubted(refused: Refused, answer: &Answered, now: Timestamp) -> Refused {
    let Refused::Revoked(words) = refused else { return refused };
    let apart = answer.date.map_or(Duration::ZERO, |date| now.since(date).max(date.since(now)));
    if apart <= CLOCKS_AGREE {
        return Refused::Revoked(words);
    }
    let words = format!("this server's clock and the network's are {} seconds apart ({words})", apart.as_secs());
    Refused::Transient { words, retry_after: None }
}

#[cfg(test)]
mod tests;
