//! What people do to schedules: make, change, pause, resume and delete them. What is running is never touched.

use super::advancing::{advance, lock};
use super::occurrences::{self, Refusal};
use super::{BY_KEY, Given, Missed, NewSchedule, Schedule, State, all_columns, find, returning};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ScheduleId, UserId, WorkspaceId};
use crate::jobs::{self, Job};
use crate::on;
use crate::publications::{self, NewPublication, planning};
use crate::zones::Wall;
use std::time::Duration;

const DEFAULT_GRACE_S: u64 = 60 * 60;
const MAX_GRACE_S: u64 = 30 * 24 * 60 * 60;
const MAX_NAME_CHARS: usize = 200;
/// Most schedules of a workspace that have not ended.
const MAX_SCHEDULES: i64 = 200;
/// How far from now a schedule may begin.
const BEGINS_WITHIN: Duration = Duration::from_secs(3 * 366 * 24 * 60 * 60);

/// What a person changes; what is absent stays.
#[derive(Debug, Default)]
pub struct Change {
    /// Another name.
    pub name: Option<String>,
    /// Another post.
    pub post: Option<NewPublication>,
    /// Another rule.
    pub rule: Option<String>,
    /// Another zone.
    pub zone: Option<String>,
    /// Another beginning.
    pub starts_at: Option<Wall>,
    /// Other further times.
    pub rdates: Option<Vec<Wall>>,
    /// Other times that are left out.
    pub exdates: Option<Vec<String>>,
    /// Another fate of missed times.
    pub missed: Option<Missed>,
    /// Another grace.
    pub grace_s: Option<u64>,
}

const COUNT: &str = "select count(*) from schedules where workspace_id = $1 and state in ('active', 'paused')";
const INSERT: &str = returning!(
    "insert into schedules (id, workspace_id, author_id, name, connection_id, post, rule, zone, starts_at, rdates, exdates,
        missed, grace_s, state, planned_until, idempotency_key, request_digest, created_at, updated_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'active', $14, $15, $16, $14, $14)"
);

/// Makes a schedule: its row, those of its times ahead, and the publication of the next. The same idempotency key with the same
/// wish gives the schedule that it gave before.
///
/// # Errors
/// The rule names no time to come, or makes no sense; the post is refused as [`publications::create`] would refuse it; the
/// workspace has as many schedules as it may have.
pub async fn create(app: &App, workspace: WorkspaceId, author: UserId, new: NewSchedule) -> Result<Schedule> {
    publications::check_key(new.idempotency_key.as_deref())?;
    let digest = publications::request_digest(&new)?;
    let key = new.idempotency_key.as_deref();
    if let Some(earlier) = repeated(&mut app.db().read().await?, workspace, key, &digest).await? {
        return Ok(earlier);
    }
    let now = app.now();
    let grace_s = check(new.name.as_deref(), new.grace_s)?;
    check_times(&new.times, now)?;
    let post = vetted(app, workspace, &new.post).await?;
    let made = async {
        let mut tx = app.db().begin().await?;
        let count: i64 = on!(&mut tx, conn => sqlx::query_scalar(COUNT).bind(workspace).fetch_one(conn).await)?;
        if count >= MAX_SCHEDULES {
            let detail = format!("A workspace has at most {MAX_SCHEDULES} schedules. Delete one first.");
            return Err(Error::Conflict { code: "too_many_schedules", detail });
        }
        let Given { rule, zone, starts_at, rdates, exdates } = &new.times;
        let mut schedule: Schedule = on!(&mut tx, conn => sqlx::query_as(INSERT)
            .bind(ScheduleId::new()).bind(workspace).bind(author).bind(&new.name).bind(post.connection)
            .bind(json(&post)?).bind(rule).bind(zone).bind(starts_at.to_string()).bind(json(rdates)?).bind(json(exdates)?)
            .bind(new.missed).bind(grace_s).bind(now).bind(key).bind(&digest)
            .fetch_one(conn).await)?;
        go_on(&mut tx, &mut schedule, now).await?;
        tx.commit().await?;
        Ok(schedule)
    };
    match made.await {
        Ok(schedule) => {
            app.wake_worker();
            Ok(schedule)
        }
        // Somebody with the same key may have been quicker.
        Err(error) => repeated(&mut app.db().read().await?, workspace, key, &digest).await?.ok_or(error),
    }
}

async fn repeated(tx: &mut Tx, workspace: WorkspaceId, key: Option<&str>, digest: &str) -> Result<Option<Schedule>> {
    let Some(key) = key else { return Ok(None) };
    let earlier: Option<Schedule> =
        on!(tx, conn => sqlx::query_as(BY_KEY).bind(workspace).bind(key).fetch_optional(conn).await)?;
    match earlier {
        Some(earlier) if earlier.request_digest != digest => Err(Error::Conflict {
            code: "idempotency_key_reused",
            detail: "This Idempotency-Key was used for another schedule. Use a new key for a new one.".to_owned(),
        }),
        earlier => Ok(earlier),
    }
}

/// Holds name and grace against what can be. Gives the grace.
fn check(name: Option<&str>, grace_s: Option<u64>) -> Result<i64> {
    if name.is_some_and(|name| name.chars().count() > MAX_NAME_CHARS || name.contains('\0')) {
        return Err(Error::invalid(
            "name",
            format!("A name has at most {MAX_NAME_CHARS} characters, none of them zero."),
        ));
    }
    let grace_s = grace_s.unwrap_or(DEFAULT_GRACE_S);
    if grace_s > MAX_GRACE_S {
        return Err(Error::invalid("grace_s", format!("A post can be {MAX_GRACE_S} seconds late at most.")));
    }
    i64::try_from(grace_s).map_err(|error| Error::Internal(error.into()))
}

fn check_times(given: &Given, now: Timestamp) -> Result<()> {
    let times = given.read()?;
    let starts = times.zone().at(given.starts_at);
    if starts > now.after(BEGINS_WITHIN) || starts < now.before(BEGINS_WITHIN) {
        return Err(Error::invalid("starts_at", "A schedule begins within three years, before or after now."));
    }
    if times.next(now).is_none() {
        return Err(Error::invalid("rule", "This rule names no time to come."));
    }
    Ok(())
}

/// The post as it would be taken in now, with its connection and target.
async fn vetted(app: &App, workspace: WorkspaceId, post: &NewPublication) -> Result<NewPublication> {
    if post.publish_at.is_some() {
        return Err(Error::invalid("post/publish_at", "The rule says when: leave `publish_at` out."));
    }
    let within = |error| match error {
        Error::Invalid { field, detail } => Error::Invalid { field: format!("post/{field}"), detail },
        Error::Refused(all) => Error::Refused(all.into_iter().map(|trouble| trouble.within("post")).collect()),
        error => error,
    };
    let vetted = Box::pin(publications::vet(app, workspace, post)).await.map_err(within)?;
    Ok(NewPublication { connection: Some(vetted.connection.id), target: vetted.target, ..post.clone() })
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    Ok(serde_json::to_string(value).map_err(anyhow::Error::from)?)
}

/// Brings a locked schedule up to date and sets when its job looks again.
async fn go_on(tx: &mut Tx, schedule: &mut Schedule, now: Timestamp) -> Result<()> {
    if let Some(next) = advance(tx, schedule, now).await? {
        jobs::enqueue(tx, Job::Advance(schedule.id), next, now).await?;
    }
    Ok(())
}

/// Brings a locked schedule up to date whatever that takes: what was due until now is judged as it was until now.
async fn catch_up(tx: &mut Tx, schedule: &mut Schedule, now: Timestamp) -> Result<()> {
    while advance(tx, schedule, now).await? == Some(now) {}
    Ok(())
}

/// Locks a workspace's schedule that was not deleted.
async fn lock_own(tx: &mut Tx, workspace: WorkspaceId, id: ScheduleId) -> Result<Schedule> {
    find(tx, workspace, id).await?;
    let schedule = lock(tx, id).await?.ok_or(Error::NotFound("schedule"))?;
    if schedule.state == State::Deleted {
        let detail = "It was deleted. Make a new one.".to_owned();
        return Err(Error::Conflict { code: "schedule_deleted", detail });
    }
    Ok(schedule)
}

const EDIT: &str = returning!(
    "update schedules set name = $1, connection_id = $2, post = $3, rule = $4, zone = $5, starts_at = $6, rdates = $7,
        exdates = $8, missed = $9, grace_s = $10, planned_until = $11, state = $12, updated_at = $11
    where id = $13"
);

/// Changes a schedule from now on. What is due or running stays as it was.
///
/// # Errors
/// There is no such schedule, it was deleted, or as [`create`].
pub async fn edit(app: &App, workspace: WorkspaceId, id: ScheduleId, change: Change) -> Result<Schedule> {
    let before = find(&mut app.db().read().await?, workspace, id).await?;
    let given = before.given()?;
    let times = Given {
        rule: change.rule.unwrap_or_else(|| given.rule.clone()),
        zone: change.zone.unwrap_or_else(|| given.zone.clone()),
        starts_at: change.starts_at.unwrap_or(given.starts_at),
        rdates: change.rdates.unwrap_or_else(|| given.rdates.clone()),
        exdates: change.exdates.unwrap_or_else(|| given.exdates.clone()),
    };
    let now = app.now();
    let grace_s = check(change.name.as_deref(), change.grace_s.or_else(|| u64::try_from(before.grace_s).ok()))?;
    if times != given {
        check_times(&times, now)?;
    }
    let post = match &change.post {
        Some(post) => vetted(app, workspace, post).await?,
        None => before.post()?,
    };
    let mut tx = app.db().begin().await?;
    let mut schedule = lock_own(&mut tx, workspace, id).await?;
    catch_up(&mut tx, &mut schedule, now).await?;
    withdraw(&mut tx, &schedule, "its schedule was changed", now).await?;
    occurrences::forget_planned(&mut tx, id, now).await?;
    let state = if schedule.state == State::Ended { State::Active } else { schedule.state };
    let mut schedule: Schedule = on!(&mut tx, conn => sqlx::query_as(EDIT)
        .bind(change.name.or(schedule.name)).bind(post.connection.unwrap_or(before.connection_id)).bind(json(&post)?)
        .bind(&times.rule).bind(&times.zone).bind(times.starts_at.to_string()).bind(json(&times.rdates)?)
        .bind(json(&times.exdates)?).bind(change.missed.unwrap_or(before.missed)).bind(grace_s).bind(now).bind(state)
        .bind(id).fetch_one(conn).await)?;
    go_on(&mut tx, &mut schedule, now).await?;
    tx.commit().await?;
    app.wake_worker();
    Ok(schedule)
}

/// Takes back the publications of occurrences whose time has not come, and plans these again.
async fn withdraw(tx: &mut Tx, schedule: &Schedule, reason: &str, now: Timestamp) -> Result<()> {
    for row in occurrences::ahead(tx, schedule.id, now).await? {
        let Some(publication) = row.publication_id else { continue };
        if planning::take_back(tx, publication, reason, now).await? {
            occurrences::put_back(tx, row.id, now).await?;
        }
    }
    Ok(())
}

const SET_STATE: &str = returning!("update schedules set state = $1, updated_at = $2 where id = $3");

async fn set_state(tx: &mut Tx, id: ScheduleId, state: State, now: Timestamp) -> Result<Schedule> {
    Ok(on!(tx, conn => sqlx::query_as(SET_STATE).bind(state).bind(now).bind(id).fetch_one(conn).await)?)
}

/// Lets a schedule's times pass without a publication until it is resumed. One that is paused stays so.
///
/// # Errors
/// There is no such schedule, or it has ended.
pub async fn pause(app: &App, workspace: WorkspaceId, id: ScheduleId) -> Result<Schedule> {
    switch(app, workspace, id, State::Paused).await
}

/// Goes on with a paused schedule, at its next time. One that is active stays so.
///
/// # Errors
/// As [`pause`].
pub async fn resume(app: &App, workspace: WorkspaceId, id: ScheduleId) -> Result<Schedule> {
    switch(app, workspace, id, State::Active).await
}

async fn switch(app: &App, workspace: WorkspaceId, id: ScheduleId, to: State) -> Result<Schedule> {
    let now = app.now();
    let mut tx = app.db().begin().await?;
    let mut schedule = lock_own(&mut tx, workspace, id).await?;
    catch_up(&mut tx, &mut schedule, now).await?;
    if schedule.state == State::Ended {
        let detail = "Its rule names no time to come. Change the rule, which begins it anew.".to_owned();
        return Err(Error::Conflict { code: "schedule_ended", detail });
    }
    if schedule.state != to {
        if to == State::Paused {
            withdraw(&mut tx, &schedule, "its schedule was paused", now).await?;
        }
        schedule = set_state(&mut tx, id, to, now).await?;
    }
    go_on(&mut tx, &mut schedule, now).await?;
    tx.commit().await?;
    app.wake_worker();
    Ok(schedule)
}

/// Deletes a schedule: what has not begun is cancelled. It stays readable, for what it has done.
///
/// # Errors
/// There is no such schedule.
pub async fn delete(app: &App, workspace: WorkspaceId, id: ScheduleId) -> Result<()> {
    let now = app.now();
    let mut tx = app.db().begin().await?;
    if find(&mut tx, workspace, id).await?.state == State::Deleted {
        return Ok(());
    }
    let mut schedule = lock_own(&mut tx, workspace, id).await?;
    catch_up(&mut tx, &mut schedule, now).await?;
    withdraw(&mut tx, &schedule, "its schedule was deleted", now).await?;
    let why = Refusal { code: "deleted", reason: "The schedule was deleted before.".to_owned() };
    for row in occurrences::ahead(&mut tx, id, now).await? {
        occurrences::mark(&mut tx, row.id, occurrences::State::Cancelled, &why, now).await?;
    }
    set_state(&mut tx, id, State::Deleted, now).await?;
    // Where a worker has its job in hand, that ends by itself.
    jobs::withdraw_waiting(&mut tx, Job::Advance(id)).await?;
    tx.commit().await?;
    Ok(())
}
