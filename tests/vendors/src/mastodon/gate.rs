//! The gate of the API: who calls, how often, and with which scopes.

use axum::Extension;
use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, HOST};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::limits::{Quota, Spending};
use super::problem::Problem;
use super::settings::{Account, Settings, Token};
use super::state::{Mastodon, World};
use crate::clock::Moment;
use crate::door::Visitor;

/// One visit to the API: where it was made, and by whom.
#[derive(Clone)]
pub(super) struct Visit {
    /// The instance as its visitor addressed it, such as `http://127.0.0.1:4012`; its own links begin like this.
    pub(super) origin: String,
    account: Option<Account>,
}

impl Visit {
    /// Who calls, on routes that are open to everybody.
    pub(super) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// Who calls, on routes that need a user.
    pub(super) fn user(&self) -> Result<&Account, Problem> {
        self.account.as_ref().ok_or_else(Problem::user_required)
    }

    /// Name and port of the instance, such as `127.0.0.1:4012`.
    pub(super) fn domain(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_scheme, domain)| domain)
    }
}

/// Who may use a route. One of the scopes is enough.
enum Access {
    User(&'static [&'static str]),
    /// A token that is shown must have the scope all the same.
    Anybody(&'static [&'static str]),
}

struct Route {
    name: &'static str,
    access: Access,
}

const READ: Access = Access::Anybody(&["read:statuses"]);
const WRITE: Access = Access::User(&["write:statuses"]);
const MEDIA: Access = Access::User(&["write:media"]);

/// Documented with each method, under "OAuth".
const ROUTES: [Route; 12] = [
    Route { name: "GET /api/v1/accounts/verify_credentials", access: Access::User(&["profile", "read:accounts"]) },
    Route { name: "GET /api/v1/accounts/{id}/statuses", access: READ },
    Route { name: "GET /api/v2/instance", access: Access::Anybody(&[]) },
    Route { name: "GET /api/v2/instance/", access: Access::Anybody(&[]) },
    Route { name: "POST /api/v2/media", access: MEDIA },
    Route { name: "GET /api/v1/media/{id}", access: MEDIA },
    Route { name: "PUT /api/v1/media/{id}", access: MEDIA },
    Route { name: "POST /api/v1/statuses", access: WRITE },
    Route { name: "GET /api/v1/statuses/{id}", access: READ },
    Route { name: "DELETE /api/v1/statuses/{id}", access: WRITE },
    Route { name: "GET /api/v1/statuses/{id}/context", access: READ },
    Route { name: "GET /api/v1/statuses/{id}/source", access: Access::User(&["read:statuses"]) },
];

/// Let a request in, or say why not. Every answer has the rate limit headers.
pub(super) async fn admit(
    State(mastodon): State<Mastodon>,
    path: MatchedPath,
    Extension(visitor): Extension<Visitor>,
    mut request: Request,
    next: Next,
) -> Response {
    let name = format!("{} {}", request.method(), path.as_str());
    let Some(route) = ROUTES.iter().find(|route| route.name == name) else {
        return Problem::not_found().into_response();
    };
    let (visit, quota) = {
        let mut world = mastodon.world();
        let World { settings, limits, .. } = &mut *world;
        let token = token(request.headers(), settings);
        let account = token.as_ref().ok().and_then(|token| settings.account(&token.as_ref()?.account));
        let spending = Spending {
            account: account.map(|account| account.id.as_str()),
            method: request.method(),
            route: path.as_str(),
            query: request.uri().query().unwrap_or_default(),
        };
        let quota = limits.spend(&spending, &settings.rate_limits, Moment::now());
        let origin = origin(request.headers());
        let visit = token.and_then(|token| route.check(token)).and(origin);
        (visit.map(|origin| Visit { origin, account: account.cloned() }), quota)
    };
    let mut response = match visit {
        _ if quota.exceeded => Problem::rate_limited().into_response(),
        Err(problem) => problem.into_response(),
        Ok(visit) => {
            if let Some(account) = visit.account() {
                visitor.is(&account.username);
            }
            request.extensions_mut().insert(visit);
            next.run(request).await
        }
    };
    quota.stamp(response.headers_mut());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

impl Route {
    fn check(&self, token: Option<&Token>) -> Result<(), Problem> {
        match (&self.access, token) {
            (Access::Anybody(_), None) => Ok(()),
            (Access::User(_), None) => Err(Problem::invalid_token()),
            (Access::User(scopes) | Access::Anybody(scopes), Some(token)) => {
                let granted = scopes.is_empty() || scopes.iter().any(|scope| token.grants(scope));
                if granted { Ok(()) } else { Err(Problem::outside_scopes()) }
            }
        }
    }
}

/// The token of the one Authorization header; nothing if there is no such header. Mastodon lets strangers read with a
/// wrong token as with none; here it is refused.
fn token<'a>(headers: &HeaderMap, settings: &'a Settings) -> Result<Option<&'a Token>, Problem> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let header = match (given.next(), given.next()) {
        (None, _) => return Ok(None),
        (Some(header), None) => header.to_str().unwrap_or_default(),
        (Some(_), Some(_)) => return Err(Problem::invalid_token()),
    };
    let bearer = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let found = bearer.and_then(|(_, token)| settings.tokens.iter().find(|known| known.token == token));
    match found {
        Some(token) if token.revoked => Err(Problem::revoked_token()),
        Some(token) => Ok(Some(token)),
        None => Err(Problem::invalid_token()),
    }
}

fn origin(headers: &HeaderMap) -> Result<String, Problem> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.map(|host| format!("http://{host}")).ok_or_else(|| Problem::strict("the Host header is missing."))
}

/// An answer with this status in Mastodon's manner.
pub(super) fn manner(status: StatusCode) -> Response {
    let mut response = Problem::of(status).into_response();
    if status == StatusCode::TOO_MANY_REQUESTS {
        Quota::used_up(Moment::now()).stamp(response.headers_mut());
    }
    response
}
