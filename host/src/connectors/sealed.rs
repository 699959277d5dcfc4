//! All sealed secrets of this room, one after the other: to seal them anew, and to see whether they open.

use super::credentials::identity;
use crate::clock::Clock;
use crate::db::{Db, Tx};
use crate::id::{ConnectionId, WorkspaceId};
use crate::on;
use crate::vault::Vault;

/// Secrets that are looked at in one transaction.
const AT_ONCE: i64 = 100;

const PAGE: &str = "select connection_id, workspace_id, name, sealed from connection_secrets
    where (connection_id, name) > ($1, $2) order by connection_id, name limit $3";
const REPLACE: &str =
    "update connection_secrets set sealed = $1 where connection_id = $2 and name = $3 and sealed = $4";

#[derive(sqlx::FromRow)]
struct Row {
    connection_id: ConnectionId,
    workspace_id: WorkspaceId,
    name: String,
    sealed: Vec<u8>,
}

impl Row {
    fn identity(&self) -> String {
        identity(self.workspace_id, self.connection_id, &self.name)
    }
}

/// Where a walk through the secrets is.
struct Walk(ConnectionId, String);

impl Walk {
    fn begin() -> Self {
        Self(ConnectionId(uuid::Uuid::nil()), String::new())
    }

    async fn next(&mut self, tx: &mut Tx) -> sqlx::Result<Vec<Row>> {
        let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(PAGE)
            .bind(self.0).bind(&self.1).bind(AT_ONCE).fetch_all(conn).await)?;
        if let Some(last) = rows.last() {
            *self = Self(last.connection_id, last.name.clone());
        }
        Ok(rows)
    }
}

/// Seals every secret under the data key that its workspace uses now. Gives how many were under another.
///
/// # Errors
/// A secret does not open, or the database failed. What was sealed anew until then stays so.
pub(crate) async fn seal_again(vault: &Vault, db: &Db, clock: &Clock) -> anyhow::Result<usize> {
    let (mut walk, mut count) = (Walk::begin(), 0);
    loop {
        let mut tx = db.begin().await?;
        let rows = walk.next(&mut tx).await?;
        if rows.is_empty() {
            return Ok(count);
        }
        for row in rows {
            let again = vault.seal_again(&mut tx, row.workspace_id, &row.identity(), &row.sealed, clock.now()).await?;
            let Some(again) = again else { continue };
            // Who wrote it meanwhile sealed it under the newer key.
            on!(&mut tx, conn => sqlx::query(REPLACE)
                .bind(again).bind(row.connection_id).bind(&row.name).bind(row.sealed).execute(conn).await.map(drop))?;
            count += 1;
        }
        tx.commit().await?;
    }
}

/// Opens every secret. Gives how many open, and a sentence of each that does not.
///
/// # Errors
/// The database failed.
pub(crate) async fn open_all(vault: &Vault, db: &Db) -> anyhow::Result<(usize, Vec<String>)> {
    let (mut walk, mut open, mut shut) = (Walk::begin(), 0, Vec::new());
    loop {
        let mut tx = db.read().await?;
        let rows = walk.next(&mut tx).await?;
        if rows.is_empty() {
            return Ok((open, shut));
        }
        for row in rows {
            match vault.unseal(&mut tx, &row.identity(), &row.sealed).await {
                Ok(_) => open += 1,
                Err(error) => shut.push(format!("{error:#}")),
            }
        }
    }
}
