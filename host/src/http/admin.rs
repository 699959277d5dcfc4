//! Routes under `/admin/connectors`, and the doctor of payments, for operators.

use super::body::{Body, Component, Path, Query};
use super::caller::Operator;
use crate::app::App;
use crate::connectors::asks::{Ask, Grant};
use crate::connectors::registry::ConnectorEvent;
use crate::connectors::{Activated, Actor, Consent, Inspected, Installed, Then};
use crate::error::{Problem, Result};
use crate::operating::doctor::{self, Examination, Finding, Look};
use crate::operating::{self, ConnectorOverview, till};
use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    let uploads = OpenApiRouter::new()
        .routes(routes!(install))
        .routes(routes!(inspect))
        .layer(DefaultBodyLimit::max(crate::connectors::MAX_COMPONENT_BYTES));
    OpenApiRouter::new()
        .merge(uploads)
        .routes(routes!(list))
        .routes(routes!(doctor))
        .routes(routes!(payments_doctor))
        .routes(routes!(find, remove))
        .routes(routes!(activate))
        .routes(routes!(rollback))
        .routes(routes!(disable))
        .routes(routes!(enable))
        .routes(routes!(grant))
}

/// List the connectors with their releases.
#[utoipa::path(get, path = "/admin/connectors", tag = "admin", security(("bearer" = [])), responses(
    (status = 200, description = "The connectors, by id", body = Vec<ConnectorOverview>),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
))]
async fn list(State(app): State<App>, _: Operator) -> Result<Json<Vec<ConnectorOverview>>> {
    Ok(Json(operating::connectors(&app).await?))
}

/// What is to become of an uploaded component.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Upload {
    /// `activate` (the default): it serves, unless it asks for more than was granted. `stage`: it waits.
    #[serde(default)]
    then: Next,
    /// `given`: it may have all that it asks for. `withheld` (the default): no more than was granted before.
    #[serde(default = "withheld")]
    consent: Consent,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Next {
    #[default]
    Activate,
    Stage,
}

fn withheld() -> Consent {
    Consent::Withheld
}

/// Install a connector, or a release of one.
///
/// The body is the component. It is admitted, stored and, unless it asks for more than was granted before, activated: new
/// runs use it at once, on every node within two seconds, and those under way end on the release that they began with.
#[utoipa::path(post, path = "/admin/connectors", tag = "admin", security(("bearer" = [])), params(Upload),
    request_body(content = Vec<u8>, content_type = "application/wasm"), responses(
    (status = 201, description = "Installed", body = Installed),
    (status = 400, description = "The query or the body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 413, description = "The component is too large", body = Problem),
    (status = 415, description = "The body is no component by its type", body = Problem),
    (status = 422, description = "The component is not admitted; the sentence says why", body = Problem),
))]
async fn install(
    State(app): State<App>,
    Operator(operator): Operator,
    Query(upload): Query<Upload>,
    Component(wasm): Component,
) -> Result<(StatusCode, Json<Installed>)> {
    let then = match upload.then {
        Next::Stage => Then::Stage,
        Next::Activate => Then::Activate(upload.consent),
    };
    let installed = Box::pin(app.connectors().install(&wasm, then, Actor::User(operator.user))).await?;
    Ok((StatusCode::CREATED, Json(installed)))
}

/// Look at a component as admission would, and how it differs from what is active. Nothing of it is kept.
#[utoipa::path(post, path = "/admin/connectors/inspect", tag = "admin", security(("bearer" = [])),
    request_body(content = Vec<u8>, content_type = "application/wasm"), responses(
    (status = 200, description = "What it is", body = Inspected),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 413, description = "The component is too large", body = Problem),
    (status = 415, description = "The body is no component by its type", body = Problem),
    (status = 422, description = "The component would not be admitted; the sentence says why", body = Problem),
))]
async fn inspect(State(app): State<App>, _: Operator, Component(wasm): Component) -> Result<Json<Inspected>> {
    Ok(Json(Box::pin(app.connectors().inspect(&wasm)).await?))
}

/// Which connector the doctor looks at, and how far.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Patient {
    /// Its id; every connector where absent.
    id: Option<String>,
    /// Whether vendors are asked if they take this server's keys. That sends them requests, and may take half a minute.
    #[serde(default)]
    live: bool,
}

/// Find out what connectors need of their operator, and what keeps them from working.
#[utoipa::path(get, path = "/admin/connectors/doctor", tag = "admin", security(("bearer" = [])), params(Patient), responses(
    (status = 200, description = "What was found, by connector", body = Vec<Examination>),
    (status = 400, description = "The query cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 404, description = "No such connector", body = Problem),
))]
async fn doctor(State(app): State<App>, _: Operator, Query(patient): Query<Patient>) -> Result<Json<Vec<Examination>>> {
    Ok(Json(Box::pin(doctor::examine(&app, patient.id.as_deref(), look(patient.live))).await?))
}

fn look(live: bool) -> Look {
    if live { Look::Live } else { Look::Here }
}

/// How far the doctor looks at payments.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Examined {
    /// Whether Stripe is asked if it takes this server's key and has the prices.
    #[serde(default)]
    live: bool,
}

/// Find out what keeps people from paying, or from getting what they paid for.
#[utoipa::path(get, path = "/admin/payments/doctor", tag = "admin", security(("bearer" = [])), params(Examined), responses(
    (status = 200, description = "What was found", body = Vec<Finding>),
    (status = 400, description = "The query cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
))]
async fn payments_doctor(
    State(app): State<App>,
    _: Operator,
    Query(examined): Query<Examined>,
) -> Result<Json<Vec<Finding>>> {
    Ok(Json(Box::pin(till::examine(&app, look(examined.live))).await?))
}

/// A connector and what was done to it.
#[derive(Serialize, ToSchema)]
struct ConnectorView {
    #[serde(flatten)]
    connector: ConnectorOverview,
    /// The latest things that were done to it, newest first.
    events: Vec<ConnectorEvent>,
}

/// Show a connector, and what was done to it by whom.
#[utoipa::path(get, path = "/admin/connectors/{connector}", tag = "admin", security(("bearer" = [])),
    params(("connector" = String, Path, description = "The connector's id")), responses(
    (status = 200, description = "The connector", body = ConnectorView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 404, description = "No such connector", body = Problem),
))]
async fn find(State(app): State<App>, _: Operator, Path(id): Path<String>) -> Result<Json<ConnectorView>> {
    let (connector, events) = operating::connector(&app, &id).await?;
    Ok(Json(ConnectorView { connector, events }))
}

/// Remove a connector that is disabled, with its releases. Connections stay.
#[utoipa::path(delete, path = "/admin/connectors/{connector}", tag = "admin", security(("bearer" = [])),
    params(("connector" = String, Path, description = "The connector's id")), responses(
    (status = 204, description = "Removed"),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 404, description = "No such connector", body = Problem),
    (status = 409, description = "It is enabled, or something of it is under way", body = Problem),
))]
async fn remove(State(app): State<App>, Operator(operator): Operator, Path(id): Path<String>) -> Result<StatusCode> {
    operating::remove(&app, &id, Actor::User(operator.user)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which release is to serve.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Activation {
    /// Its version, its digest, or the first 8 or more characters of it.
    release: String,
    /// `given`: it may have all that it asks for.
    #[serde(default = "withheld")]
    consent: Consent,
}

/// Make a release serve.
#[utoipa::path(post, path = "/admin/connectors/{connector}/activate", tag = "admin", security(("bearer" = [])),
    params(("connector" = String, Path, description = "The connector's id")), request_body = Activation, responses(
    (status = 200, description = "It serves", body = Activated),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 404, description = "No such connector or release", body = Problem),
    (status = 409, description = "It asks for more than was granted, or more than one release is meant", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The release is no longer admitted", body = Problem),
))]
async fn activate(
    State(app): State<App>,
    Operator(operator): Operator,
    Path(id): Path<String>,
    Body(wanted): Body<Activation>,
) -> Result<Json<Activated>> {
    let actor = Actor::User(operator.user);
    Ok(Json(Box::pin(app.connectors().activate(&id, &wanted.release, wanted.consent, actor)).await?))
}

/// Go back to the release before.
#[utoipa::path(post, path = "/admin/connectors/{connector}/rollback", tag = "admin", security(("bearer" = [])),
    params(("connector" = String, Path, description = "The connector's id")), responses(
    (status = 200, description = "It serves", body = Activated),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 404, description = "No such connector", body = Problem),
    (status = 409, description = "There is no release before", body = Problem),
    (status = 422, description = "The release is no longer admitted", body = Problem),
))]
async fn rollback(
    State(app): State<App>,
    Operator(operator): Operator,
    Path(id): Path<String>,
) -> Result<Json<Activated>> {
    Ok(Json(Box::pin(app.connectors().rollback(&id, Actor::User(operator.user))).await?))
}

/// Let no new run of a connector begin. Those under way end.
#[utoipa::path(post, path = "/admin/connectors/{connector}/disable", tag = "admin", security(("bearer" = [])),
    params(("connector" = String, Path, description = "The connector's id")), responses(
    (status = 204, description = "Disabled"),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 404, description = "No such connector", body = Problem),
))]
async fn disable(State(app): State<App>, Operator(operator): Operator, Path(id): Path<String>) -> Result<StatusCode> {
    app.connectors().disable(&id, Actor::User(operator.user)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let runs of a connector begin again.
#[utoipa::path(post, path = "/admin/connectors/{connector}/enable", tag = "admin", security(("bearer" = [])),
    params(("connector" = String, Path, description = "The connector's id")), responses(
    (status = 204, description = "Enabled"),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 404, description = "No such connector", body = Problem),
))]
async fn enable(State(app): State<App>, Operator(operator): Operator, Path(id): Path<String>) -> Result<StatusCode> {
    app.connectors().enable(&id, Actor::User(operator.user)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set what a connector is allowed, whatever it asks for.
#[utoipa::path(put, path = "/admin/connectors/{connector}/grant", tag = "admin", security(("bearer" = [])),
    params(("connector" = String, Path, description = "The connector's id")), request_body = Vec<Ask>, responses(
    (status = 204, description = "Set"),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "Not an operator", body = Problem),
    (status = 404, description = "No such connector", body = Problem),
    (status = 409, description = "Somebody changed it at the same time", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The active release cannot do without what is taken", body = Problem),
))]
async fn grant(
    State(app): State<App>,
    Operator(operator): Operator,
    Path(id): Path<String>,
    Body(granted): Body<Grant>,
) -> Result<StatusCode> {
    app.connectors().grant(&id, granted, Actor::User(operator.user)).await?;
    Ok(StatusCode::NO_CONTENT)
}
