//! A journal for a run that goes on where another ended.

use crate::db::Tx;
use crate::id::RunId;
use crate::on;

const COPY: &str = "insert into effects
    (run_id, sequence, kind, key, digest, state, answer, sent_at, valid_until, looks, updated_at)
    select $1, sequence, kind, key, digest, state, answer, sent_at, valid_until, looks, updated_at
    from effects where run_id = $2";

/// Gives a run that has done nothing yet all that another did. The other must have ended, with nothing lost, and must never
/// send again: the caller sees to that.
pub(crate) async fn copy(tx: &mut Tx, from: RunId, to: RunId) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(COPY).bind(to).bind(from).execute(conn).await.map(drop))
}
