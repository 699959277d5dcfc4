//! Proofs that a token is used by the app that it was minted for, as a vendor sees them that wants them.

use super::came::Came;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The secret of the app at the vendor that is played.
pub(super) const APP_SECRET: &str = "proving-client-secret";

/// Takes the proof out of a request's query, since it follows from the token and no case says it. Gives what is wrong with
/// it, to be read on after the request's line; `None` where nothing is.
pub(super) fn take(came: &mut Came, name: &str) -> Option<String> {
    let given = came.take_query(name);
    // How it is signed is looked at for itself.
    let token = came.signature()?.strip_prefix("Bearer ")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(token.as_bytes());
    let right = hex::encode(mac.finalize().into_bytes());
    match given.as_slice() {
        [proof] if *proof == right => None,
        [] => Some(format!("lacks the proof `{name}`")),
        _ => Some(format!("has not the one right proof `{name}`")),
    }
}
