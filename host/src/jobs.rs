//! Work to do later or again: a table, claims by lease, and the loop that works.
//!
//! A job is a name and the row that it is about. A claim is a lease that its worker renews; a worker that dies loses it,
//! and another takes over. Every job may therefore run twice and is written so that this does no harm.
//!
//! Jobs stand in lines, and lines in queues ([`Place`]): whose turn it is is said in `claiming`, how much of a worker a queue may
//! have in `shares`, who wakes the worker in `waking`.

mod benched;
mod claiming;
mod shares;
mod waking;
mod worker;

#[doc(hidden)]
pub use benched::claim_for_bench;
pub use waking::follow;
pub use worker::work;
pub(crate) use worker::{BATCH, keep};

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::db::bundle::Bundle;
use crate::id::{
    ConnectionId, EmailTokenId, EndpointId, GenerationId, ImportId, JobId, PublicationId, ScheduleId, VideoId,
    WorkspaceId,
};
use crate::on;
use std::time::Duration;
use uuid::Uuid;

/// Every kind of work there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Carry a publication out, or on.
    Publish(PublicationId),
    /// Find out what became of a publication's lost commit.
    Reconcile(PublicationId),
    /// Carry a schedule on: its next time has come, or comes near.
    Advance(ScheduleId),
    /// Take in the rows of a file of posts.
    Import(ImportId),
    /// Give up a generation whose host died while it was written. The host that writes it holds the claim.
    AbandonGeneration(GenerationId),
    /// Have a video made, or look at how far it is.
    MakeVideo(VideoId),
    /// Tell a workspace that the vendor no longer honours a connection.
    TellRevoked(ConnectionId),
    /// Tell a workspace that nothing is sent to an endpoint any more, since it only fails.
    TellPaused(EndpointId),
    /// Mail a person this link, which proves their address.
    VerifyEmail(EmailTokenId),
}

impl Job {
    fn name_and_subject(self) -> (&'static str, Uuid) {
        match self {
            Self::Publish(publication) => ("publish", publication.0),
            Self::Reconcile(publication) => ("reconcile", publication.0),
            Self::Advance(schedule) => ("advance_schedule", schedule.0),
            Self::Import(import) => ("import", import.0),
            Self::AbandonGeneration(generation) => ("abandon_generation", generation.0),
            Self::MakeVideo(video) => ("make_video", video.0),
            Self::TellRevoked(connection) => ("tell_revoked", connection.0),
            Self::TellPaused(endpoint) => ("tell_paused", endpoint.0),
            Self::VerifyEmail(link) => ("verify_email", link.0),
        }
    }

    fn named(name: &str, subject: Uuid) -> Option<Self> {
        match name {
            "publish" => Some(Self::Publish(PublicationId(subject))),
            "reconcile" => Some(Self::Reconcile(PublicationId(subject))),
            "advance_schedule" => Some(Self::Advance(ScheduleId(subject))),
            "import" => Some(Self::Import(ImportId(subject))),
            "abandon_generation" => Some(Self::AbandonGeneration(GenerationId(subject))),
            "make_video" => Some(Self::MakeVideo(VideoId(subject))),
            "tell_revoked" => Some(Self::TellRevoked(ConnectionId(subject))),
            "tell_paused" => Some(Self::TellPaused(EndpointId(subject))),
            "verify_email" => Some(Self::VerifyEmail(EmailTokenId(subject))),
            _ => None,
        }
    }
}

/// A job in the hands of one worker.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The row.
    pub id: JobId,
    /// This claim of it; a later claim has another.
    pub lease: Uuid,
    /// What to do.
    pub job: Job,
    /// How often it was claimed, this time included.
    pub attempts: i64,
}

/// Where a job waits for its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The connector that it keeps busy; [`OWN`] for the host's own work.
    pub queue: String,
    /// Whose it is.
    pub workspace: Option<WorkspaceId>,
    /// What it stands behind: of the jobs of one line one is worked on at a time, in the order of their times.
    pub line: Uuid,
}

/// The queue of the host's own work. No connector has such an id.
pub const OWN: &str = "(host)";

impl Place {
    /// Of the host's own work: behind nothing.
    fn alone(subject: Uuid) -> Self {
        Self { queue: OWN.to_owned(), workspace: None, line: subject }
    }
}

const ENQUEUE: &str =
    "insert into jobs (id, kind, subject, due_at, attempts, created_at, queue, workspace_id, line, ready)
    values ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9)
    on conflict (kind, subject) do update set due_at = excluded.due_at, ready = excluded.ready";

/// Puts the host's own work on the list. A job of the same kind about the same row is one job: its time is set anew.
///
/// # Errors
/// The database failed.
pub async fn enqueue(tx: &mut Tx, job: Job, due: Timestamp, now: Timestamp) -> sqlx::Result<()> {
    let (_, subject) = job.name_and_subject();
    enqueue_at(tx, job, &Place::alone(subject), due, now).await
}

/// Puts work on the list, at a place.
///
/// # Errors
/// The database failed.
pub async fn enqueue_at(tx: &mut Tx, job: Job, place: &Place, due: Timestamp, now: Timestamp) -> sqlx::Result<()> {
    let mut bundle = Bundle::new(tx);
    enqueueing(&mut bundle, job, place, due, now);
    bundle.run(tx).await.map(drop)
}

/// [`enqueue_at`] as part of a bundle.
pub(crate) fn enqueueing(bundle: &mut Bundle, job: Job, place: &Place, due: Timestamp, now: Timestamp) {
    let (name, subject) = job.name_and_subject();
    bundle
        .add(ENQUEUE)
        .bind(JobId::new())
        .bind(name)
        .bind(subject)
        .bind(due)
        .bind(now)
        .bind(&place.queue)
        .bind(place.workspace)
        .bind(place.line)
        .bind(i64::from(due <= now));
}

const WITHDRAW: &str = "delete from jobs where kind = $1 and subject = $2 and lease is null";

/// Takes work off the list, unless somebody has it in hand: false then, and where there is none. Whoever is about to claim it is
/// waited for; so this comes before any other lock that a claim takes.
///
/// # Errors
/// The database failed.
pub async fn withdraw_waiting(tx: &mut Tx, job: Job) -> sqlx::Result<bool> {
    let (name, subject) = job.name_and_subject();
    let withdrawn = on!(tx, conn => sqlx::query(WITHDRAW).bind(name).bind(subject)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(withdrawn == 1)
}

const WITHDRAW_ANY: &str = "delete from jobs where kind = $1 and subject = $2";

/// Takes work off the list whose worker is gone for good.
///
/// # Errors
/// The database failed.
pub async fn withdraw(tx: &mut Tx, job: Job) -> sqlx::Result<()> {
    let (name, subject) = job.name_and_subject();
    on!(tx, conn => sqlx::query(WITHDRAW_ANY).bind(name).bind(subject).execute(conn).await.map(drop))
}

const BEGIN: &str = "insert into jobs
    (id, kind, subject, due_at, lease, leased_until, attempts, created_at, queue, line, ready)
    values ($1, $2, $3, $4, $5, $6, 1, $4, $7, $3, 1)";

/// Puts work on the list that is in our hands already. Where we die, a worker finds it when the lease lapses.
/// Part of a bundle.
pub(crate) fn beginning(bundle: &mut Bundle, job: Job, lease_for: Duration, now: Timestamp) -> Claim {
    let claim = Claim { id: JobId::new(), lease: Uuid::now_v7(), job, attempts: 1 };
    let (name, subject) = job.name_and_subject();
    bundle.add(BEGIN).bind(claim.id).bind(name).bind(subject).bind(now).bind(claim.lease);
    bundle.bind(now.after(lease_for)).bind(OWN);
    claim
}

const FREE: &str = "update jobs set lease = null, leased_until = null, ready = 1 where lease is not null";

/// Takes every job out of the hands that had it: they were another installation's.
///
/// # Errors
/// The database failed.
pub(crate) async fn free_all(tx: &mut Tx) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(FREE).execute(conn).await.map(drop))
}

const RENEW: &str = "update jobs set leased_until = $1 where id = $2 and lease = $3";

/// Makes a claim last longer. False when it was lost to another worker.
async fn renew(tx: &mut Tx, claim: &Claim, until: Timestamp) -> sqlx::Result<bool> {
    let renewed = on!(tx, conn => sqlx::query(RENEW).bind(until).bind(claim.id).bind(claim.lease)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(renewed == 1)
}

const COMPLETE: &str = "delete from jobs where id = $1 and lease = $2";
const RESCHEDULE: &str =
    "update jobs set lease = null, leased_until = null, ready = 0, due_at = $1 where id = $2 and lease = $3";

/// A claim that another worker has taken over meanwhile: whatever this one found out is not to be written.
#[derive(Debug, thiserror::Error)]
#[error("the claim of job {0} was lost to another worker")]
pub struct LostClaim(JobId);

/// Ends a job, in the transaction that writes its result.
///
/// # Errors
/// [`LostClaim`], or the database failed; the transaction must be dropped.
pub async fn complete(tx: &mut Tx, claim: &Claim) -> anyhow::Result<()> {
    let mut bundle = Bundle::new(tx);
    completing(&mut bundle, claim);
    still_ours(&bundle.run(tx).await?, claim)
}

/// [`complete`] as the first part of a bundle; [`still_ours`] looks at what it came to.
pub(crate) fn completing(bundle: &mut Bundle, claim: &Claim) {
    bundle.add(COMPLETE).bind(claim.id).bind(claim.lease);
}

/// [`reschedule`] as the first part of a bundle; [`still_ours`] looks at what it came to.
pub(crate) fn rescheduling(bundle: &mut Bundle, claim: &Claim, due: Timestamp) {
    bundle.add(RESCHEDULE).bind(due).bind(claim.id).bind(claim.lease);
}

/// # Errors
/// [`LostClaim`]: the first part of a bundle did not find the job in our hands. The transaction must be dropped.
pub(crate) fn still_ours(answers: &[Option<i64>], claim: &Claim) -> anyhow::Result<()> {
    match answers.first() {
        Some(Some(_)) => Ok(()),
        _ => Err(LostClaim(claim.id).into()),
    }
}

/// Gives a job back, to be claimed again from `due` on, in the transaction that writes why.
///
/// # Errors
/// As [`complete`].
pub async fn reschedule(tx: &mut Tx, claim: &Claim, due: Timestamp) -> anyhow::Result<()> {
    let mut bundle = Bundle::new(tx);
    rescheduling(&mut bundle, claim, due);
    still_ours(&bundle.run(tx).await?, claim)
}
