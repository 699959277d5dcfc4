//! What a connector says of itself.
//!
//! These types are the manifest's schema: the SDK's builders write them, the host reads them, and both refuse a member
//! that they do not know. The crate owns names and shapes only; whether a manifest makes sense ([`Manifest::validate`])
//! needs no knowledge of the host either.

mod auth;
mod fields;
mod oauth;
mod publishing;
mod service_account;
mod unique;
mod validate;

pub use auth::{ApiKey, Auth};
pub use fields::{Field, FieldKind, Fields, Origin};
pub use oauth::{
    ClientAuth, Encoding, Exchange, Granted, OAuth2, Pkce, Place, Refresh, Revoke, RevokeBy, TokenRequest,
};
pub use publishing::{Bounds, Extra, ExtraKind, MediaRule, Member, Publishing};
pub use service_account::ServiceAccount;
pub use validate::Flaw;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The schema that this crate reads and writes.
pub const SCHEMA: u32 = 1;

/// A connector's description of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format; [`SCHEMA`].
    pub schema: u32,
    /// The connector's id: lowercase letters, digits and hyphens, such as `x`.
    pub id: String,
    /// Its name for a person, such as `X (Twitter)`.
    pub name: String,
    /// Its version.
    pub version: semver::Version,
    /// The name under which the REST API knows the network, such as `twitter`; the id where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// How a workspace connects an account.
    pub auth: Auth,
    /// Where the connector may send requests, by the names that requests use.
    #[serde(deserialize_with = "unique::map")]
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Where in answers the vendor hands out URLs that may be followed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Where in answers the vendor hands out further secrets that requests may be signed with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<Slot>,
    /// Members and parameters of answers that are secrets by their name, besides `access_token`, `refresh_token`, `id_token` and
    /// `client_secret`. The host keeps what they hold from the connector, wherever in an answer they stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret_members: Vec<String>,
    /// Answers whose status alone does not tell what became of the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<Verdict>,
    /// Rules of publishing, for connectors that publish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publishing: Option<Publishing>,
    /// Where answers to requests of effect `spend` say what the vendor bills. The host reads it; a connector does not report it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<Usage>,
    /// What the operator can set besides keys and endpoints: each setting's name, and a sentence on what it sets.
    #[serde(default, deserialize_with = "unique::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// What one call may use at most. The operator may allow less.
    #[serde(default)]
    pub limits: Limits,
}

impl Manifest {
    /// The name under which the REST API knows the network.
    #[must_use]
    pub fn platform(&self) -> &str {
        self.platform.as_deref().unwrap_or(&self.id)
    }
}

/// An origin that requests may go to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Where it is.
    pub origin: Origin,
    /// How the host signs requests to it.
    pub sign: Sign,
    /// The query parameter that proves that the token is used by the app that it was minted for: HMAC-SHA256 of the token under
    /// the app's secret, in hexadecimal, such as Facebook's `appsecret_proof`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// Requests with a body that change nothing, as `METHOD /path`; `*` stands for one segment, and `*:verb` for a name with this
    /// verb behind it, as Google writes methods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    /// Paths that mint or revoke tokens: the host calls them, a connector cannot. `*` stands for one segment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_only: Vec<String>,
}

/// How a request is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Sign {
    /// Not at all.
    None,
    /// `Authorization: Bearer <access token>` (RFC 6750).
    Bearer,
    /// `Authorization: Basic` (RFC 7617) with what a person entered.
    Basic {
        /// The name of the field that holds the user name.
        user: String,
        /// The name of the secret field that holds the password.
        password: String,
    },
    /// A header of the vendor's own.
    Header {
        /// Its name.
        name: String,
        /// Its value, in which `{token}` stands for the access token, such as `Token {token}`.
        value: String,
    },
    /// A query parameter of this name that holds the access token.
    Query {
        /// The parameter's name.
        name: String,
    },
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature` by HMAC-SHA256, version 1 of
    /// <https://www.standardwebhooks.com/>. The id of a commit is the same whenever it is sent.
    StandardWebhooks {
        /// The name of the secret field that holds the key, as `whsec_<base64>`.
        secret: String,
    },
}

/// A place in answers where the vendor hands out a URL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The endpoint whose answers it is read from.
    pub from: String,
    /// Where in the answer.
    pub at: AnswerPlace,
    /// The hosts that the URL may have besides the endpoint's own origin: `example.com` is that host, `.example.com` is any
    /// host below it.
    pub hosts: Vec<String>,
    /// Whether a request that follows it is signed as the endpoint's are.
    pub signed: bool,
}

/// A place in answers where the vendor hands out a secret that is narrower than the access token, such as the token of one
/// page. The host keeps it in a slot of the connection, named `<name>:<id>`, and a request may ask to be signed by a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The endpoint whose answers it is read from. Requests to any endpoint that an access token signs may be signed by it.
    pub from: String,
    /// What the slots are of, such as `page`.
    pub name: String,
    /// JSON pointer to a list in the answer, each element of which fills a slot; the whole answer fills one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// JSON pointer to the id.
    pub id: String,
    /// JSON pointer to the secret.
    pub secret: String,
}

/// A place in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AnswerPlace {
    /// A JSON pointer (RFC 6901); `*` stands for every element of a list.
    Pointer(String),
    /// A response header.
    Header(String),
    /// The link with this relation in the header `Link` (RFC 8288); for [`Manifest::links`] only. Of that header a connector
    /// sees the declared links alone, sealed.
    LinkHeader(String),
    /// No place: the vendor names nothing, so a commit's own key is the id of what it made. For
    /// [`Publishing::committed_id`] only.
    Key,
}

/// What an answer means where its status misleads. The first that matches decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The status that it applies to.
    pub status: u16,
    /// JSON pointer of the member to look at; the whole body as text where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Text that must occur there, in any case; no condition where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// What became of the request.
    pub means: Meaning,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// It was done.
    Done,
    /// It was certainly not done.
    Refused,
    /// Nobody knows.
    Unknown,
    /// The vendor has it and waits for more, as for the rest of an upload: a prepared step was done with that, and what a
    /// commit or a spend would have made was certainly not.
    Unfinished,
}

/// Something that the vendor bills by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// What is counted: `input_tokens`, `cached_input_tokens` (a part of those), `output_tokens`, `reasoning_tokens` (a part
    /// of those), `images`, `seconds`.
    pub unit: String,
    /// JSON pointers (RFC 6901) into the answer or, in an event stream, into the data of each event; the first that holds a
    /// number counts, and the last event that has one.
    pub at: Vec<String>,
}

/// What one call may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Fuel, about one unit an instruction.
    pub fuel: u64,
    /// Bytes of all linear memories and tables together.
    pub memory_bytes: u64,
    /// Milliseconds of the guest's own time, waiting for the host not counted.
    pub guest_ms: u64,
    /// Milliseconds in all.
    pub total_ms: u64,
    /// Requests.
    pub requests: u32,
    /// Bytes of an answer that is handed to the guest inline.
    pub inline_answer_bytes: u64,
    /// Bytes of bodies sent, looked at before each request.
    pub bytes_out: u64,
    /// Bytes of bodies received, looked at before each request.
    pub bytes_in: u64,
    /// Calls of the connector at the same time, on each node.
    pub concurrency: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: 500_000_000,
            memory_bytes: 32 << 20,
            guest_ms: 5_000,
            total_ms: 15 * 60 * 1_000,
            requests: 1_000,
            inline_answer_bytes: 1 << 20,
            bytes_out: 8 << 30,
            bytes_in: 8 << 30,
            concurrency: 64,
        }
    }
}
