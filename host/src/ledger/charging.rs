//! What the ledger says of a run: what was reserved for it, charged and given back.

use super::holds::HoldState;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{HoldId, WorkspaceId};
use crate::on;

/// How a hold stands.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Charge {
    /// The metered operation.
    pub operation: String,
    /// Credits reserved, or that were.
    #[sqlx(rename = "amount")]
    pub held: i64,
    state: HoldState,
    charged: Option<i64>,
    /// Credits of the charge that were given back later.
    pub refunded: i64,
    /// How the price came about, as it was given with the hold.
    pub items: Option<String>,
    /// When it ended.
    pub resolved_at: Option<Timestamp>,
}

impl Charge {
    /// Credits charged; `None` while they are reserved.
    #[must_use]
    pub fn charged(&self) -> Option<i64> {
        match self.state {
            HoldState::Open => None,
            HoldState::Settled | HoldState::Released => Some(self.charged.unwrap_or(0)),
        }
    }
}

const CHARGE: &str = "select operation, amount, state, charged, refunded, items, resolved_at from credit_holds
    where workspace_id = $1 and id = $2";

/// How a hold of a workspace stands; `None` where it has no such hold.
///
/// # Errors
/// The database failed.
pub async fn charge(tx: &mut Tx, workspace: WorkspaceId, hold: HoldId) -> Result<Option<Charge>> {
    Ok(on!(tx, conn => sqlx::query_as(CHARGE).bind(workspace).bind(hold).fetch_optional(conn).await)?)
}

/// An open hold that is old.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Unresolved {
    /// The hold.
    pub id: HoldId,
    /// Whose it is.
    pub workspace_id: WorkspaceId,
}

const UNRESOLVED: &str = "select id, workspace_id from credit_holds
    where state = 'open' and created_at < $1 and id > $2 order by id limit 100";

/// Holds that were taken before a time and are open still, a page behind this one.
///
/// # Errors
/// The database failed.
pub async fn unresolved(tx: &mut Tx, before: Timestamp, after: HoldId) -> Result<Vec<Unresolved>> {
    Ok(on!(tx, conn => sqlx::query_as(UNRESOLVED).bind(before).bind(after).fetch_all(conn).await)?)
}
