//! Drafts: posts that are being written, with what they were before.
//!
//! Each save makes a version, and names the version that it changes: who would overwrite what somebody else has saved meanwhile
//! is told so and shown it. A save is never refused for a rule of a network; what is wrong is told along with it. A version goes
//! out once.
//!
//! This file owns the rows of `drafts`; [`versions`] those of what they were.

mod problems;
pub mod versions;

pub use problems::problems;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{DraftId, PostId, UserId, WorkspaceId};
use crate::on;
use crate::posts::content::PostContent;
use crate::posts::{self, Origin};

/// Longest content, as JSON.
const MAX_CONTENT_BYTES: usize = 400_000;
const MAX_NAME_CHARS: usize = 200;
/// Most drafts of a workspace.
const MAX_DRAFTS: i64 = 10_000;

/// A draft as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Draft {
    /// Its id.
    pub id: DraftId,
    /// Goes up with each save.
    pub version: i64,
    /// For a person.
    pub name: Option<String>,
    content: String,
    /// The post that it became last; `None` while it is unused.
    pub post_id: Option<PostId>,
    /// Which version that was.
    pub used_version: Option<i64>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was saved last.
    pub updated_at: Timestamp,
}

impl Draft {
    /// What it says.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn content(&self) -> anyhow::Result<PostContent> {
        Ok(serde_json::from_str(&self.content)?)
    }
}

/// What to save.
#[derive(Debug, Clone, Default)]
pub struct Writing {
    /// For a person.
    pub name: Option<String>,
    /// What it says, as far as it goes.
    pub content: PostContent,
    /// The version that was taken up again, where it is one.
    pub restores: Option<i64>,
}

/// What became of a change that names a version.
#[derive(Debug)]
pub enum Change<T> {
    /// It was made.
    Made(T),
    /// The draft is another by now; this is how it stands.
    Stale(Draft),
}

macro_rules! all_columns {
    () => {
        "id, version, name, content, post_id, used_version, created_at, updated_at"
    };
}
macro_rules! columns {
    ($tail:literal) => {
        concat!("select ", all_columns!(), " from drafts ", $tail)
    };
}

const FIND: &str = columns!("where workspace_id = $1 and id = $2");
const LIST: &str = columns!("where workspace_id = $1 and id < $2 order by id desc limit $3");
const COUNT: &str = "select count(*) from drafts where workspace_id = $1";
const INSERT: &str = concat!(
    "insert into drafts (id, workspace_id, author_id, version, name, content, created_at, updated_at)
    values ($1, $2, $3, 1, $4, $5, $6, $6) returning ",
    all_columns!()
);
const SAVE: &str = concat!(
    "update drafts set version = version + 1, name = $1, content = $2, updated_at = $3
    where workspace_id = $4 and id = $5 and version = $6 returning ",
    all_columns!()
);
const USED: &str = "update drafts set post_id = $1, used_version = $2
    where workspace_id = $3 and id = $4 and version = $2";
const DELETE: &str = "delete from drafts where workspace_id = $1 and id = $2";

/// A workspace's draft.
///
/// # Errors
/// It has no such draft, or the database failed.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, id: DraftId) -> Result<Draft> {
    let found: Option<Draft> =
        on!(tx, conn => sqlx::query_as(FIND).bind(workspace).bind(id).fetch_optional(conn).await)?;
    found.ok_or(Error::NotFound("draft"))
}

/// A workspace's drafts before one, newest first.
///
/// # Errors
/// The database failed.
pub async fn list(tx: &mut Tx, workspace: WorkspaceId, before: Option<DraftId>, limit: i64) -> Result<Vec<Draft>> {
    let before = before.unwrap_or(DraftId(uuid::Uuid::max()));
    Ok(on!(tx, conn => sqlx::query_as(LIST).bind(workspace).bind(before).bind(limit).fetch_all(conn).await)?)
}

/// What a draft says, ready to be stored.
fn written(writing: &Writing) -> Result<String> {
    let is_name = |name: &String| name.chars().count() <= MAX_NAME_CHARS && !name.contains('\0');
    if !writing.name.as_ref().is_none_or(is_name) {
        let detail = format!("A name has at most {MAX_NAME_CHARS} characters, none of them zero.");
        return Err(Error::invalid("name", detail));
    }
    let content = serde_json::to_string(&writing.content).map_err(anyhow::Error::from)?;
    if content.len() > MAX_CONTENT_BYTES {
        let detail = format!("A draft has at most {MAX_CONTENT_BYTES} bytes; this one has {}.", content.len());
        return Err(Error::invalid("post", detail));
    }
    Ok(content)
}

/// Begins a draft.
///
/// # Errors
/// It is too large, or the workspace has too many.
pub async fn create(app: &App, workspace: WorkspaceId, author: UserId, writing: &Writing) -> Result<Draft> {
    let content = written(writing)?;
    let (now, mut tx) = (app.now(), app.db().begin().await?);
    let count: i64 = on!(&mut tx, conn => sqlx::query_scalar(COUNT).bind(workspace).fetch_one(conn).await)?;
    if count >= MAX_DRAFTS {
        let detail = format!("A workspace has at most {MAX_DRAFTS} drafts. Delete some first.");
        return Err(Error::Conflict { code: "too_many_drafts", detail });
    }
    let draft: Draft = on!(&mut tx, conn => sqlx::query_as(INSERT)
        .bind(DraftId::new()).bind(workspace).bind(author).bind(&writing.name).bind(content).bind(now)
        .fetch_one(conn).await)?;
    versions::keep(&mut tx, workspace, author, &draft, writing.restores).await?;
    tx.commit().await?;
    Ok(draft)
}

/// Saves a draft whose version is still the one that was changed.
///
/// # Errors
/// There is no such draft, or it is too large.
pub async fn save(
    app: &App,
    (workspace, author): (WorkspaceId, UserId),
    id: DraftId,
    version: i64,
    writing: &Writing,
) -> Result<Change<Draft>> {
    let content = written(writing)?;
    let (now, mut tx) = (app.now(), app.db().begin().await?);
    let saved: Option<Draft> = on!(&mut tx, conn => sqlx::query_as(SAVE)
        .bind(&writing.name).bind(content).bind(now).bind(workspace).bind(id).bind(version)
        .fetch_optional(conn).await)?;
    let Some(draft) = saved else { return Ok(Change::Stale(find(&mut tx, workspace, id).await?)) };
    versions::keep(&mut tx, workspace, author, &draft, writing.restores).await?;
    tx.commit().await?;
    Ok(Change::Made(draft))
}

/// Deletes a draft with all its versions. The posts that it became stay.
///
/// # Errors
/// The workspace has no such draft, or the database failed.
pub async fn delete(app: &App, workspace: WorkspaceId, id: DraftId) -> Result<()> {
    let mut tx = app.db().begin_single().await?;
    let gone = on!(&mut tx, conn => sqlx::query(DELETE).bind(workspace).bind(id)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    tx.commit().await?;
    if gone == 1 { Ok(()) } else { Err(Error::NotFound("draft")) }
}

/// Takes a version of a draft in as a post. A version that went out before gives the post that it became.
///
/// # Errors
/// As [`posts::create`].
pub async fn publish(
    app: &App,
    (workspace, author): (WorkspaceId, UserId),
    id: DraftId,
    version: i64,
    publish_at: Option<Timestamp>,
) -> Result<Change<PostId>> {
    let mut tx = app.db().read().await?;
    let draft = find(&mut tx, workspace, id).await?;
    if let Some(earlier) = posts::of_draft(&mut tx, workspace, id, version).await? {
        return Ok(Change::Made(earlier));
    }
    if draft.version != version {
        return Ok(Change::Stale(draft));
    }
    drop(tx);
    let (content, origin) = (draft.content()?, Origin::Draft(id, version));
    match Box::pin(posts::create(app, (workspace, author), &content, publish_at, origin)).await {
        Ok(post) => Ok(Change::Made(post)),
        Err(Error::Conflict { code: CHANGED, .. }) => {
            Ok(Change::Stale(find(&mut app.db().read().await?, workspace, id).await?))
        }
        Err(error) => Err(error),
    }
}

/// The code of what was saved while it was taken in.
const CHANGED: &str = "stale_draft";

/// Notes that a version of a draft became a post, in the transaction that makes it one.
///
/// # Errors
/// Another version was saved, or the draft deleted, meanwhile: the transaction must be dropped.
pub(crate) async fn mark_used(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (id, version): (DraftId, i64),
    post: PostId,
) -> Result<()> {
    let marked = on!(tx, conn => sqlx::query(USED).bind(post).bind(version).bind(workspace).bind(id)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    if marked == 1 {
        return Ok(());
    }
    Err(Error::Conflict { code: CHANGED, detail: "The draft was changed while it was published.".to_owned() })
}
