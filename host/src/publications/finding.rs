//! Looking publications up: the tenant first, and of one kind.

use super::Publication;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{HoldId, PostId, PublicationId, WorkspaceId};
use crate::on;

const FIND: &str = columns!("where workspace_id = $1 and id = $2 and (reply_to is not null) = $3");
const LIST: &str =
    columns!("where workspace_id = $1 and id < $2 and (reply_to is not null) = $4 order by id desc limit $3");

/// What a publication is to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A post of the account's own.
    Post,
    /// A reply to a comment.
    Reply,
}

impl Kind {
    fn is_reply(self) -> bool {
        self == Self::Reply
    }

    /// What it is called where there is none.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Post => "publication",
            Self::Reply => "reply",
        }
    }
}

/// A workspace's publication of one kind.
///
/// # Errors
/// It has no such publication, or the database failed.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, kind: Kind, id: PublicationId) -> Result<Publication> {
    let found: Option<Publication> = on!(tx, conn => sqlx::query_as(FIND)
        .bind(workspace).bind(id).bind(kind.is_reply()).fetch_optional(conn).await)?;
    found.ok_or(Error::NotFound(kind.name()))
}

/// A workspace's publications of one kind before one, newest first.
///
/// # Errors
/// The database failed.
pub async fn list(
    tx: &mut Tx,
    workspace: WorkspaceId,
    kind: Kind,
    before: Option<PublicationId>,
    limit: i64,
) -> Result<Vec<Publication>> {
    let before = before.unwrap_or(PublicationId(uuid::Uuid::max()));
    Ok(on!(tx, conn => sqlx::query_as(LIST).bind(workspace).bind(before).bind(limit).bind(kind.is_reply())
        .fetch_all(conn).await)?)
}

/// Those of a stretch of posts, by the ids of its ends. A completion belongs to the post of what it completes.
const OF_POSTS: &str = columns!("where workspace_id = $1 and post_id >= $2 and post_id <= $3 order by id");

/// A workspace's publications of the posts from one to another, oldest first.
///
/// # Errors
/// The database failed.
pub(crate) async fn of_posts(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (first, last): (PostId, PostId),
) -> sqlx::Result<Vec<Publication>> {
    on!(tx, conn => sqlx::query_as(OF_POSTS).bind(workspace).bind(first).bind(last).fetch_all(conn).await)
}

const UNFINISHED: &str =
    "select count(*) from publications where connector = $1 and state not in ('published', 'failed', 'cancelled')";

const LIVE: &str = "select count(*) from publications
    where workspace_id = $1 and hold_id = $2 and state not in ('published', 'failed', 'cancelled')";

/// Whether a hold is a publication's that has not ended.
///
/// # Errors
/// The database failed.
pub(crate) async fn is_live(tx: &mut Tx, workspace: WorkspaceId, hold: HoldId) -> Result<bool> {
    let live: i64 = on!(tx, conn => sqlx::query_scalar(LIVE).bind(workspace).bind(hold).fetch_one(conn).await)?;
    Ok(live > 0)
}

/// How many publications of a connector have not ended.
///
/// # Errors
/// The database failed.
pub(crate) async fn unfinished(tx: &mut Tx, connector: &str) -> sqlx::Result<i64> {
    on!(tx, conn => sqlx::query_scalar(UNFINISHED).bind(connector).fetch_one(conn).await)
}
