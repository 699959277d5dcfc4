//! The manifest's types, each with an example. Their members are described where they are defined, in `sdk/manifest`.

/// A place in an answer: a member of its JSON, or a header.
///
/// ```
/// use orla_sdk::manifest::{AnswerPlace, pointer};
///
/// assert_eq!(pointer("/data/id"), AnswerPlace::Pointer("/data/id".to_owned()));
/// let at_header = AnswerPlace::Header("location".to_owned());
/// # drop(at_header);
/// ```
#[doc(inline)]
pub use orla_manifest::AnswerPlace;

/// A key that the vendor hands out; [`api_key`](super::api_key) makes it an [`Auth`].
///
/// ```
/// use orla_sdk::manifest::{ApiKey, place};
///
/// let check = Some(place("api", "/v1/me"));
/// let key = ApiKey { obtained_at: "https://example.com/keys".to_owned(), check };
/// # drop(key);
/// ```
#[doc(inline)]
pub use orla_manifest::ApiKey;

/// How an account is connected.
///
/// ```
/// use orla_sdk::manifest::{self, Auth};
///
/// let (authorize, token) = (manifest::place("web", "/authorize"), manifest::place("api", "/token"));
/// let auth = Auth::Oauth2(manifest::oauth2(authorize, token, ["read"]));
/// # drop(auth);
/// ```
#[doc(inline)]
pub use orla_manifest::Auth;

/// How the app proves itself when it exchanges codes and tokens.
///
/// ```
/// use orla_sdk::manifest::{self, ClientAuth, OAuth2};
///
/// let (authorize, token) = (manifest::place("web", "/authorize"), manifest::place("api", "/token"));
/// let oauth = OAuth2 { client_auth: ClientAuth::Body, ..manifest::oauth2(authorize, token, ["read"]) };
/// # drop(oauth);
/// ```
#[doc(inline)]
pub use orla_manifest::ClientAuth;

/// Where requests may go; [`bearer`](super::bearer) and [`unsigned`](super::unsigned) make one.
///
/// ```
/// use orla_sdk::manifest::{self, Endpoint};
///
/// let api = Endpoint { host_only: manifest::texts(["/oauth/*"]), ..manifest::bearer("https://api.example.com") };
/// assert!(api.reads.is_empty());
/// ```
#[doc(inline)]
pub use orla_manifest::Endpoint;

/// What [`Manifest::validate`] finds wrong.
///
/// ```
/// let flaws = orla_sdk::manifest::bare("No Name", "No Name", "1.0.0").validate();
/// assert_eq!(flaws[0].member, "id");
/// ```
#[doc(inline)]
pub use orla_manifest::Flaw;

/// What one call may use; the defaults are enough for most.
///
/// ```
/// use orla_sdk::manifest::{self, Limits, Manifest};
///
/// let limits = Limits { inline_answer_bytes: 4 << 20, ..Limits::default() };
/// let manifest = Manifest { limits, ..manifest::bare("acme", "Acme", "1.0.0") };
/// assert_eq!(manifest.limits.requests, 1_000);
/// ```
#[doc(inline)]
pub use orla_manifest::Limits;

/// Where the vendor hands out URLs that [`Api::follow`](crate::Api::follow) may follow.
///
/// ```
/// use orla_sdk::manifest::{self, Link};
///
/// let upload_session = Link {
///     from: "api".to_owned(),
///     at: manifest::pointer("/upload_url"),
///     hosts: manifest::texts([".uploads.example.com"]),
///     signed: false,
/// };
/// # drop(upload_session);
/// ```
#[doc(inline)]
pub use orla_manifest::Link;

/// What a connector says of itself; [`bare`](super::bare) makes one to fill.
///
/// ```
/// use orla_sdk::manifest::{self, Manifest};
///
/// let manifest = Manifest {
///     endpoints: manifest::endpoints([("api", manifest::bearer("https://api.acme.example"))]),
///     ..manifest::bare("acme", "Acme", "1.0.0")
/// };
/// assert_eq!(manifest.validate(), []);
/// ```
#[doc(inline)]
pub use orla_manifest::Manifest;

/// What became of a request; a [`Verdict`] says so.
///
/// ```
/// use orla_sdk::manifest::{Meaning, Verdict};
///
/// // A chunk of an upload has arrived, and the vendor waits for the next.
/// let go_on = Verdict { status: 308, pointer: None, contains: None, means: Meaning::Unfinished };
/// assert_ne!(go_on.means, Meaning::Done);
/// ```
#[doc(inline)]
pub use orla_manifest::Meaning;

/// A vendor's OAuth 2; [`oauth2`](super::oauth2) makes one to correct.
///
/// ```
/// use orla_sdk::manifest::{self, OAuth2};
///
/// let (authorize, token) = (manifest::place("web", "/authorize"), manifest::place("api", "/token"));
/// let revoke = Some(manifest::revoke("api", "/revoke"));
/// let oauth = OAuth2 { revoke, ..manifest::oauth2(authorize, token, ["read", "write"]) };
/// assert_eq!(oauth.scopes.len(), 2);
/// ```
#[doc(inline)]
pub use orla_manifest::OAuth2;

/// Which proof key a vendor's OAuth 2 knows.
///
/// ```
/// use orla_sdk::manifest::{self, OAuth2, Pkce};
///
/// let (authorize, token) = (manifest::place("web", "/authorize"), manifest::place("api", "/token"));
/// let oauth = OAuth2 { pkce: Pkce::None, ..manifest::oauth2(authorize, token, ["read"]) };
/// # drop(oauth);
/// ```
#[doc(inline)]
pub use orla_manifest::Pkce;

/// A path at an endpoint; [`place`](super::place) makes one.
///
/// ```
/// let place = orla_sdk::manifest::Place { endpoint: "api".to_owned(), path: "/token".to_owned() };
/// assert_eq!(orla_sdk::manifest::place("api", "/token"), place);
/// ```
#[doc(inline)]
pub use orla_manifest::Place;

/// The version of the manifest's format, which [`bare`](super::bare) sets.
///
/// ```
/// use orla_sdk::manifest::{SCHEMA, bare};
///
/// assert_eq!(bare("acme", "Acme", "1.0.0").schema, SCHEMA);
/// ```
#[doc(inline)]
pub use orla_manifest::SCHEMA;

/// How the host signs the requests to an endpoint.
///
/// ```
/// use orla_sdk::manifest::{Sign, bearer};
///
/// assert_eq!(bearer("https://api.example.com").sign, Sign::Bearer);
/// ```
#[doc(inline)]
pub use orla_manifest::Sign;

/// What the vendor bills by; [`usage`](super::usage) makes them.
///
/// ```
/// let usage = orla_sdk::manifest::Usage { unit: "images".to_owned(), at: vec!["/usage/images".to_owned()] };
/// assert_eq!(orla_sdk::manifest::usage([("images", &["/usage/images"])]), [usage]);
/// ```
#[doc(inline)]
pub use orla_manifest::Usage;

/// What an answer means where its status misleads.
///
/// ```
/// use orla_sdk::manifest::{Meaning, Verdict};
///
/// // This 409 says that the post was refused, not that nobody knows.
/// let duplicate = Verdict {
///     status: 409,
///     pointer: Some("/code".to_owned()),
///     contains: Some("duplicate".to_owned()),
///     means: Meaning::Refused,
/// };
/// # drop(duplicate);
/// ```
#[doc(inline)]
pub use orla_manifest::Verdict;

/// One thing that a person enters to connect an account.
///
/// ```
/// use orla_sdk::manifest::{self, Field};
///
/// let token = Field { help: Some("Settings, Development.".to_owned()), ..manifest::field_secret("token", "Access token") };
/// assert_eq!(token.name, "token");
/// ```
#[doc(inline)]
pub use orla_manifest::Field;

/// What a person enters into a field.
///
/// ```
/// use orla_sdk::manifest::{self, FieldKind};
///
/// assert_eq!(manifest::field_origin("instance", "Instance").kind, FieldKind::Origin);
/// ```
#[doc(inline)]
pub use orla_manifest::FieldKind;

/// The form that connects an account; [`fields`](super::fields) makes one.
///
/// ```
/// use orla_sdk::manifest::{self, Fields};
///
/// let form = Fields { token: Some("key".to_owned()), ..manifest::fields([manifest::field_secret("key", "Key")]) };
/// assert_eq!(form.fields.len(), 1);
/// ```
#[doc(inline)]
pub use orla_manifest::Fields;

/// Where an endpoint is: written down, or where each connection says ([`at_field`](super::at_field)).
///
/// ```
/// use orla_sdk::manifest::{self, Origin};
///
/// assert_eq!(Origin::from("https://api.example.com"), manifest::bearer("https://api.example.com").origin);
/// ```
#[doc(inline)]
pub use orla_manifest::Origin;

/// How the parameters of a request for tokens are sent.
///
/// ```
/// use orla_sdk::manifest::{Encoding, TokenRequest};
///
/// let by_get = TokenRequest { encoding: Encoding::Query, ..TokenRequest::default() };
/// # drop(by_get);
/// ```
#[doc(inline)]
pub use orla_manifest::Encoding;

/// An exchange of one access token for another.
///
/// ```
/// use orla_sdk::manifest::{self, Exchange};
///
/// let long_lived = Exchange {
///     at: manifest::place("api", "/oauth/access_token"),
///     token_param: "fb_exchange_token".to_owned(),
///     params: [("grant_type".to_owned(), "fb_exchange_token".to_owned())].into(),
/// };
/// # drop(long_lived);
/// ```
#[doc(inline)]
pub use orla_manifest::Exchange;

/// Where a vendor says which scopes a person granted.
///
/// ```
/// use orla_sdk::manifest::{self, Granted};
///
/// let granted = Granted {
///     at: manifest::place("api", "/me/permissions"),
///     each: "/data".to_owned(),
///     name: "/permission".to_owned(),
///     when: Some(("/status".to_owned(), "granted".to_owned())),
/// };
/// # drop(granted);
/// ```
#[doc(inline)]
pub use orla_manifest::Granted;

/// How a connection outlives its access token.
///
/// ```
/// use orla_sdk::manifest::{self, OAuth2, Refresh};
///
/// let (authorize, token) = (manifest::place("web", "/authorize"), manifest::place("api", "/token"));
/// let oauth = OAuth2 { refresh: Refresh::None, ..manifest::oauth2(authorize, token, ["read"]) };
/// # drop(oauth);
/// ```
#[doc(inline)]
pub use orla_manifest::Refresh;

/// How a vendor is told that a connection is over; [`revoke`](super::revoke) makes the standard's.
///
/// ```
/// use orla_sdk::manifest::{self, Revoke, RevokeBy};
///
/// let revoke = Revoke { at: manifest::place("api", "/me/permissions"), by: RevokeBy::BearerDelete };
/// # drop(revoke);
/// ```
#[doc(inline)]
pub use orla_manifest::Revoke;

/// How a request to revoke names what is revoked.
///
/// ```
/// assert_ne!(orla_sdk::manifest::RevokeBy::Token, orla_sdk::manifest::RevokeBy::BearerPost);
/// ```
#[doc(inline)]
pub use orla_manifest::RevokeBy;

/// A place in answers where the vendor hands out a secret that is narrower than the access token.
///
/// ```
/// use orla_sdk::manifest::Slot;
///
/// let pages = Slot {
///     from: "api".to_owned(),
///     name: "page".to_owned(),
///     each: Some("/data".to_owned()),
///     id: "/id".to_owned(),
///     secret: "/access_token".to_owned(),
/// };
/// # drop(pages);
/// ```
#[doc(inline)]
pub use orla_manifest::Slot;

/// How requests for tokens differ from the standard's.
///
/// ```
/// use orla_sdk::manifest::TokenRequest;
///
/// let names = [("client_id".to_owned(), "client_key".to_owned())].into();
/// let request = TokenRequest { names, ..TokenRequest::default() };
/// # drop(request);
/// ```
#[doc(inline)]
pub use orla_manifest::TokenRequest;

/// An account that signs its own way in; [`service_account`](super::service_account) makes one.
///
/// ```
/// use orla_sdk::manifest::{self, Auth, ServiceAccount};
///
/// let account = manifest::service_account(manifest::place("tokens", "/token"), ["read"]);
/// let auth = Auth::ServiceAccount(ServiceAccount { subject: Some("Acts for".to_owned()), ..account });
/// # drop(auth);
/// ```
#[doc(inline)]
pub use orla_manifest::ServiceAccount;
