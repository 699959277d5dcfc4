//! Credits: two-phase transfers per workspace.
//!
//! The only room that touches the tables `credit_accounts`, `credit_grants`, `credit_holds`, `credit_transactions` and
//! `credit_caps`. A hold reserves the quoted price before a run; settling charges what was used of it, releasing gives it
//! back. The ledger knows neither what an operation does nor what it costs. Endpoints are told that credits run low by
//! [`events`](crate::events).
//!
//! Every change writes to the account's row first, and so locks it. The changes of a workspace happen one after the other, a
//! repeated key changes nothing, and no two transactions wait for each other.
//!
//! What a workspace owns is the sum of what is left of its grants (`grants`). A hold fixes which of them it takes from
//! (`holds`): the one that ends soonest first, and of those that end alike promotional before subscription before purchased,
//! then the older. What is owed after credits were taken back (`clawing`) is netted from whatever becomes free.

mod adjusting;
mod alert;
mod audit;
mod benched;
mod caps;
mod charging;
mod clawing;
mod expiring;
mod extending;
mod grants;
mod history;
mod holds;
mod refunding;
mod statement;

pub use adjusting::adjust;
pub use alert::{Alert, alert, set_alert};
pub use audit::audit;
#[doc(hidden)]
pub use benched::{HOLD_FOR_BENCH, SETTLE_FOR_BENCH};
pub use caps::{Cap, CapUse, Period, Scope, caps, set_caps};
pub use charging::{Charge, Unresolved, charge, unresolved};
pub use clawing::{ClawedBack, claw_back, is_clawed_back, restore};
pub use expiring::{Ended, expire_due, expire_grants};
pub use extending::extend;
pub use grants::{Grant, GrantOrigin, grant};
pub use history::{Balance, History, OpenGrant, Transaction, balance, transactions};
pub(crate) use holds::reserving;
pub use holds::{Reservation, Resolution, hold, release, reserve, settle};
pub use refunding::{Refunded, refund};
pub use statement::{Span, statement};

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::db::bundle::Bundle;
use crate::error::{Error, Result};
use crate::id::{GrantId, HoldId, TransactionId, WorkspaceId};
use crate::on;
use alert::After;
use anyhow::anyhow;

/// The most credits that one change may move. A thousand accounts as full as they may be still sum to a number of 64 bits.
pub const MAX_CHANGE: i64 = 1_000_000_000_000;
/// The most credits that an account may own.
const MAX_POSTED: i64 = 1_000_000_000_000_000;

/// What changed an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = CreditTransactionKind)]
pub enum Kind {
    /// Credits were added. What was owed is paid off first.
    Grant,
    /// Credits were reserved.
    Hold,
    /// A reservation was made larger.
    Extend,
    /// Of a reservation, what was used was charged and the rest given back.
    Settle,
    /// A reservation was given back, uncharged.
    Release,
    /// What had been charged was given back.
    Refund,
    /// Credits whose time was over were taken away.
    Expire,
    /// Credits were taken back, since the payment for them was; what had been used by then is owed.
    Clawback,
    /// What was owed was paid off by credits that had become free.
    Collect,
    /// An operator corrected the account.
    Adjust,
}

impl Kind {
    /// Begins the stored key: a grant and a hold of the same name are two changes.
    fn word(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Hold => "hold",
            Self::Extend => "extend",
            Self::Settle => "settle",
            Self::Release => "release",
            Self::Refund => "refund",
            Self::Expire => "expire",
            Self::Clawback => "clawback",
            Self::Collect => "collect",
            Self::Adjust => "adjust",
        }
    }
}

const OPEN_ACCOUNT: &str = "insert into credit_accounts (workspace_id, posted, held) values ($1, 0, 0)";

/// Opens the account of a new workspace, with nothing on it.
///
/// # Errors
/// The database failed, or the account exists.
pub async fn open_account(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    on!(tx, conn => sqlx::query(OPEN_ACCOUNT).bind(workspace).execute(conn).await.map(drop))?;
    Ok(())
}

/// How far an account moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Delta {
    posted: i64,
    held: i64,
    owed: i64,
}

/// A change of an account, and what its row says of it.
struct Entry<'a> {
    kind: Kind,
    /// Credits moved, never negative.
    amount: i64,
    delta: Delta,
    hold: Option<HoldId>,
    /// The grant whose payment was taken back.
    grant: Option<GrantId>,
    key: &'a str,
    description: &'a str,
}

/// A key as it is stored.
fn full_key(kind: Kind, key: &str) -> String {
    format!("{}:{key}", kind.word())
}

const LOCK: &str = "update credit_accounts set held = held where workspace_id = $1";

/// Locks the account until the transaction ends. The statements after it see everything that changed it before.
async fn lock(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    let locked =
        on!(tx, conn => sqlx::query(LOCK).bind(workspace).execute(conn).await.map(|done| done.rows_affected()))?;
    if locked == 1 { Ok(()) } else { Err(Error::NotFound("credit account")) }
}

const FIND: &str = "select hold_id from credit_transactions where workspace_id = $1 and key = $2";

/// The hold of the change that was made by this key before, if one was.
async fn find(tx: &mut Tx, workspace: WorkspaceId, kind: Kind, key: &str) -> Result<Option<Option<HoldId>>> {
    let key = full_key(kind, key);
    Ok(on!(tx, conn => sqlx::query_scalar(FIND).bind(workspace).bind(key).fetch_optional(conn).await)?)
}

const SHIFT: &str = "update credit_accounts set posted = posted + $1, held = held + $2, owed = owed + $3
    where workspace_id = $4 and posted - held >= $2 - $1 and owed + $3 >= 0 and posted <= $5 - $1
    returning posted, held, owed, caps, low_below, is_low";

/// Moves the account and locks it; `None`, and nothing moves, when less than nothing would be available or owed after it, or it
/// would own more than any account may.
async fn shift(tx: &mut Tx, workspace: WorkspaceId, delta: Delta) -> Result<Option<After>> {
    Ok(on!(tx, conn => sqlx::query_as(SHIFT)
        .bind(delta.posted).bind(delta.held).bind(delta.owed).bind(workspace).bind(MAX_POSTED)
        .fetch_optional(conn).await)?)
}

const RECORD: &str =
    "insert into credit_transactions (id, workspace_id, kind, amount, posted_delta, held_delta, owed_delta,
        posted_after, held_after, owed_after, hold_id, grant_id, key, description, created_at, sequence)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
        (select coalesce(max(sequence), 0) + 1 from credit_transactions where workspace_id = $2))";

/// Writes the row about a change, and tells who wants to know that credits run low. The account's lock makes the next sequence
/// number ours.
async fn record(tx: &mut Tx, workspace: WorkspaceId, entry: &Entry<'_>, after: After, now: Timestamp) -> Result<()> {
    alert::look(tx, workspace, &after, now).await?;
    let mut bundle = Bundle::new(tx);
    recording(&mut bundle, workspace, entry, after, now);
    bundle.run(tx).await?;
    Ok(())
}

/// The row about a change, as part of a bundle; there is one in it at most.
fn recording(bundle: &mut Bundle, workspace: WorkspaceId, entry: &Entry<'_>, after: After, now: Timestamp) {
    let Entry { kind, amount, delta, hold, grant, key, description } = *entry;
    bundle.add(RECORD).bind(TransactionId::new()).bind(workspace).bind(kind).bind(amount);
    bundle.bind(delta.posted).bind(delta.held).bind(delta.owed).bind(after.posted).bind(after.held).bind(after.owed);
    bundle.bind(hold).bind(grant).bind(full_key(kind, key)).bind(description).bind(now);
}

/// Moves the account, where it cannot but be possible, and writes the row about it.
async fn book(tx: &mut Tx, workspace: WorkspaceId, entry: &Entry<'_>, now: Timestamp) -> Result<After> {
    let after = shift(tx, workspace, entry.delta).await?.ok_or_else(|| {
        anyhow!(
            "{} of workspace {workspace} by {:?} does not fit its account",
            full_key(entry.kind, entry.key),
            entry.delta
        )
    })?;
    record(tx, workspace, entry, after, now).await?;
    Ok(after)
}

/// Whether an amount is nothing; one that no change may move is refused.
fn is_nothing(amount: i64) -> Result<bool> {
    if (0..=MAX_CHANGE).contains(&amount) {
        Ok(amount == 0)
    } else {
        Err(Error::invalid("credits", format!("A change moves between 0 and {MAX_CHANGE} credits, not {amount}.")))
    }
}
