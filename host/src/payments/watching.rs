//! Time and again: the credits of a month that has begun, of what was paid for a year at once.

use super::applying;
use super::customers;
use super::events;
use super::stripe::Client;
use crate::app::App;
use crate::error::Error;
use crate::id::WorkspaceId;
use crate::{on, rounds};
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(10 * 60);

/// Looks, time and again until the host stops. Where there is no key of Stripe's there is nothing to look at.
pub async fn watch(app: App) {
    if app.config().stripe.secret_key.is_none() {
        return;
    }
    let failing = "what was paid for could not be looked at, and credits may be later";
    rounds::keep(app, EVERY, failing, |app| Box::pin(sweep(app))).await;
}

const DUE: &str = "select distinct workspace_id from payment_sales where next_part_at <= $1 limit 1000";

/// Grants what is due, and forgets events of long ago.
///
/// # Errors
/// Stripe or the database failed. What was done until then stays so.
pub async fn sweep(app: &App) -> anyhow::Result<()> {
    let client = Client::of(app)?;
    let now = app.now();
    let mut tx = app.db().begin().await?;
    events::forget_old(&mut tx, now).await?;
    tx.commit().await?;
    let mut tx = app.db().read().await?;
    let due: Vec<WorkspaceId> = on!(&mut tx, conn => sqlx::query_scalar(DUE).bind(now).fetch_all(conn).await)?;
    drop(tx);
    let mut failed: Option<Error> = None;
    for workspace in due {
        let customer = customers::of_workspace(&mut app.db().read().await?, workspace).await?;
        let Some(customer) = customer else { continue };
        if let Err(error) = Box::pin(applying::follow(app, client, &customer, None)).await {
            tracing::warn!(%workspace, "what workspace {workspace} paid for could not be read at Stripe: {error}");
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}
