//! Posts: what a person writes once, for several accounts. Each variant becomes a publication, and all of them are taken in
//! together or none is.
//!
//! This file owns the rows of `posts` and takes posts in; [`content`] is what a post is wished for as, [`planning`] moves or
//! takes back what has not gone out. What becomes of a variant is its publication's.

pub mod content;
pub mod planning;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::drafts;
use crate::error::{Error, Result, Trouble};
use crate::id::{DraftId, PostId, UserId, WorkspaceId};
use crate::on;
use crate::publications::creating::{self, check_key, key_reused, request_digest};
use crate::publications::planning::check_time;
use crate::publications::preparing::{self, Vetted};
use crate::publications::{self, Publication};
use content::{Looked, PostContent};
use std::collections::HashMap;

/// A post as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Post {
    /// Its id.
    pub id: PostId,
    /// When it was to go out, as it was wished for first; `None` for at once.
    pub publish_at: Option<Timestamp>,
    /// The draft that it was made from; it may be gone.
    pub draft_id: Option<DraftId>,
    /// Which version of it.
    pub draft_version: Option<i64>,
    request_digest: String,
    /// When it was asked for.
    pub created_at: Timestamp,
}

macro_rules! columns {
    ($tail:literal) => {
        concat!("select id, publish_at, draft_id, draft_version, request_digest, created_at from posts ", $tail)
    };
}

const FIND: &str = columns!("where workspace_id = $1 and id = $2");
const BY_KEY: &str = columns!("where workspace_id = $1 and idempotency_key = $2");
const BY_DRAFT: &str = columns!("where workspace_id = $1 and draft_id = $2 and draft_version = $3");
const LIST: &str = columns!("where workspace_id = $1 and id < $2 order by id desc limit $3");
const INSERT: &str = "insert into posts
    (id, workspace_id, author_id, publish_at, draft_id, draft_version, idempotency_key, request_digest, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// A workspace's post with its publications.
///
/// # Errors
/// It has no such post, or the database failed.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, id: PostId) -> Result<(Post, Vec<Publication>)> {
    let post: Option<Post> =
        on!(&mut *tx, conn => sqlx::query_as(FIND).bind(workspace).bind(id).fetch_optional(conn).await)?;
    let post = post.ok_or(Error::NotFound("post"))?;
    let publications = publications::of_posts(tx, workspace, (id, id)).await?;
    Ok((post, publications))
}

/// A workspace's posts before one, newest first.
///
/// # Errors
/// The database failed.
pub async fn list(tx: &mut Tx, workspace: WorkspaceId, before: Option<PostId>, limit: i64) -> Result<Vec<Post>> {
    let before = before.unwrap_or(PostId(uuid::Uuid::max()));
    Ok(on!(tx, conn => sqlx::query_as(LIST).bind(workspace).bind(before).bind(limit).fetch_all(conn).await)?)
}

/// The publications of posts that were listed together, by post.
///
/// # Errors
/// The database failed.
pub async fn publications(
    tx: &mut Tx,
    workspace: WorkspaceId,
    posts: &[Post],
) -> Result<HashMap<PostId, Vec<Publication>>> {
    let mut of: HashMap<PostId, Vec<Publication>> = HashMap::new();
    let (Some(newest), Some(oldest)) = (posts.first(), posts.last()) else { return Ok(of) };
    for publication in publications::of_posts(tx, workspace, (oldest.id, newest.id)).await? {
        if let Some(post) = publication.post_id {
            of.entry(post).or_default().push(publication);
        }
    }
    Ok(of)
}

/// Where a post comes from, which also says when two wishes are the same.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// A client, who may have named its wish.
    Client(Option<&'a str>),
    /// A version of a draft, which goes out once.
    Draft(DraftId, i64),
}

/// Takes a post in: all of its variants or none. The same wish again gives the post that it gave before.
///
/// # Errors
/// A variant breaks rules or cannot go where it should ([`Error::Refused`] names all that is wrong with all of them), or
/// they cost more than the workspace has.
pub async fn create(
    app: &App,
    (workspace, author): (WorkspaceId, UserId),
    content: &PostContent,
    publish_at: Option<Timestamp>,
    origin: Origin<'_>,
) -> Result<PostId> {
    let digest = request_digest(&(content, publish_at))?;
    if let Origin::Client(key) = origin {
        check_key(key)?;
    }
    let mut tx = app.db().read().await?;
    if let Some(earlier) = repeated(&mut tx, workspace, origin, &digest).await? {
        return Ok(earlier);
    }
    publish_at.map_or(Ok(()), |at| check_time(at, app.now()))?;
    drop(tx);
    let until = publish_at.map(|_| preparing::patience());
    let variants = all_or_none(Box::pin(content.look(app, workspace, publish_at, until)).await?)?;
    let new = New { id: PostId::new(), workspace, author, publish_at, origin, digest: &digest };
    match new.take_in(app, &variants).await {
        Ok(()) => {
            app.wake_worker();
            Ok(new.id)
        }
        // Somebody with the same wish was quicker.
        Err(error) => {
            let mut tx = app.db().read().await?;
            repeated(&mut tx, workspace, origin, &digest).await?.ok_or(error)
        }
    }
}

/// The post that the same wish gave before.
async fn repeated(tx: &mut Tx, workspace: WorkspaceId, origin: Origin<'_>, digest: &str) -> Result<Option<PostId>> {
    let earlier: Option<Post> = match origin {
        Origin::Client(None) => return Ok(None),
        Origin::Client(Some(key)) => {
            on!(tx, conn => sqlx::query_as(BY_KEY).bind(workspace).bind(key).fetch_optional(conn).await)?
        }
        Origin::Draft(draft, version) => return of_draft(tx, workspace, draft, version).await,
    };
    match earlier {
        Some(earlier) if earlier.request_digest != digest => Err(key_reused()),
        earlier => Ok(earlier.map(|earlier| earlier.id)),
    }
}

/// The post that a version of a draft became.
///
/// # Errors
/// The database failed.
pub async fn of_draft(tx: &mut Tx, workspace: WorkspaceId, draft: DraftId, version: i64) -> Result<Option<PostId>> {
    let post: Option<Post> = on!(tx, conn => sqlx::query_as(BY_DRAFT).bind(workspace).bind(draft).bind(version)
        .fetch_optional(conn).await)?;
    Ok(post.map(|post| post.id))
}

/// All variants, or all that is wrong with them.
fn all_or_none(looked: Vec<Result<Looked>>) -> Result<Vec<Looked>> {
    let (mut all, mut troubles): (Vec<Looked>, _) = (Vec::with_capacity(looked.len()), Vec::new());
    for (index, looked) in looked.into_iter().enumerate() {
        let place = format!("variants/{index}");
        match looked {
            Ok((new, vetted)) => {
                let goes_to = |vetted: &Vetted| (vetted.connection.id, vetted.target.clone());
                if all.iter().any(|(_, other)| goes_to(other) == goes_to(&vetted)) {
                    let detail = "Another variant goes to this account already. Name each account, or target, once.";
                    troubles.push(Trouble::new("", detail).within(&place));
                }
                all.push((new, vetted));
            }
            Err(error) => troubles.extend(content::troubles_of(error)?.into_iter().map(|one| one.within(&place))),
        }
    }
    if troubles.is_empty() { Ok(all) } else { Err(Error::Refused(troubles)) }
}

/// A post that was looked at.
struct New<'a> {
    id: PostId,
    workspace: WorkspaceId,
    author: UserId,
    publish_at: Option<Timestamp>,
    origin: Origin<'a>,
    digest: &'a str,
}

impl New<'_> {
    /// Writes everything down, or nothing.
    async fn take_in(&self, app: &App, variants: &[Looked]) -> Result<()> {
        let (key, draft) = match self.origin {
            Origin::Client(key) => (key, None),
            Origin::Draft(draft, version) => (None, Some((draft, version))),
        };
        let (now, mut tx) = (app.now(), app.db().begin().await?);
        on!(&mut tx, conn => sqlx::query(INSERT)
            .bind(self.id).bind(self.workspace).bind(self.author).bind(self.publish_at)
            .bind(draft.map(|(draft, _)| draft)).bind(draft.map(|(_, version)| version))
            .bind(key).bind(self.digest).bind(now)
            .execute(conn).await.map(drop))?;
        if let Some((draft, version)) = draft {
            drafts::mark_used(&mut tx, self.workspace, (draft, version), self.id).await?;
        }
        for (new, vetted) in variants {
            let mut row = creating::wish_row(self.author, new, vetted, self.digest);
            row.post = Some(self.id);
            creating::insert(&mut tx, &row, &vetted.release.digest, now).await?;
        }
        Ok(tx.commit().await?)
    }
}
