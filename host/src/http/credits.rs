//! Routes under `/credits`.

use super::body::Query;
use super::caller::Caller;
use crate::app::App;
use crate::error::{Problem, Result};
use crate::ledger::{self, Balance, History};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(balance)).routes(routes!(transactions))
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
