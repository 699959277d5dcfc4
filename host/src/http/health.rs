//! Whether the host is alive, and whether it can serve.

use crate::app::App;
use crate::error::{Error, Problem, Result};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz))
}

/// A host's state.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`.
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
    Ok(Json(Health { status: "ok" }))
}
