//! Telling a workspace that its credits run low: once for each time that they sink below what it has set.

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::events::{self, Change, EventType};
use crate::id::WorkspaceId;
use crate::on;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When a workspace is told of low credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreditAlert)]
pub struct Alert {
    /// Endpoints are told `credits.low` when fewer credits than this are available; null where they are not.
    #[serde(deserialize_with = "Option::deserialize")]
    pub below: Option<i64>,
}

/// What an account is after a change.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(super) struct After {
    pub(super) posted: i64,
    pub(super) held: i64,
    pub(super) owed: i64,
    /// How many caps its workspace has set.
    pub(super) caps: i64,
    low_below: Option<i64>,
    is_low: i64,
}

/// What endpoints are told.
#[derive(Serialize)]
struct Told {
    available: i64,
    held: i64,
    posted: i64,
    below: i64,
}

const CROSS: &str = "update credit_accounts set is_low = $1 where workspace_id = $2";

/// Looks whether a change took the account across what its workspace has set, and tells that it sank below. The caller has
/// the account locked.
pub(super) async fn look(tx: &mut Tx, workspace: WorkspaceId, after: &After, now: Timestamp) -> Result<()> {
    let Some(below) = after.low_below else { return Ok(()) };
    let available = after.posted - after.held;
    let is_low = i64::from(available < below);
    if is_low == after.is_low {
        return Ok(());
    }
    on!(&mut *tx, conn => sqlx::query(CROSS).bind(is_low).bind(workspace).execute(conn).await.map(drop))?;
    if is_low == 1 {
        let told = Told { available, held: after.held, posted: after.posted, below };
        let change = Change { workspace, kind: EventType::CreditsLow, subject: workspace.0 };
        events::tell(tx, change, &told, now).await?;
    }
    Ok(())
}

const SHOW: &str = "select low_below from credit_accounts where workspace_id = $1";
const SET: &str = "update credit_accounts set low_below = $1,
    is_low = case when posted - held < $1 then 1 else 0 end where workspace_id = $2";

/// When a workspace is told of low credits.
///
/// # Errors
/// The database failed, or the workspace has no account.
pub async fn alert(tx: &mut Tx, workspace: WorkspaceId) -> Result<Alert> {
    let below = on!(tx, conn => sqlx::query_scalar(SHOW).bind(workspace).fetch_one(conn).await)?;
    Ok(Alert { below })
}

/// Sets when a workspace is told of low credits. Where fewer are available already, it is told when they sink below anew.
///
/// # Errors
/// The number is negative, or the database failed.
pub async fn set_alert(tx: &mut Tx, workspace: WorkspaceId, alert: Alert) -> Result<()> {
    if alert.below.is_some_and(|below| below < 1) {
        return Err(Error::invalid("below", "It is a number of credits of at least 1, or null for no alert."));
    }
    Ok(on!(tx, conn => sqlx::query(SET).bind(alert.below).bind(workspace).execute(conn).await.map(drop))?)
}
