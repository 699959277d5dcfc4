//! The present state of a customer at Stripe: all that it was sold, and what became of the payments.
//!
//! No event is believed beyond whose it is. Whatever came, in whatever order and however often, the same is read, and so the same
//! comes of it.

use super::customers::{Customer, Standing};
use super::objects::{Charge, Dispute, Invoice, Line, Session, Subscription, is_of_another};
use super::prices::{self, Prices};
use super::sales::{self, Reversals, Sale};
use super::stripe::{Client, with};
use crate::app::App;
use crate::error::Result;
use std::collections::HashSet;

/// What a customer has at Stripe.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The plan.
    pub(super) standing: Option<Standing>,
    /// What was paid for, oldest first.
    pub(super) sales: Vec<Sale>,
}

/// Reads it.
///
/// # Errors
/// Stripe did not answer, or not as it should; the database failed.
pub(super) async fn read(app: &App, client: Client<'_>, customer: &Customer) -> Result<Snapshot> {
    let of_customer = with("customer", &customer.customer_id);
    let mut invoices_of = vec![of_customer.clone()];
    if client.expands_payments() {
        invoices_of.push(with("expand[]", "data.payments"));
    }
    let subscriptions_of = [of_customer.clone(), with("status", "all")];
    let (subscriptions, invoices, charges) = tokio::try_join!(
        client.list::<Subscription>("/v1/subscriptions", &subscriptions_of),
        client.list::<Invoice>("/v1/invoices", &invoices_of),
        client.list::<Charge>("/v1/charges", std::slice::from_ref(&of_customer)),
    )?;
    let sessions: Vec<Session> = if customer.checkouts > 0 {
        client.list("/v1/checkout/sessions", std::slice::from_ref(&of_customer)).await?
    } else {
        Vec::new()
    };
    let workspace = customer.workspace_id;
    let (strange, subscriptions): (Vec<_>, Vec<_>) =
        subscriptions.into_iter().partition(|it| is_of_another(it.metadata.as_ref(), workspace));
    for subscription in &strange {
        tracing::warn!(%workspace, "subscription {} of its customer says that it is another's", subscription.id);
    }
    let strange: HashSet<&str> = strange.iter().map(|it| it.id.as_str()).collect();
    let mut paid: Vec<Invoice> = invoices.into_iter().filter(|it| is_sale(it, &strange)).collect();
    for invoice in &mut paid {
        if invoice.lines.has_more {
            invoice.lines.data = client.list::<Line>(&format!("/v1/invoices/{}/lines", invoice.id), &[]).await?;
        }
    }
    let prices = prices::of(app, client, &paid, &subscriptions).await?;
    let mut sales: Vec<Sale> = paid.iter().filter_map(|invoice| sales::of_invoice(invoice, &prices)).collect();
    sales.extend(sessions.iter().filter_map(|session| sales::of_session(session, workspace)));
    for sale in &mut sales {
        sale.reversals = reversals(client, &charges, &sale.payments).await?;
    }
    sales.sort_by(|a, b| (a.paid_at, &a.id).cmp(&(b.paid_at, &b.id)));
    Ok(Snapshot { standing: standing(&subscriptions, &prices), sales })
}

fn is_sale(invoice: &Invoice, strange: &HashSet<&str>) -> bool {
    let is_ours = invoice.subscription().is_some_and(|subscription| !strange.contains(subscription));
    is_ours && invoice.status.as_deref() == Some("paid")
}

/// What was paid back of a sale, and what is disputed of it.
async fn reversals(client: Client<'_>, charges: &[Charge], payments: &[String]) -> Result<Reversals> {
    let is_for = |charge: &&Charge| {
        payments.iter().any(|payment| *payment == charge.id || Some(payment) == charge.payment_intent.as_ref())
    };
    let mut reversals = Reversals::default();
    for charge in charges.iter().filter(is_for) {
        reversals.refunded += charge.amount_refunded;
        if charge.disputed {
            let disputes: Vec<Dispute> = client.list("/v1/disputes", &[with("charge", &charge.id)]).await?;
            reversals.disputes.extend(disputes);
        }
    }
    Ok(reversals)
}

/// The plan: the newest subscription that goes on.
fn standing(subscriptions: &[Subscription], prices: &Prices) -> Option<Standing> {
    let open = subscriptions.iter().filter(|subscription| subscription.is_open());
    let newest = open.max_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)))?;
    let price = newest.items.data.iter().filter_map(|item| item.price()).find_map(|price| prices.get(&price.id));
    Some(Standing {
        subscription_id: newest.id.clone(),
        status: newest.status.clone(),
        tier: price.and_then(|price| price.tier.clone()),
        period: price.and_then(|price| price.period),
        period_end: newest.period_end().map(sales::moment),
        trial_end: newest.trial_end.map(sales::moment),
        cancels: newest.cancel_at_period_end || newest.cancel_at.is_some(),
    })
}
