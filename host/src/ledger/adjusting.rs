//! Corrections by operators.

use super::grants::{self, Grant, GrantOrigin};
use super::{Delta, Entry, Kind, book, find, is_nothing, lock};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::WorkspaceId;

/// Corrects an account by so many credits. More are a promotional grant without an end; fewer are taken of what is available,
/// those first that would be used last. True where it is new: the same key corrects once.
///
/// # Errors
/// [`Error::Invalid`] for no credits, or for fewer than are available; the database failed.
pub async fn adjust(
    tx: &mut Tx,
    workspace: WorkspaceId,
    credits: i64,
    key: &str,
    reason: &str,
    now: Timestamp,
) -> Result<bool> {
    if is_nothing(credits.checked_abs().unwrap_or(i64::MAX))? {
        return Err(Error::invalid("credits", "A correction is by at least one credit."));
    }
    if credits > 0 {
        let origin = GrantOrigin::Promotional;
        let key = &format!("adjust/{key}");
        let grant = Grant { origin, credits, key, expires_at: None, description: reason };
        return grants::add(tx, workspace, Kind::Adjust, &grant, now).await;
    }
    let key = &format!("adjust/{key}");
    lock(tx, workspace).await?;
    if find(tx, workspace, Kind::Adjust, key).await?.is_some() {
        return Ok(false);
    }
    let live = grants::open(tx, workspace).await?;
    let available: i64 = live.iter().map(grants::Live::free).sum();
    if available < -credits {
        let detail = format!("Only {available} credits are available, so no more can be taken.");
        return Err(Error::invalid("credits", detail));
    }
    let mut left = -credits;
    for grant in live.iter().rev() {
        let part = grant.free().min(left);
        if part > 0 {
            grants::change(tx, workspace, grant.id, -part, 0).await?;
            left -= part;
        }
    }
    let delta = Delta { posted: credits, ..Delta::default() };
    let entry =
        Entry { kind: Kind::Adjust, amount: -credits, delta, hold: None, grant: None, key, description: reason };
    book(tx, workspace, &entry, now).await?;
    Ok(true)
}
