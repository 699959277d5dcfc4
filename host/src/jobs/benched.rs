//! The door for the benchmark of claims (`cargo measure schedule`), which has to time one step. Nothing else comes in here.

use super::claiming::{MOST_LEFT_OUT, Wanted, claim, queues, ripen};
use crate::clock::Timestamp;
use crate::db::Db;
use crate::id::WorkspaceId;
use std::time::Duration;
use uuid::Uuid;

/// Claims a batch as a worker does, and gives it back by not committing. Gives the number of jobs.
#[doc(hidden)]
pub async fn claim_for_bench(db: &Db, now: Timestamp) -> sqlx::Result<usize> {
    let mut tx = db.begin().await?;
    ripen(&mut tx, now).await?;
    let mut claimed = 0;
    for queue in queues(&mut tx).await? {
        let left_out = [WorkspaceId(Uuid::nil()); MOST_LEFT_OUT];
        let wanted = Wanted { queue: &queue, behind: Uuid::nil(), left_out, most: 16 };
        claimed += claim(&mut tx, &wanted, now, Duration::from_secs(30)).await?.len();
    }
    Ok(claimed)
}
