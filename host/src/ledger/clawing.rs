//! Taking credits back whose payment was taken back, and giving them again.
//!
//! What is unspent is taken: of that payment's grant first, then of the others, those first that would be used last. Credits of
//! the grant that ended unused are gone already, and count first. What has been used by then is owed, and netted from whatever
//! becomes free: grants, refunds, and holds that give back. So a workspace that owes has nothing available.

use super::grants::{self, Grant};
use super::{Delta, Entry, Kind, book, expiring, full_key, is_nothing, lock};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{GrantId, WorkspaceId};
use crate::on;

/// What taking credits back came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClawedBack {
    /// Credits that were unspent, and are gone.
    pub taken: i64,
    /// Credits that had been used or reserved, and are owed.
    pub owed: i64,
}

const MADE: &str = "select -posted_delta, owed_delta from credit_transactions where workspace_id = $1 and key = $2";
const MARK: &str =
    "update credit_grants set clawed = clawed + $1, excused = excused + $2 where workspace_id = $3 and id = $4";
const ENDED: &str = "select cast(coalesce(sum(amount), 0) as bigint) from credit_transactions
    where workspace_id = $1 and kind = 'expire' and key like $2";

/// Takes back so many credits of a grant, never more than are left of what was granted after what was taken back before. The
/// same key takes once, and answers what was taken then.
///
/// # Errors
/// The workspace was granted nothing by this key; [`Error::Invalid`] for credits that are negative; the database failed.
pub async fn claw_back(
    tx: &mut Tx,
    workspace: WorkspaceId,
    grant_key: &str,
    credits: i64,
    key: &str,
    description: &str,
    now: Timestamp,
) -> Result<ClawedBack> {
    is_nothing(credits)?;
    lock(tx, workspace).await?;
    if let Some(earlier) = made(tx, workspace, key).await? {
        return Ok(earlier);
    }
    let grant = grants::by_key(tx, workspace, grant_key).await?;
    let wanted = credits.min(grant.credits - grant.clawed);
    if wanted == 0 {
        return Ok(ClawedBack::default());
    }
    expiring::end_due(tx, workspace, now).await?;
    let excused = wanted.min(ended(tx, workspace, grant.id).await? - grant.excused).max(0);
    let missing = wanted - excused;
    let live = grants::open(tx, workspace).await?;
    let (own, others): (Vec<_>, Vec<_>) = live.into_iter().partition(|live| live.id == grant.id);
    let mut taken = 0;
    for live in own.iter().chain(others.iter().rev()) {
        let part = live.free().min(missing - taken);
        if part > 0 {
            grants::change(tx, workspace, live.id, -part, 0).await?;
            taken += part;
        }
    }
    on!(&mut *tx, conn => sqlx::query(MARK)
        .bind(wanted).bind(excused).bind(workspace).bind(grant.id).execute(conn).await.map(drop))?;
    let owed = missing - taken;
    let delta = Delta { posted: -taken, held: 0, owed };
    let entry =
        Entry { kind: Kind::Clawback, amount: wanted, delta, hold: None, grant: Some(grant.id), key, description };
    book(tx, workspace, &entry, now).await?;
    Ok(ClawedBack { taken, owed })
}

/// What was unused of a grant when its time was over.
async fn ended(tx: &mut Tx, workspace: WorkspaceId, grant: GrantId) -> Result<i64> {
    let keys = full_key(Kind::Expire, &format!("{grant}/%"));
    Ok(on!(tx, conn => sqlx::query_scalar(ENDED).bind(workspace).bind(keys).fetch_one(conn).await)?)
}

async fn made(tx: &mut Tx, workspace: WorkspaceId, key: &str) -> Result<Option<ClawedBack>> {
    let made: Option<(i64, i64)> = on!(tx, conn => sqlx::query_as(MADE)
        .bind(workspace).bind(full_key(Kind::Clawback, key))
        .fetch_optional(conn).await)?;
    Ok(made.map(|(taken, owed)| ClawedBack { taken, owed }))
}

/// Whether something was taken back by this key.
///
/// # Errors
/// The database failed.
pub async fn is_clawed_back(tx: &mut Tx, workspace: WorkspaceId, key: &str) -> Result<bool> {
    Ok(made(tx, workspace, key).await?.is_some())
}

const CLAWBACK: &str = "select amount, -posted_delta + owed_delta, grant_id from credit_transactions
    where workspace_id = $1 and key = $2";

/// Gives again what was taken back by a key, since the dispute over the payment was won: as a grant of the same origin that ends
/// when the first would, named `restore/` and the key. True where it is new: a clawback is restored once.
///
/// # Errors
/// Nothing was taken back of this grant by this key, or the workspace has no such grant; the database failed.
pub async fn restore(
    tx: &mut Tx,
    workspace: WorkspaceId,
    grant_key: &str,
    clawback_key: &str,
    description: &str,
    now: Timestamp,
) -> Result<bool> {
    lock(tx, workspace).await?;
    let grant = grants::by_key(tx, workspace, grant_key).await?;
    let made: Option<(i64, i64, Option<GrantId>)> = on!(&mut *tx, conn => sqlx::query_as(CLAWBACK)
        .bind(workspace).bind(full_key(Kind::Clawback, clawback_key))
        .fetch_optional(conn).await)?;
    let made = made.filter(|(.., of)| of.is_none_or(|of| of == grant.id));
    let (clawed, credits, _) = made.ok_or(Error::NotFound("clawback"))?;
    let again = Grant {
        origin: grant.origin,
        credits,
        key: &format!("restore/{clawback_key}"),
        expires_at: grant.expires_at,
        description,
    };
    let is_new = grants::add(tx, workspace, Kind::Grant, &again, now).await?;
    if is_new {
        on!(&mut *tx, conn => sqlx::query(MARK).bind(-clawed).bind(credits - clawed).bind(workspace).bind(grant.id)
            .execute(conn).await.map(drop))?;
    }
    Ok(is_new)
}

/// Pays off what is owed with what has become free; the account is locked.
pub(super) async fn collect(tx: &mut Tx, workspace: WorkspaceId, key: &str, now: Timestamp) -> Result<()> {
    let owed = grants::owed(tx, workspace).await?;
    let mut paid = 0;
    for live in grants::open(tx, workspace).await?.iter().filter(|live| !live.has_ended(now)) {
        let part = live.free().min(owed - paid);
        if part > 0 {
            grants::change(tx, workspace, live.id, -part, 0).await?;
            paid += part;
        }
    }
    if paid == 0 {
        return Ok(());
    }
    let delta = Delta { posted: -paid, held: 0, owed: -paid };
    let description = "Paid off what was owed";
    let entry = Entry { kind: Kind::Collect, amount: paid, delta, hold: None, grant: None, key, description };
    book(tx, workspace, &entry, now).await.map(drop)
}
