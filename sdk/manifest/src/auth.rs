//! How a workspace connects an account, as data. The host runs every flow; a connector never sees its result.

use crate::{Fields, unique};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a workspace connects an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// Nothing to connect.
    None,
    /// OAuth 2, authorization code grant (RFC 6749 section 4.1).
    Oauth2(OAuth2),
    /// A key that the vendor hands out.
    ApiKey(ApiKey),
    /// Fields that each workspace fills in.
    Fields(Fields),
}

/// A key that the vendor hands out, with which requests are signed as with an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// The page where a person makes one, for the operator who has none.
    pub obtained_at: String,
}

/// A path at one of the manifest's endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The endpoint's name.
    pub endpoint: String,
    /// An absolute path.
    pub path: String,
}

/// A vendor's OAuth 2 in data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    /// Where the browser is sent.
    pub authorize: Place,
    /// Further query parameters of the authorize URL, such as `access_type=offline`.
    #[serde(default, deserialize_with = "unique::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub authorize_params: BTreeMap<String, String>,
    /// Where codes and refresh tokens are exchanged.
    pub token: Place,
    /// Where tokens are revoked (RFC 7009).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke: Option<Place>,
    /// Scopes to ask for.
    pub scopes: Vec<String>,
    /// What separates them; a space in the standard.
    #[serde(default = "space")]
    pub scope_separator: String,
    /// Proof key for code exchange (RFC 7636).
    pub pkce: Pkce,
    /// How the host authenticates as the app.
    pub client_auth: ClientAuth,
    /// Whether the vendor promises a refresh token; the host says so at connect time when none comes.
    pub refreshable: bool,
    /// Errors of a refresh, besides `invalid_grant`, that mean that the vendor no longer honours the connection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked_errors: Vec<String>,
    /// Seconds that an access token lives where the vendor does not say.
    pub default_lifetime_s: u32,
}

fn space() -> String {
    " ".to_owned()
}

/// Proof key for code exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pkce {
    /// SHA-256 of the verifier, in base64url.
    S256,
    /// The verifier itself.
    #[serde(rename = "plain")]
    Plain,
    /// None: the vendor does not know it.
    #[serde(rename = "none")]
    None,
}

/// How an app proves itself at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// HTTP Basic (RFC 6749 section 2.3.1).
    Basic,
    /// `client_id` and `client_secret` in the body.
    Body,
    /// `client_id` in the body; a public client.
    None,
}
