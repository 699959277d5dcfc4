//! Nothing stays where it is for ever: each state has a longest stay, and somebody who ends it.
//!
//! | state | longest stay | ended by |
//! |---|---|---|
//! | scheduled | until its time | its job; where that comes too late, [`planning`](super::planning) |
//! | due | a day | this watchdog |
//! | running | a lease, which its worker renews | whoever claims the job when the lease lapses |
//! | pending | a day from its beginning | [`execution`] |
//! | uncertain | seven days | [`reconciling`](super::reconciling) |
//!
//! All of them come about by a job on the list. A publication without one would be stuck, whatever took the job away: the
//! watchdog puts it back and says so in the timeline.

use super::timeline::{self, Move};
use super::{Publication, State, execution};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::fault::{Fault, FaultKind};
use crate::jobs::{self, Job};
use crate::{on, rounds};
use std::time::Duration;

/// How often a node looks.
const EVERY: Duration = Duration::from_secs(60);
/// How long a publication may be without a job. Moves write both at once, so this is for clocks that differ.
const GRACE: Duration = Duration::from_secs(5 * 60);
/// How long a publication may wait for a worker.
const LONGEST_DUE: Duration = Duration::from_secs(24 * 60 * 60);
/// Publications of one look, of each state.
const AT_ONCE: i64 = 200;

/// Looks for what is stuck, time and again until the host stops.
pub async fn watch(app: App) {
    let failing = "publications that are stuck could not be looked for and are again";
    rounds::keep(app, EVERY, failing, |app| Box::pin(async move { sweep(app).await.map(drop) })).await;
}

const STUCK: &str = columns!(
    "where finished_at is null and state = $1 and coalesce(publish_at, created_at) < $2 and updated_at < $2
        and not exists (select 1 from jobs where kind = $3 and subject = publications.id)
    order by coalesce(publish_at, created_at) limit $4"
);
const OVERDUE: &str = columns!(
    "where finished_at is null and state = 'due' and coalesce(publish_at, created_at) < $1 and updated_at < $1
    order by coalesce(publish_at, created_at) limit $2"
);

/// Brings on what has stayed too long. Gives how many were stuck or given up.
///
/// # Errors
/// The database failed.
pub async fn sweep(app: &App) -> anyhow::Result<usize> {
    let now = app.now();
    let mut moved = 0;
    for state in [State::Scheduled, State::Due, State::Running, State::Pending, State::Uncertain] {
        let kind = if state == State::Uncertain { "reconcile" } else { "publish" };
        let mut tx = app.db().read().await?;
        let stuck: Vec<Publication> = on!(&mut tx, conn => sqlx::query_as(STUCK)
            .bind(state.word()).bind(now.before(GRACE)).bind(kind).bind(AT_ONCE).fetch_all(conn).await)?;
        drop(tx);
        for publication in stuck {
            moved += usize::from(put_back(app, &publication, state, now).await?);
        }
    }
    let mut tx = app.db().read().await?;
    let overdue: Vec<Publication> = on!(&mut tx, conn => sqlx::query_as(OVERDUE)
        .bind(now.before(LONGEST_DUE)).bind(AT_ONCE).fetch_all(conn).await)?;
    drop(tx);
    for publication in overdue {
        moved += usize::from(give_up(app, &publication, now).await?);
    }
    if moved > 0 {
        app.wake_worker();
    }
    Ok(moved)
}

const TOUCH: &str = "update publications set updated_at = $1 where id = $2 and state = $3 and updated_at = $4";

/// Puts the job of a publication back on the list. False where it has moved meanwhile.
async fn put_back(app: &App, publication: &Publication, state: State, now: Timestamp) -> anyhow::Result<bool> {
    let id = publication.id;
    let mut tx = app.db().begin().await?;
    let touched = on!(&mut tx, conn => sqlx::query(TOUCH)
        .bind(now).bind(id).bind(state.word()).bind(publication.updated_at)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    if touched == 0 {
        return Ok(false);
    }
    let (job, place) = match state {
        State::Uncertain => (Job::Reconcile(id), publication.place_of_looks()),
        _ => (Job::Publish(id), publication.place()),
    };
    jobs::enqueue_at(&mut tx, job, &place, now, now).await?;
    timeline::note(&mut tx, publication, state, "it was on no worker's list, and is put back there", now).await?;
    tx.commit().await?;
    tracing::warn!(publication = %id, state = state.word(), "the publication {id} had no job, and has one again");
    Ok(true)
}

const GIVE_UP: &str = "update publications set state = 'failed', fault = $1, updated_at = $2, finished_at = $2
    where id = $3 and state = 'due'";

/// Gives a publication up that no worker came to. False where one has come.
async fn give_up(app: &App, publication: &Publication, now: Timestamp) -> anyhow::Result<bool> {
    let id = publication.id;
    let fault = Fault::new(FaultKind::Busy, "No worker came to it within a day, and it is not to go out this late.");
    let mut tx = app.db().begin().await?;
    if !jobs::withdraw_waiting(&mut tx, Job::Publish(id)).await? {
        return Ok(false);
    }
    let stored = serde_json::to_string(&fault)?;
    let given_up = on!(&mut tx, conn => sqlx::query(GIVE_UP).bind(stored).bind(now).bind(id)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    anyhow::ensure!(given_up == 1, "publication {id} moved without its job");
    execution::release(&mut tx, publication, now).await?;
    let made = Move { fault: Some(&fault), ..Move::to(State::Failed, &fault.message) };
    timeline::add(&mut tx, publication, made, now).await?;
    tx.commit().await?;
    Ok(true)
}
