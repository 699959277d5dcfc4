//! Accounts that sign their own way in, as data. The key stays with the host; a connector never sees it.

use crate::Place;
use serde::{Deserialize, Serialize};

/// An account with a key pair of its own, such as Google's service accounts. A person enters the private key; the host signs
/// assertions with it (RS256) and exchanges them for access tokens (RFC 7523 section 2.1). There is no page that asks for
/// consent, and a token that ends is replaced by means of a new assertion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccount {
    /// Where assertions are exchanged, at an endpoint whose origin is written down. They are addressed to it (`aud`), whatever
    /// a key file says.
    pub token: Place,
    /// What the connector cannot do without, which the assertion asks for (`scope`).
    pub scopes: Vec<String>,
    /// What a person calls the one in whose name the account acts (`sub`), such as `Acts for`; absent where it acts in its
    /// own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Seconds that an assertion is good for, 3,600 at most. It is used at once.
    #[serde(default = "five_minutes")]
    pub assertion_lifetime_s: u32,
    /// Errors, besides `invalid_grant`, that mean that the vendor no longer honours the key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked_errors: Vec<String>,
    /// Seconds that an access token lives where the vendor does not say; 0 where it has no end.
    pub default_lifetime_s: u32,
    /// The page where a person makes a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obtained_at: Option<String>,
}

fn five_minutes() -> u32 {
    300
}
