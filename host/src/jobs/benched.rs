//! The door for the benchmark of claims (`cargo measure schedule`), which has to time one step. Nothing else comes in here.

use super::claiming::{MOST_LEFT_OUT, Wanted, claim, queues, ripen};
use crate::clock::Timestamp;
use crate::db::{Db, Guard, Tx};
use crate::id::WorkspaceId;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Claims a batch as a worker does, and gives it back. Gives the number of jobs, and how long the claim took.
#[doc(hidden)]
pub async fn claim_for_bench(db: &Db, now: Timestamp) -> sqlx::Result<(usize, Duration)> {
    let began = Instant::now();
    let mut tx = db.begin().await?;
    ripen(&mut tx, now).await?;
    let mut claimed = 0;
    for queue in queues(&mut tx).await? {
        let left_out = [WorkspaceId(Uuid::nil()); MOST_LEFT_OUT];
        let wanted = Wanted { queue: &queue, behind: Uuid::nil(), left_out, most: 16 };
        claimed += claim(&mut tx, &wanted, now, Duration::from_secs(30)).await?.len();
    }
    let took = began.elapsed();
    // Waited for: a transaction that is dropped keeps its jobs until its connection is in order again.
    match tx {
        Tx::Sqlite(Guard::Write(tx)) => tx.rollback().await?,
        Tx::Postgres(Guard::Write(tx)) => tx.rollback().await?,
        Tx::Sqlite(_) | Tx::Postgres(_) => {}
    }
    Ok((claimed, took))
}
