//! Taking publications in: what is wished for is paid for and put on the list of work, several together or none of them.

use super::media::{self, Fetched};
use super::preparing::{self, Prepared};
use super::sources::{self, Place};
use super::{BY_KEY, NewPublication, Part, Publication, State, VariantMore, planning, timeline};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::connections::Connection;
use crate::connectors::journal;
use crate::connectors::run::{self, Pinned};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{PostId, PublicationId, UserId, WorkspaceId};
use crate::jobs::{self, Job};
use crate::{ledger, on, prices};
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};

/// The metered operation.
pub(crate) const OPERATION: &str = "publish";

/// Takes a publication in: row, run, hold and job together or not at all. The same idempotency key with the same wish
/// gives the publication that it gave before.
///
/// # Errors
/// The wish makes no sense, breaks the network's rules, names no connection of the workspace, or costs more than the
/// workspace has.
pub async fn create(app: &App, workspace: WorkspaceId, author: UserId, new: NewPublication) -> Result<Publication> {
    Box::pin(create_in(app, workspace, author, new, None)).await
}

/// As [`create`], for a post that there is already.
pub(super) async fn create_in(
    app: &App,
    workspace: WorkspaceId,
    author: UserId,
    new: NewPublication,
    post: Option<PostId>,
) -> Result<Publication> {
    check_key(new.idempotency_key.as_deref())?;
    let troubles = preparing::shape(&new);
    if !troubles.is_empty() {
        return Err(Error::Refused(troubles));
    }
    let digest = digest_of(&new)?;
    let key = new.idempotency_key.clone();
    let mut tx = app.db().read().await?;
    if let Some(earlier) = repeated(&mut tx, workspace, key.as_deref(), &digest).await? {
        return Ok(earlier);
    }
    // After that: a repetition may come when the time is past.
    new.publish_at.map_or(Ok(()), |at| planning::check_time(at, app.now()))?;
    let price = prices::quote(&mut tx, OPERATION).await?;
    drop(tx);
    let until = new.publish_at.map(|_| preparing::patience());
    let prepared = Box::pin(preparing::prepare(app, workspace, new, until)).await?;
    take_in(app, &Row { key: key.as_deref(), post, ..Row::of(&prepared, author, price, &digest) }).await
}

/// What tells one wish from another. A post of parts alone is told as it always was.
fn digest_of(new: &NewPublication) -> Result<String> {
    let wish = (&new.platform, &new.connection, &new.target, &new.parts, &new.publish_at);
    if new.more.is_empty() { request_digest(&wish) } else { request_digest(&(wish, &new.more)) }
}

/// Takes one publication in; or gives the one that somebody with the same key was quicker with, and took the last credits for.
pub(super) async fn take_in(app: &App, row: &Row<'_>) -> Result<Publication> {
    let taken = async {
        let mut tx = app.db().begin().await?;
        let publication = insert(&mut tx, row, app.now()).await?;
        tx.commit().await?;
        Ok(publication)
    };
    match taken.await {
        Ok(publication) => {
            app.wake_worker();
            Ok(publication)
        }
        Err(error) => {
            let mut tx = app.db().read().await?;
            repeated(&mut tx, row.workspace, row.key, row.digest).await?.ok_or(error)
        }
    }
}

/// Takes several publications in, in the caller's transaction: all of them or none. The caller wakes the worker once it has
/// committed.
///
/// # Errors
/// The workspace cannot pay for them all, or the database failed: the transaction must be dropped.
pub(crate) async fn take_in_all(tx: &mut Tx, rows: &[Row<'_>], now: Timestamp) -> Result<Vec<Publication>> {
    let mut publications = Vec::with_capacity(rows.len());
    for row in rows {
        publications.push(insert(tx, row, now).await?);
    }
    Ok(publications)
}

/// # Errors
/// The key is none that is kept.
pub(crate) fn check_key(key: Option<&str>) -> Result<()> {
    if key.is_some_and(|key| key.is_empty() || key.len() > 200) {
        return Err(Error::Malformed("The Idempotency-Key must have 1 to 200 characters.".to_owned()));
    }
    Ok(())
}

/// What tells one wish from another.
pub(crate) fn request_digest(wish: &impl serde::Serialize) -> Result<String> {
    Ok(hex::encode(Sha256::digest(serde_json::to_vec(wish).map_err(anyhow::Error::from)?)))
}

/// The refusal of a key that was used for something else.
pub(crate) fn key_reused() -> Error {
    Error::Conflict {
        code: "idempotency_key_reused",
        detail: "This Idempotency-Key was used for another post. Use a new key for a new post.".to_owned(),
    }
}

/// The publication that the same key asked for before.
pub(super) async fn repeated(
    tx: &mut Tx,
    workspace: WorkspaceId,
    key: Option<&str>,
    digest: &str,
) -> Result<Option<Publication>> {
    let Some(key) = key else { return Ok(None) };
    let earlier: Option<Publication> =
        on!(tx, conn => sqlx::query_as(BY_KEY).bind(workspace).bind(key).fetch_optional(conn).await)?;
    match earlier {
        Some(earlier) if earlier.request_digest != digest => Err(key_reused()),
        earlier => Ok(earlier),
    }
}

/// What is taken in.
pub(crate) struct Row<'a> {
    pub(super) id: PublicationId,
    /// The metered operation.
    pub(super) operation: &'static str,
    pub(super) workspace: WorkspaceId,
    pub(super) author: UserId,
    pub(super) connection: &'a Connection,
    pub(super) target: Option<String>,
    /// Of a reply, the vendor's id of the comment.
    pub(super) reply_to: Option<&'a str>,
    pub(super) price: i64,
    pub(super) parts: &'a [Part],
    pub(super) more: &'a VariantMore,
    /// Those of its media that are at hand.
    pub(super) media: Option<&'a Fetched>,
    /// When it is to go out; `None` for at once.
    pub(super) publish_at: Option<Timestamp>,
    pub(super) key: Option<&'a str>,
    pub(super) digest: &'a str,
    /// The release that its run begins with, by its digest; where it begins at once.
    pub(super) release: &'a str,
    /// The post that it belongs to.
    pub(crate) post: Option<PostId>,
    /// The run that it goes on with, where it publishes what is missing of another.
    pub(super) completes: Option<Completes<'a>>,
}

/// A publication whose missing parts are published by another, and the run that it was.
pub(super) struct Completes<'a> {
    pub(super) id: PublicationId,
    pub(super) run: &'a Pinned,
}

impl<'a> Row<'a> {
    /// A post that was looked at. It has no key and belongs to no post.
    pub(crate) fn of(prepared: &'a Prepared, author: UserId, price: i64, digest: &'a str) -> Self {
        let Prepared { new, connection, target, release, media, .. } = prepared;
        Self {
            id: PublicationId::new(),
            operation: OPERATION,
            workspace: connection.workspace_id,
            author,
            connection,
            target: target.clone(),
            reply_to: None,
            price,
            parts: &new.parts,
            more: &new.more,
            media: Some(media),
            publish_at: new.publish_at,
            key: None,
            digest,
            release: &release.digest,
            post: None,
            completes: None,
        }
    }
}

const INSERT: &str = returning!(
    "insert into publications
    (id, workspace_id, author_id, connection_id, connector, platform, parts, state, attempts, idempotency_key,
     request_digest, hold_id, price, created_at, updated_at, target, reply_to, publish_at, more, post_id, completes)
    values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $12, $13, $13, $14, $15, $16, $17, $18, $19)"
);

async fn insert(tx: &mut Tx, row: &Row<'_>, now: Timestamp) -> Result<Publication> {
    let parts = serde_json::to_string(row.parts).map_err(anyhow::Error::from)?;
    let more = Some(row.more).filter(|more| !more.is_empty()).map(serde_json::to_string).transpose();
    let more = more.map_err(anyhow::Error::from)?;
    let key = format!("publication/{}", row.id);
    let state = if row.publish_at.is_some() { State::Scheduled } else { State::Due };
    let hold = ledger::hold(tx, row.workspace, row.operation, row.price, &key, now).await?;
    let publication: Publication = on!(&mut *tx, conn => sqlx::query_as(INSERT)
        .bind(row.id).bind(row.workspace).bind(row.author).bind(row.connection.id).bind(&row.connection.connector)
        .bind(&row.connection.platform).bind(parts).bind(state.word()).bind(row.key).bind(row.digest).bind(hold)
        .bind(row.price).bind(now).bind(&row.target).bind(row.reply_to).bind(row.publish_at).bind(more).bind(row.post)
        .bind(row.completes.as_ref().map(|earlier| earlier.id))
        .fetch_one(conn).await)?;
    for (&(part, position), blob) in row.media.into_iter().flatten() {
        sources::put(tx, Place { publication: row.id, part, position }, blob).await?;
    }
    match &row.completes {
        Some(earlier) => go_on(tx, &publication, earlier, row.release).await?,
        None if row.publish_at.is_none() => begin_run(tx, &publication, row.release, now).await?,
        None => {}
    }
    timeline::add(tx, row.id, 0, state, "taken in", None, now).await?;
    jobs::enqueue(tx, Job::Publish(row.id), row.publish_at.unwrap_or(now), now).await?;
    Ok(publication)
}

/// Begins the run that carries a publication out: it belongs to this release, and its clock shows this moment.
pub(super) async fn begin_run(
    tx: &mut Tx,
    publication: &Publication,
    release: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    let Publication { id, workspace_id: workspace, .. } = *publication;
    let pinned = Pinned { id: id.into(), workspace, seed: rand::rng().random(), started_at: now };
    run::pin(tx, &pinned, &publication.connector, release).await
}

/// Begins a run that knows all that an earlier one did: the same release with the same clock and randomness asks for the same,
/// and is answered from the journal as far as that goes.
async fn go_on(tx: &mut Tx, publication: &Publication, earlier: &Completes<'_>, release: &str) -> sqlx::Result<()> {
    let Publication { id, workspace_id: workspace, .. } = *publication;
    let Pinned { seed, started_at, .. } = *earlier.run;
    run::pin(tx, &Pinned { id: id.into(), workspace, seed, started_at }, &publication.connector, release).await?;
    journal::copy(tx, earlier.id.into(), id.into()).await?;
    media::copy(tx, earlier.id, id).await
}
