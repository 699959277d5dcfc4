//! Routes under `/credits`.

mod operators;
mod spending;

use super::body::{Body, Query};
use super::caller::Caller;
use crate::app::App;
use crate::error::{Problem, Result};
use crate::ledger::{self, Alert, Balance, History};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(balance))
        .routes(routes!(transactions))
        .routes(routes!(alert, set_alert))
        .merge(spending::routes())
        .merge(operators::routes())
}

/// The workspace's credits.
#[utoipa::path(get, path = "/credits/balance", tag = "credits", security(("bearer" = [])), responses(
    (status = 200, description = "The balance", body = Balance),
    (status = 401, description = "Not signed in", body = Problem),
))]
async fn balance(State(app): State<App>, caller: Caller) -> Result<Json<Balance>> {
    let mut tx = app.db().read().await?;
    let balance = ledger::balance(&mut tx, caller.workspace).await?;
    Ok(Json(balance))
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// The `next_cursor` of the page before; the first page where absent.
    cursor: Option<String>,
    /// The most items to show, 1 to 100.
    #[serde(default = "default_limit")]
    #[param(default = default_limit, minimum = 1, maximum = 100)]
    limit: u32,
}

fn default_limit() -> u32 {
    50
}

/// What happened to the workspace's credits, newest first.
#[utoipa::path(get, path = "/credits/transactions", tag = "credits", params(Page), security(("bearer" = [])), responses(
    (status = 200, description = "A page of transactions", body = History),
    (status = 400, description = "The cursor or the limit cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 422, description = "The limit is out of bounds", body = Problem),
))]
async fn transactions(State(app): State<App>, caller: Caller, Query(page): Query<Page>) -> Result<Json<History>> {
    let mut tx = app.db().read().await?;
    let history = ledger::transactions(&mut tx, caller.workspace, page.cursor.as_deref(), page.limit).await?;
    Ok(Json(history))
}

/// When webhooks are told that credits run low.
#[utoipa::path(get, path = "/credits/alert", tag = "credits", security(("bearer" = [])), responses(
    (status = 200, description = "What is set", body = Alert),
    (status = 401, description = "Not signed in", body = Problem),
))]
async fn alert(State(app): State<App>, caller: Caller) -> Result<Json<Alert>> {
    let mut tx = app.db().read().await?;
    Ok(Json(ledger::alert(&mut tx, caller.workspace).await?))
}

/// Have webhooks told `credits.low` when fewer credits than this are available: once for each time that they sink below.
#[utoipa::path(put, path = "/credits/alert", tag = "credits", security(("bearer" = [])), request_body = Alert, responses(
    (status = 200, description = "What is set", body = Alert),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The number is less than 1", body = Problem),
))]
async fn set_alert(State(app): State<App>, caller: Caller, Body(alert): Body<Alert>) -> Result<Json<Alert>> {
    let mut tx = app.db().begin_single().await?;
    ledger::set_alert(&mut tx, caller.workspace, alert).await?;
    tx.commit().await?;
    Ok(Json(alert))
}
