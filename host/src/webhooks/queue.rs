//! The order in which an endpoint is told: of its unfinished deliveries of a subject, the first is `pending`, the others wait.
//!
//! Whoever changes more than his own delivery locks the endpoint first, and so waits for all who write or finish one.

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::EndpointId;
use crate::on;
use uuid::Uuid;

const LOCK: &str = "select id from webhook_endpoints where id = $1 for update";

/// Keeps others from writing or finishing deliveries of an endpoint until the transaction ends. On SQLite, whoever writes is
/// alone anyway.
pub(super) async fn lock(tx: &mut Tx, endpoint: EndpointId) -> sqlx::Result<()> {
    if !tx.is_postgres() {
        return Ok(());
    }
    on!(tx, conn => sqlx::query(LOCK).bind(endpoint).execute(conn).await.map(drop))
}

const NEXT_OF_SUBJECT: &str = "update deliveries set state = 'pending', next_at = $1
    where endpoint_id = $2 and subject = $3 and state = 'waiting' and finished_at is null and not exists
        (select 1 from deliveries earlier where earlier.subject = deliveries.subject
            and earlier.endpoint_id = deliveries.endpoint_id and earlier.sequence < deliveries.sequence
            and earlier.finished_at is null)";

/// Lets the next delivery of a subject go, where none is before it any more.
pub(super) async fn go_on(tx: &mut Tx, endpoint: EndpointId, subject: Uuid, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(NEXT_OF_SUBJECT).bind(now).bind(endpoint).bind(subject).execute(conn).await.map(drop))
}

const HOLD_BACK: &str = "update deliveries set state = 'waiting', next_at = null
    where endpoint_id = $1 and state = 'pending' and lease is null and finished_at is null and exists
        (select 1 from deliveries earlier where earlier.subject = deliveries.subject
            and earlier.endpoint_id = deliveries.endpoint_id and earlier.sequence < deliveries.sequence
            and earlier.finished_at is null)";
const NEXT_OF_ENDPOINT: &str = "update deliveries set state = 'pending', next_at = $1
    where endpoint_id = $2 and state = 'waiting' and finished_at is null and not exists
        (select 1 from deliveries earlier where earlier.subject = deliveries.subject
            and earlier.endpoint_id = deliveries.endpoint_id and earlier.sequence < deliveries.sequence
            and earlier.finished_at is null)";

/// Puts all of an endpoint's deliveries in order again, after some were taken up anew. The endpoint is locked.
pub(super) async fn put_in_order(tx: &mut Tx, endpoint: EndpointId, now: Timestamp) -> sqlx::Result<()> {
    on!(&mut *tx, conn => sqlx::query(HOLD_BACK).bind(endpoint).execute(conn).await.map(drop))?;
    on!(tx, conn => sqlx::query(NEXT_OF_ENDPOINT).bind(now).bind(endpoint).execute(conn).await.map(drop))
}

const HASTEN: &str =
    "update deliveries set next_at = $1 where endpoint_id = $2 and state = 'pending' and lease is null";

/// Makes all that waits for its next attempt due. The endpoint is locked.
pub(super) async fn hasten(tx: &mut Tx, endpoint: EndpointId, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(HASTEN).bind(now).bind(endpoint).execute(conn).await.map(drop))
}

const ORPHANS: &str = "update deliveries set state = 'pending', next_at = $1
    where state = 'waiting' and finished_at is null and not exists
        (select 1 from deliveries earlier where earlier.subject = deliveries.subject
            and earlier.endpoint_id = deliveries.endpoint_id and earlier.sequence < deliveries.sequence
            and earlier.finished_at is null)";

/// Lets go what waits for a delivery that was forgotten.
pub(super) async fn release_orphans(tx: &mut Tx, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(ORPHANS).bind(now).execute(conn).await.map(drop))
}
