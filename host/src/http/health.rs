//! Whether the host is alive, and whether it can serve.

use crate::app::App;
use crate::error::{Error, Problem, Result};
use axum::Json;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(metrics))
}

/// A host's state.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`; of a host that is ready also `fenced`: it was restored from a backup, and sends nothing before `orla resume`.
    status: &'static str,
}

/// Whether the process answers at all.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, description = "Alive", body = Health)))]
async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether the host can serve: its database answers and it is not stopping.
#[utoipa::path(get, path = "/readyz", tag = "operations", responses(
    (status = 200, description = "Ready", body = Health),
    (status = 503, description = "Not ready", body = Problem),
))]
async fn readyz(State(app): State<App>) -> Result<Json<Health>> {
    if app.stopping().is_cancelled() {
        return Err(Error::Unavailable("The server is stopping."));
    }
    app.db().ping().await.map_err(|_| Error::Unavailable("The database does not answer."))?;
    Ok(Json(Health { status: if app.fence().stands() { "fenced" } else { "ok" } }))
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What connectors use, for Prometheus. The bearer token is the operator's setting `ORLA_METRICS_TOKEN`.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses(
    (status = 200, description = "All counters, as OpenMetrics text", body = String, content_type = "application/openmetrics-text"),
    (status = 401, description = "The token is not the configured one", body = Problem),
    (status = 404, description = "No token is configured", body = Problem),
))]
async fn metrics(State(app): State<App>, headers: HeaderMap) -> Result<([(HeaderName, &'static str); 1], String)> {
    let wanted = app.config().metrics_token.as_ref().ok_or(Error::NotFound("route"))?;
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let fits = given.is_some_and(|given| bool::from(given.as_bytes().ct_eq(wanted.expose_secret().as_bytes())));
    if !fits {
        return Err(Error::Unauthenticated("The token is not the one of ORLA_METRICS_TOKEN."));
    }
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], app.connectors().metrics().text()))
}
