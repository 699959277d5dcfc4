//! Videos: what a model makes for credits, over minutes.
//!
//! ```text
//! due ──► running ──► pending ──► running …      the vendor is at it, or something failed in passing
//!                ├──► completed                  the video is stored, the price charged
//!                ├──► failed                     it was not made, or is withheld: nothing is charged
//!                └──► uncertain                  nobody knows whether the vendor began it: nothing is charged
//! due, pending ──► cancelled                     before the vendor had begun
//! ```
//!
//! What begins the vendor's work leaves once. Where its answer was lost, and the vendor has neither a key by which to ask again nor a
//! list to look in, the video may be made and billed to the account's owner, and nobody can fetch it. So it ends as `uncertain`, its
//! credits are free again, and no second one is begun: a person may, by another wish, knowing that.
//!
//! This file owns the rows; `asking` takes wishes in, `making` calls the connector, `ending` writes what came of it.

pub(crate) mod asking;
pub(crate) mod ending;
pub(crate) mod making;

pub use asking::{NewVideo, ask};
pub use ending::cancel;

use crate::clock::Timestamp;
use crate::connectors::blob::{self, Blob};
use crate::connectors::fault::Fault;
pub use crate::connectors::filming::VideoWish;
use crate::connectors::meter::Meter;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::generations::Receipt;
use crate::id::{BlobId, ConnectionId, HoldId, VideoId, WorkspaceId};
use crate::jobs::Place;
use crate::on;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The metered operation.
pub const OPERATION: &str = "video_generation";

/// Where a video stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = VideoState)]
pub enum State {
    /// It is taken in, and nothing has been asked of the vendor.
    Due,
    /// The vendor is being asked.
    Running,
    /// The vendor is at it, or something failed in passing: it goes on after a while.
    Pending,
    /// It is stored, and charged.
    Completed,
    /// It was not made, and is not charged.
    Failed,
    /// Nobody knows whether the vendor began it. It is not charged, and not begun again.
    Uncertain,
    /// A person took it back before the vendor had begun.
    Cancelled,
}

impl State {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Running => "running",
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Uncertain => "uncertain",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing follows.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Due | Self::Running | Self::Pending => false,
            Self::Completed | Self::Failed | Self::Uncertain | Self::Cancelled => true,
        }
    }
}

/// A video as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Video {
    /// Its id.
    pub id: VideoId,
    /// Whose it is.
    pub workspace_id: WorkspaceId,
    /// The account in whose name it is made.
    pub connection_id: ConnectionId,
    /// The connector that has it made.
    pub connector: String,
    /// What it is made for, where the account has several.
    pub target: Option<String>,
    wish: String,
    settings: String,
    /// What it begins with.
    pub image_id: Option<BlobId>,
    state: String,
    /// How much is done, as the vendor last said.
    pub percent: Option<i64>,
    /// What the vendor last said of it.
    pub words: Option<String>,
    /// When the vendor was seen to have begun it.
    pub begun_at: Option<Timestamp>,
    /// The video.
    pub blob_id: Option<BlobId>,
    /// The vendor's name of the model that made it.
    pub model: Option<String>,
    fault: Option<String>,
    meter: Option<String>,
    receipt: Option<String>,
    hold_id: Option<HoldId>,
    /// Credits reserved, or charged once it is completed.
    pub price: i64,
    /// Calls of the connector so far.
    pub attempts: i64,
    setbacks: i64,
    request_digest: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it moved last.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl Video {
    /// Where it stands.
    ///
    /// # Errors
    /// The database holds a word that this program does not know.
    pub fn state(&self) -> anyhow::Result<State> {
        Ok(serde_json::from_value(self.state.clone().into())?)
    }

    /// What is to be seen.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn wish(&self) -> anyhow::Result<VideoWish> {
        Ok(serde_json::from_str(&self.wish)?)
    }

    fn settings(&self) -> anyhow::Result<BTreeMap<String, String>> {
        Ok(serde_json::from_str(&self.settings)?)
    }

    /// Why it failed, or waits.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn fault(&self) -> anyhow::Result<Option<Fault>> {
        Ok(self.fault.as_deref().map(serde_json::from_str).transpose()?)
    }

    /// What it used and cost.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn receipt(&self) -> anyhow::Result<Option<Receipt>> {
        Ok(self.receipt.as_deref().map(serde_json::from_str).transpose()?)
    }

    /// What is reserved for it, or was.
    pub(crate) fn hold_id(&self) -> Option<HoldId> {
        self.hold_id
    }

    /// What its calls have used so far.
    pub(crate) fn meter(&self) -> anyhow::Result<Meter> {
        Ok(self.meter.as_deref().map(serde_json::from_str).transpose()?.unwrap_or_default())
    }

    /// Where its job waits: behind nothing, since videos have nothing to do with each other.
    fn place(&self) -> Place {
        Place { queue: self.connector.clone(), workspace: Some(self.workspace_id), line: self.id.0 }
    }
}

/// All columns of [`Video`], of the one table that a statement is about.
macro_rules! columns {
    () => {
        "id, workspace_id, connection_id, connector, target, wish, settings, image_id, state, percent, words, begun_at, \
        blob_id, model, fault, meter, receipt, hold_id, price, attempts, setbacks, request_digest, created_at, updated_at, \
        finished_at"
    };
}
use columns;

const FIND: &str = concat!("select ", columns!(), " from videos where workspace_id = $1 and id = $2");
const LIST: &str =
    concat!("select ", columns!(), " from videos where workspace_id = $1 and id < $2 order by id desc limit $3");

/// A workspace's video.
///
/// # Errors
/// It has no such video, or the database failed.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, id: VideoId) -> Result<Video> {
    let found: Option<Video> =
        on!(tx, conn => sqlx::query_as(FIND).bind(workspace).bind(id).fetch_optional(conn).await)?;
    found.ok_or(Error::NotFound("video"))
}

/// A workspace's videos before one, newest first.
///
/// # Errors
/// The database failed.
pub async fn list(tx: &mut Tx, workspace: WorkspaceId, before: Option<VideoId>, limit: i64) -> Result<Vec<Video>> {
    let before = before.unwrap_or(VideoId(uuid::Uuid::max()));
    Ok(on!(tx, conn => sqlx::query_as(LIST).bind(workspace).bind(before).bind(limit).fetch_all(conn).await)?)
}

/// The bytes of a video that is made.
///
/// # Errors
/// The workspace has no such video, it is not made, or the database failed.
pub async fn file(tx: &mut Tx, workspace: WorkspaceId, id: VideoId) -> Result<Blob> {
    let video = find(tx, workspace, id).await?;
    let blob = match video.blob_id {
        Some(blob) => blob::find(tx, workspace, blob).await?,
        None => None,
    };
    blob.ok_or(Error::NotFound("file of this video"))
}

/// The stored bytes of videos, as they are listed.
///
/// # Errors
/// The database failed.
pub async fn blob_of(tx: &mut Tx, video: &Video) -> Result<Option<Blob>> {
    match video.blob_id {
        Some(blob) => Ok(blob::find(tx, video.workspace_id, blob).await?),
        None => Ok(None),
    }
}

const UNFINISHED: &str = "select count(*) from videos where connector = $1 and state in ('due', 'running', 'pending')";

const LIVE: &str = "select count(*) from videos
    where workspace_id = $1 and hold_id = $2 and state in ('due', 'running', 'pending')";

/// Whether a hold is a video's that has not ended.
///
/// # Errors
/// The database failed.
pub(crate) async fn is_live(tx: &mut Tx, workspace: WorkspaceId, hold: HoldId) -> Result<bool> {
    let live: i64 = on!(tx, conn => sqlx::query_scalar(LIVE).bind(workspace).bind(hold).fetch_one(conn).await)?;
    Ok(live > 0)
}

/// How many videos of a connector have not ended.
///
/// # Errors
/// The database failed.
pub(crate) async fn unfinished(tx: &mut Tx, connector: &str) -> sqlx::Result<i64> {
    on!(tx, conn => sqlx::query_scalar(UNFINISHED).bind(connector).fetch_one(conn).await)
}
