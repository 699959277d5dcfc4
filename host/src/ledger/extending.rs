//! Making a hold larger, where its run turns out dearer than was quoted.

use super::holds::{HoldState, Reservation, back, describe, insufficient, read, spread, written};
use super::{Delta, Entry, Kind, caps, is_nothing, lock, record, shift};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{HoldId, UserId, WorkspaceId};
use crate::on;

const ENLARGE: &str = "update credit_holds set amount = amount + $1, grants = $2
    where workspace_id = $3 and id = $4 and state = 'open'";
const SHOW: &str =
    "select operation, amount, state, grants, member_id from credit_holds where workspace_id = $1 and id = $2";

/// A hold as it is stored.
#[derive(Debug, sqlx::FromRow)]
struct Stored {
    operation: String,
    amount: i64,
    state: HoldState,
    grants: String,
    member_id: Option<UserId>,
}

/// Makes an open hold so large, where its run turns out dearer than was quoted. One that is as large already stays as it is.
///
/// # Errors
/// [`Error::InsufficientCredits`] or [`Error::Capped`], and it stays as it is; it is not open any more; the workspace has no such
/// hold; the database failed.
pub async fn extend(tx: &mut Tx, workspace: WorkspaceId, hold: HoldId, credits: i64, now: Timestamp) -> Result<()> {
    is_nothing(credits)?;
    lock(tx, workspace).await?;
    let stored: Option<Stored> =
        on!(&mut *tx, conn => sqlx::query_as(SHOW).bind(workspace).bind(hold).fetch_optional(conn).await)?;
    let stored = stored.ok_or(Error::NotFound("hold"))?;
    if !matches!(stored.state, HoldState::Open) {
        let detail = "These credits are not reserved any more: the run has ended.".to_owned();
        return Err(Error::Conflict { code: "hold_resolved", detail });
    }
    let more = credits - stored.amount;
    if more <= 0 {
        return Ok(());
    }
    let delta = Delta { held: more, ..Delta::default() };
    let Some(after) = shift(tx, workspace, delta).await? else {
        return Err(insufficient(tx, workspace, more, now).await?);
    };
    let wanted =
        Reservation { operation: &stored.operation, credits: more, key: "", member: stored.member_id, items: None };
    if after.caps > 0
        && let Some(refusal) = caps::refusal(tx, workspace, &wanted, now).await?
    {
        back(tx, workspace, delta).await?;
        return Err(refusal);
    }
    let Some(added) = spread(tx, workspace, more, now).await? else {
        back(tx, workspace, delta).await?;
        return Err(insufficient(tx, workspace, more, now).await?);
    };
    let mut parts = read(&stored.grants)?;
    for (grant, part) in added {
        match parts.iter_mut().find(|(known, _)| *known == grant) {
            Some((_, credits)) => *credits += part,
            None => parts.push((grant, part)),
        }
    }
    on!(&mut *tx, conn => sqlx::query(ENLARGE)
        .bind(more).bind(written(&parts)?).bind(workspace).bind(hold)
        .execute(conn).await.map(drop))?;
    let entry = Entry {
        kind: Kind::Extend,
        amount: more,
        delta,
        hold: Some(hold),
        grant: None,
        key: &format!("{hold}/{credits}"),
        description: &describe("Reserved more for", &stored.operation),
    };
    record(tx, workspace, &entry, after, now).await
}
