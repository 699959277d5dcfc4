//! The rows of a schedule's times: what is planned, and what became of what was.

use super::rule::Time;
use super::{Schedule, find};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{ConnectionId, OccurrenceId, PublicationId, ScheduleId, WorkspaceId};
use crate::on;
use serde::{Deserialize, Serialize};

/// Where an occurrence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = OccurrenceState)]
pub enum State {
    /// Its time has not come.
    Planned,
    /// It is a publication, whose state says the rest.
    Taken,
    /// Its time passed without a publication, for the reason that is given.
    Skipped,
    /// Its schedule was deleted before its time.
    Cancelled,
}

/// One of the times of a schedule.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Occurrence {
    /// Its id.
    pub id: OccurrenceId,
    /// Whose time it is.
    pub schedule_id: ScheduleId,
    /// When it is due.
    pub due_at: Timestamp,
    /// The same on the wall of the schedule's zone, as the rule names it.
    #[sqlx(rename = "wall")]
    pub local_time: String,
    /// Where it stands.
    pub state: State,
    /// Why it was skipped or cancelled, or cannot be taken yet: `missed`, `superseded`, `paused`, `deleted`,
    /// `insufficient_credits`, `cap_reached`, `connection_gone`, `connection_revoked`, `unknown_price`, or `invalid`.
    pub code: Option<String>,
    /// The same for a person.
    pub reason: Option<String>,
    /// The publication that it became.
    pub publication_id: Option<PublicationId>,
    /// Where that stands.
    pub publication_state: Option<String>,
}

macro_rules! columns {
    ($tail:literal) => {
        concat!(
            "select o.id, o.schedule_id, o.due_at, o.wall, o.state, o.code, o.reason, o.publication_id, ",
            "p.state as publication_state from schedule_occurrences o left join publications p on p.id = o.publication_id ",
            $tail
        )
    };
}

const LIST: &str =
    columns!("where o.workspace_id = $1 and o.schedule_id = $2 and o.due_at < $3 order by o.due_at desc limit $4");

/// The occurrences of a workspace's schedule before a moment, the latest first.
///
/// # Errors
/// It has no such schedule, or the database failed.
pub async fn list(
    tx: &mut Tx,
    workspace: WorkspaceId,
    schedule: ScheduleId,
    before: Option<Timestamp>,
    limit: i64,
) -> Result<Vec<Occurrence>> {
    find(tx, workspace, schedule).await?;
    let before = before.unwrap_or(Timestamp(i64::MAX));
    Ok(on!(tx, conn => sqlx::query_as(LIST).bind(workspace).bind(schedule).bind(before).bind(limit)
        .fetch_all(conn).await)?)
}

const INSERT: &str = "insert into schedule_occurrences (id, workspace_id, schedule_id, due_at, wall, state, updated_at)
    values ($1, $2, $3, $4, $5, 'planned', $6) on conflict (schedule_id, due_at) do nothing";

/// Plans a time, unless it has its row.
pub(super) async fn plan(tx: &mut Tx, schedule: &Schedule, time: &Time, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(INSERT)
        .bind(OccurrenceId::new()).bind(schedule.workspace_id).bind(schedule.id).bind(time.at)
        .bind(time.wall.to_string()).bind(now)
        .execute(conn).await.map(drop))
}

/// A row that is looked at in order to move it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Row {
    pub(super) id: OccurrenceId,
    pub(super) due_at: Timestamp,
    pub(super) state: State,
    pub(super) publication_id: Option<PublicationId>,
}

const DUE: &str = "select id, due_at, state, publication_id from schedule_occurrences
    where schedule_id = $1 and due_at <= $2 and state = 'planned' order by due_at limit $3";
const AHEAD: &str = "select id, due_at, state, publication_id from schedule_occurrences
    where schedule_id = $1 and due_at > $2 and state in ('planned', 'taken') order by due_at";

/// What is planned and due, the longest due first.
pub(super) async fn due(tx: &mut Tx, schedule: ScheduleId, now: Timestamp, limit: i64) -> sqlx::Result<Vec<Row>> {
    on!(tx, conn => sqlx::query_as(DUE).bind(schedule).bind(now).bind(limit).fetch_all(conn).await)
}

/// What is planned or taken and not due yet, the next first.
pub(super) async fn ahead(tx: &mut Tx, schedule: ScheduleId, now: Timestamp) -> sqlx::Result<Vec<Row>> {
    on!(tx, conn => sqlx::query_as(AHEAD).bind(schedule).bind(now).fetch_all(conn).await)
}

const TAKE: &str = "update schedule_occurrences set state = 'taken', publication_id = $1, code = null, reason = null,
    updated_at = $2 where id = $3 and state = 'planned'";

/// Notes the publication that an occurrence became. False where it is planned no more.
pub(super) async fn take(
    tx: &mut Tx,
    id: OccurrenceId,
    publication: PublicationId,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let taken = on!(tx, conn => sqlx::query(TAKE).bind(publication).bind(now).bind(id)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(taken == 1)
}

/// Why something does not become a publication.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) reason: String,
}

const MARK: &str = "update schedule_occurrences set state = $1, code = $2, reason = $3, updated_at = $4
    where id = $5 and state = 'planned'";

/// Skips or cancels what is planned; or, as `planned`, only says what stands against it.
pub(super) async fn mark(
    tx: &mut Tx,
    id: OccurrenceId,
    state: State,
    why: &Refusal,
    now: Timestamp,
) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(MARK).bind(state).bind(why.code).bind(&why.reason).bind(now).bind(id)
        .execute(conn).await.map(drop))
}

const PUT_BACK: &str = "update schedule_occurrences set state = 'planned', publication_id = null, updated_at = $1
    where id = $2 and state = 'taken'";

/// Plans again what was taken and is no publication any more.
pub(super) async fn put_back(tx: &mut Tx, id: OccurrenceId, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(PUT_BACK).bind(now).bind(id).execute(conn).await.map(drop))
}

const FORGET: &str = "delete from schedule_occurrences where schedule_id = $1 and due_at > $2 and state = 'planned'";

/// Forgets what is planned and not due: the rule is another.
pub(super) async fn forget_planned(tx: &mut Tx, schedule: ScheduleId, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(FORGET).bind(schedule).bind(now).execute(conn).await.map(drop))
}

const MISSED: &str = "update schedule_occurrences set state = 'skipped', code = 'missed', reason = $1, updated_at = $2
    where publication_id = $3 and state = 'taken'";

/// Notes that the publication of an occurrence did not go out since its time had passed.
pub(crate) async fn missed(tx: &mut Tx, publication: PublicationId, reason: &str, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(MISSED).bind(reason).bind(now).bind(publication).execute(conn).await.map(drop))
}

/// An occurrence that is no publication, with what its schedule says of it.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Dated {
    pub(crate) id: OccurrenceId,
    pub(crate) schedule_id: ScheduleId,
    pub(crate) due_at: Timestamp,
    pub(crate) state: State,
    pub(crate) code: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) connection_id: ConnectionId,
    pub(crate) post: String,
}

// A skipped one whose publication was taken in is shown as that.
const BETWEEN: &str = "select o.id, o.schedule_id, o.due_at, o.state, o.code, o.reason, s.connection_id, s.post
    from schedule_occurrences o join schedules s on s.id = o.schedule_id
    where o.workspace_id = $1 and o.due_at >= $2 and o.due_at < $3 and (o.due_at > $4 or o.id > $5)
        and (o.state = 'skipped' or (o.state = 'planned' and s.state = 'active')) and o.publication_id is null
    order by o.due_at, o.id limit $6";

/// A workspace's occurrences that are no publications, from one moment until before another, beyond a place in that order.
pub(crate) async fn between(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (from, to): (Timestamp, Timestamp),
    beyond: (Timestamp, uuid::Uuid),
    limit: i64,
) -> sqlx::Result<Vec<Dated>> {
    on!(tx, conn => sqlx::query_as(BETWEEN).bind(workspace).bind(from).bind(to).bind(beyond.0).bind(beyond.1).bind(limit)
        .fetch_all(conn).await)
}
