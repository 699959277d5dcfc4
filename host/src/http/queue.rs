//! Routes for the queue of a connection: `/social/connections/{id}/slots`.

use super::body::{Body, Path};
use super::caller::Caller;
use crate::app::App;
use crate::error::{Problem, Result};
use crate::id::ConnectionId;
use crate::queue::{self, FreeSlot, Slots};
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(find, set)).routes(routes!(next))
}

/// Show the week of an account's queue.
#[utoipa::path(get, path = "/social/connections/{id}/slots", tag = "queue", security(("bearer" = [])),
    params(("id" = ConnectionId, Path, description = "The connection")), responses(
    (status = 200, description = "The slots, in the order of the week", body = Slots),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such connection", body = Problem),
))]
async fn find(State(app): State<App>, caller: Caller, Path(id): Path<ConnectionId>) -> Result<Json<Slots>> {
    Ok(Json(queue::find(&mut app.db().read().await?, caller.workspace, id).await?))
}

/// Set the week of an account's queue: the times at which posts with `"publish_at": "next_free_slot"` go out. Posts that have a
/// slot keep their time.
#[utoipa::path(put, path = "/social/connections/{id}/slots", tag = "queue", security(("bearer" = [])),
    params(("id" = ConnectionId, Path, description = "The connection")), request_body = Slots, responses(
    (status = 200, description = "The slots, in the order of the week", body = Slots),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such connection", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The zone or a time makes no sense, or is named twice", body = Problem),
))]
async fn set(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConnectionId>,
    Body(week): Body<Slots>,
) -> Result<Json<Slots>> {
    Ok(Json(queue::set(&app, caller.workspace, id, week).await?))
}

/// Show the next free slot of an account's queue. It stays free.
#[utoipa::path(get, path = "/social/connections/{id}/slots/next", tag = "queue", security(("bearer" = [])),
    params(("id" = ConnectionId, Path, description = "The connection")), responses(
    (status = 200, description = "The slot", body = FreeSlot),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such connection", body = Problem),
    (status = 409, description = "There are no slots, or all are taken", body = Problem),
))]
async fn next(State(app): State<App>, caller: Caller, Path(id): Path<ConnectionId>) -> Result<Json<FreeSlot>> {
    Ok(Json(queue::next(&mut app.db().read().await?, caller.workspace, id, app.now()).await?))
}
