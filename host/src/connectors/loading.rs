//! What an execution of a run needs of the database, read at once: its release, whom it acts for, and their secrets.

use super::connections::{Connection, connection_columns};
use super::credentials::{Sealed, Stored};
use super::run::{self, Pinned};
use crate::db::Tx;
use crate::id::{ConnectionId, PublicationId, RunId, WorkspaceId};
use crate::jobs::BATCH;
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
    ($columns:literal, $tables:literal, $tail:expr) => {
        concat!(
            "select runs.id as run_id, runs.release, runs.seed, runs.started_at, ",
            connection_columns!(),
            $columns,
            " from runs ",
            $tables,
            $tail
        )
    };
}
macro_rules! with_secrets {
    ($tables:literal, $tail:literal) => {
        load!(
            ", secrets.name as secret_name, secrets.sealed as secret_sealed, secrets.expires_at as secret_expires_at, \
                secrets.updated_at as secret_updated_at",
            $tables,
            concat!(
                " left join connection_secrets secrets on secrets.connection_id = connections.id \
                    and secrets.workspace_id = connections.workspace_id",
                $tail
            )
        )
    };
}
/// One row a secret: to read secrets along with what is read anyway costs no round trip.
const LOAD: &str = with_secrets!(
    "join connections on connections.id = $3 and connections.workspace_id = runs.workspace_id",
    " where runs.id = $1 and runs.workspace_id = $2"
);
/// For the benchmark, which asks what the secrets add.
const LOAD_WITHOUT: &str = load!(
    ", cast(null as text) as secret_name",
    "join connections on connections.id = $3 and connections.workspace_id = runs.workspace_id",
    " where runs.id = $1 and runs.workspace_id = $2"
);
/// As many places as a batch has jobs.
const LOAD_BATCH: &str = with_secrets!(
    "join publications on publications.id = runs.id
    join connections on connections.id = publications.connection_id and connections.workspace_id = runs.workspace_id",
    " where runs.id in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
);

/// What is read of a run and its connection.
struct Found {
    pinned: Pinned,
    release: String,
    connection: Connection,
    sealed: Vec<Sealed>,
}

/// The rows of statements above, run by run.
macro_rules! read {
    ($rows:expr) => {{
        let mut found: Vec<Found> = Vec::new();
        for row in &$rows {
            let id: RunId = row.try_get("run_id")?;
            let at = found.iter().position(|found| found.pinned.id == id).unwrap_or(found.len());
            if at == found.len() {
                let connection = Connection::from_row(row)?;
                let (workspace, seed, started_at) =
                    (connection.workspace_id, row.try_get("seed")?, row.try_get("started_at")?);
                let (pinned, release) = (Pinned { id, workspace, seed, started_at }, row.try_get("release")?);
                found.push(Found { pinned, release, connection, sealed: Vec::new() });
            }
            let Some(name) = row.try_get("secret_name")? else { continue };
            found[at].sealed.push(Sealed {
                name,
                sealed: row.try_get("secret_sealed")?,
                expires_at: row.try_get("secret_expires_at")?,
                updated_at: row.try_get("secret_updated_at")?,
            });
        }
        found
    }};
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

/// Reads the runs of a batch of publications, filled up with nil. Left out are those whose connection was removed.
///
/// # Errors
/// The database failed.
pub(crate) async fn load_batch(
    tx: &mut Tx,
    vault: &Vault,
    ids: &[PublicationId; BATCH],
) -> sqlx::Result<Vec<LoadedRun>> {
    let found = on!(&mut *tx, conn => {
        let query = ids.iter().fold(sqlx::query(LOAD_BATCH), |query, id| query.bind(id));
        read!(query.fetch_all(conn).await?)
    });
    let mut all = Vec::with_capacity(found.len());
    for Found { pinned, release, connection, sealed } in found {
        let stored = Stored::open(tx, vault, pinned.workspace, connection.id, sealed).await;
        all.push(LoadedRun { pinned, release, connection: Some(connection), stored: stored.ok() });
    }
    Ok(all)
}

async fn find(
    tx: &mut Tx,
    statement: &'static str,
    id: RunId,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> sqlx::Result<Option<Found>> {
    on!(tx, conn => {
        let query = sqlx::query(statement).bind(id).bind(workspace).bind(connection);
        Ok(read!(query.fetch_all(conn).await?).pop())
    })
}
