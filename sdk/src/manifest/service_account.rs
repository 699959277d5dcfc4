//! A short way to write accounts that sign their own way in.

use super::{Place, ServiceAccount};

/// An account that is connected by its own key, as Google's service accounts are (RFC 7523): the host exchanges assertions
/// that the key has signed for tokens at `token`. What the vendor does differently is set over it, as with
/// [`oauth2`](super::oauth2).
///
/// ```
/// use orla_sdk::manifest::{self, Auth, Endpoint};
///
/// let manifest = manifest::Manifest {
///     auth: Auth::ServiceAccount(manifest::service_account(
///         manifest::place("tokens", "/token"),
///         ["https://www.googleapis.com/auth/cloud-platform"],
///     )),
///     endpoints: manifest::endpoints([
///         ("tokens", Endpoint { host_only: manifest::texts(["/*"]), ..manifest::unsigned("https://oauth2.googleapis.com") }),
///         ("api", manifest::bearer("https://aiplatform.googleapis.com")),
///     ]),
///     ..manifest::bare("example", "Example", "1.2.3")
/// };
/// assert_eq!(manifest.validate(), []);
/// ```
///
/// Where people may connect their own accounts as well, it is the member `service_account` of the
/// [`OAuth2`](super::OAuth2).
#[must_use]
pub fn service_account<const N: usize>(token: Place, scopes: [&str; N]) -> ServiceAccount {
    ServiceAccount {
        token,
        scopes: super::texts(scopes),
        subject: None,
        assertion_lifetime_s: 300,
        revoked_errors: Vec::new(),
        default_lifetime_s: 3_600,
        obtained_at: None,
    }
}
