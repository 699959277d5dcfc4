//! What operators did by hand to credits and prices, and why. Owns the table `operator_records`, whose rows are never changed.

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{RecordId, WorkspaceId};
use crate::on;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Something that an operator did.
#[derive(Debug)]
pub struct Record<'a> {
    /// Who.
    pub actor: &'a str,
    /// What, such as `credits.refund`.
    pub action: &'static str,
    /// To whom; `None` for everybody.
    pub workspace: Option<WorkspaceId>,
    /// With what.
    pub details: Value,
    /// Why.
    pub reason: &'a str,
}

/// Something that an operator did, as it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorRecord {
    /// Its id.
    pub id: RecordId,
    /// Who: `user:` and an id, or `command`.
    pub actor: String,
    /// `credits.grant`, `credits.adjust`, `credits.refund` or `price.set`.
    pub action: String,
    /// To whom; null for everybody.
    pub workspace_id: Option<WorkspaceId>,
    /// With what.
    pub details: Value,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

const ADD: &str = "insert into operator_records (id, actor, action, workspace_id, details, reason, at)
    values ($1, $2, $3, $4, $5, $6, $7)";

/// Writes it down, in the transaction that does it.
///
/// # Errors
/// The database failed.
pub async fn add(tx: &mut Tx, record: &Record<'_>, now: Timestamp) -> Result<()> {
    on!(tx, conn => sqlx::query(ADD)
        .bind(RecordId::new()).bind(record.actor).bind(record.action).bind(record.workspace)
        .bind(record.details.to_string()).bind(record.reason).bind(now)
        .execute(conn).await.map(drop))?;
    Ok(())
}

const LIST: &str = "select id, actor, action, workspace_id, details, reason, at from operator_records
    where id < $1 order by id desc limit $2";

type Row = (RecordId, String, String, Option<WorkspaceId>, String, String, Timestamp);

/// What was done before one of them, the newest first.
///
/// # Errors
/// The database failed.
pub async fn list(tx: &mut Tx, before: Option<RecordId>, limit: i64) -> Result<Vec<OperatorRecord>> {
    let before = before.unwrap_or(RecordId(uuid::Uuid::max()));
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(LIST).bind(before).bind(limit).fetch_all(conn).await)?;
    let records = rows.into_iter().map(|(id, actor, action, workspace_id, details, reason, at)| {
        let details = serde_json::from_str(&details).map_err(anyhow::Error::from)?;
        Ok(OperatorRecord { id, actor, action, workspace_id, details, reason, at })
    });
    records.collect()
}
