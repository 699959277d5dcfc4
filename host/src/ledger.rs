//! Credits: two-phase transfers per workspace.
//!
//! The only room that touches the tables `credit_accounts`, `credit_holds` and `credit_transactions`. A hold reserves
//! the quoted price before a run; settling charges what was used of it, releasing gives it back. The ledger knows
//! neither what an operation does nor what it costs. Endpoints are told that credits run low by [`events`](crate::events).
//!
//! Every change locks the account's row first and then looks whether its key was used before. So the changes of a
//! workspace happen one after the other, a repeated key changes nothing, and no two transactions wait for each other.

mod alert;
mod audit;
mod history;

pub use alert::{Alert, alert, set_alert};
pub use audit::audit;
pub use history::{Balance, History, Transaction, balance, transactions};

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{HoldId, TransactionId, WorkspaceId};
use crate::on;
use alert::After;
use anyhow::anyhow;

/// What changed an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = CreditTransactionKind)]
pub enum Kind {
    /// Credits were added.
    Grant,
    /// Credits were reserved.
    Hold,
    /// Of a reservation, what was used was charged and the rest given back.
    Settle,
    /// A reservation was given back, uncharged.
    Release,
}

/// What asking for the end of a hold came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// The hold was open and is now resolved as asked.
    Done,
    /// It was settled before; nothing changed.
    AlreadySettled,
    /// It was released before; nothing changed.
    AlreadyReleased,
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

/// Adds credits. A key that the workspace was granted something by before, or an amount of zero, changes nothing.
///
/// # Errors
/// The amount is negative, or the database failed.
pub async fn grant(
    tx: &mut Tx,
    workspace: WorkspaceId,
    amount: i64,
    key: &str,
    description: &str,
    now: Timestamp,
) -> Result<()> {
    if is_nothing(amount)? {
        return Ok(());
    }
    let entry = Entry { kind: Kind::Grant, amount, posted_delta: amount, held_delta: 0, hold: None, key, description };
    lock(tx, workspace).await?;
    if find(tx, workspace, &entry).await?.is_none() {
        let after = change(tx, workspace, &entry, now)
            .await?
            .ok_or_else(|| anyhow!("a grant was refused for lack of credits"))?;
        record(tx, workspace, &entry, after, now).await?;
    }
    Ok(())
}

const INSERT_HOLD: &str = "insert into credit_holds (id, workspace_id, operation, amount, state, created_at)
    values ($1, $2, $3, $4, 'open', $5)";

/// Reserves the price of an operation. `None` when it costs nothing: there is nothing to settle or release then.
/// A key that the workspace held something by before answers that hold, whatever became of it.
///
/// # Errors
/// [`Error::InsufficientCredits`], and nothing is reserved; the amount is negative; the database failed.
pub async fn hold(
    tx: &mut Tx,
    workspace: WorkspaceId,
    operation: &str,
    amount: i64,
    key: &str,
    now: Timestamp,
) -> Result<Option<HoldId>> {
    if is_nothing(amount)? {
        return Ok(None);
    }
    let hold = HoldId::new();
    let description = &describe("Reserved for", operation);
    let entry =
        Entry { kind: Kind::Hold, amount, posted_delta: 0, held_delta: amount, hold: Some(hold), key, description };
    lock(tx, workspace).await?;
    if let Some(earlier) = find(tx, workspace, &entry).await? {
        return Ok(earlier);
    }
    let Some(after) = change(tx, workspace, &entry, now).await? else {
        let available = balance(tx, workspace).await?.available;
        return Err(Error::InsufficientCredits { needed: amount, available });
    };
    on!(tx, conn => sqlx::query(INSERT_HOLD)
        .bind(hold).bind(workspace).bind(operation).bind(amount).bind(now)
        .execute(conn).await.map(drop))?;
    record(tx, workspace, &entry, after, now).await?;
    Ok(Some(hold))
}

/// Charges what was used of a hold, never more than was held, and gives the rest back.
///
/// # Errors
/// The workspace has no such hold, or the database failed.
pub async fn settle(
    tx: &mut Tx,
    workspace: WorkspaceId,
    hold: HoldId,
    used: i64,
    now: Timestamp,
) -> Result<Resolution> {
    resolve(tx, workspace, hold, Verdict::Charge(used), now).await
}

/// Gives a hold back, uncharged.
///
/// # Errors
/// As [`settle`].
pub async fn release(tx: &mut Tx, workspace: WorkspaceId, hold: HoldId, now: Timestamp) -> Result<Resolution> {
    resolve(tx, workspace, hold, Verdict::GiveBack, now).await
}

enum Verdict {
    Charge(i64),
    GiveBack,
}

#[derive(Debug, Clone, Copy, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
enum HoldState {
    Open,
    Settled,
    Released,
}

// `open` is part of the condition, so of two that resolve a hold, one changes it and the other finds it resolved.
const RESOLVE: &str = "update credit_holds set state = $1, resolved_at = $2
    where workspace_id = $3 and id = $4 and state = 'open' returning operation, amount";

async fn resolve(
    tx: &mut Tx,
    workspace: WorkspaceId,
    hold: HoldId,
    verdict: Verdict,
    now: Timestamp,
) -> Result<Resolution> {
    let (state, kind, verb) = match verdict {
        Verdict::Charge(_) => (HoldState::Settled, Kind::Settle, "Charged for"),
        Verdict::GiveBack => (HoldState::Released, Kind::Release, "Given back for"),
    };
    lock(tx, workspace).await?;
    let resolved: Option<(String, i64)> = on!(tx, conn => sqlx::query_as(RESOLVE)
        .bind(state).bind(now).bind(workspace).bind(hold)
        .fetch_optional(conn).await)?;
    let Some((operation, held)) = resolved else { return resolved_before(tx, workspace, hold).await };
    let (amount, posted_delta) = match verdict {
        Verdict::Charge(used) => (used.clamp(0, held), -used.clamp(0, held)),
        Verdict::GiveBack => (held, 0),
    };
    let (key, description) = (&hold.to_string(), &describe(verb, &operation));
    let entry = Entry { kind, amount, posted_delta, held_delta: -held, hold: Some(hold), key, description };
    let after = change(tx, workspace, &entry, now)
        .await?
        .ok_or_else(|| anyhow!("hold {hold} is of {held} credits, but its account holds fewer"))?;
    record(tx, workspace, &entry, after, now).await?;
    Ok(Resolution::Done)
}

const HOLD_STATE: &str = "select state from credit_holds where workspace_id = $1 and id = $2";

async fn resolved_before(tx: &mut Tx, workspace: WorkspaceId, hold: HoldId) -> Result<Resolution> {
    let state = on!(tx, conn => sqlx::query_scalar(HOLD_STATE).bind(workspace).bind(hold).fetch_optional(conn).await)?;
    match state {
        Some(HoldState::Settled) => Ok(Resolution::AlreadySettled),
        Some(HoldState::Released) => Ok(Resolution::AlreadyReleased),
        Some(HoldState::Open) => Err(anyhow!("hold {hold} is open, but could not be resolved").into()),
        None => Err(anyhow!("workspace {workspace} has no hold {hold}").into()),
    }
}

/// A change of an account, and what its row says of it.
struct Entry<'a> {
    kind: Kind,
    amount: i64,
    posted_delta: i64,
    held_delta: i64,
    hold: Option<HoldId>,
    key: &'a str,
    description: &'a str,
}

impl Entry<'_> {
    /// The stored key: a grant and a hold of the same name are two changes.
    fn full_key(&self) -> String {
        let kind = match self.kind {
            Kind::Grant => "grant",
            Kind::Hold => "hold",
            Kind::Settle => "settle",
            Kind::Release => "release",
        };
        format!("{kind}:{}", self.key)
    }
}

const LOCK: &str = "update credit_accounts set held = held where workspace_id = $1";

/// Locks the account until the transaction ends. The statements after it see everything that changed it before.
async fn lock(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    let locked =
        on!(tx, conn => sqlx::query(LOCK).bind(workspace).execute(conn).await.map(|done| done.rows_affected()))?;
    if locked == 1 { Ok(()) } else { Err(anyhow!("workspace {workspace} has no credit account").into()) }
}

const FIND: &str = "select hold_id from credit_transactions where workspace_id = $1 and key = $2";

/// The hold of the change that was made by this key before, if one was.
async fn find(tx: &mut Tx, workspace: WorkspaceId, entry: &Entry<'_>) -> Result<Option<Option<HoldId>>> {
    Ok(on!(tx, conn => sqlx::query_scalar(FIND).bind(workspace).bind(entry.full_key()).fetch_optional(conn).await)?)
}

const CHANGE: &str = "update credit_accounts set posted = posted + $1, held = held + $2
    where workspace_id = $3 and posted + $1 - held - $2 >= 0 returning posted, held, low_below, is_low";

/// Moves the account; `None`, and nothing moves, when less than nothing would be available after it.
async fn change(tx: &mut Tx, workspace: WorkspaceId, entry: &Entry<'_>, now: Timestamp) -> Result<Option<After>> {
    let after: Option<After> = on!(&mut *tx, conn => sqlx::query_as(CHANGE)
        .bind(entry.posted_delta).bind(entry.held_delta).bind(workspace)
        .fetch_optional(conn).await)?;
    if let Some(after) = &after {
        alert::look(tx, workspace, after, now).await?;
    }
    Ok(after)
}

const RECORD: &str = "insert into credit_transactions (id, workspace_id, kind, amount, posted_delta, held_delta,
        posted_after, held_after, hold_id, key, description, created_at, sequence)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
        (select coalesce(max(sequence), 0) + 1 from credit_transactions where workspace_id = $2))";

/// Writes the row about a change. The account's lock makes the next sequence number ours.
async fn record(tx: &mut Tx, workspace: WorkspaceId, entry: &Entry<'_>, after: After, now: Timestamp) -> Result<()> {
    on!(tx, conn => sqlx::query(RECORD)
        .bind(TransactionId::new()).bind(workspace).bind(entry.kind).bind(entry.amount)
        .bind(entry.posted_delta).bind(entry.held_delta).bind(after.posted).bind(after.held)
        .bind(entry.hold).bind(entry.full_key()).bind(entry.description).bind(now)
        .execute(conn).await.map(drop))?;
    Ok(())
}

fn is_nothing(amount: i64) -> Result<bool> {
    if amount < 0 { Err(anyhow!("{amount} credits cannot be moved: it is negative").into()) } else { Ok(amount == 0) }
}

fn describe(verb: &str, operation: &str) -> String {
    format!("{verb} {}", operation.replace('_', " "))
}
