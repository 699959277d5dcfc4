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
//!     }),
//!     ..manifest::bare("example", "Example Social", "1.2.3")
//! };
//! assert_eq!(manifest.validate(), []);
//! ```

pub use orla_manifest::{
    AnswerPlace, Auth, ClientAuth, Endpoint, Flaw, Limits, Link, Manifest, Meaning, MediaRule, OAuth2, Pkce, Place,
    Publishing, SCHEMA, Sign, Verdict,
};

use std::collections::BTreeMap;

/// A manifest that says no more than who the connector is, to be filled with `..bare(…)`.
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
        verdicts: Vec::new(),
        publishing: None,
        limits: Limits::default(),
    }
}

/// Endpoints by the names that requests use.
#[must_use]
pub fn endpoints<const N: usize>(endpoints: [(&str, Endpoint); N]) -> BTreeMap<String, Endpoint> {
    endpoints.map(|(name, endpoint)| (name.to_owned(), endpoint)).into()
}

/// An origin whose requests the host does not sign.
#[must_use]
pub fn unsigned(origin: &str) -> Endpoint {
    Endpoint { origin: origin.to_owned(), sign: Sign::None, reads: Vec::new(), host_only: Vec::new() }
}

/// An origin whose requests the host signs with the connection's access token.
#[must_use]
pub fn bearer(origin: &str) -> Endpoint {
    Endpoint { sign: Sign::Bearer, ..unsigned(origin) }
}

/// A path at an endpoint.
#[must_use]
pub fn place(endpoint: &str, path: &str) -> Place {
    Place { endpoint: endpoint.to_owned(), path: path.to_owned() }
}

/// What is taken of each media type, by its largest size in bytes.
#[must_use]
pub fn media<const N: usize>(rules: [(&str, u64); N]) -> Vec<MediaRule> {
    rules.map(|(content_type, max_bytes)| MediaRule { content_type: content_type.to_owned(), max_bytes }).into()
}

/// The place in an answer's JSON that a pointer (RFC 6901) names.
#[must_use]
pub fn pointer(pointer: &str) -> AnswerPlace {
    AnswerPlace::Pointer(pointer.to_owned())
}

/// A list of texts, such as scopes or paths.
#[must_use]
pub fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).into()
}
