//! Google's OAuth 2 for people, which the simulators of its APIs share: the consent page, codes, access and refresh tokens, and
//! their end, as documented under "Using OAuth 2.0 for Web Server Applications"
//! (<https://developers.google.com/identity/protocols/oauth2/web-server>).

mod authorize;
mod form;
mod grants;
mod page;
mod token;

pub use grants::{Issued, Kind};

pub(crate) use form::Form;
pub(crate) use grants::{Counts, Grants, random};
pub(crate) use token::{revoke, token};

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::routing::{get, post};
use url::Url;

use crate::clock::Moment;
use authorize::{Ask, Decision};

/// What Google calls the scopes `email` and `profile` once they are granted.
const LONG_NAMES: [(&str, &str); 2] = [
    ("email", "https://www.googleapis.com/auth/userinfo.email"),
    ("profile", "https://www.googleapis.com/auth/userinfo.profile"),
];

/// The one client that is registered, and the people who may sign in to it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// Its id.
    pub(crate) id: String,
    /// Its secret.
    pub(crate) secret: String,
    /// Its redirect URIs, compared byte for byte.
    pub(crate) redirect_uris: Vec<String>,
    /// The scopes that there are.
    pub(crate) scopes: &'static [&'static str],
    /// The scopes that people decline when they consent to the rest.
    pub(crate) declined_scopes: Vec<String>,
    /// How every code and token goes on after its beginning.
    pub(crate) token_mark: String,
    pub(crate) code_lifetime_s: u64,
    pub(crate) access_lifetime_s: u64,
    /// Addresses, each with a word for the consent page.
    pub(crate) accounts: Vec<(String, String)>,
}

/// A simulator at which people sign in with their Google accounts.
pub(crate) trait SignsIn: Clone + Send + Sync + 'static {
    /// Lets somebody see the client, change what was granted, and read the clock.
    fn google<T>(&self, visit: impl FnOnce(&Client, &mut Grants, Moment) -> T) -> T;
}

/// The consent page, and where a grant is given back. A simulator that knows no other grants has [`token`] besides, at `/token`.
pub(crate) fn router<S: SignsIn>() -> Router<S> {
    Router::new()
        .route("/o/oauth2/v2/auth", get(authorize::page::<S>).post(authorize::decide::<S>))
        .route("/revoke", post(revoke::<S>))
}

/// Signs in as an account (by its address) and consents to an authorize URL, but for the declined scopes; gives the URL that Google
/// redirects to.
///
/// # Panics
///
/// If Google would show an error page instead; the message says why.
pub(crate) fn consent<S: SignsIn>(sim: &S, authorize_url: &str, account: &str) -> Url {
    decide(sim, authorize_url, account, Decision::Allow)
}

/// Cancels on the consent page; gives the URL that Google redirects to.
///
/// # Panics
///
/// As [`consent`].
pub(crate) fn cancel<S: SignsIn>(sim: &S, authorize_url: &str, account: &str) -> Url {
    decide(sim, authorize_url, account, Decision::Cancel)
}

fn decide<S: SignsIn>(sim: &S, authorize_url: &str, account: &str, decision: Decision) -> Url {
    let url = Url::parse(authorize_url).expect("an authorize URL is a URL");
    assert_eq!(url.path(), "/o/oauth2/v2/auth", "an authorize URL leads to the consent page");
    let query = Form::parse(url.query().unwrap_or_default().as_bytes());
    sim.google(|client, grants, now| {
        let ask = Ask::read(&query, client).expect("Google shows a consent page for this authorize URL");
        authorize::end(client, grants, now, (ask, account, decision)).expect("the account exists")
    })
}

/// The one access token that a caller shows; nothing if he shows none, or several.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (given.next(), given.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}
