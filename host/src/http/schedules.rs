//! Routes under `/schedules`: posts that are repeated by a rule.

use super::body::{Body, Path, Query};
use super::caller::Caller;
use super::paging::Page;
use super::publications::{NewPost, idempotency_key};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Error, Problem, Result};
use crate::id::{ConnectionId, ScheduleId};
use crate::publications::NewPublication;
use crate::schedules::occurrences::{self, Occurrence};
use crate::schedules::{self, Change, Given, Missed, NewSchedule, Schedule, State as ScheduleState};
use crate::zones::Wall;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(find, edit, remove))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(list_occurrences))
}

/// A post, and when to repeat it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSchedule)]
struct Wanted {
    /// A name for a person.
    name: Option<String>,
    /// What to publish each time, as for `/social/publish` and without `publish_at`.
    post: NewPost,
    /// A rule by RFC 5545, such as `FREQ=WEEKLY;BYDAY=MO,TH`; `FREQ` is DAILY, WEEKLY, MONTHLY or YEARLY.
    rule: String,
    /// The IANA zone on whose wall the times are, such as `Europe/Berlin`.
    zone: String,
    /// The first time (`DTSTART`) on the wall, which gives what the rule leaves out.
    starts_at: Wall,
    /// Further times on the wall.
    #[serde(default)]
    rdates: Vec<Wall>,
    /// Times on the wall, or days such as `2027-12-25`, that are left out.
    #[serde(default)]
    exdates: Vec<String>,
    /// What becomes of a time that passed while nothing was running.
    #[serde(default)]
    missed: Missed,
    /// How many seconds late a post may be; an hour where absent.
    grace_s: Option<u64>,
}

impl Wanted {
    fn into_schedule(self, idempotency_key: Option<String>) -> Result<NewSchedule> {
        let Self { name, post, rule, zone, starts_at, rdates, exdates, missed, grace_s } = self;
        let (post, times) = (post.into_publication(None)?, Given { rule, zone, starts_at, rdates, exdates });
        Ok(NewSchedule { name, post, times, missed, grace_s, idempotency_key })
    }
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ScheduleChange {
    /// Another name.
    name: Option<String>,
    /// Another post.
    post: Option<NewPost>,
    /// Another rule.
    rule: Option<String>,
    /// Another zone.
    zone: Option<String>,
    /// Another first time.
    starts_at: Option<Wall>,
    /// Other further times.
    rdates: Option<Vec<Wall>>,
    /// Other times that are left out.
    exdates: Option<Vec<String>>,
    /// Another fate of times that passed while nothing was running.
    missed: Option<Missed>,
    /// Another number of seconds that a post may be late.
    grace_s: Option<u64>,
}

impl ScheduleChange {
    fn into_change(self) -> Result<Change> {
        let Self { name, post, rule, zone, starts_at, rdates, exdates, missed, grace_s } = self;
        let post = post.map(|post| post.into_publication(None)).transpose()?;
        Ok(Change { name, post, rule, zone, starts_at, rdates, exdates, missed, grace_s })
    }
}

/// A schedule as the API shows it.
#[derive(Serialize, ToSchema)]
#[schema(as = Schedule)]
struct ScheduleView {
    id: ScheduleId,
    name: Option<String>,
    state: ScheduleState,
    connection_id: ConnectionId,
    /// What is published each time.
    post: NewPublication,
    rule: String,
    zone: String,
    starts_at: Wall,
    rdates: Vec<Wall>,
    exdates: Vec<String>,
    missed: Missed,
    grace_s: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl ScheduleView {
    fn of(schedule: Schedule) -> Result<Self> {
        let Given { rule, zone, starts_at, rdates, exdates } = schedule.given()?;
        Ok(Self {
            post: schedule.post()?,
            id: schedule.id,
            name: schedule.name,
            state: schedule.state,
            connection_id: schedule.connection_id,
            rule,
            zone,
            starts_at,
            rdates,
            exdates,
            missed: schedule.missed,
            grace_s: schedule.grace_s,
            created_at: schedule.created_at,
            updated_at: schedule.updated_at,
        })
    }
}

/// Make a schedule. Its next occurrence becomes a publication at once, and reserves its credits; each further one does when the
/// one before is due.
#[utoipa::path(post, path = "/schedules", tag = "schedules", security(("bearer" = [])), request_body = Wanted,
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this wish: a repetition makes nothing more")),
    responses(
    (status = 201, description = "Made, or made before under the same key", body = ScheduleView),
    (status = 400, description = "The body or the key cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such connection", body = Problem),
    (status = 409, description = "No account, several accounts, a revoked one, too many schedules, or a key that was used for another one", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The rule names no time to come, asks for too much or makes no sense; or the post breaks a rule of the network", body = Problem),
    (status = 502, description = "The connector failed", body = Problem),
    (status = 503, description = "No price is set, or the connector is not loaded", body = Problem),
))]
async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<ScheduleView>)> {
    let new = wanted.into_schedule(idempotency_key(&headers)?)?;
    let schedule = Box::pin(schedules::create(&app, caller.workspace, caller.user, new)).await?;
    Ok((StatusCode::CREATED, Json(ScheduleView::of(schedule)?)))
}

/// A page of schedules.
#[derive(Serialize, ToSchema)]
struct Schedules {
    /// Newest first.
    items: Vec<ScheduleView>,
    /// Gives the next page; absent on the last.
    next_cursor: Option<ScheduleId>,
}

/// List the schedules, newest first.
#[utoipa::path(get, path = "/schedules", tag = "schedules", params(Page), security(("bearer" = [])), responses(
    (status = 200, description = "A page", body = Schedules),
    (status = 400, description = "The cursor or the limit cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 422, description = "The limit is out of bounds", body = Problem),
))]
async fn list(State(app): State<App>, caller: Caller, Query(page): Query<Page>) -> Result<Json<Schedules>> {
    let (before, limit) = (page.cursor.map(ScheduleId), page.to_read()?);
    let mut read = schedules::list(&mut app.db().read().await?, caller.workspace, before, limit).await?;
    let next_cursor = page.cut(&mut read).map(|last| last.id);
    let items = read.into_iter().map(ScheduleView::of).collect::<Result<_>>()?;
    Ok(Json(Schedules { items, next_cursor }))
}

/// Show a schedule, also one that was deleted.
#[utoipa::path(get, path = "/schedules/{id}", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path, description = "The schedule")), responses(
    (status = 200, description = "The schedule", body = ScheduleView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such schedule", body = Problem),
))]
async fn find(State(app): State<App>, caller: Caller, Path(id): Path<ScheduleId>) -> Result<Json<ScheduleView>> {
    let schedule = schedules::find(&mut app.db().read().await?, caller.workspace, id).await?;
    Ok(Json(ScheduleView::of(schedule)?))
}

/// Change a schedule from now on. Occurrences that are due or running stay as they were; those to come follow the change.
#[utoipa::path(patch, path = "/schedules/{id}", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path, description = "The schedule")), request_body = ScheduleChange, responses(
    (status = 200, description = "As it is now", body = ScheduleView),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such schedule or connection", body = Problem),
    (status = 409, description = "It was deleted; or the new post has no account, several, or a revoked one", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The rule names no time to come, asks for too much or makes no sense; or the post breaks a rule of the network", body = Problem),
    (status = 502, description = "The connector failed", body = Problem),
    (status = 503, description = "No price is set, or the connector is not loaded", body = Problem),
))]
async fn edit(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ScheduleId>,
    Body(change): Body<ScheduleChange>,
) -> Result<Json<ScheduleView>> {
    let schedule = Box::pin(schedules::edit(&app, caller.workspace, id, change.into_change()?)).await?;
    Ok(Json(ScheduleView::of(schedule)?))
}

/// Delete a schedule. What has not begun is cancelled; what has, goes on. It stays readable under its id.
#[utoipa::path(delete, path = "/schedules/{id}", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path, description = "The schedule")), responses(
    (status = 204, description = "Deleted"),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such schedule", body = Problem),
))]
async fn remove(State(app): State<App>, caller: Caller, Path(id): Path<ScheduleId>) -> Result<StatusCode> {
    Box::pin(schedules::delete(&app, caller.workspace, id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Pause a schedule: its times pass as `skipped` until it is resumed.
#[utoipa::path(post, path = "/schedules/{id}/pause", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path, description = "The schedule")), responses(
    (status = 200, description = "It is paused", body = ScheduleView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such schedule", body = Problem),
    (status = 409, description = "It has ended or was deleted", body = Problem),
))]
async fn pause(State(app): State<App>, caller: Caller, Path(id): Path<ScheduleId>) -> Result<Json<ScheduleView>> {
    Ok(Json(ScheduleView::of(Box::pin(schedules::pause(&app, caller.workspace, id)).await?)?))
}

/// Resume a paused schedule, from its next time on.
#[utoipa::path(post, path = "/schedules/{id}/resume", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path, description = "The schedule")), responses(
    (status = 200, description = "It goes on", body = ScheduleView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such schedule", body = Problem),
    (status = 409, description = "It has ended or was deleted", body = Problem),
))]
async fn resume(State(app): State<App>, caller: Caller, Path(id): Path<ScheduleId>) -> Result<Json<ScheduleView>> {
    Ok(Json(ScheduleView::of(Box::pin(schedules::resume(&app, caller.workspace, id)).await?)?))
}

/// Which occurrences to show.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OccurrencePage {
    /// The `next_cursor` of the page before; the first page where absent.
    #[param(value_type = Option<String>)]
    cursor: Option<Timestamp>,
    /// The most items to show, 1 to 100.
    #[serde(default = "default_limit")]
    #[param(default = default_limit, minimum = 1, maximum = 100)]
    limit: u32,
}

fn default_limit() -> u32 {
    50
}

/// A page of occurrences.
#[derive(Serialize, ToSchema)]
struct Occurrences {
    /// The latest first, those ahead included.
    items: Vec<Occurrence>,
    /// Gives the next page; absent on the last.
    next_cursor: Option<Timestamp>,
}

/// List the occurrences of a schedule, the latest first: those of the next thirty days, fifty at most, and what became of all
/// before.
#[utoipa::path(get, path = "/schedules/{id}/occurrences", tag = "schedules", security(("bearer" = [])),
    params(("id" = ScheduleId, Path, description = "The schedule"), OccurrencePage), responses(
    (status = 200, description = "A page", body = Occurrences),
    (status = 400, description = "The cursor or the limit cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such schedule", body = Problem),
    (status = 422, description = "The limit is out of bounds", body = Problem),
))]
async fn list_occurrences(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ScheduleId>,
    Query(page): Query<OccurrencePage>,
) -> Result<Json<Occurrences>> {
    if !(1..=100).contains(&page.limit) {
        return Err(Error::invalid("limit", "A page has 1 to 100 items."));
    }
    let mut tx = app.db().read().await?;
    let to_read = i64::from(page.limit) + 1;
    let mut items = occurrences::list(&mut tx, caller.workspace, id, page.cursor, to_read).await?;
    let is_last = items.len() <= page.limit as usize;
    items.truncate(page.limit as usize);
    let next_cursor = items.last().filter(|_| !is_last).map(|last| last.due_at);
    Ok(Json(Occurrences { items, next_cursor }))
}
