//! Signing a request, once the guest has let go of it.

use super::fault::{Fault, FaultKind};
use crate::clock::Timestamp;
use crate::id::RunId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use orla_manifest::Sign;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// How the secret of a webhook begins.
pub(crate) const WEBHOOK_KEY_PREFIX: &str = "whsec_";

/// Signs a request with a secret. What the guest set is not looked at: of these headers the host's replace all others.
///
/// # Errors
/// The secret cannot sign.
pub(super) fn sign(
    request: &mut reqwest::Request,
    sign: &Sign,
    secret: &SecretString,
    message_id: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    match sign {
        Sign::None => Ok(()),
        Sign::Bearer => insert(request, AUTHORIZATION, &Zeroizing::new(format!("Bearer {}", secret.expose_secret()))),
        // The secret is user name and password already, as RFC 7617 joins them.
        Sign::Basic { .. } => {
            let encoded = Zeroizing::new(STANDARD.encode(secret.expose_secret()));
            insert(request, AUTHORIZATION, &Zeroizing::new(format!("Basic {}", *encoded)))
        }
        Sign::Header { name, value } => {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Fault::bug(format!("`{name}` names no header to sign with")))?;
            insert(request, name, &Zeroizing::new(value.replace("{token}", secret.expose_secret())))
        }
        Sign::Query { name } => {
            request.url_mut().query_pairs_mut().append_pair(name, secret.expose_secret());
            Ok(())
        }
        Sign::StandardWebhooks { .. } => sign_webhook(request, std::slice::from_ref(secret), message_id, now),
    }
}

fn insert(request: &mut reqwest::Request, name: HeaderName, value: &str) -> Result<(), Fault> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| Fault::new(FaultKind::AuthExpired, "the stored token cannot stand in a header"))?;
    value.set_sensitive(true);
    request.headers_mut().insert(name, value);
    Ok(())
}

/// Proves that a token is used by the app that it was minted for: HMAC-SHA256 of it under the app's secret, as a query
/// parameter of this name (<https://developers.facebook.com/docs/graph-api/guides/secure-requests>).
pub(super) fn prove(request: &mut reqwest::Request, name: &str, token: &SecretString, secret: Option<&SecretString>) {
    let Some(secret) = secret else { return };
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(token.expose_secret().as_bytes());
    request.url_mut().query_pairs_mut().append_pair(name, &hex::encode(mac.finalize().into_bytes()));
}

/// Whether a guest that sets this header or query parameter would stand in the way of the signature.
pub(super) fn is_ours(sign: &Sign, proof: Option<&str>, header: Option<&str>, parameter: Option<&str>) -> bool {
    match sign {
        Sign::Header { name, .. } if header.is_some_and(|header| header.eq_ignore_ascii_case(name)) => true,
        Sign::Query { name } if parameter == Some(name) => true,
        _ => proof.is_some() && parameter == proof,
    }
}

/// Standard Webhooks, version 1: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.
/// Each secret signs, since a receiver may know any one of them while they are exchanged.
///
/// # Errors
/// A secret cannot sign, or the body is streamed.
pub(crate) fn sign_webhook(
    request: &mut reqwest::Request,
    secrets: &[SecretString],
    message_id: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    let body: &[u8] = match request.body() {
        None => &[],
        Some(body) => body.as_bytes().ok_or_else(|| Fault::bug("a body that is streamed cannot be signed"))?,
    };
    let timestamp = now.seconds().to_string();
    let mut signatures = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let key = webhook_key(secret.expose_secret()).map_err(|flaw| {
            Fault::new(FaultKind::AuthExpired, format!("the stored secret {flaw}: connect the account again"))
        })?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
        mac.update(format!("{message_id}.{timestamp}.").as_bytes());
        mac.update(body);
        signatures.push(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
    }
    let signature = signatures.join(" ");
    let headers = [
        ("webhook-id", message_id),
        ("webhook-timestamp", timestamp.as_str()),
        ("webhook-signature", signature.as_str()),
    ];
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).map_err(|_| Fault::bug("the signature cannot stand in a header"))?;
        request.headers_mut().insert(name, value);
    }
    Ok(())
}

/// The key that a webhook's secret holds.
///
/// # Errors
/// What is wrong with it, to be read on after the name of a field.
pub(super) fn webhook_key(secret: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let encoded = secret
        .strip_prefix(WEBHOOK_KEY_PREFIX)
        .ok_or("must begin with whsec_ and go on in base64, as your receiver shows it")?;
    let key = STANDARD.decode(encoded).map(Zeroizing::new).map_err(|_| "must be base64 behind whsec_")?;
    if (24..=64).contains(&key.len()) { Ok(key) } else { Err("must hold 24 to 64 bytes in base64 behind whsec_") }
}

/// The name of a message: the same whenever a step of a run is sent, so that a receiver can tell a repetition.
pub(super) fn message_id(run: RunId, key: &str) -> String {
    let digest = Sha256::new().chain_update(run.0.as_bytes()).chain_update(key).finalize();
    format!("msg_{}", hex::encode(&digest[..16]))
}

#[cfg(test)]
mod tests {
    use super::{message_id, webhook_key};
    use crate::id::RunId;

    #[test]
    fn a_webhook_key_has_a_prefix_and_24_to_64_bytes() {
        assert_eq!(webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").map(|key| key.len()), Ok(24));
        for secret in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_no base64 at all"] {
            assert!(webhook_key(secret).is_err_and(|flaw| flaw.contains("whsec_")), "{secret}");
        }
        assert!(webhook_key(&format!("whsec_{}", "AAAA".repeat(22))).is_err(), "66 bytes");
    }

    #[test]
    fn a_message_is_named_after_run_and_key() {
        let (run, other) = (RunId::new(), RunId::new());
        assert_eq!(message_id(run, "part/0"), message_id(run, "part/0"));
        assert_ne!(message_id(run, "part/0"), message_id(run, "part/1"));
        assert_ne!(message_id(run, "part/0"), message_id(other, "part/0"));
    }
}
