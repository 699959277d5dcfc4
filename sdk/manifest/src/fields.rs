//! Accounts that a workspace connects by entering fields, as data. The values stay with the host; a connector never sees
//! one.

use serde::{Deserialize, Serialize};

/// What a person enters to connect an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// The fields, in the order to show. Each has to be filled in.
    pub fields: Vec<Field>,
    /// The secret that signs as an access token does ([`Sign::Bearer`](crate::Sign::Bearer)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The page where a person finds what to enter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obtained_at: Option<String>,
}

impl Fields {
    /// The field of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The field that says where the account is; there is at most one.
    #[must_use]
    pub fn address(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.kind.is_address())
    }
}

/// Something that a person enters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in the API and in this manifest, such as `token`.
    pub name: String,
    /// Its name for a person, such as `Access token`.
    pub label: String,
    /// What is entered.
    pub kind: FieldKind,
    /// A sentence that helps a person to fill it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// What is entered into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Scheme, host and optional port, such as `https://social.example`.
    Origin,
    /// A whole URL with path and query, which may itself be a secret. Requests to it have the path `/` and no query, and go
    /// to the URL as it was entered.
    Url,
    /// A line of text.
    Text,
    /// A token, key or password.
    Secret,
}

impl FieldKind {
    /// Whether it says where requests go.
    #[must_use]
    pub fn is_address(self) -> bool {
        matches!(self, Self::Origin | Self::Url)
    }
}

/// Where an endpoint is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Origin {
    /// Scheme, host and optional port, such as `https://api.x.com`. The operator may replace it.
    Literal(String),
    /// Where the connection's own field says.
    Entered {
        /// The name of a field of kind origin or url.
        field: String,
    },
}

impl From<&str> for Origin {
    fn from(origin: &str) -> Self {
        Self::Literal(origin.to_owned())
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Literal(origin) => out.write_str(origin),
            Self::Entered { field } => write!(out, "as entered in `{field}`"),
        }
    }
}
