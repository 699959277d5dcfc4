//! Routes under `/webhooks`.

mod sending;

use super::body::{Body, Path};
use super::caller::Caller;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Error, Problem, Result};
use crate::events::EventType;
use crate::id::EndpointId;
use crate::webhooks::secrets::{self, Rotated};
use crate::webhooks::{self, Changed, Endpoint, NewEndpoint, State};
use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

type AppState = axum::extract::State<App>;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(find, change, remove))
        .routes(routes!(rotate))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .merge(sending::routes())
}

/// The path names an endpoint of the caller's workspace. A stranger's is none, whatever the body says.
impl FromRequestParts<App> for Endpoint {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let Path(id) = Path::<EndpointId>::from_request_parts(parts, app).await?;
        webhooks::find(&mut app.db().read().await?, caller.workspace, id).await
    }
}

/// An endpoint as the API shows it.
#[derive(Serialize, ToSchema)]
struct Webhook {
    id: EndpointId,
    /// Where events are sent to.
    url: String,
    /// What it is told; empty for everything.
    types: Vec<EventType>,
    /// Your own words.
    description: String,
    state: State,
    /// Why it is not active.
    reason: Option<String>,
    /// Attempts in a row that failed.
    failures: i64,
    /// When the first of them did. After five days of nothing else it is paused.
    failing_since: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Webhook {
    fn of(endpoint: Endpoint) -> Result<Self> {
        Ok(Self {
            types: endpoint.types()?,
            state: endpoint.state()?,
            id: endpoint.id,
            url: endpoint.url,
            description: endpoint.description,
            reason: endpoint.reason,
            failures: endpoint.failures,
            failing_since: endpoint.failing_since,
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        })
    }
}

/// Where to be told, and of what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWebhook {
    /// An https URL on the public Internet. It is shown to whoever is in the workspace, so put no secret into it.
    url: String,
    /// What to be told; everything where absent or empty.
    #[serde(default)]
    types: BTreeSet<EventType>,
    /// Your own words.
    #[serde(default)]
    description: String,
}

/// A new endpoint with its secret.
#[derive(Serialize, ToSchema)]
struct CreatedWebhook {
    #[serde(flatten)]
    webhook: Webhook,
    /// What it verifies events with, by Standard Webhooks. It is shown this once.
    secret: String,
}

/// Be told of events at a URL. Each is sent as a POST, signed by Standard Webhooks (https://www.standardwebhooks.com), and
/// again until the receiver answers 2xx: then it has it. Events of the same subject come in their order; the header
/// `webhook-id` is the same each time that an event is sent, and a receiver has to expect that it is sent twice.
#[utoipa::path(post, path = "/webhooks", tag = "webhooks", security(("bearer" = [])), request_body = NewWebhook, responses(
    (status = 201, description = "The endpoint and its secret", body = CreatedWebhook),
    (status = 400, description = "The body cannot be read, or names a type of event that there is not", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 409, description = "The workspace has as many as it may have", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The URL is none that is called, or the description is too long", body = Problem),
))]
async fn create(
    axum::extract::State(app): AppState,
    caller: Caller,
    Body(new): Body<NewWebhook>,
) -> Result<(StatusCode, Json<CreatedWebhook>)> {
    let new = NewEndpoint { url: new.url, types: new.types, description: new.description };
    let (endpoint, secret) = Box::pin(webhooks::create(&app, (caller.workspace, caller.user), &new)).await?;
    let created = CreatedWebhook { webhook: Webhook::of(endpoint)?, secret: secret.expose_secret().to_owned() };
    Ok((StatusCode::CREATED, Json(created)))
}

/// The workspace's endpoints.
#[derive(Serialize, ToSchema)]
struct Webhooks {
    /// Oldest first.
    items: Vec<Webhook>,
}

/// List the endpoints.
#[utoipa::path(get, path = "/webhooks", tag = "webhooks", security(("bearer" = [])), responses(
    (status = 200, description = "The endpoints", body = Webhooks),
    (status = 401, description = "Not signed in", body = Problem),
))]
async fn list(axum::extract::State(app): AppState, caller: Caller) -> Result<Json<Webhooks>> {
    let found = webhooks::list(&mut app.db().read().await?, caller.workspace).await?;
    Ok(Json(Webhooks { items: found.into_iter().map(Webhook::of).collect::<Result<_>>()? }))
}

/// Show an endpoint.
#[utoipa::path(get, path = "/webhooks/{id}", tag = "webhooks", security(("bearer" = [])),
    params(("id" = EndpointId, Path, description = "The endpoint")), responses(
    (status = 200, description = "The endpoint", body = Webhook),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such endpoint", body = Problem),
))]
async fn find(endpoint: Endpoint) -> Result<Json<Webhook>> {
    Ok(Json(Webhook::of(endpoint)?))
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangedWebhook {
    /// An https URL on the public Internet. What is on its way goes there too.
    url: Option<String>,
    /// What to be told from now on; empty for everything.
    types: Option<BTreeSet<EventType>>,
    /// Your own words.
    description: Option<String>,
}

/// Change an endpoint.
#[utoipa::path(patch, path = "/webhooks/{id}", tag = "webhooks", security(("bearer" = [])),
    params(("id" = EndpointId, Path, description = "The endpoint")), request_body = ChangedWebhook, responses(
    (status = 200, description = "The endpoint as it is now", body = Webhook),
    (status = 400, description = "The body cannot be read, or names a type of event that there is not", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such endpoint", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The URL is none that is called, or the description is too long", body = Problem),
))]
async fn change(
    axum::extract::State(app): AppState,
    endpoint: Endpoint,
    Body(changed): Body<ChangedWebhook>,
) -> Result<Json<Webhook>> {
    let ChangedWebhook { url, types, description } = changed;
    let changed = Changed { url, types, description };
    Ok(Json(Webhook::of(Box::pin(webhooks::change(&app, &endpoint, &changed)).await?)?))
}

/// Delete an endpoint, with what is on its way to it.
#[utoipa::path(delete, path = "/webhooks/{id}", tag = "webhooks", security(("bearer" = [])),
    params(("id" = EndpointId, Path, description = "The endpoint")), responses(
    (status = 204, description = "Deleted"),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such endpoint", body = Problem),
))]
async fn remove(axum::extract::State(app): AppState, endpoint: Endpoint) -> Result<StatusCode> {
    webhooks::delete(&app, &endpoint).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A new secret.
#[derive(Serialize, ToSchema)]
struct NewSecret {
    /// What events are verified with from now on. It is shown this once.
    secret: String,
    /// Until when the secrets before it sign as well, so that either verifies.
    others_until: Timestamp,
}

/// Give an endpoint a new secret. For a day, events are signed with the one before as well.
#[utoipa::path(post, path = "/webhooks/{id}/rotate", tag = "webhooks", security(("bearer" = [])),
    params(("id" = EndpointId, Path, description = "The endpoint")), responses(
    (status = 200, description = "The new secret", body = NewSecret),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such endpoint", body = Problem),
    (status = 409, description = "It was rotated too often within a day", body = Problem),
))]
async fn rotate(axum::extract::State(app): AppState, endpoint: Endpoint) -> Result<Json<NewSecret>> {
    let Rotated { secret, others_until } = secrets::rotate(&app, &endpoint).await?;
    Ok(Json(NewSecret { secret: secret.expose_secret().to_owned(), others_until }))
}

/// Send nothing to an endpoint until it is resumed. What happens meanwhile is kept for it.
#[utoipa::path(post, path = "/webhooks/{id}/pause", tag = "webhooks", security(("bearer" = [])),
    params(("id" = EndpointId, Path, description = "The endpoint")), responses(
    (status = 200, description = "The endpoint as it is now; a disabled one stays so", body = Webhook),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such endpoint", body = Problem),
))]
async fn pause(axum::extract::State(app): AppState, endpoint: Endpoint) -> Result<Json<Webhook>> {
    Ok(Json(Webhook::of(webhooks::pause(&app, &endpoint).await?)?))
}

/// Send to an endpoint again, which was paused or disabled. What waits for it is sent at once, also where it is active and its
/// receiver has just come back.
#[utoipa::path(post, path = "/webhooks/{id}/resume", tag = "webhooks", security(("bearer" = [])),
    params(("id" = EndpointId, Path, description = "The endpoint")), responses(
    (status = 200, description = "The endpoint as it is now", body = Webhook),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such endpoint", body = Problem),
))]
async fn resume(axum::extract::State(app): AppState, endpoint: Endpoint) -> Result<Json<Webhook>> {
    Ok(Json(Webhook::of(webhooks::resume(&app, &endpoint).await?)?))
}
