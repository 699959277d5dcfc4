//! What a workspace sees of its plan and of what it bought.

use super::customers;
use super::plans::Interval;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::id::WorkspaceId;
use crate::on;
use serde::Serialize;
use utoipa::ToSchema;

/// The plan of those who pay for none.
const FREE: &str = "free";

/// A workspace's plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentPlan)]
pub struct Plan {
    /// Its name; `free` for none.
    pub tier: String,
    /// Stripe's word for how it stands, such as `active`, `trialing` or `past_due`; null for none.
    pub status: Option<String>,
    /// How often it is paid for.
    pub interval: Option<Interval>,
    /// When it is paid for next, or ends.
    pub period_end: Option<Timestamp>,
    /// Until when it is tried out.
    pub trial_end: Option<Timestamp>,
    /// Whether it ends with the period.
    pub cancels_at_period_end: bool,
}

/// A workspace's plan, as of what Stripe told last.
///
/// # Errors
/// The database failed.
pub async fn plan(tx: &mut Tx, workspace: WorkspaceId) -> Result<Plan> {
    let standing = customers::of_workspace(tx, workspace).await?.and_then(|customer| customer.standing());
    Ok(match standing {
        None => Plan {
            tier: FREE.to_owned(),
            status: None,
            interval: None,
            period_end: None,
            trial_end: None,
            cancels_at_period_end: false,
        },
        Some(standing) => Plan {
            tier: standing.tier.unwrap_or_else(|| FREE.to_owned()),
            status: Some(standing.status),
            interval: standing.period,
            period_end: standing.period_end,
            trial_end: standing.trial_end,
            cancels_at_period_end: standing.cancels,
        },
    })
}

/// Something that was paid for.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct Purchase {
    /// Stripe's id: of the invoice, or of the Checkout session.
    pub id: String,
    /// For a person.
    pub description: String,
    /// What was paid, in the currency's smallest unit.
    pub amount: i64,
    /// What was paid back of it.
    pub refunded: i64,
    /// Of the amounts, by ISO 4217, in lower case.
    pub currency: String,
    /// When.
    pub paid_at: Timestamp,
    /// Credits of it that came so far.
    pub credits: i64,
    /// Credits of it that come later.
    pub credits_to_come: i64,
}

/// What a workspace bought.
#[derive(Debug, Serialize, ToSchema)]
pub struct Purchases {
    /// The newest first, at most a hundred.
    pub items: Vec<Purchase>,
}

const PURCHASES: &str = "select s.sale_id as id, s.description, s.amount, s.refunded, s.currency, s.paid_at,
        cast(coalesce(sum(p.credits * p.is_granted), 0) as bigint) as credits,
        cast(coalesce(sum(p.credits * (1 - p.is_granted)), 0) as bigint) as credits_to_come
    from payment_sales s left join payment_parts p on p.sale_id = s.sale_id where s.workspace_id = $1
    group by s.sale_id, s.description, s.amount, s.refunded, s.currency, s.paid_at
    order by s.paid_at desc, s.sale_id desc limit 100";

/// What a workspace bought, the newest first.
///
/// # Errors
/// The database failed.
pub async fn purchases(tx: &mut Tx, workspace: WorkspaceId) -> Result<Purchases> {
    let items = on!(tx, conn => sqlx::query_as(PURCHASES).bind(workspace).fetch_all(conn).await)?;
    Ok(Purchases { items })
}
