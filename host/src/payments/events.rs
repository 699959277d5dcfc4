//! What Stripe tells. An event is verified, asked whose it is, and then forgotten but for its id: what it is about is read at Stripe.
//! Owns the table `payment_events`.

use super::applying::{self, Cause};
use super::customers;
use super::objects::{Charge, Event, Subject, is_of_another};
use super::signature;
use super::stripe::Client;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::WorkspaceId;
use crate::on;
use std::time::Duration;

/// What the plan and the credits of a customer may depend on.
const FOLLOWED: [&str; 6] =
    ["checkout.session.", "invoice.", "customer.subscription.", "charge.", "refund.", "payment_intent."];
/// How long ids of events are kept: Stripe sends an event again for three days, or when an operator asks it to, for thirty.
const KEPT: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// Carries an event out, once. Whoever gets no answer of success sends it again.
///
/// # Errors
/// [`Error::Malformed`]: it was not signed by Stripe for this endpoint, or makes no sense here. Stripe or the database failed.
pub async fn take(app: &App, header: Option<&str>, body: &[u8]) -> Result<()> {
    let secrets = app.config().stripe.webhook_secrets.as_ref().ok_or(Error::NotFound("route"))?;
    let header = header.ok_or(signature::Forged::Unreadable).map_err(refused)?;
    signature::verify(header, body, secrets, app.now()).map_err(refused)?;
    let event: Event = serde_json::from_slice(body).map_err(|error| {
        Error::Malformed(format!("It is no event that can be read, from column {} on.", error.column()))
    })?;
    if event.object != "event" {
        return Err(Error::Malformed("It is no event of API v1: send snapshots, not thin events.".to_owned()));
    }
    let client = Client::of(app)?;
    if event.livemode != client.is_live() {
        return Err(Error::Malformed("It is of the other mode than this server's key: test or live.".to_owned()));
    }
    if is_recorded(&mut app.db().read().await?, &event.id).await? {
        return Ok(());
    }
    Box::pin(carry_out(app, client, &event)).await
}

fn refused(why: signature::Forged) -> Error {
    Error::Malformed(why.to_string())
}

async fn carry_out(app: &App, client: Client<'_>, event: &Event) -> Result<()> {
    let subject = &event.data.object;
    let is_followed = FOLLOWED.iter().any(|prefix| event.r#type.starts_with(prefix));
    let id = if is_followed { customer_of(client, subject).await? } else { None };
    let customer = match id {
        Some(id) => customers::by_id(&mut app.db().read().await?, &id).await?,
        None => None,
    };
    let Some(customer) = customer else {
        // Of nobody here: the account at Stripe may serve others.
        let mut tx = app.db().begin().await?;
        record(&mut tx, &event.id, &event.r#type, None, app.now()).await?;
        tx.commit().await?;
        return Ok(());
    };
    let workspace = customer.workspace_id;
    let named = subject.client_reference_id.as_ref();
    if named.is_some_and(|it| *it != workspace.to_string()) || is_of_another(subject.metadata.as_ref(), workspace) {
        let detail = "It names another workspace than that of its customer, and nothing was credited to either.";
        return Err(Error::Malformed(detail.to_owned()));
    }
    let cause = Cause { event_id: &event.id, kind: &event.r#type };
    applying::follow(app, client, &customer, Some(cause)).await
}

/// A dispute and a refund name the charge alone.
async fn customer_of(client: Client<'_>, subject: &Subject) -> Result<Option<String>> {
    match (&subject.customer, &subject.charge) {
        (Some(customer), _) => Ok(Some(customer.clone())),
        (None, Some(charge)) => {
            let charge: Option<Charge> = client.get(&format!("/v1/charges/{charge}"), &Vec::new()).await?;
            Ok(charge.and_then(|charge| charge.customer))
        }
        (None, None) => Ok(None),
    }
}

const IS_RECORDED: &str = "select count(*) from payment_events where event_id = $1";
const RECORD: &str = "insert into payment_events (event_id, type, workspace_id, created_at) values ($1, $2, $3, $4)
    on conflict (event_id) do nothing";
const FORGET: &str = "delete from payment_events where created_at < $1";

async fn is_recorded(tx: &mut Tx, id: &str) -> Result<bool> {
    let found: i64 = on!(tx, conn => sqlx::query_scalar(IS_RECORDED).bind(id).fetch_one(conn).await)?;
    Ok(found > 0)
}

/// Writes down that an event was carried out, in the transaction that does.
pub(super) async fn record(
    tx: &mut Tx,
    id: &str,
    kind: &str,
    workspace: Option<WorkspaceId>,
    now: Timestamp,
) -> Result<()> {
    on!(tx, conn => sqlx::query(RECORD)
        .bind(id).bind(kind).bind(workspace).bind(now).execute(conn).await.map(drop))?;
    Ok(())
}

/// Forgets the ids of events that are not sent again.
pub(super) async fn forget_old(tx: &mut Tx, now: Timestamp) -> Result<()> {
    on!(tx, conn => sqlx::query(FORGET).bind(now.before(KEPT)).execute(conn).await.map(drop))?;
    Ok(())
}
