//! The loop that claims jobs and works on them.

use super::claiming::{Ripe, Wanted, claim, next_ripe, queues, ripen};
use super::shares::{Shares, Slot};
use super::{Claim, Job, complete, renew, reschedule};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connecting::revoked;
use crate::db::Tx;
use crate::fence;
use crate::id::{ConnectionId, EmailTokenId, EndpointId, ImportId, PublicationId, ScheduleId};
use crate::identity::verification;
use crate::publications::beginning::{self, Begun};
use crate::publications::{execution, reconciling};
use crate::videos::{self, Video};
use crate::webhooks::paused;
use crate::{generations, imports, schedules};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use uuid::Uuid;

/// Longest sleep: work that another node enqueued is found this late at most.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
const AFTER_ERROR: Duration = Duration::from_secs(1);
const MAIL_RETRY: Duration = Duration::from_secs(60);

/// How long a claim goes by the same plans: ten thousand jobs may have come meanwhile.
const PLANS_LAST: Duration = Duration::from_secs(1);

/// How often a busy worker looks for jobs whose time has come.
const RIPEN_EVERY: Duration = Duration::from_millis(100);

/// How long a worker that has something in hand waits before it claims more: a claim costs the same for one job as for many.
const GATHER: Duration = Duration::from_millis(4);

/// What a claimed job comes to.
enum Work {
    Publish(Box<Begun>),
    Reconcile(PublicationId),
    Advance(ScheduleId),
    Import(ImportId),
    MakeVideo(Box<Video>),
    TellRevoked(ConnectionId),
    TellPaused(EndpointId),
    VerifyEmail(EmailTokenId),
}

/// What was claimed.
struct Taken {
    begun: Vec<(Claim, Work, Slot)>,
    next: Next,
}

/// What a worker does after a claim.
enum Next {
    /// There may be more: claim again.
    Claim,
    /// What is ready has to wait until something ends: its line is busy, or its queue has its share.
    WaitForAnEnd,
    /// Nothing is ready.
    Sleep,
}

/// Where the rounds through the queues stand.
#[derive(Default)]
struct Rounds {
    /// Of each queue, the line that was last in turn.
    behind: HashMap<String, Uuid>,
    /// How often the queues were gone through: each time another one comes first.
    count: usize,
    /// When jobs were last made ready.
    ripened: Option<Timestamp>,
    /// When the database last had to plan the statements of a claim anew.
    planned: Option<Instant>,
}

/// Most jobs that are claimed at once: as one transaction, they wait for the disk once.
pub(crate) const BATCH: usize = 16;

/// Works until the host stops.
pub async fn work(app: App) {
    let shares = Shares::new(app.config().concurrent_jobs);
    let ended = Arc::new(Notify::new());
    let mut rounds = Rounds::default();
    while !app.stopping().is_cancelled() {
        fence::wait(&app).await;
        if shares.in_use() > 0 {
            gather(&app, &shares, &ended).await;
        }
        let next = match take(&app, &shares, &mut rounds).await {
            Ok(Taken { begun, next }) => {
                for (claim, work, slot) in begun {
                    let (app, ended) = (app.clone(), ended.clone());
                    app.clone().tasks().spawn(async move {
                        Box::pin(carry_out(&app, &claim, work)).await;
                        drop(slot);
                        ended.notify_one();
                    });
                }
                next
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "no job could be claimed");
                tokio::time::sleep(AFTER_ERROR).await;
                Next::Claim
            }
        };
        if !matches!(next, Next::Claim) {
            // Who has rested looks at once for what has become due meanwhile.
            rounds.ripened = None;
        }
        match next {
            Next::Claim => {}
            Next::WaitForAnEnd => tokio::select! {
                () = ended.notified() => {}
                () = tokio::time::sleep(LONGEST_SLEEP) => {}
                () = app.new_work() => {}
                () = app.stopping().cancelled() => {}
            },
            Next::Sleep => sleep(&app).await,
        }
    }
}

/// Waits for a free slot, and a little longer for other slots and other jobs.
async fn gather(app: &App, shares: &Shares, ended: &Notify) {
    while shares.free() == 0 {
        tokio::select! {
            () = ended.notified() => {}
            () = app.stopping().cancelled() => return,
        }
    }
    tokio::time::sleep(GATHER).await;
}

/// Claims jobs and begins them in one transaction. Those that had become pointless end in it.
async fn take(app: &App, shares: &Arc<Shares>, rounds: &mut Rounds) -> anyhow::Result<Taken> {
    let now = app.now();
    let mut tx = if rounds.planned.is_some_and(|at| at.elapsed() < PLANS_LAST) {
        app.claims_db().begin().await?
    } else {
        rounds.planned = Some(Instant::now());
        app.claims_db().begin_afresh().await?
    };
    let mut ripe = Ripe::None;
    if rounds.ripened.is_none_or(|last| now.since(last) >= RIPEN_EVERY) {
        ripe = ripen(&mut tx, now).await?;
        rounds.ripened = (ripe != Ripe::Batch).then_some(now);
    }
    let (turns, next) = claim_in_turn(app, &mut tx, shares, rounds, now).await?;
    if ripe == Ripe::None && turns.is_empty() && !matches!(next, Next::Claim) {
        return Ok(Taken { begun: Vec::new(), next });
    }
    let publications = turns.iter().filter_map(|(claim, _)| match claim.job {
        Job::Publish(id) => Some((*claim, id)),
        _ => None,
    });
    let mut publications = beginning::begin(app, &mut tx, &publications.collect::<Vec<_>>(), now).await?;
    let mut begun = Vec::with_capacity(turns.len());
    for (claim, slot) in turns {
        let work = match claim.job {
            Job::Publish(id) => publications.remove(&id).map(Box::new).map(Work::Publish),
            Job::Reconcile(id) => Some(Work::Reconcile(id)),
            Job::Advance(id) => Some(Work::Advance(id)),
            Job::Import(id) => Some(Work::Import(id)),
            Job::MakeVideo(id) => {
                videos::making::begin(&mut tx, &claim, id, now).await?.map(Box::new).map(Work::MakeVideo)
            }
            Job::TellRevoked(connection) => Some(Work::TellRevoked(connection)),
            Job::TellPaused(endpoint) => Some(Work::TellPaused(endpoint)),
            Job::VerifyEmail(link) => Some(Work::VerifyEmail(link)),
            Job::AbandonGeneration(id) => {
                generations::abandon(&mut tx, &claim, id, now).await?;
                None
            }
        };
        begun.extend(work.map(|work| (claim, work, slot)));
    }
    tx.commit().await?;
    Ok(Taken { begun, next })
}

/// Goes through the queues once, and claims what is in turn.
async fn claim_in_turn(
    app: &App,
    tx: &mut Tx,
    shares: &Arc<Shares>,
    rounds: &mut Rounds,
    now: Timestamp,
) -> anyhow::Result<(Vec<(Claim, Slot)>, Next)> {
    let mut queues = queues(tx).await?;
    let mut next = if queues.is_empty() { Next::Sleep } else { Next::WaitForAnEnd };
    let (mut claims, each) = (Vec::new(), BATCH.div_ceil(queues.len().max(1)));
    rounds.count = rounds.count.wrapping_add(1);
    let first = rounds.count % queues.len().max(1);
    queues.rotate_left(first);
    for queue in queues {
        let most = shares.left_of(&queue).min(each);
        if most == 0 {
            continue;
        }
        let behind = rounds.behind.remove(&queue).unwrap_or_default();
        let wanted = Wanted { queue: &queue, behind, left_out: shares.beyond(), most };
        let turns = claim(tx, &wanted, now, app.config().job_lease()).await?;
        if !turns.is_empty() || !behind.is_nil() {
            next = Next::Claim;
        }
        if let Some(last) = turns.iter().map(|turn| turn.line).max().filter(|_| turns.len() == most) {
            rounds.behind.insert(queue.clone(), last);
        }
        let known = turns.into_iter().filter_map(|turn| Some((turn.claim?, shares.take(&queue, turn.workspace))));
        claims.extend(known);
    }
    Ok((claims, next))
}

async fn carry_out(app: &App, claim: &Claim, work: Work) {
    let work = async {
        match work {
            Work::Publish(begun) => execution::carry_out(app, claim, *begun).await,
            Work::Reconcile(id) => Box::pin(reconciling::look(app, claim, id)).await,
            Work::Advance(id) => Box::pin(schedules::carry_on(app, claim, id)).await,
            Work::Import(id) => Box::pin(imports::carry_on(app, claim, id)).await,
            Work::MakeVideo(video) => Box::pin(videos::making::carry_out(app, claim, *video)).await,
            Work::TellRevoked(connection) => mail(app, claim, Box::pin(revoked::tell(app, connection))).await,
            Work::TellPaused(endpoint) => mail(app, claim, Box::pin(paused::tell(app, endpoint))).await,
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
            let mut tx = app.jobs_db().begin_single().await?;
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
    let mut tx = app.jobs_db().begin().await?;
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
    let next = match app.claims_db().read().await {
        Ok(mut tx) => next_ripe(&mut tx).await.ok().flatten(),
        Err(_) => None,
    };
    let wait = next.map_or(LONGEST_SLEEP, |due| due.since(app.now()).min(LONGEST_SLEEP));
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = app.new_work() => {}
        () = app.stopping().cancelled() => {}
    }
}
