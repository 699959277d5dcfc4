//! Taking a publication in: what is wished for, checked, paid for and put on the list of work.

use super::timeline::{self, Move};
use super::{BY_KEY, NewPublication, OnDuplicate, Part, Publication, State, When, likeness, planning, pulling};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connecting::platforms;
use crate::connectors::connections::{self, Connection};
use crate::connectors::fault::FaultKind;
use crate::connectors::release::Release;
use crate::connectors::run::{self, Pinned};
use crate::connectors::targets;
use crate::connectors::variant::{Variant, VariantPart};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{PublicationId, UserId, WorkspaceId};
use crate::jobs::{self, Job};
use crate::{ledger, on, prices, queue};
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// The metered operation.
pub(crate) const OPERATION: &str = "publish";
const MAX_PARTS: usize = 100;
const MAX_MEDIA: usize = 40;
const MAX_TEXT_BYTES: usize = 100_000;

/// Takes a publication in: row, run, hold and job together or not at all. The same idempotency key with the same wish
/// gives the publication that it gave before.
///
/// # Errors
/// The wish makes no sense, breaks the network's rules, names no connection of the workspace, or costs more than the
/// workspace has.
pub async fn create(app: &App, workspace: WorkspaceId, author: UserId, new: NewPublication) -> Result<Publication> {
    check_shape(&new)?;
    if let Some(earlier) = earlier(app, workspace, &new).await? {
        return Ok(earlier);
    }
    let digest = wish_digest(&new)?;
    // After that: a repetition may come when the time is past.
    let vetted = vet(app, workspace, &new).await?;
    take_in(app, &wish_row(author, &new, &vetted, &digest), &vetted.release.digest).await
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
    request_digest(&(&new.platform, &new.connection, &new.target, &new.parts, &new.publish_at))
}

fn wish_row<'a>(author: UserId, new: &'a NewPublication, vetted: &'a Vetted, digest: &'a str) -> Row<'a> {
    Row {
        id: PublicationId::new(),
        operation: OPERATION,
        workspace: vetted.connection.workspace_id,
        author,
        connection: &vetted.connection,
        target: vetted.target.clone(),
        reply_to: None,
        price: vetted.price,
        parts: &new.parts,
        publish_at: new.publish_at,
        not_after: None,
        on_duplicate: new.on_duplicate,
        key: new.idempotency_key.as_deref(),
        digest,
    }
}

/// What stands behind a wish that can be taken in.
#[derive(Debug)]
pub(crate) struct Vetted {
    pub(crate) connection: Connection,
    pub(crate) target: Option<String>,
    pub(crate) price: i64,
    pub(crate) release: Arc<Release>,
}

/// Holds a wish against everything that can be known before it is carried out; nothing is written.
///
/// # Errors
/// As [`create`], but for the credits.
pub(crate) async fn vet(app: &App, workspace: WorkspaceId, new: &NewPublication) -> Result<Vetted> {
    check_shape(new)?;
    if let Some(When::At(at)) = new.publish_at {
        planning::check_time(at, app.now())?;
    }
    let mut tx = app.db().read().await?;
    let connection = choose_connection(app, &mut tx, workspace, new).await?;
    let targets = match connection.target_count {
        0 => Vec::new(),
        _ => targets::list(&mut tx, workspace, connection.id).await?,
    };
    let target = targets::resolve(&targets, new.target.as_deref())?;
    let price = prices::quote(&mut tx, OPERATION).await?;
    drop(tx);
    let release = app.connectors().active(&connection.connector).ok_or(Error::Unavailable(NO_CONNECTOR))?;
    pulling::check_wish(app, &release, &new.parts)?;
    if new.parts.iter().all(|part| part.media.is_empty()) {
        let parts = new.parts.iter().map(|part| VariantPart { text: part.text.clone(), media: Vec::new() }).collect();
        let checked = app.connectors().check(&release, workspace, &Variant::of(parts)).await;
        let violations = checked.map_err(|fault| match fault.kind {
            FaultKind::Busy => Error::Busy {
                detail: format!(
                    "`{}` has as many calls as it may have. Nothing was taken in; try again.",
                    connection.connector
                ),
                after: Duration::from_secs(1),
            },
            _ => Error::Vendor(format!("The connector failed: {fault}")),
        })?;
        if let Some(violation) = violations.into_iter().next() {
            return Err(Error::Invalid { field: violation.field, detail: violation.message });
        }
    }
    Ok(Vetted { connection, target, price, release })
}

/// Takes a publication in; or gives the one that somebody with the same key was quicker with, and took the last credits for.
pub(super) async fn take_in(app: &App, row: &Row<'_>, release: &str) -> Result<Publication> {
    let taken = async {
        let mut tx = app.db().begin().await?;
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

const NO_CONNECTOR: &str = "The connector of this network is not loaded on this server.";

fn check_shape(new: &NewPublication) -> Result<()> {
    if new.parts.is_empty() || new.parts.len() > MAX_PARTS {
        return Err(Error::invalid("parts", format!("A post has 1 to {MAX_PARTS} parts.")));
    }
    for (index, part) in new.parts.iter().enumerate() {
        if part.text.trim().is_empty() && part.media.is_empty() {
            return Err(Error::invalid(format!("parts/{index}"), "A part needs text or media."));
        }
        if part.text.len() > MAX_TEXT_BYTES || part.text.contains('\0') {
            let limit = format!("A text has at most {MAX_TEXT_BYTES} bytes, none of them zero.");
            return Err(Error::invalid(format!("parts/{index}/text"), limit));
        }
        if part.media.len() > MAX_MEDIA {
            return Err(Error::invalid(
                format!("parts/{index}/media"),
                format!("A part has at most {MAX_MEDIA} media."),
            ));
        }
        for (position, source) in part.media.iter().enumerate() {
            let web = url::Url::parse(&source.url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if !web || source.url.len() > 2_000 {
                let field = format!("parts/{index}/media/{position}/url");
                return Err(Error::invalid(field, "This is no http or https URL of at most 2000 characters."));
            }
        }
    }
    check_key(new.idempotency_key.as_deref())
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
        Some(earlier) if earlier.request_digest != digest => Err(Error::Conflict {
            code: "idempotency_key_reused",
            detail: "This Idempotency-Key was used for another post. Use a new key for a new post.".to_owned(),
        }),
        earlier => Ok(earlier),
    }
}

async fn choose_connection(app: &App, tx: &mut Tx, workspace: WorkspaceId, new: &NewPublication) -> Result<Connection> {
    let platforms = app.connectors().platforms();
    if !platforms.contains(&new.platform) {
        let known = platforms.join(", ");
        return Err(Error::invalid(
            "platform",
            format!("There is no connector for `{:.50}`. Loaded: {known}.", new.platform),
        ));
    }
    let connection = match new.connection {
        Some(id) => {
            let connection = connections::find(tx, workspace, id).await?;
            if connection.platform != new.platform {
                return Err(Error::invalid("connection_id", "This connection is one of another network."));
            }
            connection
        }
        None => {
            let mut candidates = connections::at_platform(tx, workspace, &new.platform).await?;
            match candidates.len() {
                0 => {
                    let detail = format!("Connect an account first: {}.", platforms::first_step(app, &new.platform));
                    return Err(Error::Conflict { code: "not_connected", detail });
                }
                1 => candidates.remove(0),
                _ => {
                    let list: Vec<String> =
                        candidates.iter().map(|one| format!("{} (@{})", one.id, one.handle)).collect();
                    let detail =
                        format!("Several accounts are connected; name one as connection_id: {}.", list.join(", "));
                    return Err(Error::Conflict { code: "ambiguous_target", detail });
                }
            }
        }
    };
    if connection.is_active() {
        Ok(connection)
    } else {
        let detail = format!("@{} is no longer connected. Connect it again.", connection.handle);
        Err(Error::Conflict { code: "connection_revoked", detail })
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
    pub(crate) price: i64,
    pub(crate) parts: &'a [Part],
    /// When it is to go out; `None` for at once.
    pub(crate) publish_at: Option<When>,
    /// Until when it may begin; `None` for as late as may be.
    pub(crate) not_after: Option<Timestamp>,
    pub(crate) on_duplicate: OnDuplicate,
    pub(crate) key: Option<&'a str>,
    pub(crate) digest: &'a str,
}

const INSERT: &str = "insert into publications
    (id, workspace_id, author_id, connection_id, connector, platform, parts, state, attempts, idempotency_key,
     request_digest, hold_id, price, created_at, updated_at, target, reply_to, publish_at, not_after)
    values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $12, $13, $13, $14, $15, $16, $17)";

/// Takes a publication in, in the caller's transaction. Who commits it wakes the worker.
///
/// # Errors
/// It costs more than the workspace has, the queue has no free slot, or it is refused as a duplicate: the transaction has to be
/// dropped. The database failed.
pub(crate) async fn insert(tx: &mut Tx, row: &Row<'_>, release: &str, now: Timestamp) -> Result<Publication> {
    let parts = serde_json::to_string(row.parts).map_err(anyhow::Error::from)?;
    let key = format!("publication/{}", row.id);
    let state = if row.publish_at.is_some() { State::Scheduled } else { State::Due };
    let hold = ledger::hold(tx, row.workspace, row.operation, row.price, &key, now).await?;
    let publish_at = match row.publish_at {
        Some(When::At(at)) => Some(at),
        Some(When::NextFreeSlot) => Some(queue::take_place(tx, row.connection, row.id, now).await?),
        None => None,
    };
    if row.on_duplicate == OnDuplicate::Refuse {
        likeness::refuse(tx, row, publish_at.unwrap_or(now)).await?;
    }
    on!(&mut *tx, conn => sqlx::query(INSERT)
        .bind(row.id).bind(row.workspace).bind(row.author).bind(row.connection.id).bind(&row.connection.connector)
        .bind(&row.connection.platform).bind(&parts).bind(state.word()).bind(row.key).bind(row.digest).bind(hold)
        .bind(row.price).bind(now).bind(&row.target).bind(row.reply_to).bind(publish_at).bind(row.not_after)
        .execute(conn).await.map(drop))?;
    let publication = Publication {
        id: row.id,
        workspace_id: row.workspace,
        connection_id: row.connection.id,
        connector: row.connection.connector.clone(),
        platform: row.connection.platform.clone(),
        target: row.target.clone(),
        parts,
        state: state.word().to_owned(),
        receipt: None,
        fault: None,
        attempts: 0,
        setbacks: 0,
        request_digest: row.digest.to_owned(),
        hold_id: hold,
        price: row.price,
        created_at: now,
        updated_at: now,
        finished_at: None,
        reply_to: row.reply_to.map(str::to_owned),
        publish_at,
        doubt_since: None,
    };
    if publish_at.is_none() {
        begin_run(tx, &publication, release, now).await?;
    }
    timeline::add(tx, &publication, Move::to(state, "taken in"), now).await?;
    jobs::enqueue_at(tx, Job::Publish(row.id), &publication.place(), publish_at.unwrap_or(now), now).await?;
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
