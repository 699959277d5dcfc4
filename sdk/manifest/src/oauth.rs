//! A vendor's OAuth 2 (RFC 6749) and what it does differently, as data. The host runs every flow.

use crate::{ServiceAccount, unique};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// How requests for tokens are written, and where their answers hold what.
    #[serde(default, skip_serializing_if = "TokenRequest::is_standard")]
    pub token_request: TokenRequest,
    /// What the token that a code gave is exchanged for before it is used, one step after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchange: Vec<Exchange>,
    /// How a connection outlives its access token.
    pub refresh: Refresh,
    /// How the vendor is told that a connection is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke: Option<Revoke>,
    /// Scopes without which the connector cannot work.
    pub scopes: Vec<String>,
    /// Scopes that are asked for too, and that a person may leave out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional_scopes: Vec<String>,
    /// What separates them; a space in the standard.
    #[serde(default = "space")]
    pub scope_separator: String,
    /// Where the vendor says which scopes a person granted, where the token's answer does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Granted>,
    /// Proof key for code exchange (RFC 7636).
    pub pkce: Pkce,
    /// How the host authenticates as the app.
    pub client_auth: ClientAuth,
    /// Errors of a refresh, besides `invalid_grant`, that mean that the vendor no longer honours the connection: the member
    /// `error` of the answer or, where that is an object, its `code`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked_errors: Vec<String>,
    /// Seconds that an access token lives where the vendor does not say; 0 where it has no end.
    pub default_lifetime_s: u32,
    /// Accounts that a person may connect by their own key instead, where the vendor has both. What it asks for is its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<ServiceAccount>,
}

impl OAuth2 {
    /// The scopes that people are asked for, as the parameter `scope` holds them: first those that are needed.
    #[must_use]
    pub fn asked_scopes(&self) -> String {
        let scopes: Vec<&str> = self.scopes.iter().chain(&self.optional_scopes).map(String::as_str).collect();
        scopes.join(&self.scope_separator)
    }
}

fn space() -> String {
    " ".to_owned()
}

/// How requests for tokens differ from the standard's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenRequest {
    /// How the parameters are sent.
    pub encoding: Encoding,
    /// Parameters by the standard's names that the vendor calls otherwise, such as `client_id`: `client_key`. They hold for the
    /// authorize URL too.
    #[serde(deserialize_with = "unique::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// Further parameters.
    #[serde(deserialize_with = "unique::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// JSON pointers to `access_token`, `refresh_token`, `expires_in` and `scope` in the answer, where they are not the
    /// members of those names.
    #[serde(deserialize_with = "unique::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub answer: BTreeMap<String, String>,
}

impl TokenRequest {
    fn is_standard(&self) -> bool {
        *self == Self::default()
    }
}

/// How the parameters of a request for tokens are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// POST with an `application/x-www-form-urlencoded` body, as the standard has it.
    #[default]
    Form,
    /// POST with a JSON object.
    Json,
    /// GET with a query.
    Query,
}

/// An exchange of one access token for another, such as a short-lived for a long-lived one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Where. The app authenticates as for a code.
    pub at: Place,
    /// The name of the parameter that holds the access token.
    pub token_param: String,
    /// Further parameters, such as `grant_type=fb_exchange_token`.
    #[serde(default, deserialize_with = "unique::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
}

/// How a connection outlives its access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Refresh {
    /// It does not: a person connects again.
    None,
    /// By a refresh token (RFC 6749 section 6). Whether the vendor replaces it each time makes no difference.
    Token,
    /// By exchanging the access token for a new one, while the vendor still honours it.
    Exchange {
        /// The exchange.
        exchange: Exchange,
        /// Seconds before the token's end from which on it is exchanged.
        before_s: u32,
    },
}

/// How a vendor is told that a connection is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Where.
    pub at: Place,
    /// How.
    pub by: RevokeBy,
}

/// How a request to revoke names what is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokeBy {
    /// By the parameter `token`, once for each token, with the app's authentication (RFC 7009).
    Token,
    /// POST without a body, signed with the access token that ends.
    BearerPost,
    /// DELETE, signed with the access token that ends.
    BearerDelete,
}

/// Where a vendor says which scopes a person granted: a GET that is signed with the new token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Granted {
    /// Where.
    pub at: Place,
    /// JSON pointer to the list in the answer.
    pub each: String,
    /// JSON pointer to a scope's name in an element.
    pub name: String,
    /// JSON pointer in an element, and the text that it holds where the scope is granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<(String, String)>,
}

/// Proof key for code exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pkce {
    /// SHA-256 of the verifier, in base64url.
    S256,
    /// SHA-256 of the verifier, in hexadecimal: what some vendors mean by S256.
    #[serde(rename = "S256_hex")]
    S256Hex,
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
    /// `client_id` and `client_secret` among the parameters.
    Body,
    /// `client_id` among the parameters; a public client.
    None,
}
