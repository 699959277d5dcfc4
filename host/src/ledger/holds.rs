//! Reserving credits before a run, and what becomes of them.
//!
//! A hold fixes the grants that it takes from when it is taken, also where their time is over before it ends: what it charges is
//! theirs, the first of them first. What it gives back to a grant whose time is over expires at once.
//!
//! The usual way costs four statements each for reserving and for ending, so that an account in many hands is not kept waiting.

use super::alert::After;
use super::grants::{self, Live};
use super::{
    Delta, Entry, Kind, alert, caps, clawing, expiring, find, full_key, is_nothing, lock, record, recording, shift,
};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::db::bundle::Bundle;
use crate::error::{Error, Result};
use crate::id::{GrantId, HoldId, UserId, WorkspaceId};
use crate::on;
use anyhow::anyhow;

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

/// Credits that are wanted for a run.
#[derive(Debug, Clone, Copy)]
pub struct Reservation<'a> {
    /// The metered operation.
    pub operation: &'a str,
    /// The quoted price.
    pub credits: i64,
    /// Its name in the workspace: the same key reserves once.
    pub key: &'a str,
    /// Who asked; caps of members look at it.
    pub member: Option<UserId>,
    /// How the price came about, as JSON, to be shown in the receipt.
    pub items: Option<&'a str>,
}

/// Parts of grants, in the order in which they are charged.
pub(super) type Parts = Vec<(GrantId, i64)>;

pub(super) const INSERT: &str = "insert into credit_holds
        (id, workspace_id, operation, amount, state, created_at, grants, member_id, items)
    values ($1, $2, $3, $4, 'open', $5, $6, $7, $8)";

/// As [`reserve`], where no member asked.
///
/// # Errors
/// As [`reserve`].
pub async fn hold(
    tx: &mut Tx,
    workspace: WorkspaceId,
    operation: &str,
    credits: i64,
    key: &str,
    now: Timestamp,
) -> Result<Option<HoldId>> {
    let wanted = Reservation { operation, credits, key, member: None, items: None };
    reserve(tx, workspace, &wanted, now).await
}

/// Reserves the price of an operation. `None` when it costs nothing: there is nothing to settle or release then, and no statement
/// is made. A key that the workspace held something by before answers that hold, whatever became of it.
///
/// # Errors
/// [`Error::InsufficientCredits`] or [`Error::Capped`], and nothing is reserved; the credits are negative; the database failed.
pub async fn reserve(
    tx: &mut Tx,
    workspace: WorkspaceId,
    wanted: &Reservation<'_>,
    now: Timestamp,
) -> Result<Option<HoldId>> {
    let mut bundle = Bundle::new(tx);
    let hold = reserving(tx, &mut bundle, workspace, wanted, now).await?;
    bundle.run(tx).await?;
    Ok(hold)
}

/// [`reserve`], whose last rows are part of a bundle: nothing of the ledger may be changed before it has run.
///
/// # Errors
/// As [`reserve`].
pub(crate) async fn reserving(
    tx: &mut Tx,
    bundle: &mut Bundle,
    workspace: WorkspaceId,
    wanted: &Reservation<'_>,
    now: Timestamp,
) -> Result<Option<HoldId>> {
    if is_nothing(wanted.credits)? {
        return Ok(None);
    }
    let delta = Delta { held: wanted.credits, ..Delta::default() };
    let Some(after) = shift(tx, workspace, delta).await? else {
        lock(tx, workspace).await?;
        return match find(tx, workspace, Kind::Hold, wanted.key).await? {
            Some(earlier) => Ok(earlier),
            None => Err(insufficient(tx, workspace, wanted.credits, now).await?),
        };
    };
    if after.caps > 0
        && let Some(refusal) = caps::refusal(tx, workspace, wanted, now).await?
    {
        back(tx, workspace, delta).await?;
        return match find(tx, workspace, Kind::Hold, wanted.key).await? {
            Some(earlier) => Ok(earlier),
            None => Err(refusal),
        };
    }
    let key = full_key(Kind::Hold, wanted.key);
    let parts = match grants::take_first(tx, workspace, wanted.credits, &key, now).await? {
        Some(grant) => vec![(grant, wanted.credits)],
        None => {
            if let Some(earlier) = find(tx, workspace, Kind::Hold, wanted.key).await? {
                back(tx, workspace, delta).await?;
                return Ok(earlier);
            }
            match spread(tx, workspace, wanted.credits, now).await? {
                Some(parts) => parts,
                None => {
                    back(tx, workspace, delta).await?;
                    return Err(insufficient(tx, workspace, wanted.credits, now).await?);
                }
            }
        }
    };
    alert::look(tx, workspace, &after, now).await?;
    inserting(bundle, workspace, wanted, &parts, after, now).map(Some)
}

fn inserting(
    bundle: &mut Bundle,
    workspace: WorkspaceId,
    wanted: &Reservation<'_>,
    parts: &Parts,
    after: After,
    now: Timestamp,
) -> Result<HoldId> {
    let hold = HoldId::new();
    bundle.add(INSERT).bind(hold).bind(workspace).bind(wanted.operation).bind(wanted.credits).bind(now);
    bundle.bind(written(parts)?).bind(wanted.member).bind(wanted.items);
    let entry = Entry {
        kind: Kind::Hold,
        amount: wanted.credits,
        delta: Delta { held: wanted.credits, ..Delta::default() },
        hold: Some(hold),
        grant: None,
        key: wanted.key,
        description: &describe("Reserved for", wanted.operation),
    };
    recording(bundle, workspace, &entry, after, now);
    Ok(hold)
}

/// Reserves of as many grants as it takes, in the order of use; `None`, and nothing changes, where all of them have too little.
pub(super) async fn spread(tx: &mut Tx, workspace: WorkspaceId, credits: i64, now: Timestamp) -> Result<Option<Parts>> {
    let live = grants::open(tx, workspace).await?;
    let mut parts = Parts::new();
    let mut missing = credits;
    for grant in live.iter().filter(|grant| !grant.has_ended(now) && grant.free() > 0) {
        let part = grant.free().min(missing);
        parts.push((grant.id, part));
        missing -= part;
        if missing == 0 {
            break;
        }
    }
    if missing > 0 {
        return Ok(None);
    }
    for (grant, part) in &parts {
        grants::change(tx, workspace, *grant, 0, *part).await?;
    }
    Ok(Some(parts))
}

/// Undoes a move of the account that came to nothing.
pub(super) async fn back(tx: &mut Tx, workspace: WorkspaceId, delta: Delta) -> Result<()> {
    let undone = Delta { posted: -delta.posted, held: -delta.held, owed: -delta.owed };
    match shift(tx, workspace, undone).await? {
        Some(_) => Ok(()),
        None => Err(anyhow!("a move of workspace {workspace} by {delta:?} cannot be undone").into()),
    }
}

pub(super) async fn insufficient(tx: &mut Tx, workspace: WorkspaceId, needed: i64, now: Timestamp) -> Result<Error> {
    let live = grants::open(tx, workspace).await?;
    let available = live.iter().filter(|grant| !grant.has_ended(now)).map(Live::free).sum();
    Ok(Error::InsufficientCredits { needed, available })
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
    resolve(tx, workspace, hold, Verdict::Charge(used.max(0)), now).await
}

/// Gives a hold back, uncharged.
///
/// # Errors
/// As [`settle`].
pub async fn release(tx: &mut Tx, workspace: WorkspaceId, hold: HoldId, now: Timestamp) -> Result<Resolution> {
    resolve(tx, workspace, hold, Verdict::GiveBack, now).await
}

#[derive(Debug, Clone, Copy)]
enum Verdict {
    Charge(i64),
    GiveBack,
}

impl Verdict {
    /// The most that it charges.
    fn used(self) -> i64 {
        match self {
            Self::Charge(used) => used,
            Self::GiveBack => 0,
        }
    }
}

#[derive(Debug, Clone, Copy, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(super) enum HoldState {
    Open,
    Settled,
    Released,
}

// The account comes first, as everywhere. What is read of the hold here may be out of date where this had to wait for the account;
// so it is told what was read, and the next statement holds it against the hold as it is.
pub(super) const UNHOLD: &str =
    "update credit_accounts set posted = posted - of_it.charged, held = held - of_it.reserved
    from (select amount as reserved, case when amount < $1 then amount else $1 end as charged from credit_holds
        where workspace_id = $2 and id = $3 and state = 'open') as of_it
    where workspace_id = $2 and held >= of_it.reserved and posted >= of_it.charged
    returning posted, held, owed, caps, low_below, is_low,
        (select amount from credit_holds where workspace_id = $2 and id = $3) as reserved";

// `open` is part of the condition, so of two that resolve a hold, one changes it and the other finds it resolved.
pub(super) const RESOLVE: &str = "update credit_holds set state = $1, resolved_at = $2,
        charged = case when amount < $3 then amount else $3 end
    where workspace_id = $4 and id = $5 and state = 'open' and amount = $6 returning operation, grants";

#[derive(sqlx::FromRow)]
struct Unheld {
    #[sqlx(flatten)]
    after: After,
    reserved: i64,
}

/// A hold that was open, and its account after it.
struct Ended {
    operation: String,
    amount: i64,
    parts: Parts,
    after: After,
}

async fn resolve(
    tx: &mut Tx,
    workspace: WorkspaceId,
    hold: HoldId,
    verdict: Verdict,
    now: Timestamp,
) -> Result<Resolution> {
    let Some(ended) = unhold(tx, workspace, hold, verdict, now).await? else {
        return resolved_before(tx, workspace, hold).await;
    };
    let charged = verdict.used().min(ended.amount);
    let (kind, amount, verb) = match verdict {
        Verdict::Charge(_) => (Kind::Settle, charged, "Charged for"),
        Verdict::GiveBack => (Kind::Release, ended.amount, "Given back for"),
    };
    let over = unhold_grants(tx, workspace, &ended.parts, charged, now).await?;
    let entry = Entry {
        kind,
        amount,
        delta: Delta { posted: -charged, held: -ended.amount, owed: 0 },
        hold: Some(hold),
        grant: None,
        key: &hold.to_string(),
        description: &describe(verb, &ended.operation),
    };
    record(tx, workspace, &entry, ended.after, now).await?;
    for (grant, credits) in over {
        expiring::end(tx, workspace, grant, credits, &format!("{grant}/{hold}"), now).await?;
    }
    if ended.after.owed > 0 {
        clawing::collect(tx, workspace, &hold.to_string(), now).await?;
    }
    Ok(Resolution::Done)
}

/// Takes a hold off its account and ends it; `None`, and nothing moves, where it is not open.
async fn unhold(
    tx: &mut Tx,
    workspace: WorkspaceId,
    hold: HoldId,
    verdict: Verdict,
    now: Timestamp,
) -> Result<Option<Ended>> {
    let (used, state) = match verdict {
        Verdict::Charge(used) => (used, HoldState::Settled),
        Verdict::GiveBack => (0, HoldState::Released),
    };
    // A second time where somebody changed the account at the same time: then it is locked, and all that is read is as it is.
    for _ in 0..2 {
        let unheld: Option<Unheld> = on!(&mut *tx, conn => sqlx::query_as(UNHOLD)
            .bind(used).bind(workspace).bind(hold)
            .fetch_optional(conn).await)?;
        if let Some(Unheld { after, reserved: amount }) = unheld {
            let resolved: Option<(String, String)> = on!(&mut *tx, conn => sqlx::query_as(RESOLVE)
                .bind(state).bind(now).bind(used).bind(workspace).bind(hold).bind(amount)
                .fetch_optional(conn).await)?;
            if let Some((operation, parts)) = resolved {
                return Ok(Some(Ended { operation, amount, parts: read(&parts)?, after }));
            }
            back(tx, workspace, Delta { posted: -used.min(amount), held: -amount, owed: 0 }).await?;
        }
        lock(tx, workspace).await?;
        let found: Option<HoldState> = on!(&mut *tx, conn => sqlx::query_scalar(HOLD_STATE).bind(workspace).bind(hold).fetch_optional(conn).await)?;
        if !matches!(found, Some(HoldState::Open)) {
            return Ok(None);
        }
    }
    Err(anyhow!("hold {hold} is open, but its account holds fewer credits").into())
}

/// Takes a hold off its grants. Gives those whose time is over, with what was given back to them.
async fn unhold_grants(
    tx: &mut Tx,
    workspace: WorkspaceId,
    parts: &Parts,
    charged: i64,
    now: Timestamp,
) -> Result<Parts> {
    let mut ended = Parts::new();
    let mut left = charged;
    for (grant, part) in parts {
        let used = left.min(*part);
        left -= used;
        let after = grants::change(tx, workspace, *grant, -used, -part).await?;
        if *part > used && after.has_ended(now) {
            ended.push((*grant, part - used));
        }
    }
    if left == 0 { Ok(ended) } else { Err(anyhow!("{left} credits of a hold are of no grant").into()) }
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

/// The parts of grants, as they are stored.
pub(super) fn written(parts: &Parts) -> Result<String> {
    Ok(serde_json::to_string(parts).map_err(anyhow::Error::from)?)
}

/// The parts of grants, as they were stored.
pub(super) fn read(parts: &str) -> Result<Parts> {
    Ok(serde_json::from_str(parts).map_err(anyhow::Error::from)?)
}

pub(super) fn describe(verb: &str, operation: &str) -> String {
    format!("{verb} {}", operation.replace('_', " "))
}
