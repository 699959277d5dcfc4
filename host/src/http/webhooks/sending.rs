//! Routes that show what an endpoint was told, and send to it anew.

use super::super::body::{Body, Query};
use super::super::paging::Page;
use super::AppState;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Error, Problem, Result};
use crate::id::{EndpointId, OutboxEventId};
use crate::webhooks::{self, Delivery, DeliveryState, Endpoint, What};
use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(test)).routes(routes!(replay))
}

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those in this state.
    state: Option<DeliveryState>,
    /// The `next_cursor` of the page before; the first page where absent.
    cursor: Option<Uuid>,
    /// The most items to show, 1 to 100; 50 where absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// A page of deliveries.
#[derive(Serialize, ToSchema)]
struct Deliveries {
    /// Those of the newest events first.
    items: Vec<Delivery>,
    /// Gives the next page; absent on the last.
    next_cursor: Option<OutboxEventId>,
}

/// List what an endpoint was told, or is to be, and what came of it.
#[utoipa::path(get, path = "/webhooks/{id}/deliveries", tag = "webhooks", security(("bearer" = [])),
    params(("id" = EndpointId, Path, description = "The endpoint"), Filter), responses(
    (status = 200, description = "A page", body = Deliveries),
    (status = 400, description = "The state, the cursor or the limit cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such endpoint", body = Problem),
    (status = 422, description = "The limit is out of bounds", body = Problem),
))]
async fn list(
    axum::extract::State(app): AppState,
    endpoint: Endpoint,
    Query(filter): Query<Filter>,
) -> Result<Json<Deliveries>> {
    let page = Page::of(filter.cursor, filter.limit);
    let before = page.cursor.map(OutboxEventId);
    let mut tx = app.db().read().await?;
    let mut items = webhooks::deliveries(&mut tx, &endpoint, filter.state, before, page.to_read()?).await?;
    let next_cursor = page.cut(&mut items).map(|last| last.event_id);
    Ok(Json(Deliveries { items, next_cursor }))
}

/// An event that was written down.
#[derive(Serialize, ToSchema)]
struct Sent {
    /// Its id: find what came of it in the endpoint's deliveries.
    event_id: OutboxEventId,
}

/// Try an endpoint out: it is sent the event `ping`, once.
#[utoipa::path(post, path = "/webhooks/{id}/test", tag = "webhooks", security(("bearer" = [])),
    params(("id" = EndpointId, Path, description = "The endpoint")), responses(
    (status = 202, description = "It is being sent", body = Sent),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such endpoint", body = Problem),
    (status = 409, description = "The endpoint is not active", body = Problem),
))]
async fn test(axum::extract::State(app): AppState, endpoint: Endpoint) -> Result<(StatusCode, Json<Sent>)> {
    let event_id = webhooks::ping(&app, &endpoint).await?;
    Ok((StatusCode::ACCEPTED, Json(Sent { event_id })))
}

/// What to send anew: one of both.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Replay {
    /// An event, whatever became of it.
    event_id: Option<OutboxEventId>,
    /// All events of that moment and later that were given up.
    failed_since: Option<Timestamp>,
}

impl Replay {
    fn what(&self) -> Result<What> {
        match (self.event_id, self.failed_since) {
            (Some(event), None) => Ok(What::Event(event)),
            (None, Some(since)) => Ok(What::FailedSince(since)),
            (Some(_), Some(_)) | (None, None) => {
                Err(Error::invalid("event_id", "Give either `event_id` or `failed_since`."))
            }
        }
    }
}

/// What is sent anew.
#[derive(Serialize, ToSchema)]
struct Replayed {
    /// How many events.
    count: u64,
}

/// Send events to an endpoint anew, with the ids that they have: one, or all that were given up since a moment.
#[utoipa::path(post, path = "/webhooks/{id}/replay", tag = "webhooks", security(("bearer" = [])),
    params(("id" = EndpointId, Path, description = "The endpoint")), request_body = Replay, responses(
    (status = 202, description = "They are being sent, or are when the endpoint is resumed", body = Replayed),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such endpoint or event", body = Problem),
    (status = 409, description = "The endpoint is disabled", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "Neither an event nor a moment, or both", body = Problem),
))]
async fn replay(
    axum::extract::State(app): AppState,
    endpoint: Endpoint,
    Body(replay): Body<Replay>,
) -> Result<(StatusCode, Json<Replayed>)> {
    let count = webhooks::replay(&app, &endpoint, replay.what()?).await?;
    Ok((StatusCode::ACCEPTED, Json(Replayed { count })))
}
