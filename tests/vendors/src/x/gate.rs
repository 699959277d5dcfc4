//! The gate of the API: who calls, how often, and with which scopes.

use axum::Extension;
use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::clock::Moment;
use super::problem::Problem;
use super::settings::Account;
use super::state::{World, X};
use crate::door::Visitor;

/// Who calls, proven by an access token.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) account: Account,
    scopes: Vec<String>,
}

struct Route {
    name: &'static str,
    scopes: &'static [&'static str],
    /// Requests a user and window.
    limit: u32,
}

const READ: &[&str] = &["tweet.read", "users.read"];
const WRITE: &[&str] = &["tweet.read", "tweet.write", "users.read"];
const MEDIA: &[&str] = &["media.write"];

/// Scopes from the OpenAPI document, limits from "Rate limits" (both documented).
const ROUTES: [Route; 10] = [
    Route { name: "GET /2/users/me", scopes: READ, limit: 75 },
    Route { name: "GET /2/users/{id}/tweets", scopes: READ, limit: 900 },
    Route { name: "POST /2/tweets", scopes: WRITE, limit: 100 },
    Route { name: "GET /2/tweets/{id}", scopes: READ, limit: 900 },
    Route { name: "DELETE /2/tweets/{id}", scopes: WRITE, limit: 50 },
    Route { name: "GET /2/media/upload", scopes: MEDIA, limit: 1_000 },
    Route { name: "POST /2/media/upload/initialize", scopes: MEDIA, limit: 1_875 },
    Route { name: "POST /2/media/upload/{id}/append", scopes: MEDIA, limit: 1_875 },
    Route { name: "POST /2/media/upload/{id}/finalize", scopes: MEDIA, limit: 1_875 },
    Route { name: "POST /2/media/metadata", scopes: MEDIA, limit: 500 },
];

/// Let a request in, or say why not. Whoever is known gets the rate limit headers, whatever the answer.
pub(super) async fn admit(
    State(x): State<X>,
    path: MatchedPath,
    Extension(visitor): Extension<Visitor>,
    mut request: Request,
    next: Next,
) -> Response {
    let name = format!("{} {}", request.method(), path.as_str());
    let Some(route) = ROUTES.iter().find(|route| route.name == name) else {
        return Problem::no_such_method().into_response();
    };
    let now = Moment::now();
    let (caller, quota) = {
        let mut world = x.world();
        let caller = match bearer(request.headers()).ok_or_else(Problem::unauthorized).and_then(|t| world.caller(t)) {
            Ok(caller) => caller,
            Err(problem) => return problem.into_response(),
        };
        let World { settings, limits, .. } = &mut *world;
        let limit = settings.rate_limits.get(route.name).copied().unwrap_or(route.limit);
        let quota = limits.spend(&caller.account.id, route.name, limit, settings.rate_window_s, now);
        (caller, quota)
    };
    visitor.is(&caller.account.username);
    let missing = route.scopes.iter().find(|scope| !caller.scopes.iter().any(|granted| granted == **scope));
    let mut response = match missing {
        _ if quota.exceeded => Problem::rate_limited().into_response(),
        Some(scope) => Problem::client_forbidden(format!("The access token lacks the scope {scope}.")).into_response(),
        None => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
    };
    quota.stamp(response.headers_mut());
    response
}

/// The access token of the one Authorization header.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (given.next(), given.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

impl World {
    /// Whose access token this is.
    pub(super) fn caller(&self, token: &str) -> Result<Caller, Problem> {
        let found = self.grants.holder(token, Moment::now());
        let (account, scopes) = found.ok_or_else(Problem::unauthorized)?;
        let account = self.settings.account(account).cloned().ok_or_else(Problem::unauthorized)?;
        Ok(Caller { account, scopes: scopes.to_vec() })
    }
}
