//! The manifest's types, and short ways to write them.
//!
//! ```
//! use orla_sdk::manifest::{self, Endpoint, Manifest, Publishing};
//!
//! let manifest = Manifest {
//!     endpoints: manifest::endpoints([
//!         ("web", manifest::unsigned("https://example.com")),
//!         ("api", Endpoint { host_only: manifest::texts(["/oauth/*"]), ..manifest::bearer("https://api.example.com") }),
//!     ]),
//!     publishing: Some(Publishing {
//!         visible_after_s: 30,
//!         max_parts: 1,
//!         max_media: 4,
//!         media: manifest::media([("image/png", 5 << 20)]),
//!         committed_id: vec![manifest::pointer("/data/id")],
//!         ..Publishing::default()
//!     }),
//!     ..manifest::bare("example", "Example Social", "1.2.3")
//! };
//! assert_eq!(manifest.validate(), []);
//! ```

mod publishing;
mod schema;
mod service_account;

pub use publishing::{Bounds, Extra, ExtraKind, MediaRule, Member, Publishing, extras, media};
pub use schema::{
    AnswerPlace, ApiKey, Auth, ClientAuth, Encoding, Endpoint, Exchange, Field, FieldKind, Fields, Flaw, Granted,
    Limits, Link, Manifest, Meaning, OAuth2, Origin, Pkce, Place, Refresh, Revoke, RevokeBy, SCHEMA, ServiceAccount,
    Sign, Slot, TokenRequest, Usage, Verdict,
};
pub use service_account::service_account;

use std::collections::BTreeMap;

/// A manifest that says no more than who the connector is, to be filled with `..bare(…)`.
///
/// ```
/// use orla_sdk::manifest::{self, Manifest};
///
/// let manifest = Manifest { platform: Some("twitter".to_owned()), ..manifest::bare("x", "X", "1.0.0") };
/// assert_eq!((manifest.id.as_str(), manifest.platform()), ("x", "twitter"));
/// ```
///
/// # Panics
/// When the version is none of semantic versioning.
#[must_use]
pub fn bare(id: &str, name: &str, version: &str) -> Manifest {
    Manifest {
        schema: SCHEMA,
        id: id.to_owned(),
        name: name.to_owned(),
        version: semver::Version::parse(version).expect("a manifest's version is a semantic version"),
        platform: None,
        auth: Auth::None,
        endpoints: BTreeMap::new(),
        links: Vec::new(),
        slots: Vec::new(),
        secret_members: Vec::new(),
        verdicts: Vec::new(),
        publishing: None,
        usage: Vec::new(),
        settings: BTreeMap::new(),
        limits: Limits::default(),
    }
}

/// Endpoints by the names that requests use.
///
/// ```
/// use orla_sdk::manifest;
///
/// let endpoints = manifest::endpoints([("api", manifest::bearer("https://api.example.com"))]);
/// assert_eq!(endpoints["api"].origin, "https://api.example.com".into());
/// ```
#[must_use]
pub fn endpoints<const N: usize>(endpoints: [(&str, Endpoint); N]) -> BTreeMap<String, Endpoint> {
    endpoints.map(|(name, endpoint)| (name.to_owned(), endpoint)).into()
}

/// An origin whose requests the host does not sign.
///
/// ```
/// use orla_sdk::manifest::{self, Sign};
///
/// assert_eq!(manifest::unsigned("https://example.com").sign, Sign::None);
/// ```
#[must_use]
pub fn unsigned(origin: impl Into<Origin>) -> Endpoint {
    Endpoint { origin: origin.into(), sign: Sign::None, proof: None, reads: Vec::new(), host_only: Vec::new() }
}

/// An origin whose requests the host signs with the connection's access token.
///
/// ```
/// use orla_sdk::manifest::{self, Endpoint, Sign};
///
/// // A search that is asked for by POST changes nothing, and the token's own paths are the host's.
/// let api = Endpoint {
///     reads: manifest::texts(["POST /v1/search"]),
///     host_only: manifest::texts(["/oauth/*"]),
///     ..manifest::bearer("https://api.example.com")
/// };
/// assert_eq!(api.sign, Sign::Bearer);
/// ```
#[must_use]
pub fn bearer(origin: impl Into<Origin>) -> Endpoint {
    Endpoint { sign: Sign::Bearer, ..unsigned(origin) }
}

/// An origin whose requests the host signs as Standard Webhooks (<https://www.standardwebhooks.com/>), with the key that
/// a person entered into the field `secret`.
///
/// ```
/// use orla_sdk::manifest::{self, Sign};
///
/// let hook = manifest::standard_webhooks(manifest::at_field("url"), "secret");
/// assert_eq!(hook.sign, Sign::StandardWebhooks { secret: "secret".to_owned() });
/// ```
#[must_use]
pub fn standard_webhooks(origin: impl Into<Origin>, secret: &str) -> Endpoint {
    Endpoint { sign: Sign::StandardWebhooks { secret: secret.to_owned() }, ..unsigned(origin) }
}

/// The origin that a person entered into this field.
///
/// ```
/// use orla_sdk::manifest::{self, Auth, Fields};
///
/// let manifest = manifest::Manifest {
///     auth: Auth::Fields(Fields {
///         token: Some("token".to_owned()),
///         ..manifest::fields([
///             manifest::field_origin("instance", "Instance"),
///             manifest::field_secret("token", "Access token"),
///         ])
///     }),
///     endpoints: manifest::endpoints([("api", manifest::bearer(manifest::at_field("instance")))]),
///     ..manifest::bare("example", "Example Social", "1.2.3")
/// };
/// assert_eq!(manifest.validate(), []);
/// ```
#[must_use]
pub fn at_field(name: &str) -> Origin {
    Origin::Entered { field: name.to_owned() }
}

/// A path at an endpoint.
///
/// ```
/// let token = orla_sdk::manifest::place("api", "/oauth/token");
/// assert_eq!((token.endpoint.as_str(), token.path.as_str()), ("api", "/oauth/token"));
/// ```
#[must_use]
pub fn place(endpoint: &str, path: &str) -> Place {
    Place { endpoint: endpoint.to_owned(), path: path.to_owned() }
}

/// The place in an answer's JSON that a pointer (RFC 6901) names.
///
/// ```
/// use orla_sdk::manifest::{self, Link};
///
/// // The next page stands in each answer of the endpoint `api`, and is asked for as the endpoint is.
/// let next_page = Link {
///     from: "api".to_owned(),
///     at: manifest::pointer("/paging/next"),
///     hosts: manifest::texts(["api.example.com"]),
///     signed: true,
/// };
/// # drop(next_page);
/// ```
#[must_use]
pub fn pointer(pointer: &str) -> AnswerPlace {
    AnswerPlace::Pointer(pointer.to_owned())
}

/// The link with this relation in an answer's header `Link` (RFC 8288), for `links`. The answer's
/// [`link`](crate::Response::link) then gives it, ready to be followed.
///
/// ```
/// use orla_sdk::manifest::{self, Link};
///
/// let pages = Link { from: "api".to_owned(), at: manifest::link_header("next"), hosts: Vec::new(), signed: true };
/// ```
#[must_use]
pub fn link_header(relation: &str) -> AnswerPlace {
    AnswerPlace::LinkHeader(relation.to_owned())
}

/// No place: the vendor names nothing, so a commit's own key is the id of what it made; for `committed_id`.
///
/// ```
/// use orla_sdk::manifest::{self, AnswerPlace};
///
/// assert_eq!(manifest::commit_key(), AnswerPlace::Key);
/// ```
#[must_use]
pub fn commit_key() -> AnswerPlace {
    AnswerPlace::Key
}

/// What the vendor bills by: each unit with the pointers (RFC 6901) under which answers count it, the first that holds a
/// number counting.
///
/// ```
/// use orla_sdk::manifest;
///
/// let usage = manifest::usage([
///     ("input_tokens", &["/usage/input_tokens"]),
///     ("output_tokens", &["/usage/output_tokens", "/response/usage/output_tokens"]),
/// ]);
/// assert_eq!(usage[1].unit, "output_tokens");
/// assert_eq!(usage[1].at[1], "/response/usage/output_tokens");
/// ```
#[must_use]
pub fn usage<const N: usize>(units: [(&str, &[&str]); N]) -> Vec<Usage> {
    let at = |pointers: &[&str]| pointers.iter().map(|pointer| (*pointer).to_owned()).collect();
    units.map(|(unit, pointers)| Usage { unit: unit.to_owned(), at: at(pointers) }).into()
}

/// What the operator can set: each setting's name, and a sentence on what it sets.
///
/// ```
/// let settings = orla_sdk::manifest::settings([("model", "The model that answers.")]);
/// assert_eq!(settings["model"], "The model that answers.");
/// ```
#[must_use]
pub fn settings<const N: usize>(settings: [(&str, &str); N]) -> BTreeMap<String, String> {
    settings.map(|(name, sets)| (name.to_owned(), sets.to_owned())).into()
}

/// An account that is connected with a key, which a person makes on this page.
///
/// ```
/// use orla_sdk::manifest::{self, Auth};
///
/// let auth = manifest::api_key("https://example.com/keys");
/// assert!(matches!(auth, Auth::ApiKey(key) if key.obtained_at == "https://example.com/keys"));
/// ```
#[must_use]
pub fn api_key(obtained_at: &str) -> Auth {
    Auth::ApiKey(ApiKey { obtained_at: obtained_at.to_owned(), check: None })
}

/// An account that a workspace connects by filling in these fields. The page where a person finds what to enter, and the
/// secret that signs as a bearer token, are set besides.
///
/// ```
/// use orla_sdk::manifest::{self, Auth, Field, FieldKind, Fields};
///
/// let auth = Auth::Fields(Fields {
///     obtained_at: Some("https://example.com/settings/webhooks".to_owned()),
///     ..manifest::fields([
///         manifest::field_url("url", "Address of the webhook"),
///         Field { help: Some("It begins with whsec_.".to_owned()), ..manifest::field_secret("secret", "Signing secret") },
///     ])
/// });
/// assert!(matches!(auth, Auth::Fields(fields) if fields.fields[0].kind == FieldKind::Url));
/// ```
#[must_use]
pub fn fields<const N: usize>(fields: [Field; N]) -> Fields {
    Fields { fields: fields.into(), token: None, obtained_at: None }
}

/// A field for scheme, host and optional port, with its label for a person.
///
/// ```
/// use orla_sdk::manifest::{self, FieldKind};
///
/// assert_eq!(manifest::field_origin("it", "A label").kind, FieldKind::Origin);
/// ```
#[must_use]
pub fn field_origin(name: &str, label: &str) -> Field {
    field(name, label, FieldKind::Origin)
}

/// A field for a whole URL. It may be a secret itself: the connector asks for `/` and never sees it.
///
/// ```
/// use orla_sdk::manifest::{self, FieldKind};
///
/// assert_eq!(manifest::field_url("it", "A label").kind, FieldKind::Url);
/// ```
#[must_use]
pub fn field_url(name: &str, label: &str) -> Field {
    field(name, label, FieldKind::Url)
}

/// A field for a line of text.
///
/// ```
/// use orla_sdk::manifest::{self, FieldKind};
///
/// assert_eq!(manifest::field_text("it", "A label").kind, FieldKind::Text);
/// ```
#[must_use]
pub fn field_text(name: &str, label: &str) -> Field {
    field(name, label, FieldKind::Text)
}

/// A field for a token, key or password.
///
/// ```
/// use orla_sdk::manifest::{self, FieldKind};
///
/// assert_eq!(manifest::field_secret("it", "A label").kind, FieldKind::Secret);
/// ```
#[must_use]
pub fn field_secret(name: &str, label: &str) -> Field {
    field(name, label, FieldKind::Secret)
}

fn field(name: &str, label: &str, kind: FieldKind) -> Field {
    Field { name: name.to_owned(), label: label.to_owned(), kind, help: None }
}

/// An account that is connected by OAuth 2, as its standards have it: PKCE with SHA-256 (RFC 7636), the app proven by HTTP
/// Basic, a refresh token promised, an access token that lives an hour unless the vendor says otherwise.
///
/// What the vendor does differently is set over it:
///
/// ```
/// use orla_sdk::manifest::{self, Auth, ClientAuth, OAuth2};
///
/// let auth = Auth::Oauth2(OAuth2 {
///     client_auth: ClientAuth::Body,
///     scope_separator: ",".to_owned(),
///     ..manifest::oauth2(
///         manifest::place("web", "/oauth/authorize"),
///         manifest::place("api", "/oauth/token"),
///         ["read", "write"],
///     )
/// });
/// # drop(auth);
/// ```
#[must_use]
pub fn oauth2<const N: usize>(authorize: Place, token: Place, scopes: [&str; N]) -> OAuth2 {
    OAuth2 {
        authorize,
        authorize_params: BTreeMap::new(),
        token,
        token_request: TokenRequest::default(),
        exchange: Vec::new(),
        refresh: Refresh::Token,
        revoke: None,
        scopes: texts(scopes),
        optional_scopes: Vec::new(),
        scope_separator: " ".to_owned(),
        granted: None,
        pkce: Pkce::S256,
        client_auth: ClientAuth::Basic,
        revoked_errors: Vec::new(),
        default_lifetime_s: 3_600,
        service_account: None,
    }
}

/// Revocation as RFC 7009 has it.
///
/// ```
/// use orla_sdk::manifest::{self, RevokeBy};
///
/// assert_eq!(manifest::revoke("api", "/oauth/revoke").by, RevokeBy::Token);
/// ```
#[must_use]
pub fn revoke(endpoint: &str, path: &str) -> Revoke {
    Revoke { at: place(endpoint, path), by: RevokeBy::Token }
}

/// A list of texts, such as scopes or paths.
///
/// ```
/// assert_eq!(orla_sdk::manifest::texts(["/oauth/*"]), ["/oauth/*".to_owned()]);
/// ```
#[must_use]
pub fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).into()
}
