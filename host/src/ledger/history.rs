//! What a workspace may see of its account.

use super::{GrantOrigin, Kind};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{HoldId, TransactionId, WorkspaceId};
use crate::on;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;

/// The most transactions that one page shows.
const MAX_PAGE: u32 = 100;

/// The state of an account, in credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CreditBalance)]
pub struct Balance {
    /// Owned: what is left of all grants.
    pub posted: i64,
    /// Of these, reserved by what is under way.
    pub held: i64,
    /// Free to use: posted less held, never negative.
    pub available: i64,
    /// What had been used of credits that were taken back later. It is netted from what comes next, and nothing is available
    /// before.
    pub owed: i64,
    /// The grants of which something is left, in the order in which they are used.
    pub grants: Vec<OpenGrant>,
}

/// A grant of which something is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CreditGrant)]
pub struct OpenGrant {
    /// Where they come from.
    pub origin: GrantOrigin,
    /// Credits that are left.
    pub remaining: i64,
    /// Of these, reserved by what is under way.
    pub held: i64,
    /// When what is unused ends; null for never.
    pub expires_at: Option<Timestamp>,
}

/// One change of an account. It never changes itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, sqlx::FromRow)]
#[schema(as = CreditTransaction)]
pub struct Transaction {
    /// Its id.
    pub id: TransactionId,
    /// What happened.
    pub kind: Kind,
    /// Credits moved, never negative.
    pub amount: i64,
    /// Change of `posted`.
    pub posted_delta: i64,
    /// Change of `held`.
    pub held_delta: i64,
    /// Change of what is owed.
    pub owed_delta: i64,
    /// `posted` after it.
    pub posted_after: i64,
    /// `held` after it.
    pub held_after: i64,
    /// What was owed after it.
    pub owed_after: i64,
    /// What it was for.
    pub description: String,
    /// The reservation it belongs to.
    pub hold_id: Option<HoldId>,
    /// When it happened.
    pub created_at: Timestamp,
    #[serde(skip)]
    pub(super) sequence: i64,
}

/// A page of transactions, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditTransactions)]
pub struct History {
    /// The transactions.
    pub items: Vec<Transaction>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
}

const BALANCE: &str = "select a.posted, a.held, a.owed, g.origin, g.remaining, g.held, g.expires_at
    from credit_accounts a left join credit_grants g on g.workspace_id = a.workspace_id and g.is_open = 1
    where a.workspace_id = $1
    order by g.expires_at is null, g.expires_at,
        case g.origin when 'promotional' then 0 when 'subscription' then 1 else 2 end, g.created_at, g.id";

type Row = (i64, i64, i64, Option<GrantOrigin>, Option<i64>, Option<i64>, Option<Timestamp>);

/// The balance of a workspace.
///
/// # Errors
/// The database failed, or the workspace has no account.
pub async fn balance(tx: &mut Tx, workspace: WorkspaceId) -> Result<Balance> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(BALANCE).bind(workspace).fetch_all(conn).await)?;
    let (posted, held, owed, ..) = *rows.first().ok_or(Error::NotFound("credit account"))?;
    let grants = rows.iter().filter_map(|row| {
        let (.., origin, remaining, held, expires_at) = *row;
        Some(OpenGrant { origin: origin?, remaining: remaining?, held: held?, expires_at })
    });
    Ok(Balance { posted, held, available: posted - held, owed, grants: grants.collect() })
}

/// All columns of [`Transaction`].
macro_rules! columns {
    () => {
        "id, kind, amount, posted_delta, held_delta, owed_delta, posted_after, held_after, owed_after, description,
            hold_id, created_at, sequence"
    };
}
/// For [`statement`](super::statement()): oldest first, of a span of time.
pub(super) const STATEMENT: &str = concat!(
    "select ",
    columns!(),
    " from credit_transactions where workspace_id = $1 and sequence > $2 and created_at >= $3 and created_at < $4
        order by sequence limit $5"
);

const TRANSACTIONS: &str = concat!(
    "select ",
    columns!(),
    " from credit_transactions where workspace_id = $1 and sequence < $2 order by sequence desc limit $3"
);

/// The transactions of a workspace before `cursor`, newest first; from the newest on without one.
///
/// # Errors
/// A cursor that is none of ours, a limit that is not within 1 to 100, or the database failed.
pub async fn transactions(tx: &mut Tx, workspace: WorkspaceId, cursor: Option<&str>, limit: u32) -> Result<History> {
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Error::invalid("limit", format!("A page shows between 1 and {MAX_PAGE} transactions.")));
    }
    let before = cursor.map_or(Ok(i64::MAX), sequence_of)?;
    // One more than asked for tells whether there is a next page.
    let mut items: Vec<Transaction> = on!(tx, conn => sqlx::query_as(TRANSACTIONS)
        .bind(workspace).bind(before).bind(i64::from(limit) + 1)
        .fetch_all(conn).await)?;
    let has_more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| has_more).map(|last| cursor_at(last.sequence));
    Ok(History { items, next_cursor })
}

fn cursor_at(sequence: i64) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(sequence.to_be_bytes())
}

fn sequence_of(cursor: &str) -> Result<i64> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| bytes.try_into().ok());
    bytes
        .map(i64::from_be_bytes)
        .ok_or_else(|| Error::Malformed("`cursor` is not one that this server gave out.".into()))
}
