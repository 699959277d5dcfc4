//! The route `/calendar`.

use super::body::Query;
use super::caller::Caller;
use crate::app::App;
use crate::calendar::{self, Calendar, Wanted};
use crate::error::{Error, Problem, Result};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const MAX_ITEMS: u32 = 2_000;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// Which days to show.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Days {
    /// The first day, such as `2027-01-01`.
    from: String,
    /// The last day, at most 92 days in all.
    to: String,
    /// The IANA zone whose days they are, such as `Europe/Berlin`.
    zone: String,
    /// The `next_cursor` of the page before, with the same days and zone.
    cursor: Option<String>,
    /// The most items to show, 1 to 2000.
    #[serde(default = "default_limit")]
    #[param(default = default_limit, minimum = 1, maximum = 2000)]
    limit: u32,
}

fn default_limit() -> u32 {
    500
}

/// Show what went out, goes out and is to go out, by the days of a zone: publications in all their states, and the times of
/// schedules, however far ahead.
#[utoipa::path(get, path = "/calendar", tag = "calendar", security(("bearer" = [])), params(Days), responses(
    (status = 200, description = "A page", body = Calendar),
    (status = 400, description = "A parameter is missing or cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 422, description = "A day, the zone, the limit or the cursor makes no sense, or the days are too many", body = Problem),
))]
async fn show(State(app): State<App>, caller: Caller, Query(days): Query<Days>) -> Result<Json<Calendar>> {
    if !(1..=MAX_ITEMS).contains(&days.limit) {
        return Err(Error::invalid("limit", format!("A page has 1 to {MAX_ITEMS} items.")));
    }
    let Days { from, to, zone, cursor, limit } = &days;
    let wanted = Wanted { from, to, zone, cursor: cursor.as_deref(), limit: *limit as usize };
    Ok(Json(Box::pin(calendar::show(&app, caller.workspace, &wanted)).await?))
}
