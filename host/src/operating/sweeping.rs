//! Taking away credits whose time is over, and giving back what nobody will ever resolve.
//!
//! A hold ends with its run, in the same transaction. One that no run knows is left where a part of the program failed: its credits
//! would be lost to their workspace. It is given back once it is older than the longest time for which a run may be uncertain,
//! and never while a run of any kind has it that has not ended, such as a post that is planned for next year.

use crate::app::App;
use crate::clock::Timestamp;
use crate::id::HoldId;
use crate::ledger::{self, Resolution, Unresolved};
use crate::{generations, publications, rounds, videos};
use std::time::Duration;

/// How often a node looks.
const EVERY: Duration = Duration::from_secs(60);
/// A publication may be uncertain for seven days.
const ABANDONED: Duration = Duration::from_secs(8 * 24 * 60 * 60);

/// Looks, time and again until the host stops.
pub async fn watch(app: App) {
    let failing = "credits whose time is over could not be looked at, and are later";
    rounds::keep(app, EVERY, failing, |app| Box::pin(async move { sweep(app).await.map(drop) })).await;
}

/// Takes away what has ended, and gives back what is abandoned. Gives how many holds that were.
///
/// # Errors
/// The database failed. What was done until then stays so.
pub async fn sweep(app: &App) -> anyhow::Result<usize> {
    let now = app.now();
    ledger::expire_due(app.db(), now).await?;
    let (mut last, mut given_back) = (HoldId(uuid::Uuid::nil()), 0);
    loop {
        let mut tx = app.db().read().await?;
        let old = ledger::unresolved(&mut tx, now.before(ABANDONED), last).await?;
        drop(tx);
        let Some(newest) = old.last() else { return Ok(given_back) };
        last = newest.id;
        for hold in old {
            given_back += usize::from(give_back(app, hold, now).await?);
        }
    }
}

/// Gives a hold back that no run has any more; false where one has.
async fn give_back(app: &App, Unresolved { id, workspace_id }: Unresolved, now: Timestamp) -> anyhow::Result<bool> {
    let mut tx = app.db().begin().await?;
    let is_live = publications::is_live(&mut tx, workspace_id, id).await?
        || generations::is_live(&mut tx, workspace_id, id).await?
        || videos::is_live(&mut tx, workspace_id, id).await?;
    if is_live {
        return Ok(false);
    }
    let resolution = ledger::release(&mut tx, workspace_id, id, now).await?;
    tx.commit().await?;
    if resolution == Resolution::Done {
        tracing::warn!(hold = %id, "hold {id} belonged to no run, and its credits are given back");
    }
    Ok(resolution == Resolution::Done)
}
