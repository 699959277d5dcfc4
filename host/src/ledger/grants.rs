//! Where credits come from. All that is left of the grants sums to what is posted.

use super::{Delta, Entry, Kind, find, is_nothing, lock, record, shift};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{GrantId, WorkspaceId};
use crate::on;
use anyhow::anyhow;

/// Why a workspace has credits.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    sqlx::Type,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = CreditOrigin)]
pub enum GrantOrigin {
    /// A present, or what an operator gave.
    Promotional,
    /// A subscription's, for a period. What is unused ends with it.
    Subscription,
    /// Bought. It never ends.
    Purchased,
}

/// Credits to be added.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// Why.
    pub origin: GrantOrigin,
    /// How many.
    pub credits: i64,
    /// The grant's name in the workspace: the same key grants once.
    pub key: &'a str,
    /// From when on no hold takes of it; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// For a person.
    pub description: &'a str,
}

const INSERT: &str = "insert into credit_grants
    (id, workspace_id, origin, key, credits, remaining, held, expires_at, is_open, created_at)
    values ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9)";
const OWED: &str = "select owed from credit_accounts where workspace_id = $1";

/// Adds credits, once what is owed is paid off of them. True where they are new: a key that the workspace was granted something
/// by before, or no credits at all, changes nothing.
///
/// # Errors
/// [`Error::Invalid`] for credits that are negative, or more than an account may own; the database failed.
pub async fn grant(tx: &mut Tx, workspace: WorkspaceId, grant: &Grant<'_>, now: Timestamp) -> Result<bool> {
    add(tx, workspace, Kind::Grant, grant, now).await
}

/// Adds credits as a change of this kind.
pub(super) async fn add(
    tx: &mut Tx,
    workspace: WorkspaceId,
    kind: Kind,
    grant: &Grant<'_>,
    now: Timestamp,
) -> Result<bool> {
    if is_nothing(grant.credits)? {
        return Ok(false);
    }
    lock(tx, workspace).await?;
    if find(tx, workspace, kind, grant.key).await?.is_some() {
        return Ok(false);
    }
    let paid = owed(tx, workspace).await?.min(grant.credits);
    let left = grant.credits - paid;
    let entry = Entry {
        kind,
        amount: grant.credits,
        delta: Delta { posted: left, held: 0, owed: -paid },
        hold: None,
        grant: None,
        key: grant.key,
        description: grant.description,
    };
    let Some(after) = shift(tx, workspace, entry.delta).await? else {
        return Err(Error::invalid("credits", "The workspace would own more credits than an account may hold."));
    };
    insert(tx, workspace, grant, left, now).await?;
    record(tx, workspace, &entry, after, now).await?;
    Ok(true)
}

/// What a workspace owes; its account is locked.
pub(super) async fn owed(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    let owed: Option<i64> = on!(tx, conn => sqlx::query_scalar(OWED).bind(workspace).fetch_optional(conn).await)?;
    owed.ok_or(Error::NotFound("credit account"))
}

/// Writes a grant of which so much is left.
pub(super) async fn insert(
    tx: &mut Tx,
    workspace: WorkspaceId,
    grant: &Grant<'_>,
    left: i64,
    now: Timestamp,
) -> Result<GrantId> {
    let id = GrantId::new();
    on!(tx, conn => sqlx::query(INSERT)
        .bind(id).bind(workspace).bind(grant.origin).bind(grant.key).bind(grant.credits).bind(left)
        .bind(grant.expires_at).bind(i64::from(left > 0)).bind(now)
        .execute(conn).await.map(drop))?;
    Ok(id)
}

/// A grant of which something is left.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Live {
    pub(super) id: GrantId,
    pub(super) remaining: i64,
    pub(super) held: i64,
    pub(super) expires_at: Option<Timestamp>,
}

impl Live {
    /// What nobody has reserved.
    pub(super) fn free(&self) -> i64 {
        self.remaining - self.held
    }

    /// Whether its time is over.
    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// The order in which grants are used.
macro_rules! in_order_of_use {
    ($head:literal, $tail:literal) => {
        concat!(
            $head,
            " order by expires_at is null, expires_at,
              case origin when 'promotional' then 0 when 'subscription' then 1 else 2 end, created_at, id",
            $tail
        )
    };
}

const OPEN: &str = in_order_of_use!(
    "select id, remaining, held, expires_at from credit_grants where workspace_id = $1 and is_open = 1",
    ""
);

/// Those of which something is left, in the order of use; the account is locked.
pub(super) async fn open(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<Live>> {
    Ok(on!(tx, conn => sqlx::query_as(OPEN).bind(workspace).fetch_all(conn).await)?)
}

pub(super) const TAKE_FIRST: &str = in_order_of_use!(
    "update credit_grants set held = held + $1 where remaining - held >= $1 and id = (select id from credit_grants
        where workspace_id = $2 and is_open = 1 and remaining > held and (expires_at is null or expires_at > $3)",
    " limit 1) and not exists (select 1 from credit_transactions where workspace_id = $2 and key = $4) returning id"
);

/// Reserves all of it of the first grant in the order of use. `None`, and nothing changes, where that has not enough, or a
/// change was made by this key before; the account is locked.
pub(super) async fn take_first(
    tx: &mut Tx,
    workspace: WorkspaceId,
    credits: i64,
    full_key: &str,
    now: Timestamp,
) -> Result<Option<GrantId>> {
    Ok(on!(tx, conn => sqlx::query_scalar(TAKE_FIRST)
        .bind(credits).bind(workspace).bind(now).bind(full_key)
        .fetch_optional(conn).await)?)
}

pub(super) const MOVE: &str = "update credit_grants set remaining = remaining + $1, held = held + $2,
        is_open = case when remaining + $1 > 0 then 1 else 0 end
    where workspace_id = $3 and id = $4 returning id, remaining, held, expires_at";

/// A grant by its key, with what becomes of it when its payment is taken back.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Stored {
    pub(super) id: GrantId,
    pub(super) origin: GrantOrigin,
    pub(super) credits: i64,
    pub(super) clawed: i64,
    /// Of `clawed`, what had ended unused by then.
    pub(super) excused: i64,
    pub(super) expires_at: Option<Timestamp>,
}

const BY_KEY: &str =
    "select id, origin, credits, clawed, excused, expires_at from credit_grants where workspace_id = $1 and key = $2";

/// # Errors
/// The workspace was granted nothing by this key; the database failed.
pub(super) async fn by_key(tx: &mut Tx, workspace: WorkspaceId, key: &str) -> Result<Stored> {
    let found: Option<Stored> =
        on!(tx, conn => sqlx::query_as(BY_KEY).bind(workspace).bind(key).fetch_optional(conn).await)?;
    found.ok_or(Error::NotFound("grant"))
}

/// Changes what is left of a grant, and what is reserved of it; the account is locked. Gives what it is then.
pub(super) async fn change(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: GrantId,
    remaining: i64,
    held: i64,
) -> Result<Live> {
    let changed: Option<Live> = on!(tx, conn => sqlx::query_as(MOVE)
        .bind(remaining).bind(held).bind(workspace).bind(id)
        .fetch_optional(conn).await)?;
    changed.ok_or_else(|| anyhow!("workspace {workspace} has no grant {id}").into())
}
