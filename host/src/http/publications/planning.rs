//! Routes that change what has not gone out: its time, or whether it goes out.

use super::super::body::{Body, Maybe, Path};
use super::super::caller::Caller;
use super::{AppState, PublicationView, idempotency_key};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Problem, Result};
use crate::id::PublicationId;
use crate::publications::{When, completing, planning};
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(reschedule))
        .routes(routes!(cancel))
        .routes(routes!(retry))
        .routes(routes!(complete))
}

/// Another time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTime {
    /// When it is to go out: a moment, or `next_free_slot` of the connection's queue.
    publish_at: When,
}

/// Give a scheduled publication another time.
#[utoipa::path(patch, path = "/social/publications/{id}", tag = "publishing", security(("bearer" = [])),
    params(("id" = PublicationId, Path, description = "The publication")), request_body = NewTime, responses(
    (status = 200, description = "It goes out then", body = PublicationView),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such publication, or its connection is gone", body = Problem),
    (status = 409, description = "Its time has come already, or no slot is free", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The time is past, or too far ahead", body = Problem),
))]
async fn reschedule(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<PublicationId>,
    Body(new): Body<NewTime>,
) -> Result<Json<PublicationView>> {
    let publication = planning::reschedule(&app, caller.workspace, id, new.publish_at).await?;
    Ok(Json(PublicationView::warned(&app, publication).await?))
}

/// Cancel a publication of which nothing is live. Its credits are free again.
#[utoipa::path(post, path = "/social/publications/{id}/cancel", tag = "publishing", security(("bearer" = [])),
    params(("id" = PublicationId, Path, description = "The publication")), responses(
    (status = 200, description = "It does not go out", body = PublicationView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such publication", body = Problem),
    (status = 409, description = "It is being published, has ended, or a part of it is live", body = Problem),
))]
async fn cancel(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<PublicationId>,
) -> Result<Json<PublicationView>> {
    let publication = planning::cancel(&app, caller.workspace, id).await?;
    Ok(Json(PublicationView::of(publication)?))
}

/// When to try again.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Again {
    /// When it is to go out; at once where absent.
    publish_at: Option<Timestamp>,
}

/// Publish anew what failed or was cancelled, at once or at a time. It is a publication of its own, and the same one however
/// often it is asked for. The body may be left out.
#[utoipa::path(post, path = "/social/publications/{id}/retry", tag = "publishing", security(("bearer" = [])),
    params(
        ("id" = PublicationId, Path, description = "The publication that failed"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names this wish, where it is another than the last"),
    ),
    request_body = Option<Again>,
    responses(
    (status = 202, description = "Taken in, or taken in before", body = PublicationView),
    (status = 400, description = "The body or the key cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 402, description = "Not enough credits", body = Problem),
    (status = 404, description = "No such publication, or its connection is gone", body = Problem),
    (status = 409, description = "It has not failed, a part of it is live, or it was tried again for another time", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The post breaks a rule of the network, or the time cannot be", body = Problem),
    (status = 502, description = "The connector failed", body = Problem),
    (status = 503, description = "No price is set, or the connector is not loaded", body = Problem),
))]
async fn retry(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<PublicationId>,
    headers: HeaderMap,
    Maybe(again): Maybe<Again>,
) -> Result<(StatusCode, Json<PublicationView>)> {
    let (key, wish) = (idempotency_key(&headers)?, (id, again.publish_at));
    let publication = Box::pin(planning::retry(&app, caller.workspace, caller.user, wish, key)).await?;
    Ok((StatusCode::ACCEPTED, Json(PublicationView::of(publication)?)))
}

/// Publish what is missing of a publication: the parts of a thread that broke off, or a first comment that was refused. What is
/// live is not posted again, and nothing is charged. It is a publication of its own, and the same one however often it is asked
/// for.
#[utoipa::path(post, path = "/social/publications/{id}/complete", tag = "publishing", security(("bearer" = [])),
    params(("id" = PublicationId, Path, description = "The publication of which something is missing")), responses(
    (status = 202, description = "Taken in, or taken in before", body = PublicationView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such publication, or its connection is gone", body = Problem),
    (status = 409, description = "Nothing is missing, nobody knows what is live, or the account is no longer connected", body = Problem),
))]
async fn complete(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<PublicationId>,
) -> Result<(StatusCode, Json<PublicationView>)> {
    let publication = Box::pin(completing::complete(&app, caller.workspace, caller.user, id)).await?;
    Ok((StatusCode::ACCEPTED, Json(PublicationView::of(publication)?)))
}
