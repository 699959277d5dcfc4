//! The loop that claims jobs and works on them.

use super::{Claim, Job, claim, complete, next_due, renew, reschedule};
use crate::app::App;
use crate::connecting::revoked;
use crate::id::{ConnectionId, EmailTokenId, ImportId, PublicationId, ScheduleId};
use crate::identity::verification;
use crate::publications::{Publication, execution, reconciling};
use crate::{generations, imports, schedules};
use std::convert::identity;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Longest sleep: work that another node enqueued is found this late at most.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
const AFTER_ERROR: Duration = Duration::from_secs(1);
const MAIL_RETRY: Duration = Duration::from_secs(60);

/// How long a busy worker waits for more of its slots to become free: a claim costs the same for one job as for many.
const GATHER: Duration = Duration::from_millis(2);

/// What a claimed job comes to.
enum Work {
    Publish(Box<Publication>),
    Reconcile(PublicationId),
    Advance(ScheduleId),
    Import(ImportId),
    TellRevoked(ConnectionId),
    VerifyEmail(EmailTokenId),
}

/// What was claimed.
struct Taken {
    begun: Vec<(Claim, Work)>,
    /// Whether nothing else was due.
    is_all: bool,
}

/// Most jobs that are claimed at once: as one transaction, they wait for the disk once.
const BATCH: usize = 16;

/// Works until the host stops.
pub async fn work(app: App) {
    let slots = Arc::new(Semaphore::new(app.config().concurrent_jobs));
    while !app.stopping().is_cancelled() {
        let slot = tokio::select! {
            slot = slots.clone().acquire_owned() => slot,
            () = app.stopping().cancelled() => return,
        };
        let Ok(slot) = slot else { return };
        let free = free_slots(&slots, slot).await;
        match take(&app, free.len()).await {
            Ok(Taken { begun, is_all }) => {
                for ((claim, work), slot) in begun.into_iter().zip(free) {
                    let app = app.clone();
                    app.clone().tasks().spawn(async move {
                        Box::pin(carry_out(&app, &claim, work)).await;
                        drop(slot);
                    });
                }
                if is_all {
                    sleep(&app).await;
                }
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "no job could be claimed");
                tokio::time::sleep(AFTER_ERROR).await;
            }
        }
    }
}

/// A free slot and others, up to a batch.
async fn free_slots(slots: &Arc<Semaphore>, first: OwnedSemaphorePermit) -> Vec<OwnedSemaphorePermit> {
    let mut free = vec![first];
    let mut gather = || {
        let others = std::iter::repeat_with(|| slots.clone().try_acquire_owned().ok()).map_while(identity);
        free.extend(others.take(BATCH - free.len()));
        free.len()
    };
    if gather() < BATCH {
        tokio::time::sleep(GATHER).await;
        gather();
    }
    free
}

/// Claims jobs and begins them in one transaction. Those that had become pointless end in it.
async fn take(app: &App, most: usize) -> anyhow::Result<Taken> {
    let now = app.now();
    let mut tx = app.db().begin().await?;
    let mut begun = Vec::new();
    let Some(claims) = claim(&mut tx, most, now, app.config().job_lease()).await? else {
        return Ok(Taken { begun, is_all: true });
    };
    let is_all = claims.len() < most;
    for claim in claims {
        let work = match claim.job {
            Job::Publish(id) => execution::begin(app, &mut tx, &claim, id, now).await?.map(Box::new).map(Work::Publish),
            Job::Reconcile(id) => Some(Work::Reconcile(id)),
            Job::Advance(id) => Some(Work::Advance(id)),
            Job::Import(id) => Some(Work::Import(id)),
            Job::TellRevoked(connection) => Some(Work::TellRevoked(connection)),
            Job::VerifyEmail(link) => Some(Work::VerifyEmail(link)),
            Job::AbandonGeneration(id) => {
                generations::abandon(&mut tx, &claim, id, now).await?;
                None
            }
        };
        begun.extend(work.map(|work| (claim, work)));
    }
    tx.commit().await?;
    Ok(Taken { begun, is_all })
}

async fn carry_out(app: &App, claim: &Claim, work: Work) {
    let work = async {
        match work {
            Work::Publish(publication) => execution::carry_out(app, claim, *publication).await,
            Work::Reconcile(id) => Box::pin(reconciling::look(app, claim, id)).await,
            Work::Advance(id) => Box::pin(schedules::carry_on(app, claim, id)).await,
            Work::Import(id) => Box::pin(imports::carry_on(app, claim, id)).await,
            Work::TellRevoked(connection) => mail(app, claim, Box::pin(revoked::tell(app, connection))).await,
            Work::VerifyEmail(link) => mail(app, claim, Box::pin(verification::send(app, link))).await,
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
            let mut tx = app.db().begin_single().await?;
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

async fn mail(app: &App, claim: &Claim, sent: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let sent = sent.await;
    let mut tx = app.db().begin().await?;
    match sent {
        Ok(()) => complete(&mut tx, claim).await?,
        Err(error) => {
            tracing::warn!(job = %claim.id, error = format!("{error:#}"), "a mail could not be sent and is tried again");
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
