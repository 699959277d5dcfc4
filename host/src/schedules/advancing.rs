//! Moving schedules as time goes by: rows are planned ahead, the next becomes a publication, and what could not is skipped with
//! its reason.
//!
//! All of it happens in a transaction that has locked the schedule, so several nodes take turns. Only the next occurrence is a
//! publication, and only within the horizon: it is what reserves credits, and an edit has one publication to take back.

use super::occurrences::{self, Refusal, Row};
use super::rule::Times;
use super::{Missed, Schedule, State, all_columns, returning};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::connections;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{PublicationId, ScheduleId};
use crate::jobs::{self, Claim};
use crate::publications::{self, OnDuplicate, Row as NewRow, When};
use crate::{on, prices};
use std::time::Duration;

/// How far ahead times have their rows, and the next its publication.
const HORIZON: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Most rows ahead.
const MOST_AHEAD: usize = 50;
/// Rows of one transaction where a host has been off for long.
const BATCH: usize = 200;

const LOCK: &str = returning!("update schedules set updated_at = updated_at where id = $1");
const PROGRESS: &str = "update schedules set planned_until = $1, state = $2 where id = $3";

/// Locks a schedule until the transaction ends, and gives it as it is then.
pub(super) async fn lock(tx: &mut Tx, id: ScheduleId) -> sqlx::Result<Option<Schedule>> {
    on!(tx, conn => sqlx::query_as(LOCK).bind(id).fetch_optional(conn).await)
}

/// Carries a schedule on, by its job.
///
/// # Errors
/// The claim was lost, or the database failed: nothing was written, and the job is repeated.
pub(crate) async fn carry_on(app: &App, claim: &Claim, id: ScheduleId) -> anyhow::Result<()> {
    let now = app.now();
    let mut tx = app.db().begin().await?;
    let next = match lock(&mut tx, id).await? {
        None => None,
        Some(schedule) if schedule.state == State::Deleted => None,
        Some(mut schedule) => advance(&mut tx, &mut schedule, now).await?,
    };
    match next {
        Some(next) => jobs::reschedule(&mut tx, claim, next).await?,
        None => jobs::complete(&mut tx, claim).await?,
    }
    tx.commit().await?;
    app.wake_worker();
    Ok(())
}

/// Brings a locked schedule up to date. Gives when to look again; `None` where nothing is to come.
pub(super) async fn advance(tx: &mut Tx, schedule: &mut Schedule, now: Timestamp) -> Result<Option<Timestamp>> {
    let times = schedule.times()?;
    let is_caught_up = plan(tx, schedule, &times, now).await?;
    let is_settled = settle_due(tx, schedule, &times, is_caught_up, now).await?;
    let next = if is_caught_up && is_settled { next(tx, schedule, &times, now).await? } else { Some(now) };
    if next.is_none() {
        schedule.state = State::Ended;
    }
    on!(tx, conn => sqlx::query(PROGRESS).bind(schedule.planned_until).bind(schedule.state).bind(schedule.id)
        .execute(conn).await.map(drop))?;
    Ok(next)
}

/// Gives each time up to the horizon its row. False where there are still some that have passed.
async fn plan(tx: &mut Tx, schedule: &mut Schedule, times: &Times, now: Timestamp) -> Result<bool> {
    let passed = times.between(schedule.planned_until, now, BATCH);
    for time in &passed {
        occurrences::plan(tx, schedule, time, now).await?;
    }
    if let Some(last) = passed.last().filter(|_| passed.len() == BATCH) {
        schedule.planned_until = last.at;
        return Ok(false);
    }
    let from = schedule.planned_until.max(now);
    let (horizon, ahead) = (now.after(HORIZON), occurrences::ahead(tx, schedule.id, now).await?.len());
    let wanted = MOST_AHEAD.saturating_sub(ahead);
    let mut coming = times.between(from, horizon, wanted);
    let reaches_horizon = coming.len() < wanted;
    if ahead == 0 && coming.is_empty() {
        coming.extend(times.next(from));
    }
    for time in &coming {
        occurrences::plan(tx, schedule, time, now).await?;
    }
    let last = coming.last().map_or(from, |time| time.at);
    schedule.planned_until = if reaches_horizon { last.max(horizon) } else { last };
    Ok(true)
}

/// Takes what is due, or skips it. False where more is due.
async fn settle_due(
    tx: &mut Tx,
    schedule: &Schedule,
    times: &Times,
    is_caught_up: bool,
    now: Timestamp,
) -> Result<bool> {
    let due = occurrences::due(tx, schedule.id, now, BATCH as i64).await?;
    let is_all = due.len() < BATCH;
    for (index, row) in due.iter().enumerate() {
        let is_last = index + 1 == due.len() && is_all && is_caught_up;
        let refusal = match against(schedule, row, is_last, now) {
            None => take(tx, schedule, times, row, now).await?,
            refusal => refusal,
        };
        if let Some(refusal) = refusal {
            occurrences::mark(tx, row.id, occurrences::State::Skipped, &refusal, now).await?;
        }
    }
    Ok(is_all)
}

/// What stands against publishing what is due, by the clock.
fn against(schedule: &Schedule, row: &Row, is_last: bool, now: Timestamp) -> Option<Refusal> {
    if schedule.state == State::Paused {
        let reason = "The schedule was paused at that time.".to_owned();
        return Some(Refusal { code: "paused", reason });
    }
    let late = now.since(row.due_at);
    match schedule.missed {
        _ if late <= schedule.grace() => None,
        Missed::Skip => Some(Refusal { code: "missed", reason: missed(schedule.grace_s) }),
        Missed::Publish if is_last => None,
        Missed::Publish => {
            let reason = "Nothing was running at that time, and the next time has come as well.".to_owned();
            Some(Refusal { code: "superseded", reason })
        }
    }
}

fn missed(grace_s: i64) -> String {
    format!("Nothing was running at that time; the schedule lets a post be {grace_s} seconds late and not more.")
}

/// Makes an occurrence a publication; or says what stands against it.
async fn take(tx: &mut Tx, schedule: &Schedule, times: &Times, row: &Row, now: Timestamp) -> Result<Option<Refusal>> {
    let refused = |code, reason: String| Ok(Some(Refusal { code, reason }));
    let post = match schedule.post() {
        Ok(post) => post,
        Err(error) => return refused("invalid", format!("The stored post cannot be read: {error}.")),
    };
    let connection = match connections::find(tx, schedule.workspace_id, schedule.connection_id).await {
        Ok(connection) if connection.is_active() => connection,
        Ok(gone) => {
            return refused(
                "connection_revoked",
                format!("@{} is no longer connected. Connect it again.", gone.handle),
            );
        }
        Err(Error::NotFound(_)) => return refused("connection_gone", "The connection was removed.".to_owned()),
        Err(error) => return Err(error),
    };
    let price = match prices::quote(tx, &publications::asked(publications::OPERATION, &connection), now).await {
        Ok(price) => price,
        Err(error @ Error::Unpriced(_)) => return refused("unknown_price", error.to_string()),
        Err(error) => return Err(error),
    };
    let new = NewRow {
        id: PublicationId::new(),
        operation: publications::OPERATION,
        workspace: schedule.workspace_id,
        author: schedule.author_id,
        connection: &connection,
        target: post.target.clone(),
        reply_to: None,
        price: &price,
        parts: &post.parts,
        more: &post.more,
        media: None,
        publish_at: Some(When::At(row.due_at)),
        not_after: not_after(schedule, times, row.due_at),
        on_duplicate: OnDuplicate::Warn,
        key: None,
        digest: &schedule.request_digest,
        post: None,
        completes: None,
    };
    // For later, so its run begins with the release of then.
    match publications::insert(tx, &new, "", now).await {
        Ok(publication) if occurrences::take(tx, row.id, publication.id, now).await? => Ok(None),
        Ok(_) => Err(anyhow::anyhow!("occurrence {} was taken behind the lock of its schedule", row.id).into()),
        Err(error @ Error::InsufficientCredits { .. }) => refused("insufficient_credits", error.to_string()),
        Err(error @ Error::Capped(_)) => refused("cap_reached", error.to_string()),
        Err(error) => Err(error),
    }
}

/// Until when it may go out; `None` for as late as may be.
fn not_after(schedule: &Schedule, times: &Times, due: Timestamp) -> Option<Timestamp> {
    let by_grace = due.after(schedule.grace());
    match schedule.missed {
        Missed::Skip => Some(by_grace),
        Missed::Publish => times.next(due).map(|next| next.at.max(by_grace)),
    }
}

/// Makes the next occurrence a publication, where it is near. Gives when to look again.
async fn next(tx: &mut Tx, schedule: &Schedule, times: &Times, now: Timestamp) -> Result<Option<Timestamp>> {
    let Some(row) = occurrences::ahead(tx, schedule.id, now).await?.into_iter().next() else { return Ok(None) };
    if schedule.state == State::Paused || row.state == occurrences::State::Taken {
        return Ok(Some(row.due_at));
    }
    let near = row.due_at.before(HORIZON);
    if near > now {
        return Ok(Some(near));
    }
    // What stands against it may pass until it is due; then it is asked once more.
    if let Some(refusal) = take(tx, schedule, times, &row, now).await? {
        occurrences::mark(tx, row.id, occurrences::State::Planned, &refusal, now).await?;
    }
    Ok(Some(row.due_at))
}
