//! Routes for operators: credits and prices by hand, and what was done so.

use crate::app::App;
use crate::connectors::Actor;
use crate::error::{Problem, Result};
use crate::http::body::{Body, Path, Query};
use crate::http::caller::Operator;
use crate::http::paging::Page;
use crate::http::publications::idempotency_key;
use crate::id::{RecordId, WorkspaceId};
use crate::ledger::{self, Balance};
use crate::operating::crediting::{self, Correction, Credited, GivenBack, GivenCredits};
use crate::operating::records::{self, OperatorRecord};
use crate::prices::{self, NewPrice, Price};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(balance))
        .routes(routes!(grant))
        .routes(routes!(adjust))
        .routes(routes!(refund))
        .routes(routes!(prices, set_price))
        .routes(routes!(records))
}

/// A workspace's credits.
#[utoipa::path(get, path = "/admin/credits/{workspace}", tag = "admin", security(("bearer" = [])),
    params(("workspace" = WorkspaceId, Path, description = "The workspace")), responses(
    (status = 200, description = "The balance", body = Balance),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 404, description = "No such workspace", body = Problem),
))]
async fn balance(State(app): State<App>, _: Operator, Path(workspace): Path<WorkspaceId>) -> Result<Json<Balance>> {
    Ok(Json(ledger::balance(&mut app.db().read().await?, workspace).await?))
}

/// Give a workspace credits. What it owes is paid off first.
#[utoipa::path(post, path = "/admin/credits/{workspace}/grant", tag = "admin", security(("bearer" = [])),
    params(
        ("workspace" = WorkspaceId, Path, description = "The workspace"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names this wish: a repetition gives nothing more"),
    ), request_body = GivenCredits, responses(
    (status = 200, description = "Given, now or before", body = Credited),
    (status = 400, description = "The body or the key cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 404, description = "No such workspace", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The credits, their end or the reason make no sense", body = Problem),
))]
async fn grant(
    State(app): State<App>,
    Operator(operator): Operator,
    Path(workspace): Path<WorkspaceId>,
    headers: HeaderMap,
    Body(given): Body<GivenCredits>,
) -> Result<Json<Credited>> {
    let key = idempotency_key(&headers)?;
    Ok(Json(crediting::grant(&app, Actor::User(operator.user), workspace, &given, key).await?))
}

/// Correct a workspace's account, up or down.
#[utoipa::path(post, path = "/admin/credits/{workspace}/adjust", tag = "admin", security(("bearer" = [])),
    params(
        ("workspace" = WorkspaceId, Path, description = "The workspace"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names this wish: a repetition corrects nothing more"),
    ), request_body = Correction, responses(
    (status = 200, description = "Corrected, now or before", body = Credited),
    (status = 400, description = "The body or the key cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 404, description = "No such workspace", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The credits or the reason make no sense, or fewer are available", body = Problem),
))]
async fn adjust(
    State(app): State<App>,
    Operator(operator): Operator,
    Path(workspace): Path<WorkspaceId>,
    headers: HeaderMap,
    Body(correction): Body<Correction>,
) -> Result<Json<Credited>> {
    let key = idempotency_key(&headers)?;
    Ok(Json(crediting::adjust(&app, Actor::User(operator.user), workspace, &correction, key).await?))
}

/// Give back what a run was charged: at most that, and once.
#[utoipa::path(post, path = "/admin/credits/{workspace}/refund", tag = "admin", security(("bearer" = [])),
    params(("workspace" = WorkspaceId, Path, description = "The workspace")), request_body = GivenBack, responses(
    (status = 200, description = "Given back, now or before", body = Credited),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 404, description = "No such workspace, or no such charge of it", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The reason makes no sense, or fewer credits were charged", body = Problem),
))]
async fn refund(
    State(app): State<App>,
    Operator(operator): Operator,
    Path(workspace): Path<WorkspaceId>,
    Body(back): Body<GivenBack>,
) -> Result<Json<Credited>> {
    Ok(Json(crediting::refund(&app, Actor::User(operator.user), workspace, &back).await?))
}

/// Prices, each from a time on.
#[derive(Debug, Serialize, ToSchema)]
struct PriceVersions {
    /// By operation, the newest first.
    items: Vec<Price>,
}

/// Every version of every price, past and to come.
#[utoipa::path(get, path = "/admin/prices", tag = "admin", security(("bearer" = [])), responses(
    (status = 200, description = "The prices", body = PriceVersions),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
))]
async fn prices(State(app): State<App>, _: Operator) -> Result<Json<PriceVersions>> {
    Ok(Json(PriceVersions { items: prices::all(&mut app.db().read().await?).await? }))
}

/// Set a price, from a time on. What is under way keeps the price that it was quoted.
#[utoipa::path(post, path = "/admin/prices", tag = "admin", security(("bearer" = [])), request_body = NewPrice, responses(
    (status = 201, description = "Set", body = Price),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 404, description = "No such workspace", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The price makes no sense", body = Problem),
))]
async fn set_price(
    State(app): State<App>,
    Operator(operator): Operator,
    Body(new): Body<NewPrice>,
) -> Result<(StatusCode, Json<Price>)> {
    Ok((StatusCode::CREATED, Json(crediting::set_price(&app, Actor::User(operator.user), &new).await?)))
}

/// A page of what operators did by hand.
#[derive(Debug, Serialize, ToSchema)]
struct OperatorRecords {
    /// The newest first.
    items: Vec<OperatorRecord>,
    /// Where the next page begins; null on the last one.
    next_cursor: Option<RecordId>,
}

/// What operators did by hand to credits and prices, newest first.
#[utoipa::path(get, path = "/admin/records", tag = "admin", params(Page), security(("bearer" = [])), responses(
    (status = 200, description = "A page of records", body = OperatorRecords),
    (status = 400, description = "The cursor or the limit cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 422, description = "The limit is out of bounds", body = Problem),
))]
async fn records(State(app): State<App>, _: Operator, Query(page): Query<Page>) -> Result<Json<OperatorRecords>> {
    let mut tx = app.db().read().await?;
    let mut items = records::list(&mut tx, page.cursor.map(RecordId), page.to_read()?).await?;
    let next_cursor = page.cut(&mut items).map(|last| last.id);
    Ok(Json(OperatorRecords { items, next_cursor }))
}
