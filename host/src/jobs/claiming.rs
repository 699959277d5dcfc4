//! Whose turn it is.
//!
//! A job becomes *ready* when its time has come ([`ripen`]), so that claims look at none of the jobs to come, however many
//! those are. Of a queue, a claim takes the first job of each line that nobody works on, going round: it begins behind the line
//! where the last one ended. So who has fifty thousand jobs in a line waits for himself, and the one job of somebody else is
//! taken within a round. No step reads a line to its end, so a claim costs as much as what it takes.

use super::{Claim, Job};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::{JobId, WorkspaceId};
use crate::on;
use std::time::Duration;
use uuid::Uuid;

/// Most jobs that become ready at once; [`RIPEN_SQLITE`] says it again.
const BATCH: u64 = 1_000;

/// Nothing in it lets PostgreSQL expect other costs of one time than of another: it would plan anew at each, which takes ten times
/// as long as to find that nothing is due.
macro_rules! ripen {
    ($of:literal, $end:literal) => {
        concat!(
            "update jobs set ready = 1 where id ",
            $of,
            "select id from jobs where ready = 0 and lease is null and due_at <= (select $1) order by due_at limit 1000",
            $end
        )
    };
}
const RIPEN_SQLITE: &str = ripen!("in (", ")");
/// As an array, here and below: of `in`, PostgreSQL may think that it were best answered by reading all jobs.
const RIPEN_POSTGRES: &str = ripen!("= any (array(", "))");
const LAPSE: &str = "update jobs set lease = null, leased_until = null, ready = 1
    where lease is not null and leased_until <= $1";

/// Jobs that became ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ripe {
    None,
    Some,
    /// As many as become ready at once: there may be more.
    Batch,
}

/// Makes ready what is due, and what a worker that died had in hand.
pub(super) async fn ripen(tx: &mut Tx, now: Timestamp) -> sqlx::Result<Ripe> {
    let lapsed = on!(tx, conn => sqlx::query(LAPSE).bind(now).execute(conn).await.map(|done| done.rows_affected()))?;
    let statement = if tx.is_postgres() { RIPEN_POSTGRES } else { RIPEN_SQLITE };
    let ripe = on!(tx, conn => sqlx::query(statement).bind(now)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(match (lapsed, ripe) {
        (_, ripe) if ripe >= BATCH => Ripe::Batch,
        (0, 0) => Ripe::None,
        _ => Ripe::Some,
    })
}

const NEXT: &str = "select min(at) from (
    select at from (select due_at as at from jobs where ready = 0 and lease is null order by due_at limit 1) to_come
    union all
    select at from (select leased_until as at from jobs where lease is not null order by leased_until limit 1) lapsing
) next";

/// When [`ripen`] has something to do; `None` where nothing waits for a time.
pub(super) async fn next_ripe(tx: &mut Tx) -> sqlx::Result<Option<Timestamp>> {
    on!(tx, conn => sqlx::query_scalar(NEXT).fetch_one(conn).await)
}

/// Finds each queue by the index, without reading the jobs in it. (Of `min`, PostgreSQL may think that it had to.)
const QUEUES: &str = "with recursive found (queue) as (
        select (select queue from jobs where ready = 1 and lease is null order by queue limit 1)
        union all
        select (select queue from jobs where ready = 1 and lease is null and queue > found.queue order by queue limit 1)
        from found where found.queue is not null
    ) select queue from found where queue is not null";

/// The queues in which jobs are ready.
pub(super) async fn queues(tx: &mut Tx) -> sqlx::Result<Vec<String>> {
    on!(tx, conn => sqlx::query_scalar(QUEUES).fetch_all(conn).await)
}

/// Workspaces that a claim can leave out.
pub(super) const MOST_LEFT_OUT: usize = 3;

/// What a claim takes.
pub(super) struct Wanted<'a> {
    pub(super) queue: &'a str,
    /// The line behind which the round goes on; nil for the beginning.
    pub(super) behind: Uuid,
    /// Whose jobs are left out: they have more than their share already. Filled up with nil.
    pub(super) left_out: [WorkspaceId; MOST_LEFT_OUT],
    pub(super) most: usize,
}

/// The heads of lines: from line to line by the index, as many as are wanted. The fence is asked in the claim itself: a host
/// under which a backup was restored must not claim either.
macro_rules! claim {
    ($of:literal, $end:literal, $lock:literal) => {
        concat!(
            "with recursive head (line) as (
                select (select line from jobs where queue = $4 and ready = 1 and lease is null and line > $5
                    order by line limit 1)
                union all
                select (select line from jobs where queue = $4 and ready = 1 and lease is null and line > head.line
                    order by line limit 1)
                from head where head.line is not null
            ), turn (id) as (
                select (select id from jobs where queue = $4 and ready = 1 and lease is null and line = head.line
                    order by due_at, id limit 1)
                from head where head.line is not null
                and not exists (select 1 from jobs busy where busy.line = head.line and busy.lease is not null)
                and ($10 = 0 or not exists (select 1 from jobs theirs where theirs.queue = $4 and theirs.ready = 1
                    and theirs.lease is null and theirs.line = head.line and theirs.workspace_id in ($6, $7, $8)))
                limit $9
            )
            update jobs set lease = $1, leased_until = $2, attempts = attempts + 1
            where id ",
            $of,
            "select id from jobs where id ",
            $of,
            "select id from turn",
            $end,
            " and lease is null and due_at <= $3
                and not exists (select 1 from fence where resumed_at is null)",
            $lock,
            $end,
            " returning id, kind, subject, attempts, line, workspace_id"
        )
    };
}
const CLAIM_SQLITE: &str = claim!("in (", ")", "");
const CLAIM_POSTGRES: &str = claim!("= any (array(", "))", " for update skip locked");

/// A claimed job.
pub(super) struct Turn {
    /// `None` where this program does not know the kind: its lease leaves it to others.
    pub(super) claim: Option<Claim>,
    pub(super) line: Uuid,
    pub(super) workspace: Option<WorkspaceId>,
}

/// Claims the jobs whose turn it is, one a line at most.
pub(super) async fn claim(
    tx: &mut Tx,
    wanted: &Wanted<'_>,
    now: Timestamp,
    lease_for: Duration,
) -> sqlx::Result<Vec<Turn>> {
    let lease = Uuid::now_v7();
    let statement = if tx.is_postgres() { CLAIM_POSTGRES } else { CLAIM_SQLITE };
    let [one, two, three] = wanted.left_out;
    let most = i64::try_from(wanted.most).unwrap_or(i64::MAX);
    let rows: Vec<(JobId, String, Uuid, i64, Uuid, Option<WorkspaceId>)> = on!(tx, conn => sqlx::query_as(statement)
        .bind(lease).bind(now.after(lease_for)).bind(now).bind(wanted.queue).bind(wanted.behind)
        .bind(one).bind(two).bind(three).bind(most).bind(i64::from(!one.0.is_nil()))
        .fetch_all(conn).await)?;
    let turns = rows.into_iter().map(|(id, name, subject, attempts, line, workspace)| {
        let job = Job::named(&name, subject);
        if job.is_none() {
            tracing::warn!(%id, kind = name, "a job of an unknown kind is left for a newer version of this program");
        }
        Turn { claim: job.map(|job| Claim { id, lease, job, attempts }), line, workspace }
    });
    Ok(turns.collect())
}
