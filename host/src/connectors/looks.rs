//! What is found out about a commit after the fact: by the connector's reconciling, or by a person's word.

use super::journal::Committed;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::RunId;
use crate::on;

const KNOWN: &str = "update effects set state = 'known', answer = $1, updated_at = $2
    where run_id = $3 and key = $4 and kind = 'commit' and state in ('started', 'unknown')";
const ABSENT: &str = "update effects set state = 'absent', answer = null, updated_at = $1
    where run_id = $2 and key = $3 and kind = 'commit' and state in ('started', 'unknown')";
const LOOK: &str = "update effects set looks = looks + 1, updated_at = $1
    where run_id = $2 and key = $3 and kind = 'commit' and state in ('started', 'unknown')";

/// The commit stands. False when it was not uncertain any more.
pub(crate) async fn found(
    tx: &mut Tx,
    run: RunId,
    key: &str,
    what: &Committed,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let what = serde_json::to_string(what)?;
    let done = on!(tx, conn => sqlx::query(KNOWN).bind(what).bind(now).bind(run).bind(key)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// The commit certainly did not happen, so it may be sent again. False when it was not uncertain any more.
pub(crate) async fn absent(tx: &mut Tx, run: RunId, key: &str, now: Timestamp) -> sqlx::Result<bool> {
    let done = on!(tx, conn => sqlx::query(ABSENT).bind(now).bind(run).bind(key)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// A look past visible-after did not find it.
pub(crate) async fn missed(tx: &mut Tx, run: RunId, key: &str, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(LOOK).bind(now).bind(run).bind(key).execute(conn).await.map(drop))
}

const DOUBT: &str = "update effects set state = 'doubtful', updated_at = $1
    where run_id = $2 and kind = 'commit' and state in ('refused', 'absent')";

/// The run came with a backup: what was certainly not sent when that was made may have been sent since.
pub(crate) async fn doubt(tx: &mut Tx, run: RunId, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(DOUBT).bind(now).bind(run).execute(conn).await.map(drop))
}
