//! Accounts at vendors that workspaces have connected.

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
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
    /// The vendor's id of the folder beyond which nothing of a drive is shown or fetched; none where all of it may be.
    #[serde(skip)]
    pub root_folder: Option<String>,
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

/// All columns of [`Connection`].
macro_rules! columns {
    ($tail:literal) => {
        concat!(
            "select id, workspace_id, connector, platform, vendor_id, handle, display_name, scopes, missing_scopes, state, ",
            "refresh_words, revoked_at, root_folder, target_count, created_at, updated_at from connections ",
            $tail
        )
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

/// Connects an account, or connects it again: the same account keeps its id.
///
/// # Errors
/// The database failed.
pub async fn upsert(tx: &mut Tx, new: &NewConnection<'_>, now: Timestamp) -> sqlx::Result<ConnectionId> {
    on!(tx, conn => sqlx::query_scalar(UPSERT)
        .bind(new.id).bind(new.workspace).bind(new.connector).bind(new.platform).bind(new.vendor_id).bind(new.handle)
        .bind(new.display_name).bind(new.scopes).bind(new.user).bind(now).bind(new.app).bind(new.missing_scopes)
        .fetch_one(conn).await)
}

const DELETE: &str = "delete from connections where workspace_id = $1 and id = $2";
const RESTRICT: &str = "update connections set root_folder = $1, updated_at = $2 where workspace_id = $3 and id = $4";
const REVOKED: &str = "update connections set state = 'revoked', revoked_at = $1, refresh_words = $2, updated_at = $1
    where id = $3 and state = 'active'";

/// Sets the folder beyond which nothing of a drive is shown or fetched, by the vendor's id; `None` lifts the restriction.
///
/// # Errors
/// The workspace has no such connection, or the database failed.
pub(crate) async fn restrict(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: ConnectionId,
    root_folder: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let set = on!(tx, conn => sqlx::query(RESTRICT).bind(root_folder).bind(now).bind(workspace).bind(id)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    if set == 1 { Ok(()) } else { Err(Error::NotFound("connection")) }
}

const HOLD_STILL: &str = "update connections set updated_at = updated_at where workspace_id = $1 and id = $2";

/// Makes others who ask for the same wait until the transaction ends.
pub(crate) async fn hold_still(tx: &mut Tx, workspace: WorkspaceId, id: ConnectionId) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(HOLD_STILL).bind(workspace).bind(id).execute(conn).await.map(drop))
}

/// Forgets a connection and its secrets.
///
/// # Errors
/// The workspace has no such connection, or the database failed.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: ConnectionId) -> Result<()> {
    let gone = on!(tx, conn => sqlx::query(DELETE).bind(workspace).bind(id)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    if gone == 1 { Ok(()) } else { Err(Error::NotFound("connection")) }
}

/// Notes that the vendor has revoked a connection, with its words; false where that is known already.
///
/// # Errors
/// The database failed.
pub(crate) async fn mark_revoked(tx: &mut Tx, id: ConnectionId, words: &str, now: Timestamp) -> sqlx::Result<bool> {
    let marked = on!(tx, conn => sqlx::query(REVOKED).bind(now).bind(words).bind(id)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(marked == 1)
}
