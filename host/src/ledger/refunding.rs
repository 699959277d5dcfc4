//! Giving back what was charged.

use super::grants::{self, Grant, GrantOrigin, Live};
use super::{Delta, Entry, Kind, book, find, holds, is_nothing, lock};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{GrantId, HoldId, WorkspaceId};
use crate::on;

/// What asking for a refund came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refunded {
    /// The credits are given back.
    Done,
    /// Credits of this charge were given back before; nothing changed.
    Already,
}

const CHARGE: &str = "select operation, charged, grants from credit_holds
    where workspace_id = $1 and id = $2 and state = 'settled'";
const MARK: &str = "update credit_holds set refunded = $1 where workspace_id = $2 and id = $3";

/// Gives back credits that a run was charged: at most what was charged, and once. They pay off what is owed, and go back to the
/// grants that they came from, the last charged first; where the time of such a grant is over, they are a promotional grant
/// without an end.
///
/// # Errors
/// The workspace has no such charge; [`Error::Invalid`] for no credits, or more than were charged; the database failed.
pub async fn refund(
    tx: &mut Tx,
    workspace: WorkspaceId,
    hold: HoldId,
    credits: i64,
    reason: &str,
    now: Timestamp,
) -> Result<Refunded> {
    if is_nothing(credits)? {
        return Err(Error::invalid("credits", "A refund is of at least one credit."));
    }
    lock(tx, workspace).await?;
    let charge: Option<(String, i64, String)> =
        on!(&mut *tx, conn => sqlx::query_as(CHARGE).bind(workspace).bind(hold).fetch_optional(conn).await)?;
    let (operation, charged, parts) = charge.ok_or(Error::NotFound("charge"))?;
    let key = hold.to_string();
    if find(tx, workspace, Kind::Refund, &key).await?.is_some() {
        return Ok(Refunded::Already);
    }
    if credits > charged {
        let detail = format!("Only {charged} credits were charged, so no more can be given back.");
        return Err(Error::invalid("credits", detail));
    }
    let paid = grants::owed(tx, workspace).await?.min(credits);
    let left = credits - paid;
    put_back(tx, workspace, hold, &of_the_charge(&holds::read(&parts)?, charged), left, now).await?;
    on!(&mut *tx, conn => sqlx::query(MARK).bind(credits).bind(workspace).bind(hold).execute(conn).await.map(drop))?;
    let entry = Entry {
        kind: Kind::Refund,
        amount: credits,
        delta: Delta { posted: left, held: 0, owed: -paid },
        hold: Some(hold),
        grant: None,
        key: &key,
        description: &format!("{}: {reason}", holds::describe("Refunded for", &operation)),
    };
    book(tx, workspace, &entry, now).await?;
    Ok(Refunded::Done)
}

/// What was charged of each part of a hold: the first parts first.
fn of_the_charge(parts: &holds::Parts, charged: i64) -> holds::Parts {
    let mut left = charged;
    let of = parts.iter().map(|(grant, part)| {
        let used = left.min(*part);
        left -= used;
        (*grant, used)
    });
    of.collect()
}

const GRANT: &str = "select id, remaining, held, expires_at from credit_grants where workspace_id = $1 and id = $2";

async fn put_back(
    tx: &mut Tx,
    workspace: WorkspaceId,
    hold: HoldId,
    charged: &[(GrantId, i64)],
    credits: i64,
    now: Timestamp,
) -> Result<()> {
    let (mut left, mut ended) = (credits, 0);
    for (id, used) in charged.iter().rev() {
        let part = left.min(*used);
        if part == 0 {
            continue;
        }
        left -= part;
        let grant: Live = on!(&mut *tx, conn => sqlx::query_as(GRANT).bind(workspace).bind(id).fetch_one(conn).await)?;
        if grant.has_ended(now) {
            ended += part;
        } else {
            grants::change(tx, workspace, *id, part, 0).await?;
        }
    }
    // What was charged before grants were told apart is of none of them.
    let anew = left + ended;
    if anew > 0 {
        let key = &format!("refund/{hold}");
        let origin = GrantOrigin::Promotional;
        let grant = Grant { origin, credits: anew, key, expires_at: None, description: "" };
        grants::insert(tx, workspace, &grant, anew, now).await?;
    }
    Ok(())
}
