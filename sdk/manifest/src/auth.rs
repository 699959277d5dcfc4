//! How a workspace connects an account, as data. The host runs every flow; a connector never sees its result.

use crate::{Fields, OAuth2, Place, ServiceAccount};
use serde::{Deserialize, Serialize};

/// How a workspace connects an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(clippy::large_enum_variant, reason = "there is one of them in a manifest, and it is read as it is written")]
pub enum Auth {
    /// Nothing to connect.
    None,
    /// OAuth 2, authorization code grant (RFC 6749 section 4.1).
    Oauth2(OAuth2),
    /// A key that the vendor hands out.
    ApiKey(ApiKey),
    /// Fields that each workspace fills in.
    Fields(Fields),
    /// The key of an account that signs its own way in (RFC 7523).
    ServiceAccount(ServiceAccount),
}

/// A key that the vendor hands out, with which requests are signed as with an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// The page where a person makes one, for the operator who has none.
    pub obtained_at: String,
    /// Where a GET tells by its status alone whether the key is taken, costs nothing and changes nothing: 2xx where it is, 401
    /// where it is not. An operator who asks whether the key is right makes the host send it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Place>,
}
