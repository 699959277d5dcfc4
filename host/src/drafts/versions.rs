//! What drafts were: the newest hundred versions of each.

use super::{Change, Draft, Writing, find, save};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{DraftId, UserId, WorkspaceId};
use crate::on;
use crate::posts::content::PostContent;

/// Most versions that are kept of a draft, the present one among them.
const KEPT: i64 = 100;

/// A version of a draft.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Version {
    /// Which.
    pub version: i64,
    /// Who saved it.
    pub author_id: UserId,
    /// The draft's name then.
    pub name: Option<String>,
    content: String,
    /// The version that was taken up again; `None` where it was written.
    pub restores: Option<i64>,
    /// When it was saved.
    pub created_at: Timestamp,
}

impl Version {
    /// What the draft said.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn content(&self) -> anyhow::Result<PostContent> {
        Ok(serde_json::from_str(&self.content)?)
    }
}

macro_rules! columns {
    ($tail:literal) => {
        concat!("select version, author_id, name, content, restores, created_at from draft_versions ", $tail)
    };
}

const LIST: &str = columns!("where workspace_id = $1 and draft_id = $2 order by version desc");
const FIND: &str = columns!("where workspace_id = $1 and draft_id = $2 and version = $3");
const INSERT: &str = "insert into draft_versions
    (draft_id, workspace_id, version, author_id, name, content, restores, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)";
const PRUNE: &str = "delete from draft_versions where workspace_id = $1 and draft_id = $2 and version <= $3";

/// Keeps a version as it was just saved, and lets the oldest go.
pub(super) async fn keep(
    tx: &mut Tx,
    workspace: WorkspaceId,
    author: UserId,
    draft: &Draft,
    restores: Option<i64>,
) -> sqlx::Result<()> {
    on!(&mut *tx, conn => sqlx::query(INSERT)
        .bind(draft.id).bind(workspace).bind(draft.version).bind(author).bind(&draft.name).bind(&draft.content)
        .bind(restores).bind(draft.updated_at)
        .execute(conn).await.map(drop))?;
    on!(tx, conn => sqlx::query(PRUNE).bind(workspace).bind(draft.id).bind(draft.version - KEPT)
        .execute(conn).await.map(drop))
}

/// The versions of a draft that are kept, newest first.
///
/// # Errors
/// The workspace has no such draft, or the database failed.
pub async fn list(tx: &mut Tx, workspace: WorkspaceId, draft: DraftId) -> Result<Vec<Version>> {
    find(tx, workspace, draft).await?;
    Ok(on!(tx, conn => sqlx::query_as(LIST).bind(workspace).bind(draft).fetch_all(conn).await)?)
}

/// A version of a draft.
///
/// # Errors
/// The workspace has no such draft, the version is not kept, or the database failed.
pub async fn of(tx: &mut Tx, workspace: WorkspaceId, draft: DraftId, version: i64) -> Result<Version> {
    find(tx, workspace, draft).await?;
    let found: Option<Version> = on!(tx, conn => sqlx::query_as(FIND).bind(workspace).bind(draft).bind(version)
        .fetch_optional(conn).await)?;
    found.ok_or(Error::NotFound("version"))
}

/// Takes a version up again, as a new one, where the draft is still as its author knows it.
///
/// # Errors
/// As [`of`].
pub async fn restore(
    app: &App,
    (workspace, author): (WorkspaceId, UserId),
    (draft, version): (DraftId, i64),
    known: i64,
) -> Result<Change<Draft>> {
    let old = of(&mut app.db().read().await?, workspace, draft, version).await?;
    let writing = Writing { content: old.content()?, name: old.name, restores: Some(version) };
    save(app, (workspace, author), draft, known, &writing).await
}
