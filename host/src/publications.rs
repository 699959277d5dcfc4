//! Publications: one variant on its way to one connection.
//!
//! ```text
//! due ──► running ──► published            a confirmed first part, and a receipt
//!            │  ▲ └──► failed              a certain failure: the credits are released
//!            │  └──── pending              to be run again, at the vendor's or the back-off's time
//!            └──────► uncertain ──► pending | failed      reconciled, told by a person, or given up after 7 days
//! ```
//!
//! `published` and `failed` are terminal. Each move is one conditional update with its reason in the timeline. This file
//! owns the rows; [`execution`] and [`reconciling`] move them.

pub mod execution;
mod media;
pub mod reconciling;
pub mod timeline;

use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::connections::{self, Connection};
use crate::connectors::fault::Fault;
use crate::connectors::run::{self, Pinned};
use crate::connectors::work::{PartOutcome, Variant, VariantPart};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ConnectionId, HoldId, PublicationId, UserId, WorkspaceId};
use crate::jobs::{self, Job};
use crate::{ledger, on, prices};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The metered operation.
const OPERATION: &str = "publish";
const MAX_PARTS: usize = 100;
const MAX_MEDIA: usize = 40;
const MAX_TEXT_BYTES: usize = 100_000;

/// Where a publication stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waiting for a worker.
    Due,
    /// A worker is at it.
    Running,
    /// Waiting to be run again.
    Pending,
    /// Nobody knows whether a part reached the vendor.
    Uncertain,
    /// At least the first part is live.
    Published,
    /// Certainly not published, or given up.
    Failed,
}

impl State {
    /// The word in the database and the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Running => "running",
            Self::Pending => "pending",
            Self::Uncertain => "uncertain",
            Self::Published => "published",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing will move it any more.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Published | Self::Failed)
    }
}

/// One post of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Text.
    #[serde(default)]
    pub text: String,
    /// Media in the order to show.
    #[serde(default)]
    pub media: Vec<MediaSource>,
}

/// A medium, by where it is to be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MediaSource {
    /// An http or https URL on the public Internet.
    pub url: String,
    /// Description for those who cannot see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
}

/// What to publish where.
#[derive(Debug)]
pub struct NewPublication {
    /// The network.
    pub platform: String,
    /// The connection, where the workspace has several at the network.
    pub connection: Option<ConnectionId>,
    /// At least one part.
    pub parts: Vec<Part>,
    /// The client's name of this wish: the same key asks for the same publication.
    pub idempotency_key: Option<String>,
}

/// A publication as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Publication {
    /// Its id.
    pub id: PublicationId,
    /// Whose it is.
    pub workspace_id: WorkspaceId,
    /// Where it goes.
    pub connection_id: ConnectionId,
    /// By which connector.
    pub connector: String,
    /// To which network.
    pub platform: String,
    parts: String,
    state: String,
    receipt: Option<String>,
    fault: Option<String>,
    /// Runs of the connector so far.
    pub attempts: i64,
    request_digest: String,
    /// The credits that it reserves or reserved.
    pub hold_id: Option<HoldId>,
    /// Credits reserved, or charged once it is published.
    pub price: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it moved last.
    pub updated_at: Timestamp,
    /// When it became terminal.
    pub finished_at: Option<Timestamp>,
}

impl Publication {
    /// Where it stands.
    ///
    /// # Errors
    /// The database holds a word that this program does not know.
    pub fn state(&self) -> anyhow::Result<State> {
        Ok(serde_json::from_value(self.state.clone().into())?)
    }

    /// What to publish.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn parts(&self) -> anyhow::Result<Vec<Part>> {
        Ok(serde_json::from_str(&self.parts)?)
    }

    /// What became of each part.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn receipt(&self) -> anyhow::Result<Option<Vec<PartOutcome>>> {
        Ok(self.receipt.as_deref().map(serde_json::from_str).transpose()?)
    }

    /// Why it failed or waits.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn fault(&self) -> anyhow::Result<Option<Fault>> {
        Ok(self.fault.as_deref().map(serde_json::from_str).transpose()?)
    }
}

/// Takes a publication in: row, run, hold and job together or not at all. The same idempotency key with the same wish
/// gives the publication that it gave before.
///
/// # Errors
/// The wish makes no sense, breaks the network's rules, names no connection of the workspace, or costs more than the
/// workspace has.
pub async fn create(app: &App, workspace: WorkspaceId, author: UserId, new: NewPublication) -> Result<Publication> {
    check_shape(&new)?;
    let digest = request_digest(&new)?;
    let mut tx = app.db().read().await?;
    if let Some(earlier) = repeated(&mut tx, workspace, &new, &digest).await? {
        return Ok(earlier);
    }
    let connection = choose_connection(app, &mut tx, workspace, &new).await?;
    drop(tx);
    let release = app.connectors().active(&connection.connector).ok_or(Error::Unavailable(NO_CONNECTOR))?;
    if new.parts.iter().all(|part| part.media.is_empty()) {
        let parts = new.parts.iter().map(|part| VariantPart { text: part.text.clone(), media: Vec::new() }).collect();
        let checked = app.connectors().check(&release, workspace, &Variant { parts }).await;
        let violations = checked.map_err(|fault| Error::Vendor(format!("The connector failed: {fault}")))?;
        if let Some(violation) = violations.into_iter().next() {
            return Err(Error::Invalid { field: violation.field, detail: violation.message });
        }
    }
    let now = app.now();
    let row = Row {
        id: PublicationId::new(),
        workspace,
        author,
        connection: &connection,
        parts: serde_json::to_string(&new.parts).map_err(anyhow::Error::from)?,
        key: new.idempotency_key.as_deref(),
        digest: &digest,
    };
    if let Err(error) = insert_all(app, &row, &release.digest, now).await {
        // Somebody else may have been quicker with the same key, and taken the last credits for it.
        let mut tx = app.db().read().await?;
        return repeated(&mut tx, workspace, &new, &digest).await?.ok_or(error);
    }
    app.wake_worker();
    find(&mut app.db().read().await?, workspace, row.id).await
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
    if new.idempotency_key.as_ref().is_some_and(|key| key.is_empty() || key.len() > 200) {
        return Err(Error::Malformed("The Idempotency-Key must have 1 to 200 characters.".to_owned()));
    }
    Ok(())
}

fn request_digest(new: &NewPublication) -> Result<String> {
    let wish = serde_json::to_vec(&(&new.platform, &new.connection, &new.parts)).map_err(anyhow::Error::from)?;
    Ok(hex::encode(Sha256::digest(wish)))
}

/// The publication that the same key asked for before.
async fn repeated(
    tx: &mut Tx,
    workspace: WorkspaceId,
    new: &NewPublication,
    digest: &str,
) -> Result<Option<Publication>> {
    let Some(key) = &new.idempotency_key else { return Ok(None) };
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
    if !app.connectors().platforms().contains(&new.platform.as_str()) {
        let known = app.connectors().platforms().join(", ");
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
                    let detail = format!("Connect an account first: GET /social/oauth/{}/auth.", new.platform);
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

struct Row<'a> {
    id: PublicationId,
    workspace: WorkspaceId,
    author: UserId,
    connection: &'a Connection,
    parts: String,
    key: Option<&'a str>,
    digest: &'a str,
}

const INSERT: &str = "insert into publications
    (id, workspace_id, author_id, connection_id, connector, platform, parts, state, attempts, idempotency_key,
     request_digest, hold_id, price, created_at, updated_at)
    values ($1, $2, $3, $4, $5, $6, $7, 'due', 0, $8, $9, $10, $11, $12, $12)";

async fn insert_all(app: &App, row: &Row<'_>, release: &str, now: Timestamp) -> Result<()> {
    let mut tx = app.db().begin().await?;
    let price = prices::quote(&mut tx, OPERATION).await?;
    let key = format!("publication/{}", row.id);
    let hold = ledger::hold(&mut tx, row.workspace, OPERATION, price, &key, now).await?;
    on!(&mut tx, conn => sqlx::query(INSERT)
        .bind(row.id).bind(row.workspace).bind(row.author).bind(row.connection.id).bind(&row.connection.connector)
        .bind(&row.connection.platform).bind(&row.parts).bind(row.key).bind(row.digest).bind(hold).bind(price).bind(now)
        .execute(conn).await.map(drop))?;
    let pinned = Pinned { id: row.id.into(), workspace: row.workspace, seed: rand::rng().random(), started_at: now };
    run::pin(&mut tx, &pinned, &row.connection.connector, release).await?;
    timeline::add(&mut tx, row.id, 0, State::Due, "taken in", None, now).await?;
    jobs::enqueue(&mut tx, Job::Publish(row.id), now, now).await?;
    tx.commit().await?;
    Ok(())
}

/// All columns of [`Publication`].
macro_rules! columns {
    ($tail:literal) => {
        concat!(
            "select id, workspace_id, connection_id, connector, platform, parts, state, receipt, fault, attempts, ",
            "request_digest, hold_id, price, created_at, updated_at, finished_at from publications ",
            $tail
        )
    };
}

const BY_KEY: &str = columns!("where workspace_id = $1 and idempotency_key = $2");
const FIND: &str = columns!("where workspace_id = $1 and id = $2");
/// For workers, who act for every tenant.
const FIND_ANY: &str = columns!("where id = $1");
const LIST: &str = columns!("where workspace_id = $1 and id < $2 order by id desc limit $3");

/// A workspace's publication.
///
/// # Errors
/// It has no such publication, or the database failed.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, id: PublicationId) -> Result<Publication> {
    let found: Option<Publication> =
        on!(tx, conn => sqlx::query_as(FIND).bind(workspace).bind(id).fetch_optional(conn).await)?;
    found.ok_or(Error::NotFound("publication"))
}

/// A workspace's publications before one, newest first.
///
/// # Errors
/// The database failed.
pub async fn list(
    tx: &mut Tx,
    workspace: WorkspaceId,
    before: Option<PublicationId>,
    limit: i64,
) -> Result<Vec<Publication>> {
    let before = before.unwrap_or(PublicationId(uuid::Uuid::max()));
    Ok(on!(tx, conn => sqlx::query_as(LIST).bind(workspace).bind(before).bind(limit).fetch_all(conn).await)?)
}
