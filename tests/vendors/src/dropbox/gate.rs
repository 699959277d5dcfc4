//! The gate of the API: who calls, with which scopes, and from which root.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::grants::{Unfit, random};
use super::problem::{Problem, named};
use super::settings::Account;
use super::state::{Dropbox, World};
use super::tree::lower;
use crate::door::Visitor;

/// One visit to the API: where it was made, by whom, and what it sees.
#[derive(Clone)]
pub(super) struct Visit {
    /// Dropbox as its visitor addressed it, such as `http://127.0.0.1:4015`; temporary links begin like this.
    pub(super) origin: String,
    pub(super) account_id: String,
    /// The family of the visitor's token.
    pub(super) family: usize,
    pub(super) root: Root,
}

/// What paths are relative to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Root {
    /// The folder in lower case, such as `/orla demo`; empty for everything.
    pub(super) folder: String,
    /// How many folders deep it is.
    pub(super) depth: usize,
}

impl Root {
    pub(super) fn everything() -> Self {
        Self { folder: String::new(), depth: 0 }
    }

    /// The home folder, which is everything for whoever has no team space.
    pub(super) fn home(account: &Account) -> Self {
        let folder = account.team.as_ref().map(|team| lower(team.home_path.trim_end_matches('/')));
        let folder = folder.unwrap_or_default();
        Self { depth: folder.matches('/').count(), folder }
    }
}

struct Route {
    /// As errors call it.
    function: &'static str,
    scope: Option<&'static str>,
}

const METADATA: Option<&str> = Some("files.metadata.read");
const CONTENT: Option<&str> = Some("files.content.read");

/// Documented with each method, and in the API's specification.
const ROUTES: [Route; 9] = [
    Route { function: "auth/token/revoke", scope: None },
    Route { function: "users/get_current_account", scope: Some("account_info.read") },
    Route { function: "files/list_folder", scope: METADATA },
    Route { function: "files/list_folder/continue", scope: METADATA },
    Route { function: "files/search_v2", scope: METADATA },
    Route { function: "files/search/continue_v2", scope: METADATA },
    Route { function: "files/get_metadata", scope: METADATA },
    Route { function: "files/get_temporary_link", scope: CONTENT },
    Route { function: "files/download", scope: CONTENT },
];

/// Let a request in, or say why not. Every answer has an id.
pub(super) async fn admit(
    State(dropbox): State<Dropbox>,
    Extension(visitor): Extension<Visitor>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let function = path.strip_prefix("/2/").unwrap_or(&path);
    let visit = match ROUTES.iter().find(|route| route.function == function) {
        Some(route) => method(function, &request).and_then(|()| dropbox.world().visit(route, request.headers())),
        None => Err(Problem::bad("Unknown API function.")),
    };
    let response = match visit {
        Ok((visit, name)) => {
            visitor.is(&name);
            request.extensions_mut().insert(visit);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    let mut response = named(response, function);
    if let Ok(id) = HeaderValue::try_from(random()) {
        response.headers_mut().insert("x-dropbox-request-id", id);
    }
    response
}

/// Only downloads can be asked for with GET, and nothing else has a query.
fn method(function: &str, request: &Request) -> Result<(), Problem> {
    let downloads = function == "files/download";
    if request.method() != Method::POST && !(downloads && request.method() == Method::GET) {
        return Err(Problem::bad(format!("Unsupported HTTP method {}.", request.method())));
    }
    match request.uri().query() {
        Some(query) if !downloads && !query.is_empty() => Err(Problem::strict("this function has no URL parameters.")),
        _ => Ok(()),
    }
}

impl World {
    /// The visit, and the name of the account.
    fn visit(&self, route: &Route, headers: &HeaderMap) -> Result<(Visit, String), Problem> {
        let holder = self.grants.holder(bearer(headers)?, self.now()).map_err(|unfit| match unfit {
            Unfit::Unknown => Problem::unauthorized("invalid_access_token"),
            Unfit::Expired => Problem::unauthorized("expired_access_token"),
        })?;
        if let Some(scope) = route.scope.filter(|scope| !holder.scopes.iter().any(|granted| granted == scope)) {
            return Err(Problem::missing_scope(scope));
        }
        let account = self.settings.account(&holder.account_id);
        let account = account.ok_or_else(|| Problem::unauthorized("invalid_access_token"))?;
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let origin = host.map(|host| format!("http://{host}"));
        let visit = Visit {
            origin: origin.ok_or_else(|| Problem::bad("Missing HTTP header \"Host\"."))?,
            account_id: holder.account_id,
            family: holder.family,
            root: root(headers, account)?,
        };
        Ok((visit, account.name.clone()))
    }
}

/// The access token of the one Authorization header.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let only = match (given.next(), given.next()) {
        (None, _) => {
            let words = "Must provide HTTP header \"Authorization\" or URL parameter \"authorization\".";
            return Err(Problem::bad(words));
        }
        (Some(only), None) => only.to_str().unwrap_or_default(),
        (Some(_), Some(_)) => return Err(Problem::bad("HTTP header \"Authorization\" is given twice.")),
    };
    let wrong = "Invalid authorization value in HTTP header \"Authorization\".  Expecting \"Bearer \
                 <oauth2-access-token>\".";
    let bearer = only.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    bearer.map(|(_, token)| token).ok_or_else(|| Problem::bad(wrong))
}

/// `Dropbox-API-Path-Root` (documented as `PathRoot`).
#[derive(Deserialize)]
#[serde(tag = ".tag", rename_all = "snake_case", deny_unknown_fields)]
enum PathRoot {
    Home {},
    Root { root: String },
    NamespaceId { namespace_id: String },
}

fn root(headers: &HeaderMap, account: &Account) -> Result<Root, Problem> {
    let Some(header) = headers.get("dropbox-api-path-root") else { return Ok(Root::home(account)) };
    let read = header.to_str().ok().and_then(|text| serde_json::from_str::<PathRoot>(text).ok());
    let read =
        read.ok_or_else(|| Problem::bad("HTTP header \"Dropbox-API-Path-Root\": could not decode input as JSON"));
    match read? {
        PathRoot::Home {} => Ok(Root::home(account)),
        PathRoot::Root { root } if root == account.root_namespace_id() => Ok(Root::everything()),
        PathRoot::Root { .. } => {
            Err(Problem::path_root(json!({ ".tag": "invalid_root", "invalid_root": root_info(account) })))
        }
        PathRoot::NamespaceId { namespace_id } => {
            namespace(account, &namespace_id).ok_or_else(|| Problem::path_root(json!({ ".tag": "no_permission" })))
        }
    }
}

/// The root that a namespace is, if the account can see it.
pub(super) fn namespace(account: &Account, id: &str) -> Option<Root> {
    if id == account.root_namespace_id() {
        Some(Root::everything())
    } else {
        (id == account.home_namespace_id).then(|| Root::home(account))
    }
}

/// What paths can be relative to (documented as `RootInfo`).
pub(super) fn root_info(account: &Account) -> Value {
    let mut info = json!({
        ".tag": "user",
        "root_namespace_id": account.root_namespace_id(),
        "home_namespace_id": account.home_namespace_id,
    });
    if let Some(team) = &account.team {
        info[".tag"] = "team".into();
        info["home_path"] = team.home_path.as_str().into();
    }
    info
}
