//! Forgetting events that are old, with their deliveries, and secrets that sign no more.

use super::queue;
use crate::app::App;
use crate::{on, rounds};
use std::time::Duration;

/// How often a node looks.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// How long events are kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Events that are forgotten in one transaction.
const AT_ONCE: i64 = 500;

/// Forgets, time and again until the host stops.
pub async fn watch(app: App) {
    let failing = "old events could not be forgotten and are later";
    rounds::keep(app, EVERY, failing, |app| Box::pin(async move { sweep(app).await.map(drop) })).await;
}

const EVENTS: &str =
    "delete from events where id in (select id from events where created_at < $1 order by created_at limit $2)";
const SECRETS: &str = "delete from webhook_secrets where ends_at <= $1";

/// Forgets what is older than thirty days. Gives how many events were forgotten.
///
/// # Errors
/// The database failed. What was forgotten until then stays so.
pub async fn sweep(app: &App) -> anyhow::Result<u64> {
    let now = app.now();
    let mut forgotten = 0;
    loop {
        let mut tx = app.db().begin_single().await?;
        let gone = on!(&mut tx, conn => sqlx::query(EVENTS).bind(now.before(KEPT)).bind(AT_ONCE)
            .execute(conn).await.map(|done| done.rows_affected()))?;
        tx.commit().await?;
        forgotten += gone;
        if gone < AT_ONCE.unsigned_abs() || app.stopping().is_cancelled() {
            break;
        }
    }
    let mut tx = app.db().begin().await?;
    on!(&mut tx, conn => sqlx::query(SECRETS).bind(now).execute(conn).await.map(drop))?;
    queue::release_orphans(&mut tx, now).await?;
    tx.commit().await?;
    Ok(forgotten)
}
