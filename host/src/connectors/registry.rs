//! Which connectors there are, in the database: the tables `connector_releases`, `connectors`, `connector_events` and
//! `connector_generation`. What follows from them in memory is elsewhere (`serving.rs`).

use super::asks::Grant;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::{EventId, UserId};
use crate::on;
use serde::Serialize;
use std::fmt;

/// Who changed something about a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// An operator, over the API.
    User(UserId),
    /// Whoever has the server in hand, by a command.
    Command,
    /// Whoever put a file into the watched folder.
    Folder,
    /// The host itself.
    Host,
}

impl fmt::Display for Actor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(out, "user:{user}"),
            Self::Command => out.write_str("command"),
            Self::Folder => out.write_str("folder"),
            Self::Host => out.write_str("host"),
        }
    }
}

/// A release as it is stored, without its bytes.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct StoredRelease {
    pub(crate) digest: String,
    pub(crate) connector: String,
    pub(crate) version: String,
    /// JSON, as the component described itself.
    pub(crate) manifest: String,
    pub(crate) size_bytes: i64,
    pub(crate) installed_by: String,
    pub(crate) installed_at: Timestamp,
    /// When it last became active; `None` while it is only staged.
    pub(crate) activated_at: Option<Timestamp>,
    /// When the host took it back because it trapped.
    pub(crate) distrusted_at: Option<Timestamp>,
}

/// A connector as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct StoredConnector {
    pub(crate) id: String,
    /// What new runs use.
    pub(crate) active: Option<String>,
    /// What a rollback goes back to.
    pub(crate) previous: Option<String>,
    pub(crate) state: String,
    granted: String,
}

impl StoredConnector {
    /// Whether new runs may begin.
    pub(crate) fn is_enabled(&self) -> bool {
        self.state == "enabled"
    }

    /// What the operator allows it.
    pub(crate) fn grant(&self) -> anyhow::Result<Grant> {
        Ok(serde_json::from_str(&self.granted)?)
    }
}

/// Something that was done to a connector.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ConnectorEvent {
    /// Its id.
    pub id: EventId,
    /// The connector.
    pub connector: String,
    /// SHA-256 in hex of the release that it is about.
    pub release: Option<String>,
    /// What was done, such as `activate`.
    pub action: String,
    /// Who did it: `user:<id>`, `command`, `folder` or `host`.
    pub actor: String,
    /// A sentence for a person.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

macro_rules! release_columns {
    ($tail:literal) => {
        concat!(
            "select digest, connector, version, manifest, size_bytes, installed_by, installed_at, activated_at, ",
            "distrusted_at from connector_releases ",
            $tail
        )
    };
}

const RELEASE: &str = release_columns!("where digest = $1");
const RELEASES: &str = release_columns!("order by connector, installed_at, digest");
const COMPONENT: &str = "select component from connector_releases where digest = $1";
const INSERT_RELEASE: &str = "insert into connector_releases
    (digest, connector, version, manifest, component, size_bytes, installed_by, installed_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (digest) do nothing";
const ACTIVATED: &str = "update connector_releases set activated_at = $1, distrusted_at = null where digest = $2";
const DISTRUSTED: &str = "update connector_releases set distrusted_at = $1 where digest = $2";
const DELETE_RELEASES: &str = "delete from connector_releases where connector = $1";

/// A release by its digest.
pub(crate) async fn release(tx: &mut Tx, digest: &str) -> sqlx::Result<Option<StoredRelease>> {
    on!(tx, conn => sqlx::query_as(RELEASE).bind(digest).fetch_optional(conn).await)
}

/// Every release, by connector, in the order in which they were installed.
pub(crate) async fn releases(tx: &mut Tx) -> sqlx::Result<Vec<StoredRelease>> {
    on!(tx, conn => sqlx::query_as(RELEASES).fetch_all(conn).await)
}

/// The bytes of a release.
pub(crate) async fn component(tx: &mut Tx, digest: &str) -> sqlx::Result<Option<Vec<u8>>> {
    on!(tx, conn => sqlx::query_scalar(COMPONENT).bind(digest).fetch_optional(conn).await)
}

/// Stores a release; tells whether it is new.
pub(crate) async fn insert_release(tx: &mut Tx, release: &StoredRelease, component: &[u8]) -> sqlx::Result<bool> {
    let inserted = on!(tx, conn => sqlx::query(INSERT_RELEASE)
        .bind(&release.digest).bind(&release.connector).bind(&release.version).bind(&release.manifest).bind(component)
        .bind(release.size_bytes).bind(&release.installed_by).bind(release.installed_at)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(inserted == 1)
}

/// Notes that a release became active.
pub(crate) async fn note_activated(tx: &mut Tx, digest: &str, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(ACTIVATED).bind(now).bind(digest).execute(conn).await.map(drop))
}

/// Notes that a release was taken back.
pub(crate) async fn note_distrusted(tx: &mut Tx, digest: &str, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(DISTRUSTED).bind(now).bind(digest).execute(conn).await.map(drop))
}

const CONNECTORS: &str = "select id, active, previous, state, granted from connectors order by id";
const CONNECTOR: &str = "select id, active, previous, state, granted from connectors where id = $1";
const INSERT_CONNECTOR: &str = "insert into connectors (id, state, granted, updated_at)
    values ($1, 'enabled', $2, $3) on conflict (id) do nothing";
const LOCK: &str = "update connectors set updated_at = $1 where id = $2
    returning id, active, previous, state, granted";
const UPDATE: &str = "update connectors set active = $1, previous = $2, state = $3, granted = $4, updated_at = $5
    where id = $6";
const DELETE_CONNECTOR: &str = "delete from connectors where id = $1";

/// Every connector.
pub(crate) async fn connectors(tx: &mut Tx) -> sqlx::Result<Vec<StoredConnector>> {
    on!(tx, conn => sqlx::query_as(CONNECTORS).fetch_all(conn).await)
}

/// A connector.
pub(crate) async fn connector(tx: &mut Tx, id: &str) -> sqlx::Result<Option<StoredConnector>> {
    on!(tx, conn => sqlx::query_as(CONNECTOR).bind(id).fetch_optional(conn).await)
}

/// Makes sure that a connector has a row: a new one has nothing active and nothing granted.
pub(crate) async fn make_sure_of(tx: &mut Tx, id: &str, now: Timestamp) -> anyhow::Result<()> {
    let nothing = serde_json::to_string(&Grant::default())?;
    on!(tx, conn => sqlx::query(INSERT_CONNECTOR).bind(id).bind(nothing).bind(now).execute(conn).await.map(drop))?;
    Ok(())
}

/// A connector, which nobody else changes until this transaction ends.
pub(crate) async fn lock(tx: &mut Tx, id: &str, now: Timestamp) -> sqlx::Result<Option<StoredConnector>> {
    on!(tx, conn => sqlx::query_as(LOCK).bind(now).bind(id).fetch_optional(conn).await)
}

/// Writes what changed of a connector.
pub(crate) async fn update(
    tx: &mut Tx,
    connector: &StoredConnector,
    grant: &Grant,
    now: Timestamp,
) -> anyhow::Result<()> {
    let granted = serde_json::to_string(grant)?;
    on!(tx, conn => sqlx::query(UPDATE)
        .bind(&connector.active).bind(&connector.previous).bind(&connector.state).bind(granted).bind(now)
        .bind(&connector.id)
        .execute(conn).await.map(drop))?;
    Ok(())
}

/// Forgets a connector and its releases. What was done to it stays on record.
pub(crate) async fn delete(tx: &mut Tx, id: &str) -> sqlx::Result<()> {
    on!(&mut *tx, conn => sqlx::query(DELETE_CONNECTOR).bind(id).execute(conn).await.map(drop))?;
    on!(tx, conn => sqlx::query(DELETE_RELEASES).bind(id).execute(conn).await.map(drop))
}

const INSERT_EVENT: &str = "insert into connector_events (id, connector, release, action, actor, detail, at)
    values ($1, $2, $3, $4, $5, $6, $7)";
const EVENTS: &str = "select id, connector, release, action, actor, detail, at from connector_events
    where connector = $1 order by id desc limit $2";
const COUNT_UP: &str = "update connector_generation set generation = generation + 1";
const GENERATION: &str = "select generation from connector_generation";

/// Puts on record what was done, and tells every node that something changed.
pub(crate) async fn record(
    tx: &mut Tx,
    (connector, release): (&str, Option<&str>),
    action: &str,
    actor: Actor,
    detail: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    on!(&mut *tx, conn => sqlx::query(INSERT_EVENT)
        .bind(EventId::new()).bind(connector).bind(release).bind(action).bind(actor.to_string()).bind(detail).bind(now)
        .execute(conn).await.map(drop))?;
    on!(tx, conn => sqlx::query(COUNT_UP).execute(conn).await.map(drop))
}

/// The latest things that were done to a connector, newest first.
pub(crate) async fn events(tx: &mut Tx, connector: &str, most: i64) -> sqlx::Result<Vec<ConnectorEvent>> {
    on!(tx, conn => sqlx::query_as(EVENTS).bind(connector).bind(most).fetch_all(conn).await)
}

/// Counts the changes so far.
pub(crate) async fn generation(tx: &mut Tx) -> sqlx::Result<i64> {
    on!(tx, conn => sqlx::query_scalar(GENERATION).fetch_one(conn).await)
}
