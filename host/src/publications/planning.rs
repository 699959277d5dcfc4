//! What changes about a publication that has not gone out: its time, or whether it goes out at all. And trying once more what
//! failed, which is a publication of its own.

use super::timeline::{self, Move};
use super::{Kind, NewPublication, OnDuplicate, Publication, State, When, creating, doubting, execution, find};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::{connections, journal};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{PublicationId, UserId, WorkspaceId};
use crate::jobs::{self, Job};
use crate::schedules::occurrences;
use crate::{on, queue};
use std::time::Duration;

/// How far ahead a publication may be planned.
const LONGEST_AHEAD: Duration = Duration::from_secs(3 * 366 * 24 * 60 * 60);

/// Holds a time against what can be planned.
pub(crate) fn check_time(at: Timestamp, now: Timestamp) -> Result<()> {
    if at <= now {
        return Err(Error::invalid("publish_at", "This time is past. Leave it out to publish at once."));
    }
    if at > now.after(LONGEST_AHEAD) {
        return Err(Error::invalid("publish_at", "A post can be planned for the next three years."));
    }
    Ok(())
}

const MOVE: &str = returning!(
    "update publications set publish_at = $1, updated_at = $2, not_after = null
    where workspace_id = $3 and id = $4 and state = 'scheduled' and reply_to is null"
);

/// Gives a planned publication another time.
///
/// # Errors
/// There is no such publication, its time has come already, or the new time is past or too far ahead; or its connection's queue
/// has no free slot.
pub async fn reschedule(app: &App, workspace: WorkspaceId, id: PublicationId, when: When) -> Result<Publication> {
    let now = app.now();
    if let When::At(at) = when {
        check_time(at, now)?;
    }
    let mut tx = app.db().begin().await?;
    let before = find(&mut tx, workspace, Kind::Post, id).await?;
    queue::free(&mut tx, id).await?;
    let at = match when {
        When::At(at) => at,
        When::NextFreeSlot => {
            let connection = connections::find(&mut tx, workspace, before.connection_id).await?;
            queue::take_place(&mut tx, &connection, id, now).await?
        }
    };
    let moved: Option<Publication> = on!(&mut tx, conn => sqlx::query_as(MOVE)
        .bind(at).bind(now).bind(workspace).bind(id).fetch_optional(conn).await)?;
    let Some(publication) = moved else {
        let state = find(&mut tx, workspace, Kind::Post, id).await?.state()?;
        let detail = format!("It is {} and no longer scheduled, so it has no time to change.", state.word());
        return Err(Error::Conflict { code: "not_scheduled", detail });
    };
    timeline::add(&mut tx, &publication, Move::to(State::Scheduled, "another time was set"), now).await?;
    jobs::enqueue_at(&mut tx, Job::Publish(id), &publication.place(), at, now).await?;
    tx.commit().await?;
    app.wake_worker();
    Ok(publication)
}

const CANCEL: &str = returning!(
    "update publications set state = 'cancelled', updated_at = $1, finished_at = $1
    where workspace_id = $2 and id = $3 and state in ('scheduled', 'due', 'pending') and reply_to is null"
);

/// Takes a publication back that has not gone out; its credits are free again. One that was cancelled stays so.
///
/// # Errors
/// There is no such publication, a worker is at it, it has ended, or a part of it is live or may be.
pub async fn cancel(app: &App, workspace: WorkspaceId, id: PublicationId) -> Result<Publication> {
    let now = app.now();
    let mut tx = app.db().begin().await?;
    find(&mut tx, workspace, Kind::Post, id).await?;
    // The job first, as who claims it does: else each could wait for the other.
    let cancelled: Option<Publication> = if jobs::withdraw_waiting(&mut tx, Job::Publish(id)).await? {
        on!(&mut tx, conn => sqlx::query_as(CANCEL)
            .bind(now).bind(workspace).bind(id).fetch_optional(conn).await)?
    } else {
        None
    };
    let Some(publication) = cancelled else {
        let publication = find(&mut tx, workspace, Kind::Post, id).await?;
        return match publication.state()? {
            State::Cancelled => Ok(publication),
            State::Running | State::Scheduled | State::Due | State::Pending => Err(Error::Conflict {
                code: "under_way",
                detail: "It is being published at this moment. Look again in a moment.".to_owned(),
            }),
            state => Err(Error::Conflict {
                code: "not_cancellable",
                detail: format!("It is {}, so there is nothing to take back.", state.word()),
            }),
        };
    };
    if stands(&mut tx, id).await? {
        return Err(parts_are_live());
    }
    execution::release(&mut tx, &publication, now).await?;
    queue::free(&mut tx, id).await?;
    timeline::add(&mut tx, &publication, Move::to(State::Cancelled, "cancelled"), now).await?;
    tx.commit().await?;
    Ok(publication)
}

const TAKE_BACK: &str = returning!(
    "update publications set state = 'cancelled', updated_at = $1, finished_at = $1 where id = $2 and state = 'scheduled'"
);
const IS_SCHEDULED: &str = "select count(*) from publications where id = $1 and state = 'scheduled'";

/// Takes a publication back whose time has not come, for a reason of ours. False where it has begun or ended.
pub(crate) async fn take_back(tx: &mut Tx, id: PublicationId, reason: &str, now: Timestamp) -> Result<bool> {
    let scheduled: i64 = on!(&mut *tx, conn => sqlx::query_scalar(IS_SCHEDULED).bind(id).fetch_one(conn).await)?;
    if scheduled == 0 || !jobs::withdraw_waiting(tx, Job::Publish(id)).await? {
        return Ok(false);
    }
    let taken_back: Option<Publication> =
        on!(&mut *tx, conn => sqlx::query_as(TAKE_BACK).bind(now).bind(id).fetch_optional(conn).await)?;
    // Who moves it has its job in hand, and we had that.
    let publication = taken_back.ok_or_else(|| anyhow::anyhow!("publication {id} moved without its job"))?;
    execution::release(tx, &publication, now).await?;
    queue::free(tx, id).await?;
    timeline::add(tx, &publication, Move::to(State::Cancelled, &format!("cancelled: {reason}")), now).await?;
    Ok(true)
}

const MISS: &str = returning!(
    "update publications set state = 'cancelled', fault = $1, updated_at = $2, finished_at = $2
    where id = $3 and state = 'scheduled' and not_after < $2"
);

/// Gives up a publication that may not be as late as it is. Nothing where that is not so.
pub(super) async fn miss(tx: &mut Tx, id: PublicationId, now: Timestamp) -> anyhow::Result<()> {
    let reason = "Nothing was running at its time, and it may not go out this late.";
    let fault = serde_json::to_string(&Fault::new(FaultKind::Cancelled, reason))?;
    let missed: Option<Publication> =
        on!(&mut *tx, conn => sqlx::query_as(MISS).bind(fault).bind(now).bind(id).fetch_optional(conn).await)?;
    let Some(publication) = missed else { return Ok(()) };
    execution::release(tx, &publication, now).await?;
    occurrences::missed(tx, id, reason, now).await?;
    timeline::add(tx, &publication, Move::to(State::Cancelled, reason), now).await?;
    Ok(())
}

/// Publishes anew what failed or was cancelled, at once or at a time. The same wish twice is one publication.
///
/// # Errors
/// There is no such publication, it has not failed, a part of it is live or may be; or as [`creating::create`].
pub async fn retry(
    app: &App,
    workspace: WorkspaceId,
    author: UserId,
    (id, publish_at): (PublicationId, Option<Timestamp>),
    idempotency_key: Option<String>,
) -> Result<Publication> {
    let mut tx = app.db().read().await?;
    let publication = find(&mut tx, workspace, Kind::Post, id).await?;
    let state = publication.state()?;
    if !matches!(state, State::Failed | State::Cancelled) {
        let detail = format!("It is {}: only what failed or was cancelled can be tried again.", state.word());
        return Err(Error::Conflict { code: "not_failed", detail });
    }
    let is_unsure = publication.fault()?.is_some_and(|fault| fault.kind == FaultKind::Uncertain);
    let may_be_live = doubting::since(app, &publication).is_some();
    if is_unsure || may_be_live || stands(&mut tx, id).await? {
        return Err(parts_are_live());
    }
    drop(tx);
    let new = NewPublication {
        platform: publication.platform.clone(),
        connection: Some(publication.connection_id),
        target: publication.target.clone(),
        parts: publication.parts()?,
        more: publication.more()?,
        publish_at: publish_at.map(When::At),
        on_duplicate: OnDuplicate::Warn,
        // A second click asks for the same.
        idempotency_key: Some(idempotency_key.unwrap_or_else(|| format!("retry of {id}"))),
    };
    Box::pin(creating::create_in(app, workspace, author, new, publication.post_id)).await
}

/// Whether a part of it is at the vendor, or may be.
async fn stands(tx: &mut Tx, id: PublicationId) -> Result<bool> {
    let effects = journal::effects(tx, id.into()).await?;
    Ok(effects.iter().any(|effect| effect.is_commit() && (effect.is_done() || effect.is_lost())))
}

fn parts_are_live() -> Error {
    Error::Conflict {
        code: "partly_published",
        detail: "A part of it is live, or may be. Look at the network, and post what is missing anew; what is published in part \
                 can be completed."
            .to_owned(),
    }
}
