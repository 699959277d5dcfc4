//! Time and again: the credits of a month that has begun, of what was paid for a year at once; and what Stripe should have told by
//! now, where it did not.

use super::applying;
use super::customers;
use super::events;
use super::stripe::Client;
use crate::app::App;
use crate::error::Error;
use crate::id::WorkspaceId;
use crate::{on, rounds};
use std::collections::BTreeSet;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(10 * 60);
/// How long after a Checkout was opened it is looked what became of it, in case that no event comes.
const LOOKED_AT_AFTER: Duration = Duration::from_secs(60 * 60);

/// Looks, time and again until the host stops. Where there is no key of Stripe's there is nothing to look at.
pub async fn watch(app: App) {
    if app.config().stripe.secret_key.is_none() {
        return;
    }
    if app.config().stripe.webhook_secrets.is_none() {
        tracing::warn!(
            "ORLA_STRIPE__WEBHOOK_SECRETS is not set: what is paid for is credited late, or when its payer comes back"
        );
    }
    let failing = "what was paid for could not be looked at, and credits may be later";
    rounds::keep(app, EVERY, failing, |app| Box::pin(sweep(app))).await;
}

const DUE: &str = "select distinct workspace_id from payment_sales where next_part_at <= $1 limit 1000";

/// Grants what is due, looks at what is overdue, and forgets events of long ago.
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
    let opened_before = now.before(LOOKED_AT_AFTER);
    let overdue = customers::overdue(&mut tx, now, opened_before).await?;
    drop(tx);
    let due: BTreeSet<WorkspaceId> = due.into_iter().chain(overdue).collect();
    let mut failed: Option<Error> = None;
    for workspace in due {
        let customer = customers::of_workspace(&mut app.db().read().await?, workspace).await?;
        let Some(customer) = customer else { continue };
        let followed = async {
            Box::pin(applying::follow(app, client, &customer, None)).await?;
            customers::looked(app, workspace, opened_before).await
        };
        if let Err(error) = followed.await {
            tracing::warn!(%workspace, "what workspace {workspace} paid for could not be read at Stripe: {error}");
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}
