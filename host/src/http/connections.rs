//! Routes under `/social/oauth`, `/social/connections` and `/social/platforms`.

use super::body::{Body, Path, Query};
use super::caller::Caller;
use super::page::page;
use crate::app::App;
use crate::connecting::fields::{self, Form};
use crate::connecting::platforms::{self, Platform};
use crate::connecting::testing::{self, ConnectionTest};
use crate::connecting::{self, Begun, Callback};
use crate::connectors::connections::{self, Connection};
use crate::error::{Error, Problem, Result};
use crate::id::ConnectionId;
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(begin))
        .routes(routes!(callback))
        .routes(routes!(platforms))
        .routes(routes!(list))
        .routes(routes!(connect, find, remove))
        .routes(routes!(test))
}

/// Where to send the browser.
#[derive(Serialize, ToSchema)]
pub(super) struct Authorization {
    /// The network's page that asks for consent.
    auth_url: String,
}

/// Begin to connect an account. Send the same browser to `auth_url`; the cookie must come along to the callback.
#[utoipa::path(get, path = "/social/oauth/{platform}/auth", tag = "connections", security(("bearer" = [])),
    params(("platform" = String, Path, description = "The network, such as `twitter`")), responses(
    (status = 200, description = "Where to go", body = Authorization),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such network here", body = Problem),
    (status = 409, description = "Its accounts are connected by fields", body = Problem),
    (status = 503, description = "The operator has set no keys for it", body = Problem),
))]
async fn begin(State(app): State<App>, caller: Caller, Path(platform): Path<String>) -> Result<Response> {
    begun(&app, &caller, &platform).await
}

/// Begins to connect an account: the answer says where to go, and sets the cookie that the callback wants.
pub(super) async fn begun(app: &App, caller: &Caller, platform: &str) -> Result<Response> {
    let Begun { url, browser } = connecting::begin(app, caller.workspace, caller.user, platform).await?;
    let cookie = browser_cookie(app, browser.expose_secret().to_owned());
    let headers =
        AppendHeaders([(header::SET_COOKIE, cookie.to_string()), (header::CACHE_CONTROL, "no-store".to_owned())]);
    Ok((headers, Json(Authorization { auth_url: url.into() })).into_response())
}

/// `__Host-` needs https; on plain http, which is for development, browsers would drop such a cookie.
fn cookie_name(app: &App) -> &'static str {
    if app.config().public().starts_with("https:") { "__Host-orla_oauth" } else { "orla_oauth" }
}

fn browser_cookie(app: &App, value: String) -> Cookie<'static> {
    Cookie::build((cookie_name(app), value))
        .path("/")
        .http_only(true)
        .secure(app.config().public().starts_with("https:"))
        // The vendor's redirect is a top-level navigation from another site: `Lax` lets the cookie come along.
        .same_site(SameSite::Lax)
        .max_age(time::Duration::minutes(10))
        .build()
}

/// What the network's redirect brings.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Redirected {
    /// The state that we gave along.
    state: Option<String>,
    /// The authorization code.
    code: Option<String>,
    /// Why there is none.
    error: Option<String>,
}

/// The network's redirect comes here. Ends on the web console, or on a plain page where none is configured.
#[utoipa::path(get, path = "/social/oauth/{platform}/callback", tag = "connections",
    params(("platform" = String, Path, description = "The network, such as `twitter`"), Redirected), responses(
    (status = 200, description = "Connected; a page for a person"),
    (status = 303, description = "To the web console, with `connected` or `error` in its query; with `ends`, a sentence, where nobody can renew it"),
    (status = 400, description = "No code and no error; a page for a person"),
    (status = 403, description = "Begun in another browser; a page for a person"),
    (status = 404, description = "No such network here; a page for a person"),
    (status = 409, description = "Refused, used before, too late, or with a redirect URI that the network does not know; a page for a person"),
    (status = 502, description = "The network failed; a page for a person"),
))]
async fn callback(
    State(app): State<App>,
    Path(platform): Path<String>,
    jar: CookieJar,
    Query(redirected): Query<Redirected>,
) -> Response {
    returned(&app, &platform, jar, redirected).await
}

/// Ends what [`begun`] began, with a page for a person or on the web console.
pub(super) async fn returned(app: &App, platform: &str, jar: CookieJar, redirected: Redirected) -> Response {
    let browser = jar.get(cookie_name(app)).map(|cookie| SecretString::from(cookie.value()));
    let callback = Callback {
        state: SecretString::from(redirected.state.unwrap_or_default()),
        code: redirected.code.map(SecretString::from),
        error: redirected.error,
        browser,
    };
    let outcome = Box::pin(connecting::finish(app, platform, callback)).await;
    let jar = jar.remove(browser_cookie(app, String::new()));
    (jar, ending(app, platform, outcome)).into_response()
}

fn ending(app: &App, platform: &str, outcome: Result<Connection>) -> Response {
    if let Some(console) = app.config().frontend_url.first() {
        let mut url = console.clone();
        match &outcome {
            Ok(connection) => {
                let mut query = url.query_pairs_mut();
                query.append_pair("connected", platform).append_pair("account", &connection.handle);
                if let Some(words) = &connection.ends_words {
                    query.append_pair("ends", words);
                }
            }
            Err(error) => {
                let (_, code) = error.status_and_code();
                url.query_pairs_mut().append_pair("error", code).append_pair("platform", platform);
            }
        }
        if let Err(Error::Internal(cause)) = &outcome {
            tracing::error!(error = format!("{cause:#}"), "connecting an account failed inside");
        }
        return Redirect::to(url.as_str()).into_response();
    }
    match outcome {
        Ok(Connection { handle, ends_words, .. }) => {
            let ends = ends_words.map(|words| format!(" {words}")).unwrap_or_default();
            page(StatusCode::OK, "Connected", &format!("@{handle} is connected.{ends} You can close this window."))
        }
        Err(error) => {
            let (status, _) = error.status_and_code();
            let sentence = match &error {
                Error::Internal(cause) => {
                    tracing::error!(error = format!("{cause:#}"), "connecting an account failed inside");
                    "Something failed on our side. It is in the server's log.".to_owned()
                }
                error => error.to_string(),
            };
            page(status, "Not connected", &sentence)
        }
    }
}

/// What can be connected.
#[derive(Serialize, ToSchema)]
struct Platforms {
    /// By the connectors' ids.
    items: Vec<Platform>,
}

/// List the networks at which accounts can be connected, and what each asks for.
#[utoipa::path(get, path = "/social/platforms", tag = "connections", security(("bearer" = [])), responses(
    (status = 200, description = "The networks", body = Platforms),
    (status = 401, description = "Not signed in", body = Problem),
))]
async fn platforms(State(app): State<App>, _: Caller) -> Json<Platforms> {
    Json(Platforms { items: platforms::list(&app) })
}

/// What a person entered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Filled {
    /// The value of each field that `GET /social/platforms` lists, by its name.
    #[schema(value_type = BTreeMap<String, String>)]
    fields: BTreeMap<String, SecretString>,
}

/// The path names a network whose accounts, or service accounts, are connected by fields.
impl FromRequestParts<App> for Form {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let Path(platform) = Path::<String>::from_request_parts(parts, app).await?;
        fields::form(app, &platform)
    }
}

/// Connect an account by fields, or connect it again: the same account keeps its id and gets the new values. They are
/// stored sealed, and no answer ever shows them. Where a network's accounts are connected by OAuth and it lists fields as well, these
/// connect a service account.
#[utoipa::path(post, path = "/social/connections/{id}", tag = "connections", security(("bearer" = [])),
    params(("id" = String, Path, description = "The network, such as `mastodon`")), request_body = Filled, responses(
    (status = 201, description = "Connected", body = Connection),
    (status = 400, description = "A field is wrong, missing or unknown; the sentence names it", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such network here", body = Problem),
    (status = 409, description = "Its accounts are connected by OAuth alone", body = Problem),
    (status = 422, description = "What was entered is no key of a service account, or none that the network accepts", body = Problem),
    (status = 502, description = "The network did not say whose account it is", body = Problem),
))]
async fn connect(
    State(app): State<App>,
    caller: Caller,
    form: Form,
    Body(filled): Body<Filled>,
) -> Result<(StatusCode, Json<Connection>)> {
    let connection = fields::connect(&app, caller.workspace, caller.user, &form, filled.fields).await?;
    Ok((StatusCode::CREATED, Json(connection)))
}

/// The workspace's connections.
#[derive(Serialize, ToSchema)]
struct Connections {
    /// Oldest first.
    items: Vec<Connection>,
}

/// List the connected accounts.
#[utoipa::path(get, path = "/social/connections", tag = "connections", security(("bearer" = [])), responses(
    (status = 200, description = "The connections", body = Connections),
    (status = 401, description = "Not signed in", body = Problem),
))]
async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Connections>> {
    let items = connections::list(&mut app.db().read().await?, caller.workspace).await?;
    Ok(Json(Connections { items }))
}

/// Show a connected account.
#[utoipa::path(get, path = "/social/connections/{id}", tag = "connections", security(("bearer" = [])),
    params(("id" = ConnectionId, Path, description = "The connection")), responses(
    (status = 200, description = "The connection", body = Connection),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such connection", body = Problem),
))]
async fn find(State(app): State<App>, caller: Caller, Path(id): Path<ConnectionId>) -> Result<Json<Connection>> {
    let connection = connections::find(&mut app.db().read().await?, caller.workspace, id).await?;
    Ok(Json(connection))
}

/// Disconnect an account. Its tokens or fields are forgotten; tokens are revoked at the network as well.
#[utoipa::path(delete, path = "/social/connections/{id}", tag = "connections", security(("bearer" = [])),
    params(("id" = ConnectionId, Path, description = "The connection")), responses(
    (status = 204, description = "Disconnected"),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such connection", body = Problem),
))]
async fn remove(State(app): State<App>, caller: Caller, Path(id): Path<ConnectionId>) -> Result<StatusCode> {
    Box::pin(connecting::disconnect(&app, caller.workspace, id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Try a connected account out, a drive as well: its network is asked whose account it is. Nothing is changed there; here,
/// tokens may be renewed, or found to be no longer honoured. That it does not work is an answer, not an error.
#[utoipa::path(post, path = "/social/connections/{id}/test", tag = "connections", security(("bearer" = [])),
    params(("id" = ConnectionId, Path, description = "The connection")), responses(
    (status = 200, description = "What came of it", body = ConnectionTest),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such connection", body = Problem),
))]
async fn test(State(app): State<App>, caller: Caller, Path(id): Path<ConnectionId>) -> Result<Json<ConnectionTest>> {
    Ok(Json(Box::pin(testing::test(&app, caller.workspace, id)).await?))
}
