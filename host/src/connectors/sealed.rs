//! All sealed secrets, one after the other: to seal them anew, and to see whether they open.

use super::{apps, credentials};
use crate::clock::Clock;
use crate::db::{Db, Tx};
use crate::id::{AppId, ConnectionId, WebhookSecretId, WorkspaceId};
use crate::on;
use crate::vault::Vault;
use crate::webhooks::secrets;
use uuid::Uuid;

/// Secrets that are looked at in one transaction.
const AT_ONCE: i64 = 100;

/// Where secrets are kept.
struct Table {
    /// Selects what comes after a place (a row and a name in it), in their order.
    page: &'static str,
    /// Replaces the sealed form at a place, where it is still the one that was read.
    replace: &'static str,
    identity: fn(&Row) -> String,
}

const TABLES: [Table; 3] = [
    Table {
        page: "select connection_id as id, name, workspace_id, sealed from connection_secrets
            where (connection_id, name) > ($1, $2) order by connection_id, name limit $3",
        replace: "update connection_secrets set sealed = $1 where connection_id = $2 and name = $3 and sealed = $4",
        identity: |row| {
            let workspace = row.workspace_id.unwrap_or(WorkspaceId(Uuid::nil()));
            credentials::identity(workspace, ConnectionId(row.id), &row.name)
        },
    },
    Table {
        page: "select id, 'client_secret' as name, workspace_id, sealed_secret as sealed from connector_apps
            where sealed_secret is not null and (id, 'client_secret') > ($1, $2) order by id limit $3",
        replace: "update connector_apps set sealed_secret = $1
            where id = $2 and 'client_secret' = $3 and sealed_secret = $4",
        identity: |row| apps::identity(AppId(row.id)),
    },
    Table {
        page: "select id, 'webhook' as name, workspace_id, sealed from webhook_secrets
            where (id, 'webhook') > ($1, $2) order by id limit $3",
        replace: "update webhook_secrets set sealed = $1 where id = $2 and 'webhook' = $3 and sealed = $4",
        identity: |row| {
            secrets::identity(row.workspace_id.unwrap_or(WorkspaceId(Uuid::nil())), WebhookSecretId(row.id))
        },
    },
];

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    name: String,
    /// `None` for a secret of the installation, which is sealed under the root key.
    workspace_id: Option<WorkspaceId>,
    sealed: Vec<u8>,
}

/// Where a walk through a table is.
struct Walk {
    table: &'static Table,
    id: Uuid,
    name: String,
}

impl Walk {
    fn through(table: &'static Table) -> Self {
        Self { table, id: Uuid::nil(), name: String::new() }
    }

    async fn next(&mut self, tx: &mut Tx) -> sqlx::Result<Vec<Row>> {
        let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(self.table.page)
            .bind(self.id).bind(&self.name).bind(AT_ONCE).fetch_all(conn).await)?;
        if let Some(last) = rows.last() {
            (self.id, self.name) = (last.id, last.name.clone());
        }
        Ok(rows)
    }
}

/// Seals every secret under the data key that its workspace uses now. Gives how many were under another.
///
/// # Errors
/// A secret does not open, or the database failed. What was sealed anew until then stays so.
pub(crate) async fn seal_again(vault: &Vault, db: &Db, clock: &Clock) -> anyhow::Result<usize> {
    let mut count = 0;
    for table in &TABLES {
        let mut walk = Walk::through(table);
        loop {
            let mut tx = db.begin().await?;
            let rows = walk.next(&mut tx).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                // The root key never changes: only what it is sealed under does.
                let Some(workspace) = row.workspace_id else { continue };
                let identity = (table.identity)(&row);
                let again = vault.seal_again(&mut tx, workspace, &identity, &row.sealed, clock.now()).await?;
                let Some(again) = again else { continue };
                // Who wrote it meanwhile sealed it under the newer key.
                on!(&mut tx, conn => sqlx::query(table.replace)
                    .bind(again).bind(row.id).bind(&row.name).bind(row.sealed).execute(conn).await.map(drop))?;
                count += 1;
            }
            tx.commit().await?;
        }
    }
    Ok(count)
}

/// Opens every secret. Gives how many open, and a sentence of each that does not.
///
/// # Errors
/// The database failed.
pub(crate) async fn open_all(vault: &Vault, db: &Db) -> anyhow::Result<(usize, Vec<String>)> {
    let (mut open, mut shut) = (0, Vec::new());
    for table in &TABLES {
        let mut walk = Walk::through(table);
        loop {
            let mut tx = db.read().await?;
            let rows = walk.next(&mut tx).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let identity = (table.identity)(&row);
                let opened = match row.workspace_id {
                    Some(_) => vault.unseal(&mut tx, &identity, &row.sealed).await.map(drop),
                    None => vault.open_token(&identity, &row.sealed).map(drop),
                };
                match opened {
                    Ok(()) => open += 1,
                    Err(error) => shut.push(format!("{error:#}")),
                }
            }
        }
    }
    Ok((open, shut))
}
