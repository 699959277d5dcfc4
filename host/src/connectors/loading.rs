//! What an execution of a run needs of the database, read at once: its release, whom it acts for, and their secrets.

use super::connections::{Connection, connection_columns};
use super::credentials::{Sealed, Stored};
use super::run::{self, Pinned};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::{ConnectionId, RunId, WorkspaceId};
use crate::on;
use crate::vault::Vault;
use sqlx::{FromRow as _, Row as _};

/// A run, and whom it acts for.
#[derive(Debug)]
pub(crate) struct LoadedRun {
    pub(crate) pinned: Pinned,
    /// The digest of its release.
    pub(crate) release: String,
    /// `None` where it was removed.
    pub(crate) connection: Option<Connection>,
    /// `None` where it cannot be read: a fault where it is needed.
    pub(crate) stored: Option<Stored>,
}

macro_rules! load {
    ($columns:literal, $join:literal) => {
        concat!(
            "select runs.release, runs.seed, runs.started_at, ",
            connection_columns!(),
            $columns,
            " from runs join connections on connections.id = $3 and connections.workspace_id = runs.workspace_id ",
            $join,
            " where runs.id = $1 and runs.workspace_id = $2"
        )
    };
}
/// One row a secret: to read secrets along with what is read anyway costs no round trip.
const LOAD: &str = load!(
    ", secrets.name as secret_name, secrets.sealed as secret_sealed, secrets.expires_at as secret_expires_at, \
        secrets.updated_at as secret_updated_at",
    "left join connection_secrets secrets on secrets.connection_id = connections.id \
        and secrets.workspace_id = connections.workspace_id"
);
/// For the benchmark, which asks what the secrets add.
const LOAD_WITHOUT: &str = load!(", cast(null as text) as secret_name", "");

/// What is read of a run and its connection.
struct Found {
    pinned: Pinned,
    release: String,
    connection: Connection,
    sealed: Vec<Sealed>,
}

/// Reads a run of a workspace's and whom it acts for.
///
/// # Errors
/// There is no such run, or the database failed.
pub(crate) async fn load(
    tx: &mut Tx,
    vault: &Vault,
    id: RunId,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> anyhow::Result<LoadedRun> {
    let Some(Found { pinned, release, connection, sealed }) = find(tx, LOAD, id, workspace, connection).await? else {
        let (pinned, release) = run::pinned(tx, id, workspace).await?;
        return Ok(LoadedRun { pinned, release, connection: None, stored: None });
    };
    let stored = Stored::open(tx, vault, workspace, connection.id, sealed).await;
    Ok(LoadedRun { pinned, release, connection: Some(connection), stored: stored.ok() })
}

/// Reads the same without the secrets.
pub(super) async fn without_secrets(
    tx: &mut Tx,
    id: RunId,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> anyhow::Result<()> {
    anyhow::ensure!(find(tx, LOAD_WITHOUT, id, workspace, connection).await?.is_some(), "there is no such run");
    Ok(())
}

async fn find(
    tx: &mut Tx,
    statement: &'static str,
    id: RunId,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> sqlx::Result<Option<Found>> {
    on!(tx, conn => {
        let rows = sqlx::query(statement).bind(id).bind(workspace).bind(connection).fetch_all(conn).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let (seed, started_at): (i64, Timestamp) = (first.try_get("seed")?, first.try_get("started_at")?);
        let mut sealed = Vec::with_capacity(rows.len());
        for row in &rows {
            let Some(name) = row.try_get("secret_name")? else { continue };
            sealed.push(Sealed {
                name,
                sealed: row.try_get("secret_sealed")?,
                expires_at: row.try_get("secret_expires_at")?,
                updated_at: row.try_get("secret_updated_at")?,
            });
        }
        Ok(Some(Found {
            pinned: Pinned { id, workspace, seed, started_at },
            release: first.try_get("release")?,
            connection: Connection::from_row(first)?,
            sealed,
        }))
    })
}
