//! Routes under `/credits` about what things cost, how much may be spent, and what was.

use crate::app::App;
use crate::error::{Error, Problem, Result};
use crate::http::body::{Body, Path, Query};
use crate::http::caller::Caller;
use crate::id::ConnectionId;
use crate::identity;
use crate::ledger::{self, Cap, CapUse, Span};
use crate::prices::{self, Asked, Price, Quantities, Quote};
use crate::receipts::{self, Receipt};
use axum::Json;
use axum::body::{self, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(prices))
        .routes(routes!(quote))
        .routes(routes!(caps, set_caps))
        .routes(routes!(receipt))
        .routes(routes!(export))
}

/// Prices.
#[derive(Debug, Serialize, ToSchema)]
struct Prices {
    /// By operation.
    items: Vec<Price>,
}

/// The prices that count for the workspace now. Of an operation's unit the nearest counts: the workspace's own before everybody's,
/// that for the customer's own key, that of a model, that of a connector.
#[utoipa::path(get, path = "/credits/prices", tag = "credits", security(("bearer" = [])), responses(
    (status = 200, description = "The prices", body = Prices),
    (status = 401, description = "Not signed in", body = Problem),
))]
async fn prices(State(app): State<App>, caller: Caller) -> Result<Json<Prices>> {
    let mut tx = app.db().read().await?;
    Ok(Json(Prices { items: prices::of_workspace(&mut tx, caller.workspace, app.now()).await? }))
}

/// A run that is asked about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhatIf {
    /// The metered operation, such as `social_caption`.
    operation: String,
    /// The connector that is to carry it out; its own prices do not count where absent.
    #[serde(default)]
    connector: Option<String>,
    /// The connector's model.
    #[serde(default)]
    model: Option<String>,
    /// The account that it is to act for: one of an app that the workspace has brought may cost less.
    #[serde(default)]
    connection_id: Option<ConnectionId>,
    /// What it needs.
    #[serde(default)]
    quantities: Quantities,
}

/// What a run would cost.
#[derive(Debug, Serialize, ToSchema)]
struct Estimate {
    #[serde(flatten)]
    quote: Quote,
    /// Whether as many credits are available. Caps are looked at when the run is taken in.
    is_available: bool,
    /// Credits that are available.
    available: i64,
}

/// What a run would reserve, and whether that is available. Nothing is reserved.
#[utoipa::path(post, path = "/credits/quote", tag = "credits", security(("bearer" = [])), request_body = WhatIf, responses(
    (status = 200, description = "What it would cost", body = Estimate),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The operation has no price, or the quantities make no sense", body = Problem),
))]
async fn quote(State(app): State<App>, caller: Caller, Body(what): Body<WhatIf>) -> Result<Json<Estimate>> {
    let asked = Asked {
        workspace: caller.workspace,
        operation: &what.operation,
        connector: what.connector.as_deref(),
        model: what.model.as_deref(),
        connection: what.connection_id,
        quantities: what.quantities,
    };
    let mut tx = app.db().read().await?;
    let quote = match prices::quote(&mut tx, &asked, app.now()).await {
        Err(error @ Error::Unpriced(_)) => return Err(Error::invalid("operation", error.to_string())),
        quote => quote?,
    };
    let available = ledger::balance(&mut tx, caller.workspace).await?.available;
    Ok(Json(Estimate { is_available: quote.credits <= available, available, quote }))
}

/// The caps of a workspace.
#[derive(Debug, Serialize, ToSchema)]
struct Caps {
    /// Each with how far it is used up.
    items: Vec<CapUse>,
}

/// How much the workspace and its members may spend, and how far that is used up.
#[utoipa::path(get, path = "/credits/caps", tag = "credits", security(("bearer" = [])), responses(
    (status = 200, description = "The caps", body = Caps),
    (status = 401, description = "Not signed in", body = Problem),
))]
async fn caps(State(app): State<App>, caller: Caller) -> Result<Json<Caps>> {
    let mut tx = app.db().read().await?;
    Ok(Json(Caps { items: ledger::caps(&mut tx, caller.workspace, app.now()).await? }))
}

/// The caps to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCaps {
    /// All of them; an empty list lifts every cap.
    caps: Vec<Cap>,
}

/// Set how much the workspace and its members may spend: these caps, and no others. A run that would pass one is refused with 402
/// `cap_reached`, however many are asked for at once; what is reserved already stays so.
#[utoipa::path(put, path = "/credits/caps", tag = "credits", security(("bearer" = [])), request_body = NewCaps, responses(
    (status = 200, description = "The caps", body = Caps),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not the workspace's owner", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "A cap makes no sense, or names nobody of the workspace", body = Problem),
))]
async fn set_caps(State(app): State<App>, caller: Caller, Body(new): Body<NewCaps>) -> Result<Json<Caps>> {
    let now = app.now();
    let mut tx = app.db().begin().await?;
    identity::check_may_manage(&mut tx, caller).await?;
    identity::check_members(&mut tx, caller.workspace, new.caps.iter().filter_map(|cap| cap.member)).await?;
    ledger::set_caps(&mut tx, caller.workspace, &new.caps, caller.user, now).await?;
    let items = ledger::caps(&mut tx, caller.workspace, now).await?;
    tx.commit().await?;
    Ok(Json(Caps { items }))
}

/// The receipt of a run, by the id of its publication, reply or generation: what it used, how its price came about, and whether
/// it was charged, by the word of the ledger.
#[utoipa::path(get, path = "/credits/receipts/{id}", tag = "credits", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The publication, reply or generation")), responses(
    (status = 200, description = "The receipt", body = Receipt),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such run", body = Problem),
))]
async fn receipt(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Receipt>> {
    let mut tx = app.db().read().await?;
    Ok(Json(receipts::of_run(&mut tx, caller.workspace, id).await?))
}

/// Which transactions to export.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Those from this moment on; from the first where absent.
    from: Option<crate::clock::Timestamp>,
    /// Those before this moment; up to the last where absent.
    until: Option<crate::clock::Timestamp>,
}

/// The statement as a CSV file, oldest first. Texts that a spreadsheet would take for formulas begin with an apostrophe.
#[utoipa::path(get, path = "/credits/export", tag = "credits", params(Wanted), security(("bearer" = [])), responses(
    (status = 200, description = "The file", content_type = "text/csv", body = String),
    (status = 400, description = "A time cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
))]
async fn export(State(app): State<App>, caller: Caller, Query(wanted): Query<Wanted>) -> Result<Response> {
    let span = Span { from: wanted.from, until: wanted.until };
    // The first piece is read before the answer begins, so that a failure can still be told.
    let first = ledger::statement(&mut app.db().read().await?, caller.workspace, span, None).await?;
    let rest = stream::try_unfold((app, first), move |(app, piece)| async move {
        let Some((bytes, last)) = piece else { return Ok::<_, Error>(None) };
        let next = match last {
            i64::MAX => None,
            last => ledger::statement(&mut app.db().read().await?, caller.workspace, span, Some(last)).await?,
        };
        Ok(Some((Bytes::from(bytes), (app, next))))
    });
    let headers =
        [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, "attachment; filename=\"credits.csv\"")];
    Ok((headers, body::Body::from_stream(rest)).into_response())
}
