//! Routes under `/social/apps`, and the targets of connections.

use super::body::{Body, Path};
use super::caller::Caller;
use crate::app::App;
use crate::connecting::apps::{self, AppOverview};
use crate::connectors::connections;
use crate::connectors::targets::{self, Target};
use crate::error::{Problem, Result};
use crate::id::ConnectionId;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, set, unset)).routes(routes!(list_targets, choose_targets))
}

/// Show the app that new connections at a network are made with, and what the network has to be told of it.
#[utoipa::path(get, path = "/social/apps/{platform}", tag = "connections", security(("bearer" = [])),
    params(("platform" = String, Path, description = "The network, such as `twitter`")), responses(
    (status = 200, description = "The app", body = AppOverview),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such network here", body = Problem),
    (status = 409, description = "Its accounts are connected by fields", body = Problem),
))]
async fn show(State(app): State<App>, caller: Caller, Path(platform): Path<String>) -> Result<Json<AppOverview>> {
    Ok(Json(apps::show(&app, caller.workspace, &platform).await?))
}

/// An app of the workspace's own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewApp {
    /// Its id at the network.
    client_id: String,
    /// Its secret at the network; absent for a public client, or to keep the one that is stored.
    #[schema(value_type = Option<String>)]
    client_secret: Option<SecretString>,
}

/// Make new connections at a network with an app of the workspace's own. Accounts that are connected stay with the app that
/// they were connected with. The secret is stored sealed, and no answer ever shows it.
#[utoipa::path(put, path = "/social/apps/{platform}", tag = "connections", security(("bearer" = [])),
    params(("platform" = String, Path, description = "The network, such as `twitter`")), request_body = NewApp, responses(
    (status = 200, description = "The app", body = AppOverview),
    (status = 422, description = "This is no app", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such network here", body = Problem),
    (status = 409, description = "Its accounts are connected by fields", body = Problem),
))]
async fn set(
    State(app): State<App>,
    caller: Caller,
    Path(platform): Path<String>,
    Body(new): Body<NewApp>,
) -> Result<Json<AppOverview>> {
    let secret = new.client_secret.as_ref();
    Ok(Json(apps::set(&app, caller.workspace, &platform, &new.client_id, secret).await?))
}

/// Make new connections at a network with the installation's app again.
#[utoipa::path(delete, path = "/social/apps/{platform}", tag = "connections", security(("bearer" = [])),
    params(("platform" = String, Path, description = "The network, such as `twitter`")), responses(
    (status = 204, description = "Done"),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such network here", body = Problem),
    (status = 409, description = "Its accounts are connected by fields", body = Problem),
))]
async fn unset(State(app): State<App>, caller: Caller, Path(platform): Path<String>) -> Result<StatusCode> {
    apps::unset(&app, caller.workspace, &platform).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an account may post to.
#[derive(Serialize, ToSchema)]
struct Targets {
    /// As the network lists them; none where the account posts to itself.
    items: Vec<Target>,
}

/// List the pages, blogs or boards that a connected account may post to.
#[utoipa::path(get, path = "/social/connections/{id}/targets", tag = "connections", security(("bearer" = [])),
    params(("id" = ConnectionId, Path, description = "The connection")), responses(
    (status = 200, description = "The targets", body = Targets),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such connection", body = Problem),
))]
async fn list_targets(State(app): State<App>, caller: Caller, Path(id): Path<ConnectionId>) -> Result<Json<Targets>> {
    let mut tx = app.db().read().await?;
    connections::find(&mut tx, caller.workspace, id).await?;
    Ok(Json(Targets { items: targets::list(&mut tx, caller.workspace, id).await? }))
}

/// The targets to post to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Choice {
    /// Their ids.
    targets: BTreeSet<String>,
}

/// Choose what is posted to where a post names no target. With one chosen, a post needs to name none.
#[utoipa::path(put, path = "/social/connections/{id}/targets", tag = "connections", security(("bearer" = [])),
    params(("id" = ConnectionId, Path, description = "The connection")), request_body = Choice, responses(
    (status = 200, description = "The targets", body = Targets),
    (status = 422, description = "The account cannot post to one of them", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such connection", body = Problem),
))]
async fn choose_targets(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConnectionId>,
    Body(choice): Body<Choice>,
) -> Result<Json<Targets>> {
    let mut tx = app.db().begin().await?;
    connections::find(&mut tx, caller.workspace, id).await?;
    let items = targets::choose(&mut tx, caller.workspace, id, &choice.targets).await?;
    tx.commit().await?;
    Ok(Json(Targets { items }))
}
