//! The loop that claims jobs and works on them.

use super::{Claim, Job, claim, complete, next_due, renew, reschedule};
use crate::app::App;
use crate::generations;
use crate::id::EmailTokenId;
use crate::identity::verification;
use crate::publications::execution::{self, Loaded};
use crate::publications::reconciling;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Longest sleep: work that another node enqueued is found this late at most.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
const AFTER_ERROR: Duration = Duration::from_secs(1);
const MAIL_RETRY: Duration = Duration::from_secs(60);

/// A claimed job with what it needs.
enum Assignment {
    Publish(Box<Loaded>),
    Reconcile(Box<Loaded>),
    VerifyEmail(EmailTokenId),
    /// The job had become pointless and is done.
    Nothing,
}

/// Works until the host stops.
pub async fn work(app: App) {
    let slots = Arc::new(Semaphore::new(app.config().concurrent_jobs));
    while !app.stopping().is_cancelled() {
        let slot = tokio::select! {
            slot = slots.clone().acquire_owned() => slot,
            () = app.stopping().cancelled() => return,
        };
        let Ok(slot) = slot else { return };
        match take(&app).await {
            Ok(Some((claim, assignment))) => {
                let app = app.clone();
                app.clone().tasks().spawn(async move {
                    carry_out(&app, &claim, assignment).await;
                    drop(slot);
                });
            }
            Ok(None) => sleep(&app).await,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "no job could be claimed");
                tokio::time::sleep(AFTER_ERROR).await;
            }
        }
    }
}

/// Claims a job and begins it in one transaction.
async fn take(app: &App) -> anyhow::Result<Option<(Claim, Assignment)>> {
    let now = app.now();
    if next_due(&mut app.db().read().await?).await?.is_none_or(|due| due > now) {
        return Ok(None);
    }
    let mut tx = app.db().begin().await?;
    let claimed = claim(&mut tx, now, app.config().job_lease()).await?;
    let taken = match claimed {
        None => None,
        Some(claim) => {
            let assignment = match claim.job {
                Job::Publish(id) => {
                    execution::begin(&mut tx, &claim, id, now).await?.map(Box::new).map(Assignment::Publish)
                }
                Job::Reconcile(id) => {
                    reconciling::begin(&mut tx, &claim, id).await?.map(Box::new).map(Assignment::Reconcile)
                }
                Job::AbandonGeneration(id) => {
                    generations::abandon(&mut tx, &claim, id, now).await?;
                    None
                }
                Job::VerifyEmail(link) => Some(Assignment::VerifyEmail(link)),
            };
            Some((claim, assignment.unwrap_or(Assignment::Nothing)))
        }
    };
    // Committed even without a job for us: one of an unknown kind keeps the lease that leaves it to others.
    tx.commit().await?;
    Ok(taken)
}

async fn carry_out(app: &App, claim: &Claim, assignment: Assignment) {
    let work = async {
        match assignment {
            Assignment::Publish(loaded) => execution::carry_out(app, claim, *loaded).await,
            Assignment::Reconcile(loaded) => reconciling::look(app, claim, *loaded).await,
            Assignment::VerifyEmail(link) => mail(app, claim, link).await,
            Assignment::Nothing => Ok(()),
        }
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = keep(app, claim) => Err(anyhow::anyhow!("the claim was lost to another worker")),
    };
    if let Err(error) = outcome {
        tracing::error!(job = %claim.id, error = format!("{error:#}"), "a job did not end; it is claimed again when its lease lapses");
    }
}

/// Renews a claim, and ends only when it is lost.
pub(crate) async fn keep(app: &App, claim: &Claim) {
    let lease = app.config().job_lease();
    loop {
        tokio::time::sleep(lease / 3).await;
        let renewed: sqlx::Result<bool> = async {
            let mut tx = app.db().begin().await?;
            let renewed = renew(&mut tx, claim, app.now().after(lease)).await?;
            tx.commit().await?;
            Ok(renewed)
        }
        .await;
        match renewed {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(job = %claim.id, %error, "a claim could not be renewed"),
        }
    }
}

async fn mail(app: &App, claim: &Claim, link: EmailTokenId) -> anyhow::Result<()> {
    let sent = verification::send(app, link).await;
    let mut tx = app.db().begin().await?;
    match sent {
        Ok(()) => complete(&mut tx, claim).await?,
        Err(error) => {
            tracing::warn!(%link, error = format!("{error:#}"), "a mail could not be sent and is tried again");
            reschedule(&mut tx, claim, app.now().after(MAIL_RETRY)).await?;
        }
    }
    Ok(tx.commit().await?)
}

/// Sleeps until work is due, or there may be new work.
async fn sleep(app: &App) {
    let next = match app.db().read().await {
        Ok(mut tx) => next_due(&mut tx).await.ok().flatten(),
        Err(_) => None,
    };
    let wait = next.map_or(LONGEST_SLEEP, |due| due.since(app.now()).min(LONGEST_SLEEP));
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = app.new_work() => {}
        () = app.stopping().cancelled() => {}
    }
}
