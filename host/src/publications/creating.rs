//! Taking a publication in: what is wished for, checked, paid for and put on the list of work.

use super::media::{self, Fetched};
use super::preparing::{self, Vetted};
use super::sources::{self, Place};
use super::timeline::{self, Move};
use super::{BY_KEY, NewPublication, OnDuplicate, Part, Publication, State, VariantMore, When, likeness};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::connections::Connection;
use crate::connectors::journal;
use crate::connectors::run::{self, Pinned};
use crate::db::Tx;
use crate::db::bundle::Bundle;
use crate::error::{Error, Result};
use crate::id::{HoldId, PostId, PublicationId, UserId, WorkspaceId};
use crate::jobs::{self, Job};
use crate::ledger::{self, Reservation};
use crate::prices::Quote;
use crate::{on, queue};
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
    preparing::check_shape(&new)?;
    // The media of what is for later would be fetched again for a repetition. Else it is found when it cannot be taken in.
    if new.publish_at.is_some()
        && let Some(earlier) = earlier(app, workspace, &new).await?
    {
        return Ok(earlier);
    }
    let digest = wish_digest(&new)?;
    let vetted = match Box::pin(preparing::vet(app, workspace, &new)).await {
        Ok(vetted) => vetted,
        // What it was taken in by may be gone: its connection, its connector.
        Err(error) => return earlier(app, workspace, &new).await?.ok_or(error),
    };
    let row = Row { post, ..wish_row(author, &new, &vetted, &digest) };
    take_in(app, &row, &vetted.release.digest).await
}

/// Takes a wish in that was vetted, in the caller's transaction; or gives what the same key gave before. Who commits it wakes
/// the worker.
///
/// # Errors
/// As [`insert`], or the key was used for another wish.
pub(crate) async fn insert_once(
    tx: &mut Tx,
    author: UserId,
    new: &NewPublication,
    vetted: &Vetted,
    now: Timestamp,
) -> Result<Publication> {
    let digest = wish_digest(new)?;
    match repeated(tx, vetted.connection.workspace_id, new.idempotency_key.as_deref(), &digest).await? {
        Some(earlier) => Ok(earlier),
        None => insert(tx, &wish_row(author, new, vetted, &digest), &vetted.release.digest, now).await,
    }
}

/// What the same key with the same wish gave before.
///
/// # Errors
/// The key was used for another wish, or the database failed.
pub(crate) async fn earlier(app: &App, workspace: WorkspaceId, new: &NewPublication) -> Result<Option<Publication>> {
    let key = new.idempotency_key.as_deref();
    repeated(&mut app.db().read().await?, workspace, key, &wish_digest(new)?).await
}

fn wish_digest(new: &NewPublication) -> Result<String> {
    let wish = (&new.platform, &new.connection, &new.target, &new.parts, &new.publish_at);
    // A post of parts alone is told as it always was.
    if new.more.is_empty() { request_digest(&wish) } else { request_digest(&(wish, &new.more)) }
}

/// The row of a wish that was vetted.
pub(crate) fn wish_row<'a>(author: UserId, new: &'a NewPublication, vetted: &'a Vetted, digest: &'a str) -> Row<'a> {
    Row {
        id: PublicationId::new(),
        operation: OPERATION,
        workspace: vetted.connection.workspace_id,
        author,
        connection: &vetted.connection,
        target: vetted.target.clone(),
        reply_to: None,
        price: &vetted.price,
        parts: &new.parts,
        more: &new.more,
        media: Some(&vetted.media),
        publish_at: new.publish_at,
        not_after: None,
        on_duplicate: new.on_duplicate,
        key: new.idempotency_key.as_deref(),
        digest,
        post: None,
        completes: None,
    }
}

/// Takes a publication in; or gives the one that somebody with the same key was quicker with, and took the last credits for.
pub(super) async fn take_in(app: &App, row: &Row<'_>, release: &str) -> Result<Publication> {
    let taken = async {
        let mut tx = if row.is_plain() { app.db().begin_bundle().await? } else { app.db().begin().await? };
        let publication = insert(&mut tx, row, release, app.now()).await?;
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

/// The refusal of a key that was used for something else.
pub(crate) fn key_reused() -> Error {
    Error::Conflict {
        code: "idempotency_key_reused",
        detail: "This Idempotency-Key was used for another post. Use a new key for a new post.".to_owned(),
    }
}

/// What is taken in.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) id: PublicationId,
    /// The metered operation.
    pub(crate) operation: &'static str,
    pub(crate) workspace: WorkspaceId,
    pub(crate) author: UserId,
    pub(crate) connection: &'a Connection,
    pub(crate) target: Option<String>,
    /// Of a reply, the vendor's id of the comment.
    pub(crate) reply_to: Option<&'a str>,
    pub(crate) price: &'a Quote,
    pub(crate) parts: &'a [Part],
    pub(crate) more: &'a VariantMore,
    /// Those of its media that are at hand.
    pub(crate) media: Option<&'a Fetched>,
    /// When it is to go out; `None` for at once.
    pub(crate) publish_at: Option<When>,
    /// Until when it may begin; `None` for as late as may be.
    pub(crate) not_after: Option<Timestamp>,
    pub(crate) on_duplicate: OnDuplicate,
    pub(crate) key: Option<&'a str>,
    pub(crate) digest: &'a str,
    /// The post that it belongs to.
    pub(crate) post: Option<PostId>,
    /// The run that it goes on with, where it publishes what is missing of another.
    pub(crate) completes: Option<Completes<'a>>,
}

impl Row<'_> {
    /// Whether one bundle writes all of it: there is nothing to reserve, to look for, to copy or to tell.
    fn is_plain(&self) -> bool {
        let has_media = self.media.is_some_and(|media| !media.is_empty());
        let waits = self.publish_at.is_some() || self.completes.is_some();
        self.price.credits == 0 && !has_media && !waits && self.on_duplicate != OnDuplicate::Refuse
    }

    fn state(&self) -> State {
        if self.publish_at.is_some() { State::Scheduled } else { State::Due }
    }

    /// The publication that it becomes.
    fn publication(&self, hold: Option<HoldId>, publish_at: Option<Timestamp>, now: Timestamp) -> Result<Publication> {
        let more = Some(self.more).filter(|more| !more.is_empty()).map(serde_json::to_string).transpose();
        Ok(Publication {
            id: self.id,
            workspace_id: self.workspace,
            connection_id: self.connection.id,
            connector: self.connection.connector.clone(),
            platform: self.connection.platform.clone(),
            target: self.target.clone(),
            parts: serde_json::to_string(self.parts).map_err(anyhow::Error::from)?,
            state: self.state().word().to_owned(),
            receipt: None,
            fault: None,
            attempts: 0,
            setbacks: 0,
            request_digest: self.digest.to_owned(),
            hold_id: hold,
            price: self.price.credits,
            created_at: now,
            updated_at: now,
            finished_at: None,
            reply_to: self.reply_to.map(str::to_owned),
            publish_at,
            doubt_since: None,
            more: more.map_err(anyhow::Error::from)?,
            post_id: self.post,
            completes: self.completes.as_ref().map(|earlier| earlier.id),
        })
    }
}

/// A publication whose missing parts are published by another, and the run that it was.
#[derive(Debug)]
pub(crate) struct Completes<'a> {
    pub(super) id: PublicationId,
    pub(super) run: &'a Pinned,
}

const INSERT: &str = "insert into publications
    (id, workspace_id, author_id, connection_id, connector, platform, parts, state, attempts, idempotency_key,
     request_digest, hold_id, price, created_at, updated_at, target, reply_to, publish_at, not_after, more, post_id, completes)
    values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $12, $13, $13, $14, $15, $16, $17, $18, $19, $20)";

/// Takes a publication in, in the caller's transaction. Who commits it wakes the worker.
///
/// # Errors
/// It costs more than the workspace has, the queue has no free slot, or it is refused as a duplicate: the transaction has to be
/// dropped. The database failed.
pub(crate) async fn insert(tx: &mut Tx, row: &Row<'_>, release: &str, now: Timestamp) -> Result<Publication> {
    let key = format!("publication/{}", row.id);
    let items = row.price.items_to_keep()?;
    let wanted = Reservation {
        operation: row.operation,
        credits: row.price.credits,
        key: &key,
        member: Some(row.author),
        items: items.as_deref(),
    };
    let mut bundle = Bundle::new(tx);
    let hold = ledger::reserving(tx, &mut bundle, row.workspace, &wanted, now).await?;
    let publish_at = match row.publish_at {
        Some(When::At(at)) => Some(at),
        Some(When::NextFreeSlot) => Some(queue::take_place(tx, row.connection, row.id, now).await?),
        None => None,
    };
    if row.on_duplicate == OnDuplicate::Refuse {
        likeness::refuse(tx, row, publish_at.unwrap_or(now)).await?;
    }
    let publication = row.publication(hold, publish_at, now)?;
    inserting(&mut bundle, row, &publication);
    match &row.completes {
        Some(earlier) => run::pinning(&mut bundle, &earlier.same_run(&publication), &publication.connector, release),
        None if publish_at.is_none() => beginning_run(&mut bundle, &publication, release, now),
        None => {}
    }
    jobs::enqueueing(&mut bundle, Job::Publish(row.id), &publication.place(), publish_at.unwrap_or(now), now);
    let made = Move::to(row.state(), "taken in");
    timeline::adding(&mut bundle, &publication, &made, now)?;
    let endpoints = bundle.run(tx).await?.pop().flatten();
    for (&(part, position), blob) in row.media.into_iter().flatten() {
        sources::put(tx, Place { publication: row.id, part, position }, blob).await?;
    }
    if let Some(earlier) = &row.completes {
        journal::copy(tx, earlier.id.into(), row.id.into()).await?;
        media::copy(tx, earlier.id, row.id).await?;
    }
    timeline::tell(tx, &publication, made, endpoints, now).await?;
    Ok(publication)
}

fn inserting(bundle: &mut Bundle, row: &Row<'_>, publication: &Publication) {
    let Publication { connector, platform, parts, state, hold_id, price, created_at, publish_at, .. } = publication;
    let Publication { target, more, completes, .. } = publication;
    bundle.add(INSERT).bind(row.id).bind(row.workspace).bind(row.author).bind(row.connection.id).bind(connector);
    bundle.bind(platform).bind(parts).bind(state).bind(row.key).bind(row.digest).bind(*hold_id).bind(*price);
    bundle.bind(*created_at).bind(target).bind(row.reply_to).bind(*publish_at).bind(row.not_after).bind(more);
    bundle.bind(row.post).bind(*completes);
}

/// Begins the run that carries a publication out: it belongs to this release, and its clock shows this moment.
fn beginning_run(bundle: &mut Bundle, publication: &Publication, release: &str, now: Timestamp) {
    let Publication { id, workspace_id: workspace, .. } = *publication;
    let pinned = Pinned { id: id.into(), workspace, seed: rand::rng().random(), started_at: now };
    run::pinning(bundle, &pinned, &publication.connector, release);
}

impl Completes<'_> {
    /// A run that knows all that the earlier one did: the same release with the same clock and randomness asks for the same, and is
    /// answered from the journal as far as that goes.
    fn same_run(&self, publication: &Publication) -> Pinned {
        let Publication { id, workspace_id: workspace, .. } = *publication;
        let Pinned { seed, started_at, .. } = *self.run;
        Pinned { id: id.into(), workspace, seed, started_at }
    }
}
