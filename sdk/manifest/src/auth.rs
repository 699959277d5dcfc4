//! How a workspace connects an account, as data. The host runs every flow; a connector never sees its result.

use crate::{Fields, OAuth2, Place, ServiceAccount};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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

impl Auth {
    /// The OAuth 2 by which accounts may be connected.
    #[must_use]
    pub fn oauth2(&self) -> Option<&OAuth2> {
        match self {
            Self::Oauth2(oauth) => Some(oauth),
            Self::None | Self::ApiKey(_) | Self::Fields(_) | Self::ServiceAccount(_) => None,
        }
    }

    /// The service accounts that may be connected: by the manifest's only way, or besides OAuth 2.
    #[must_use]
    pub fn service_account(&self) -> Option<&ServiceAccount> {
        match self {
            Self::Oauth2(oauth) => oauth.service_account.as_ref(),
            Self::ServiceAccount(account) => Some(account),
            Self::None | Self::ApiKey(_) | Self::Fields(_) => None,
        }
    }

    /// The scopes that no way to connect an account can do without, each once.
    #[must_use]
    pub fn scopes(&self) -> BTreeSet<&str> {
        let of_people = self.oauth2().map_or(&[][..], |oauth| oauth.scopes.as_slice());
        let of_service_accounts = self.service_account().map_or(&[][..], |account| account.scopes.as_slice());
        of_people.iter().chain(of_service_accounts).map(String::as_str).collect()
    }

    /// Leaves out the scopes that are not to be asked for.
    pub fn retain_scopes(&mut self, keep: impl Fn(&String) -> bool) {
        let account = match self {
            Self::Oauth2(oauth) => {
                oauth.scopes.retain(&keep);
                oauth.service_account.as_mut()
            }
            Self::ServiceAccount(account) => Some(account),
            Self::None | Self::ApiKey(_) | Self::Fields(_) => None,
        };
        if let Some(account) = account {
            account.scopes.retain(keep);
        }
    }
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
