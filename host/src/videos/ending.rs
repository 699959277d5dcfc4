//! How an attempt ends: the move, the credits, the receipt and what is told of it, in one transaction.

use super::making::{Attempted, may_be_taken_back};
use super::{OPERATION, State, Video, columns, find};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::blob;
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::filming::{Made, Working, has_begun};
use crate::connectors::journal;
use crate::connectors::meter::Meter;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::events::{self, Change, EventType};
use crate::generations::Receipt;
use crate::id::{BlobId, ConnectionId, VideoId, WorkspaceId};
use crate::jobs::{self, Claim, Job};
use crate::{ledger, on};
use serde::Serialize;
use std::time::Duration;

/// How an attempt ends.
#[derive(Debug)]
pub(super) enum End {
    Completed(Box<Made>),
    /// To be looked at again after a while: the vendor is at it.
    Waiting(Working),
    /// To be tried again after a while: something failed in passing, so many times in a row.
    Again(Duration, Fault, i64),
    Uncertain(Fault),
    Failed(Fault),
}

/// What becomes of the row.
struct Moved {
    state: State,
    percent: Option<i64>,
    words: Option<String>,
    blob: Option<BlobId>,
    model: Option<String>,
    fault: Option<Fault>,
    setbacks: i64,
    /// Why it was charged or not, where it has ended.
    note: Option<&'static str>,
}

const MADE: &str = "Charged at its price.";
const NOT_MADE: &str = "Not charged: it was not made.";
const UNKNOWN: &str = "Not charged: nobody knows whether the vendor began it. It may bill the account's owner.";
const TAKEN_BACK: &str = "Not charged: it was cancelled before the vendor had begun.";

/// Writes how an attempt ended.
///
/// # Errors
/// The claim was lost, or the database failed: nothing was written.
pub(super) async fn write(app: &App, claim: &Claim, video: &Video, attempted: Attempted) -> anyhow::Result<()> {
    let Attempted { end, meter, has_begun, version } = attempted;
    let now = app.now();
    let mut tx = app.db().begin().await?;
    let wait = match &end {
        End::Waiting(working) => Some(working.wait),
        End::Again(wait, ..) => Some(*wait),
        End::Completed(_) | End::Uncertain(_) | End::Failed(_) => None,
    };
    match wait {
        Some(wait) => jobs::reschedule(&mut tx, claim, now.after(wait)).await?,
        None => jobs::complete(&mut tx, claim).await?,
    }
    if let End::Completed(made) = &end {
        blob::keep(&mut tx, &made.blob).await?;
    }
    let meter = video.meter()?.plus(&meter);
    let moved = moved(video, end);
    let charged = if moved.state == State::Completed { video.price } else { 0 };
    let receipt = moved.note.map(|note| Receipt {
        version,
        model: moved.model.clone(),
        credits_charged: charged,
        ..uncharged(video, note, meter.clone())
    });
    if receipt.is_some() {
        resolve(&mut tx, video, charged, now).await?;
    }
    let begun_at = video.begun_at.or(has_begun.then_some(now));
    let row = Row { moved: &moved, meter: serde_json::to_string(&meter)?, begun_at, receipt: receipt.as_ref() };
    move_to(&mut tx, video.id, row, now).await?;
    if moved.state.is_terminal() {
        tell(&mut tx, video, &moved, receipt.as_ref(), now).await?;
        tracing::info!(video = %video.id, state = moved.state.word(), "video {} is {}", video.id, moved.state.word());
    }
    Ok(tx.commit().await?)
}

/// The receipt of a video that costs nothing.
fn uncharged(video: &Video, note: &str, meter: Meter) -> Receipt {
    Receipt {
        operation: OPERATION.to_owned(),
        connector: video.connector.clone(),
        version: String::new(),
        model: None,
        credits_held: video.price,
        credits_charged: 0,
        usage: None,
        note: note.to_owned(),
        meter,
    }
}

fn moved(video: &Video, end: End) -> Moved {
    // What the vendor said last stays, unless it says something else.
    let as_before = Moved {
        state: State::Pending,
        percent: video.percent,
        words: video.words.clone(),
        blob: None,
        model: None,
        fault: None,
        setbacks: 0,
        note: None,
    };
    match end {
        End::Completed(made) => Moved {
            state: State::Completed,
            percent: Some(100),
            blob: Some(made.blob.id),
            model: Some(made.model),
            note: Some(MADE),
            ..as_before
        },
        End::Waiting(working) => {
            Moved { percent: working.percent.or(video.percent), words: working.words.or(as_before.words), ..as_before }
        }
        End::Again(_, fault, setbacks) => Moved { fault: Some(fault), setbacks, ..as_before },
        End::Uncertain(fault) => {
            Moved { state: State::Uncertain, fault: Some(fault), note: Some(UNKNOWN), ..as_before }
        }
        End::Failed(fault) => Moved { state: State::Failed, fault: Some(fault), note: Some(NOT_MADE), ..as_before },
    }
}

/// Charges what was held, or gives it back.
async fn resolve(tx: &mut Tx, video: &Video, charged: i64, now: Timestamp) -> Result<()> {
    let Some(hold) = video.hold_id else { return Ok(()) };
    match charged {
        0 => ledger::release(tx, video.workspace_id, hold, now).await?,
        charged => ledger::settle(tx, video.workspace_id, hold, charged, now).await?,
    };
    Ok(())
}

struct Row<'a> {
    moved: &'a Moved,
    meter: String,
    begun_at: Option<Timestamp>,
    receipt: Option<&'a Receipt>,
}

const MOVE: &str = "update videos set state = $1, percent = $2, words = $3, blob_id = $4, model = $5, fault = $6,
    setbacks = $7, meter = $8, receipt = $9, begun_at = $10, updated_at = $11, finished_at = $12
    where id = $13 and state = 'running'";

async fn move_to(tx: &mut Tx, id: VideoId, row: Row<'_>, now: Timestamp) -> anyhow::Result<()> {
    let Row { moved, meter, begun_at, receipt } = row;
    let fault = moved.fault.as_ref().map(serde_json::to_string).transpose()?;
    let receipt = receipt.map(serde_json::to_string).transpose()?;
    let finished = moved.state.is_terminal().then_some(now);
    let done = on!(tx, conn => sqlx::query(MOVE)
        .bind(moved.state.word()).bind(moved.percent).bind(&moved.words).bind(moved.blob).bind(&moved.model).bind(fault)
        .bind(moved.setbacks).bind(meter).bind(receipt).bind(begun_at).bind(now).bind(finished).bind(id)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    anyhow::ensure!(done == 1, "video {id} is not running any more");
    Ok(())
}

/// A video that has ended, without its wish: whoever is told may ask for that.
#[derive(Serialize)]
struct Told<'a> {
    id: VideoId,
    state: State,
    connector: &'a str,
    connection_id: ConnectionId,
    attempts: i64,
    blob_id: Option<BlobId>,
    receipt: Option<&'a Receipt>,
    fault: Option<&'a Fault>,
}

async fn tell(
    tx: &mut Tx,
    video: &Video,
    moved: &Moved,
    receipt: Option<&Receipt>,
    now: Timestamp,
) -> sqlx::Result<()> {
    let kind = match moved.state {
        State::Completed => EventType::VideoFinished,
        State::Failed | State::Uncertain => EventType::VideoFailed,
        State::Due | State::Running | State::Pending | State::Cancelled => return Ok(()),
    };
    let told = Told {
        id: video.id,
        state: moved.state,
        connector: &video.connector,
        connection_id: video.connection_id,
        attempts: video.attempts,
        blob_id: moved.blob,
        receipt,
        fault: moved.fault.as_ref(),
    };
    events::tell(tx, Change { workspace: video.workspace_id, kind, subject: video.id.0 }, &told, now).await
}

const TAKE_BACK: &str = concat!(
    "update videos set state = 'cancelled', receipt = $1, updated_at = $2, finished_at = $2
    where workspace_id = $3 and id = $4 and state in ('due', 'pending') returning ",
    columns!()
);

/// Takes a video back that the vendor has not begun; its credits are free again. One that was cancelled stays so.
///
/// # Errors
/// There is no such video, the vendor is at it or is just being asked, or it has ended.
pub async fn cancel(app: &App, workspace: WorkspaceId, id: VideoId) -> Result<Video> {
    let now = app.now();
    let mut tx = app.db().begin().await?;
    find(&mut tx, workspace, id).await?;
    // The job first, as who claims it does: else each could wait for the other.
    let withdrawn = jobs::withdraw_waiting(&mut tx, Job::MakeVideo(id)).await?;
    let video = find(&mut tx, workspace, id).await?;
    let state = video.state()?;
    if state == State::Cancelled {
        return Ok(video);
    }
    if state.is_terminal() {
        let detail = format!("It is {}, so there is nothing to take back.", state.word());
        return Err(Error::Conflict { code: "not_cancellable", detail });
    }
    if !withdrawn || !may_be_taken_back(&mut tx, &video).await? {
        // The transaction is dropped, and the job stays.
        let detail = "The vendor is at it, or is just being asked, so it cannot be taken back.".to_owned();
        return Err(Error::Conflict { code: "under_way", detail });
    }
    let receipt = uncharged(&video, TAKEN_BACK, video.meter()?);
    let receipt = serde_json::to_string(&receipt).map_err(anyhow::Error::from)?;
    let cancelled: Video = on!(&mut tx, conn => sqlx::query_as(TAKE_BACK)
        .bind(receipt).bind(now).bind(workspace).bind(id).fetch_one(conn).await)?;
    resolve(&mut tx, &cancelled, 0, now).await?;
    tx.commit().await?;
    Ok(cancelled)
}

const OPEN: &str =
    concat!("select ", columns!(), " from videos where state in ('due', 'running', 'pending') order by id");
const DOUBT: &str =
    "update videos set state = 'uncertain', fault = $1, receipt = $2, updated_at = $3, finished_at = $3 where id = $4";

/// Ends the videos that came with a backup and that its installation may have begun since. Those that were begun before are looked
/// at, as they would have been.
///
/// # Errors
/// The database failed.
pub(crate) async fn doubt_all(tx: &mut Tx, now: Timestamp) -> anyhow::Result<()> {
    let open: Vec<Video> = on!(&mut *tx, conn => sqlx::query_as(OPEN).fetch_all(conn).await)?;
    for video in open {
        if has_begun(&journal::effects(tx, video.id.into()).await?) {
            continue;
        }
        let words =
            "restored from a backup: the vendor may have begun it since that was made, so it is not begun again";
        let moved = moved(&video, End::Uncertain(Fault::new(FaultKind::Uncertain, words)));
        let receipt = uncharged(&video, UNKNOWN, video.meter()?);
        let (fault, written) = (serde_json::to_string(&moved.fault)?, serde_json::to_string(&receipt)?);
        on!(&mut *tx, conn => sqlx::query(DOUBT).bind(fault).bind(written).bind(now).bind(video.id)
            .execute(conn).await.map(drop))?;
        tell(tx, &video, &moved, Some(&receipt), now).await?;
        jobs::withdraw(tx, Job::MakeVideo(video.id)).await?;
        resolve(tx, &video, 0, now).await?;
    }
    Ok(())
}
