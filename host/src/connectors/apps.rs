//! The apps at vendors that mint tokens: the workspace's own before the installation's. A connection stays with the app that
//! minted its tokens.

use super::run::Services;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::{AppId, ConnectionId, WorkspaceId};
use crate::on;
use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};

/// An app at a vendor.
#[derive(Debug, Clone)]
pub(crate) struct VendorApp {
    pub(crate) id: AppId,
    pub(crate) client_id: String,
    /// `None` for a public client.
    pub(crate) client_secret: Option<SecretString>,
    pub(crate) owner: Owner,
}

/// Who made an app at its vendor, and so who can change it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Installation,
    Workspace,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: AppId,
    workspace_id: Option<WorkspaceId>,
    connector: String,
    client_id: String,
    sealed_secret: Option<Vec<u8>>,
}

/// All columns of [`Row`].
macro_rules! columns {
    ($tail:literal) => {
        concat!("select a.id, a.workspace_id, a.connector, a.client_id, a.sealed_secret from connector_apps a ", $tail)
    };
}

const BY_ID: &str = columns!("where a.id = $1");
const OF_CONNECTION: &str = columns!("join connections c on c.app_id = a.id where c.workspace_id = $1 and c.id = $2");
const OF_WORKSPACE: &str = columns!("where a.workspace_id = $1 and a.connector = $2 and a.in_use = 1");

/// The app that new connections of a workspace are made with, kept for as long as there is one; `None` where nobody has set
/// one.
///
/// # Errors
/// The database failed, or a secret does not open.
pub(crate) async fn for_new(
    services: &Services,
    workspace: WorkspaceId,
    connector: &str,
) -> anyhow::Result<Option<VendorApp>> {
    let mut tx = services.db.read().await?;
    let own: Option<Row> =
        on!(&mut tx, conn => sqlx::query_as(OF_WORKSPACE).bind(workspace).bind(connector).fetch_optional(conn).await)?;
    match own {
        Some(row) => open(services, &mut tx, row).await.map(Some),
        None => {
            drop(tx);
            installation(services, connector).await
        }
    }
}

/// The app that minted a connection's tokens.
///
/// # Errors
/// The connection has none, the database failed, or its secret does not open.
pub(crate) async fn of_connection(
    services: &Services,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> anyhow::Result<VendorApp> {
    let mut tx = services.db.read().await?;
    let row: Option<Row> = on!(&mut tx, conn => sqlx::query_as(OF_CONNECTION)
        .bind(workspace).bind(connection).fetch_optional(conn).await)?;
    open(services, &mut tx, row.context("no app minted the tokens of this connection")?).await
}

const ID_OF_CONNECTION: &str = "select app_id from connections where workspace_id = $1 and id = $2";

/// The id of the app that minted a connection's tokens, for who needs none of its secrets; `None` where none did.
///
/// # Errors
/// The database failed.
pub(crate) async fn id_of_connection(
    services: &Services,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> anyhow::Result<Option<AppId>> {
    let mut tx = services.db.read().await?;
    let id: Option<Option<AppId>> = on!(&mut tx, conn => sqlx::query_scalar(ID_OF_CONNECTION)
        .bind(workspace).bind(connection).fetch_optional(conn).await)?;
    Ok(id.flatten())
}

/// An app by its id.
///
/// # Errors
/// There is none, the database failed, or its secret does not open.
pub(crate) async fn by_id(services: &Services, id: AppId) -> anyhow::Result<VendorApp> {
    let mut tx = services.db.read().await?;
    let row: Option<Row> = on!(&mut tx, conn => sqlx::query_as(BY_ID).bind(id).fetch_optional(conn).await)?;
    open(services, &mut tx, row.context("there is no such app")?).await
}

async fn open(services: &Services, tx: &mut Tx, row: Row) -> anyhow::Result<VendorApp> {
    // The operator may have replaced the secret of the same app since.
    let configured = services.apps.get(&row.connector).filter(|app| app.client_id.as_ref() == Some(&row.client_id));
    let client_secret = match (row.workspace_id, configured, row.sealed_secret) {
        (None, Some(app), _) => app.client_secret.clone(),
        (_, _, None) => None,
        (None, None, Some(sealed)) => {
            let plain = services.vault.open_token(&identity(row.id), &sealed)?;
            Some(SecretString::from(std::str::from_utf8(&plain)?))
        }
        (Some(_), _, Some(sealed)) => Some(services.vault.unseal(tx, &identity(row.id), &sealed).await?),
    };
    let owner = if row.workspace_id.is_some() { Owner::Workspace } else { Owner::Installation };
    Ok(VendorApp { id: row.id, client_id: row.client_id, client_secret, owner })
}

const FIND_INSTALLATION: &str =
    "select id from connector_apps where workspace_id is null and connector = $1 and client_id = $2";
const KEEP_INSTALLATION: &str = "insert into connector_apps
    (id, workspace_id, connector, client_id, sealed_secret, in_use, created_at, updated_at)
    values ($1, null, $2, $3, $4, 1, $5, $5) on conflict do nothing";
const REPLACE_SECRET: &str = "update connector_apps set sealed_secret = $1, updated_at = $2 where id = $3";

/// The app of the configuration, kept so that what it minted can be refreshed when another stands there.
async fn installation(services: &Services, connector: &str) -> anyhow::Result<Option<VendorApp>> {
    let Some(configured) = services.apps.get(connector) else { return Ok(None) };
    let Some(client_id) = configured.client_id.clone() else { return Ok(None) };
    let client_secret = configured.client_secret.clone();
    let now = services.clock.now();
    let find = async |tx: &mut Tx| -> sqlx::Result<Option<AppId>> {
        on!(tx, conn => sqlx::query_scalar(FIND_INSTALLATION).bind(connector).bind(&client_id).fetch_optional(conn).await)
    };
    let mut tx = services.db.begin().await?;
    if find(&mut tx).await?.is_none() {
        on!(&mut tx, conn => sqlx::query(KEEP_INSTALLATION)
            .bind(AppId::new()).bind(connector).bind(&client_id).bind(None::<Vec<u8>>).bind(now)
            .execute(conn).await.map(drop))?;
    }
    let id = find(&mut tx).await?.context("an app was just kept")?;
    let sealed = client_secret
        .as_ref()
        .map(|secret| services.vault.seal_token(&identity(id), secret.expose_secret().as_bytes()));
    on!(&mut tx, conn => sqlx::query(REPLACE_SECRET).bind(sealed).bind(now).bind(id).execute(conn).await.map(drop))?;
    tx.commit().await?;
    Ok(Some(VendorApp { id, client_id, client_secret, owner: Owner::Installation }))
}

const PUT_ASIDE: &str =
    "update connector_apps set in_use = 0, updated_at = $1 where workspace_id = $2 and connector = $3";
const SET: &str = "insert into connector_apps
    (id, workspace_id, connector, client_id, sealed_secret, in_use, created_at, updated_at)
    values ($1, $2, $3, $4, null, 1, $5, $5)
    on conflict (workspace_id, connector, client_id) where workspace_id is not null
    do update set in_use = 1, updated_at = excluded.updated_at
    returning id";

/// Makes an app the one that new connections of a workspace are made with. Those that another minted stay with that.
///
/// # Errors
/// The database failed.
pub(crate) async fn set(
    services: &Services,
    workspace: WorkspaceId,
    connector: &str,
    client_id: &str,
    client_secret: Option<&SecretString>,
) -> anyhow::Result<()> {
    let now = services.clock.now();
    let mut tx = services.db.begin().await?;
    put_aside(&mut tx, workspace, connector, now).await?;
    let id: AppId = on!(&mut tx, conn => sqlx::query_scalar(SET)
        .bind(AppId::new()).bind(workspace).bind(connector).bind(client_id).bind(now).fetch_one(conn).await)?;
    // An empty secret never overwrites one that is there.
    if let Some(secret) = client_secret.filter(|secret| !secret.expose_secret().is_empty()) {
        let sealed = services.vault.seal(&mut tx, workspace, &identity(id), secret, now).await?;
        on!(&mut tx, conn => sqlx::query(REPLACE_SECRET)
            .bind(sealed).bind(now).bind(id).execute(conn).await.map(drop))?;
    }
    Ok(tx.commit().await?)
}

/// Makes new connections of a workspace with the installation's app again.
///
/// # Errors
/// The database failed.
pub(crate) async fn unset(services: &Services, workspace: WorkspaceId, connector: &str) -> anyhow::Result<()> {
    let mut tx = services.db.begin().await?;
    put_aside(&mut tx, workspace, connector, services.clock.now()).await?;
    Ok(tx.commit().await?)
}

async fn put_aside(tx: &mut Tx, workspace: WorkspaceId, connector: &str, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(PUT_ASIDE).bind(now).bind(workspace).bind(connector).execute(conn).await.map(drop))
}

/// What a sealed secret is bound to.
pub(super) fn identity(id: AppId) -> String {
    format!("connector_apps/{id}/client_secret")
}
