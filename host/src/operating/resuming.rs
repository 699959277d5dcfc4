//! Lifting the fence of a restored installation.

use crate::clock::Timestamp;
use crate::db::Db;
use crate::fence;
use crate::publications::doubting;

/// What goes on once the fence is lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resumed {
    /// Publications that are looked for before anything of them is sent.
    pub doubtful: i64,
}

/// Lifts the fence; `None` where none stands. What was due while it stood counts as possibly published as well, since the
/// installation before this one may have run until now. Hosts that serve go on within a second.
///
/// # Errors
/// The database failed.
pub async fn resume(db: &Db, now: Timestamp) -> anyhow::Result<Option<Resumed>> {
    let mut tx = db.begin().await?;
    let Some(restored) = fence::find(&mut tx).await? else { return Ok(None) };
    if !fence::lift(&mut tx, now).await? {
        return Ok(None);
    }
    doubting::mark(&mut tx, &restored, now, now).await?;
    doubting::give_time(&mut tx, now).await?;
    let doubtful = doubting::count(&mut tx).await?;
    tx.commit().await?;
    Ok(Some(Resumed { doubtful }))
}
