//! Routes under `/events`.

use super::body::Query;
use super::caller::Caller;
use super::paging::Page;
use crate::app::App;
use crate::error::{Problem, Result};
use crate::events::{self, Event};
use crate::id::OutboxEventId;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A page of events.
#[derive(Serialize, ToSchema)]
struct Events {
    /// Newest first.
    items: Vec<Event>,
    /// Gives the next page; absent on the last.
    next_cursor: Option<OutboxEventId>,
}

/// List what webhooks were told, newest first. What no webhook wanted to be told is not kept, and nothing is for longer than
/// thirty days.
#[utoipa::path(get, path = "/events", tag = "webhooks", params(Page), security(("bearer" = [])), responses(
    (status = 200, description = "A page", body = Events),
    (status = 400, description = "The cursor or the limit cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 422, description = "The limit is out of bounds", body = Problem),
))]
async fn list(State(app): State<App>, caller: Caller, Query(page): Query<Page>) -> Result<Json<Events>> {
    let mut tx = app.db().read().await?;
    let before = page.cursor.map(OutboxEventId);
    let mut items = events::list(&mut tx, caller.workspace, before, page.to_read()?).await?;
    let next_cursor = page.cut(&mut items).map(|last| last.id);
    Ok(Json(Events { items, next_cursor }))
}
