//! Workspaces as customers of Stripe's, and the plans that they have. Owns the table `payment_customers`.

use super::objects::{self, WORKSPACE};
use super::plans::Interval;
use super::stripe::{Client, with};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::id::WorkspaceId;
use crate::identity::{self, Caller};
use crate::on;

/// A workspace that pays, or began to.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Customer {
    pub(super) workspace_id: WorkspaceId,
    pub(super) customer_id: String,
    /// Checkout sessions opened so far.
    pub(super) checkouts: i64,
    subscription_id: Option<String>,
    status: Option<String>,
    tier: Option<String>,
    period: Option<Interval>,
    period_end: Option<Timestamp>,
    trial_end: Option<Timestamp>,
    cancels: i64,
}

/// A plan as it stands at Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) subscription_id: String,
    /// Stripe's word.
    pub(super) status: String,
    pub(super) tier: Option<String>,
    pub(super) period: Option<Interval>,
    pub(super) period_end: Option<Timestamp>,
    pub(super) trial_end: Option<Timestamp>,
    /// Whether it ends with the period.
    pub(super) cancels: bool,
}

impl Customer {
    /// The plan as of the newest reading.
    pub(super) fn standing(&self) -> Option<Standing> {
        Some(Standing {
            subscription_id: self.subscription_id.clone()?,
            status: self.status.clone()?,
            tier: self.tier.clone(),
            period: self.period,
            period_end: self.period_end,
            trial_end: self.trial_end,
            cancels: self.cancels == 1,
        })
    }
}

macro_rules! columns {
    ($tail:literal) => {
        concat!(
            "select workspace_id, customer_id, checkouts, subscription_id, status, tier, period, period_end, trial_end, cancels
             from payment_customers ",
            $tail
        )
    };
}
const OF_WORKSPACE: &str = columns!("where workspace_id = $1");
const BY_ID: &str = columns!("where customer_id = $1");
const ADD: &str = "insert into payment_customers (workspace_id, customer_id, created_at) values ($1, $2, $3)
    on conflict (workspace_id) do update set customer_id = excluded.customer_id where payment_customers.customer_id = $4";

/// A workspace's customer, if it has one.
pub(super) async fn of_workspace(tx: &mut Tx, workspace: WorkspaceId) -> Result<Option<Customer>> {
    Ok(on!(tx, conn => sqlx::query_as(OF_WORKSPACE).bind(workspace).fetch_optional(conn).await)?)
}

/// A customer of ours by Stripe's id.
pub(super) async fn by_id(tx: &mut Tx, id: &str) -> Result<Option<Customer>> {
    Ok(on!(tx, conn => sqlx::query_as(BY_ID).bind(id).fetch_optional(conn).await)?)
}

/// The caller's customer; it is made where there is none, or Stripe has it no more. All who ask at the same time get the same.
///
/// # Errors
/// Stripe did not answer; the database failed.
pub(super) async fn make(app: &App, client: Client<'_>, caller: &Caller) -> Result<Customer> {
    let workspace = caller.workspace;
    let known = of_workspace(&mut app.db().read().await?, workspace).await?;
    if let Some(known) = &known {
        let path = format!("/v1/customers/{}", known.customer_id);
        let there: Option<objects::Customer> = client.get(&path, &Vec::new()).await?;
        if there.is_some_and(|customer| !customer.deleted) {
            return Ok(known.clone());
        }
    }
    let before = known.map(|known| known.customer_id).unwrap_or_default();
    let me = identity::me(app, caller).await?;
    let metadata = format!("metadata[{WORKSPACE}]");
    let parameters = vec![with("email", &me.email), with("name", &me.workspace.name), with(&metadata, &workspace)];
    let key = format!("orla-customer-{workspace}-{before}");
    let made: objects::Customer = client.post("/v1/customers", &parameters, &key).await?;
    let mut tx = app.db().begin().await?;
    on!(&mut tx, conn => sqlx::query(ADD)
        .bind(workspace).bind(&made.id).bind(app.now()).bind(&before).execute(conn).await.map(drop))?;
    let customer = of_workspace(&mut tx, workspace).await?;
    tx.commit().await?;
    customer.ok_or_else(|| anyhow::anyhow!("the customer of workspace {workspace} is gone").into())
}

const BEGIN_READING: &str =
    "update payment_customers set readings = readings + 1 where workspace_id = $1 returning readings";
const APPLY: &str =
    "update payment_customers set applied = $1, subscription_id = $2, status = $3, tier = $4, period = $5,
        period_end = $6, trial_end = $7, cancels = $8
    where workspace_id = $9 and applied < $1";
const COUNT_CHECKOUT: &str =
    "update payment_customers set checkouts = checkouts + 1, checkout_at = $2 where workspace_id = $1";
const OVERDUE: &str = "select workspace_id from payment_customers where period_end <= $1 or checkout_at <= $2
    order by workspace_id limit 1000";
const LOOKED: &str = "update payment_customers set checkout_at = null where workspace_id = $1 and checkout_at <= $2";

/// Takes the number of a reading that begins now.
pub(super) async fn begin_reading(app: &App, workspace: WorkspaceId) -> Result<i64> {
    let mut tx = app.db().begin_single().await?;
    let number = on!(&mut tx, conn => sqlx::query_scalar(BEGIN_READING).bind(workspace).fetch_one(conn).await)?;
    tx.commit().await?;
    Ok(number)
}

/// Counts a Checkout session that is about to be opened: from then on they are part of what is read.
pub(super) async fn count_checkout(app: &App, workspace: WorkspaceId) -> Result<()> {
    let mut tx = app.db().begin_single().await?;
    on!(&mut tx, conn => sqlx::query(COUNT_CHECKOUT).bind(workspace).bind(app.now()).execute(conn).await.map(drop))?;
    tx.commit().await?;
    Ok(())
}

/// Those whose period is over, or who opened a Checkout session before a moment: of them, an event should have come.
pub(super) async fn overdue(tx: &mut Tx, now: Timestamp, opened_before: Timestamp) -> Result<Vec<WorkspaceId>> {
    Ok(on!(tx, conn => sqlx::query_scalar(OVERDUE).bind(now).bind(opened_before).fetch_all(conn).await)?)
}

/// Notes that it was looked what became of the sessions opened before a moment.
pub(super) async fn looked(app: &App, workspace: WorkspaceId, opened_before: Timestamp) -> Result<()> {
    let mut tx = app.db().begin_single().await?;
    on!(&mut tx, conn => sqlx::query(LOOKED).bind(workspace).bind(opened_before).execute(conn).await.map(drop))?;
    tx.commit().await?;
    Ok(())
}

/// Writes what a reading found, and locks the customer until the transaction ends. False, and nothing is written, where one that
/// began later was written before: that one saw all that this one did.
pub(super) async fn apply(
    tx: &mut Tx,
    workspace: WorkspaceId,
    reading: i64,
    standing: Option<&Standing>,
) -> Result<bool> {
    let written = on!(tx, conn => sqlx::query(APPLY)
        .bind(reading)
        .bind(standing.map(|it| it.subscription_id.as_str())).bind(standing.map(|it| it.status.as_str()))
        .bind(standing.and_then(|it| it.tier.as_deref())).bind(standing.and_then(|it| it.period))
        .bind(standing.and_then(|it| it.period_end)).bind(standing.and_then(|it| it.trial_end))
        .bind(i64::from(standing.is_some_and(|it| it.cancels))).bind(workspace)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(written == 1)
}
