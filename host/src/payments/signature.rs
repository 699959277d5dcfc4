//! Whether an event is of Stripe's: the header `Stripe-Signature` over the raw bytes of the body.
//!
//! `t=<seconds>,v1=<hex>,v1=<hex>,v0=<of tests>`: HMAC-SHA256 of `<t>.<body>` by the endpoint's whole secret. While a secret is
//! exchanged there are several. <https://docs.stripe.com/webhooks#verify-manually>

use crate::clock::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// How far the moment of signing may lie before or after ours, in seconds.
const TOLERANCE_S: i64 = 300;
/// The most signatures that are looked at.
const MAX_SIGNATURES: usize = 16;

/// Why an event is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Forged {
    #[error("The header `Stripe-Signature` is missing, or cannot be read.")]
    Unreadable,
    #[error("It was not signed by a secret of this endpoint, or was changed on its way.")]
    Wrong,
    #[error("It was signed too long ago.")]
    Stale,
    #[error("It was signed in the future: look at this server's clock.")]
    Early,
}

/// Verifies a body by any of the secrets, which stand between commas.
pub(super) fn verify(header: &str, body: &[u8], secrets: &SecretString, now: Timestamp) -> Result<(), Forged> {
    let pairs = || header.split(',').filter_map(|pair| pair.trim().split_once('='));
    let mut moments = pairs().filter(|(name, _)| *name == "t");
    let (Some((_, moment)), None) = (moments.next(), moments.next()) else { return Err(Forged::Unreadable) };
    let seconds = Some(moment).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds: i64 = seconds.and_then(|text| text.parse().ok()).ok_or(Forged::Unreadable)?;
    let signatures = pairs().filter(|(name, _)| *name == "v1").take(MAX_SIGNATURES);
    let signatures: Vec<Vec<u8>> = signatures.filter_map(|(_, text)| hex::decode(text).ok()).collect();
    if signatures.is_empty() {
        return Err(Forged::Unreadable);
    }
    let secrets = secrets.expose_secret().split(',').map(str::trim).filter(|secret| !secret.is_empty());
    let is_signed = secrets.into_iter().any(|secret| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
        mac.update(moment.as_bytes());
        mac.update(b".");
        mac.update(body);
        // In constant time.
        signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    });
    if !is_signed {
        return Err(Forged::Wrong);
    }
    match now.seconds() - seconds {
        age if age > TOLERANCE_S => Err(Forged::Stale),
        age if age < -TOLERANCE_S => Err(Forged::Early),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
