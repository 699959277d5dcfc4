//! The journal's rows: the statements that read and write them.

use super::Effect;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::RunId;
use crate::on;

const SELECT: &str = "select sequence, kind, key, digest, state, answer, sent_at, valid_until, looks
    from effects where run_id = $1 order by sequence";

/// All effects of a run, in order.
pub(crate) async fn effects(tx: &mut Tx, run: RunId) -> sqlx::Result<Vec<Effect>> {
    on!(tx, conn => sqlx::query_as(SELECT).bind(run).fetch_all(conn).await)
}

/// Writes an effect; the tail says what becomes of an earlier one with its key.
macro_rules! insert {
    ($tail:literal) => {
        concat!(
            "insert into effects (run_id, sequence, kind, key, digest, state, answer, sent_at, valid_until, looks, updated_at) ",
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10) ",
            $tail
        )
    };
}

pub(super) const INSERT: &str = insert!("");
pub(super) const KEEP: &str = insert!(
    "on conflict (run_id, key) do update set sequence = excluded.sequence, digest = excluded.digest,
        state = excluded.state, answer = excluded.answer, sent_at = excluded.sent_at,
        valid_until = excluded.valid_until, updated_at = excluded.updated_at where effects.kind = 'prepare'"
);
/// Not what another worker has prepared meanwhile.
pub(super) const FORGET: &str =
    "delete from effects where run_id = $1 and key = $2 and kind = 'prepare' and sequence = $3 and sent_at = $4";
const RESTART: &str =
    "update effects set state = 'started', digest = $1, sent_at = $2, answer = null, looks = 0, updated_at = $2
    where run_id = $3 and sequence = $4 and state in ('refused', 'absent', 'doubtful')";
pub(super) const END: &str = "update effects set state = $1, answer = $2, updated_at = $3
    where run_id = $4 and sequence = $5 and state in ('started', 'unknown')";

pub(super) async fn write(
    tx: &mut Tx,
    statement: &'static str,
    run: RunId,
    effect: &Effect,
    now: Timestamp,
) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(statement)
        .bind(run).bind(effect.sequence).bind(&effect.kind).bind(&effect.key).bind(&effect.digest).bind(&effect.state)
        .bind(&effect.answer).bind(effect.sent_at).bind(effect.valid_until).bind(now)
        .execute(conn).await.map(drop))
}

pub(super) async fn restart(tx: &mut Tx, run: RunId, effect: &Effect) -> sqlx::Result<bool> {
    let done = on!(tx, conn => sqlx::query(RESTART)
        .bind(&effect.digest).bind(effect.sent_at).bind(run).bind(effect.sequence)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

const DOUBT: &str =
    "update effects set state = 'unknown', digest = $1, sent_at = $2, answer = null, looks = 0, updated_at = $3
    where run_id = $4 and sequence = $5 and state = 'doubtful'";

pub(super) async fn doubt(tx: &mut Tx, run: RunId, effect: &Effect, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(DOUBT)
        .bind(&effect.digest).bind(effect.sent_at).bind(now).bind(run).bind(effect.sequence)
        .execute(conn).await.map(drop))
}
