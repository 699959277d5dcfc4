//! Accounts at vendors that workspaces have connected.

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::events::{self, Change, EventType};
use crate::id::{AppId, ConnectionId, UserId, WorkspaceId};
use crate::on;
use serde::Serialize;

/// A workspace's account at a vendor.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Whose it is.
    #[serde(skip)]
    pub workspace_id: WorkspaceId,
    /// The connector that speaks to the vendor.
    pub connector: String,
    /// The network, such as `twitter`.
    pub platform: String,
    /// The vendor's id of the account.
    pub vendor_id: String,
    /// The vendor's handle, without `@`.
    pub handle: String,
    /// The name that the vendor shows.
    pub display_name: Option<String>,
    /// The scopes that the vendor granted.
    pub scopes: String,
    /// Scopes that were asked for and not granted, separated by spaces: what needs them fails.
    pub missing_scopes: String,
    /// `active`, or `revoked`: connect it again.
    pub state: String,
    /// What the network said when its tokens could last not be renewed; absent while all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_words: Option<String>,
    /// When the network was seen not to honour it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// When it ends since nobody can renew it; absent where the network lets its tokens be renewed, or says no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Why it ends then, and what to do, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_words: Option<String>,
    /// The vendor's id of the folder beyond which nothing of a drive is shown or fetched; none where all of it may be.
    #[serde(skip)]
    pub root_folder: Option<String>,
    /// What that folder was called when it was set.
    #[serde(skip)]
    pub root_folder_name: Option<String>,
    /// Since when.
    #[serde(skip)]
    pub restricted_at: Option<Timestamp>,
    /// How often that was set or lifted.
    #[serde(skip)]
    pub restrictions: i64,
    /// How much it may post to, where that is more than itself: `GET /social/connections/{id}/targets` lists it.
    pub target_count: i64,
    /// When it was connected first.
    pub created_at: Timestamp,
    /// When it was connected last.
    pub updated_at: Timestamp,
}

impl Connection {
    /// Whether the vendor still honours it, as far as we know.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == "active"
    }
}

/// All columns of [`Connection`], to be joined with others.
macro_rules! connection_columns {
    () => {
        "connections.id, connections.workspace_id, connections.connector, connections.platform, \
        connections.vendor_id, connections.handle, connections.display_name, connections.scopes, \
        connections.missing_scopes, connections.state, connections.refresh_words, connections.revoked_at, \
        connections.ends_at, connections.ends_words, connections.root_folder, connections.root_folder_name, \
        connections.restricted_at, connections.restrictions, connections.target_count, connections.created_at, \
        connections.updated_at"
    };
}
pub(crate) use connection_columns;

macro_rules! columns {
    ($tail:literal) => {
        concat!("select ", connection_columns!(), " from connections ", $tail)
    };
}

const FIND: &str = columns!("where workspace_id = $1 and id = $2");
const LIST: &str = columns!("where workspace_id = $1 order by id");
const BY_PLATFORM: &str = columns!("where workspace_id = $1 and platform = $2 order by id");

/// A workspace's connection.
///
/// # Errors
/// It has no such connection, or the database failed.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, id: ConnectionId) -> Result<Connection> {
    let found: Option<Connection> =
        on!(tx, conn => sqlx::query_as(FIND).bind(workspace).bind(id).fetch_optional(conn).await)?;
    found.ok_or(Error::NotFound("connection"))
}

/// A workspace's connections, oldest first.
///
/// # Errors
/// The database failed.
pub async fn list(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<Connection>> {
    Ok(on!(tx, conn => sqlx::query_as(LIST).bind(workspace).fetch_all(conn).await)?)
}

/// A workspace's connections at one network, oldest first.
///
/// # Errors
/// The database failed.
pub async fn at_platform(tx: &mut Tx, workspace: WorkspaceId, platform: &str) -> Result<Vec<Connection>> {
    Ok(on!(tx, conn => sqlx::query_as(BY_PLATFORM).bind(workspace).bind(platform).fetch_all(conn).await)?)
}

/// What a newly connected account is.
#[derive(Debug)]
pub struct NewConnection<'a> {
    /// The id to give it when the account was not connected before.
    pub id: ConnectionId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Who connected it.
    pub user: UserId,
    /// The connector's id.
    pub connector: &'a str,
    /// The network.
    pub platform: &'a str,
    /// The vendor's id of the account.
    pub vendor_id: &'a str,
    /// The vendor's handle.
    pub handle: &'a str,
    /// The name that the vendor shows.
    pub display_name: Option<&'a str>,
    /// The scopes that the vendor granted.
    pub scopes: &'a str,
    /// Those that were asked for and not granted, separated by spaces.
    pub missing_scopes: &'a str,
    /// The app that minted its tokens.
    pub app: Option<AppId>,
}

const UPSERT: &str = "insert into connections
    (id, workspace_id, connector, platform, vendor_id, handle, display_name, scopes, state, connected_by, created_at, updated_at,
     app_id, missing_scopes, refreshed_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, 'active', $9, $10, $10, $11, $12, $10)
    on conflict (workspace_id, connector, vendor_id) do update set
        handle = excluded.handle, display_name = excluded.display_name, scopes = excluded.scopes, state = 'active',
        connected_by = excluded.connected_by, updated_at = excluded.updated_at, app_id = excluded.app_id,
        missing_scopes = excluded.missing_scopes, refreshed_at = excluded.refreshed_at, refresh_after = null,
        refresh_failures = 0, refresh_words = null, revoked_at = null
    returning id";

/// Connects an account, or connects it again: the same account keeps its id. Tells the workspace's endpoints.
///
/// # Errors
/// The database failed.
pub async fn upsert(tx: &mut Tx, new: &NewConnection<'_>, now: Timestamp) -> sqlx::Result<ConnectionId> {
    let id: ConnectionId = on!(&mut *tx, conn => sqlx::query_scalar(UPSERT)
        .bind(new.id).bind(new.workspace).bind(new.connector).bind(new.platform).bind(new.vendor_id).bind(new.handle)
        .bind(new.display_name).bind(new.scopes).bind(new.user).bind(now).bind(new.app).bind(new.missing_scopes)
        .fetch_one(conn).await)?;
    let told = Told { id, connector: new.connector, platform: new.platform, handle: new.handle, words: None };
    let change = Change { workspace: new.workspace, kind: EventType::ConnectionConnected, subject: id.0 };
    events::tell(tx, change, &told, now).await?;
    Ok(id)
}

/// What endpoints are told of a connection.
#[derive(Serialize)]
struct Told<'a> {
    id: ConnectionId,
    connector: &'a str,
    platform: &'a str,
    handle: &'a str,
    /// What the vendor said of a revoked one.
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<&'a str>,
}

const DELETE: &str =
    "delete from connections where workspace_id = $1 and id = $2 returning connector, platform, handle";
const RESTRICT: &str = "update connections set root_folder = $1, root_folder_name = $2, restricted_at = $3,
    restrictions = restrictions + 1, updated_at = $4 where workspace_id = $5 and id = $6 and restrictions = $7";
const REVOKED: &str = "update connections set state = 'revoked', revoked_at = $1, refresh_words = $2, updated_at = $1
    where id = $3 and state = 'active' returning workspace_id, connector, platform, handle";

/// A folder of a drive.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    /// The vendor's id.
    pub(crate) id: String,
    /// Its name for a person.
    pub(crate) name: String,
}

/// Sets the folder beyond which nothing of a drive is shown or fetched; `None` lifts the restriction. False where somebody
/// else has set or lifted it since the connection was read, or removed the connection.
///
/// # Errors
/// The database failed.
pub(crate) async fn restrict(
    tx: &mut Tx,
    connection: &Connection,
    root: Option<&Root>,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let (id, name, since) = (root.map(|root| &root.id), root.map(|root| &root.name), root.map(|_| now));
    let set = on!(tx, conn => sqlx::query(RESTRICT)
        .bind(id).bind(name).bind(since).bind(now).bind(connection.workspace_id).bind(connection.id)
        .bind(connection.restrictions)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(set == 1)
}

const STAND_BY: &str = "update connections set updated_at = updated_at where id = $1";

/// Lets nobody else go on who does this for the same connection, until the transaction ends.
///
/// # Errors
/// The database failed.
pub(crate) async fn stand_by(tx: &mut Tx, id: ConnectionId) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(STAND_BY).bind(id).execute(conn).await.map(drop))
}

/// Forgets a connection and its secrets. Tells the workspace's endpoints.
///
/// # Errors
/// The workspace has no such connection, or the database failed.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: ConnectionId, now: Timestamp) -> Result<()> {
    let gone: Option<(String, String, String)> =
        on!(&mut *tx, conn => sqlx::query_as(DELETE).bind(workspace).bind(id).fetch_optional(conn).await)?;
    let (connector, platform, handle) = gone.ok_or(Error::NotFound("connection"))?;
    let told = Told { id, connector: &connector, platform: &platform, handle: &handle, words: None };
    let change = Change { workspace, kind: EventType::ConnectionDisconnected, subject: id.0 };
    Ok(events::tell(tx, change, &told, now).await?)
}

/// Notes that the vendor has revoked a connection, with its words, and tells the workspace's endpoints; false where that is
/// known already.
///
/// # Errors
/// The database failed.
pub(crate) async fn mark_revoked(tx: &mut Tx, id: ConnectionId, words: &str, now: Timestamp) -> sqlx::Result<bool> {
    let marked: Option<(WorkspaceId, String, String, String)> =
        on!(&mut *tx, conn => sqlx::query_as(REVOKED).bind(now).bind(words).bind(id).fetch_optional(conn).await)?;
    let Some((workspace, connector, platform, handle)) = marked else { return Ok(false) };
    let told = Told { id, connector: &connector, platform: &platform, handle: &handle, words: Some(words) };
    let change = Change { workspace, kind: EventType::ConnectionRevoked, subject: id.0 };
    events::tell(tx, change, &told, now).await?;
    Ok(true)
}
