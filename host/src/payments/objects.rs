//! What is read of Stripe's objects, in the shapes of its API before and since 2025-03-31.

use super::stripe::Listed;
use crate::id::WorkspaceId;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// Under this name the objects that we make say whose they are.
pub(super) const WORKSPACE: &str = "orla_workspace";
/// Under this name a price says how many credits it stands for, and a Checkout session how many were bought.
pub(super) const CREDITS: &str = "orla_credits";
/// Under this name a price says of which plan it is.
pub(super) const TIER: &str = "orla_tier";

/// What we wrote on an object.
pub(super) type Metadata = BTreeMap<String, String>;

/// Whether an object says that it is of another workspace.
pub(super) fn is_of_another(metadata: Option<&Metadata>, workspace: WorkspaceId) -> bool {
    metadata.and_then(|words| words.get(WORKSPACE)).is_some_and(|it| *it != workspace.to_string())
}

/// The id of an object, which may stand there whole.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Id(String),
        Whole { id: String },
    }
    Ok(Option::<Either>::deserialize(deserializer)?.map(|either| match either {
        Either::Id(id) | Either::Whole { id } => id,
    }))
}

macro_rules! listed {
    ($($name:ident),*) => {$(
        impl Listed for $name {
            fn id(&self) -> &str {
                &self.id
            }
        }
    )*};
}
listed!(Subscription, Invoice, Line, Session, Charge, Dispute, Price);

/// A list inside of an object.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Inner<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}

impl<T> Default for Inner<T> {
    fn default() -> Self {
        Self { data: Vec::new(), has_more: false }
    }
}

/// <https://docs.stripe.com/api/customers/object>
#[derive(Debug, Deserialize)]
pub(super) struct Customer {
    pub(super) id: String,
    #[serde(default)]
    pub(super) deleted: bool,
}

/// <https://docs.stripe.com/api/prices/object>, or the plan of before.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Price {
    pub(super) id: String,
    unit_amount: Option<i64>,
    amount: Option<i64>,
    pub(super) currency: Option<String>,
    recurring: Option<Recurring>,
    interval: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Debug, Clone, Deserialize)]
struct Recurring {
    interval: String,
}

impl Price {
    pub(super) fn amount(&self) -> i64 {
        self.unit_amount.or(self.amount).unwrap_or(0)
    }

    pub(super) fn interval(&self) -> Option<&str> {
        self.recurring.as_ref().map(|recurring| recurring.interval.as_str()).or(self.interval.as_deref())
    }

    /// What we wrote on it.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        self.metadata.as_ref().and_then(|words| words.get(name)).map(String::as_str)
    }
}

/// <https://docs.stripe.com/api/subscriptions/object>
#[derive(Debug, Deserialize)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) created: i64,
    #[serde(default)]
    pub(super) cancel_at_period_end: bool,
    pub(super) cancel_at: Option<i64>,
    pub(super) trial_end: Option<i64>,
    current_period_end: Option<i64>,
    #[serde(default)]
    pub(super) metadata: Option<Metadata>,
    #[serde(default)]
    pub(super) items: Inner<Item>,
}

/// <https://docs.stripe.com/api/subscription_items/object>
#[derive(Debug, Deserialize)]
pub(super) struct Item {
    pub(super) price: Option<Price>,
    plan: Option<Price>,
    current_period_end: Option<i64>,
}

impl Item {
    pub(super) fn price(&self) -> Option<&Price> {
        self.price.as_ref().or(self.plan.as_ref())
    }
}

impl Subscription {
    /// Seconds since 1970.
    pub(super) fn period_end(&self) -> Option<i64> {
        self.items.data.iter().filter_map(|item| item.current_period_end).max().or(self.current_period_end)
    }

    /// Whether it goes on, or could.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.status.as_str(), "canceled" | "incomplete_expired" | "incomplete")
    }
}

/// <https://docs.stripe.com/api/invoices/object>
#[derive(Debug, Deserialize)]
pub(super) struct Invoice {
    pub(super) id: String,
    pub(super) status: Option<String>,
    pub(super) created: i64,
    #[serde(default)]
    pub(super) amount_paid: i64,
    pub(super) currency: Option<String>,
    #[serde(default, deserialize_with = "id")]
    subscription: Option<String>,
    parent: Option<InvoiceParent>,
    #[serde(default, deserialize_with = "id")]
    charge: Option<String>,
    #[serde(default, deserialize_with = "id")]
    payment_intent: Option<String>,
    #[serde(default)]
    payments: Option<Inner<InvoicePayment>>,
    status_transitions: Option<Transitions>,
    #[serde(default)]
    pub(super) lines: Inner<Line>,
}

#[derive(Debug, Deserialize)]
struct InvoiceParent {
    subscription_details: Option<SubscriptionDetails>,
}

#[derive(Debug, Deserialize)]
struct SubscriptionDetails {
    #[serde(default, deserialize_with = "id")]
    subscription: Option<String>,
}

#[derive(Debug, Deserialize)]
struct InvoicePayment {
    payment: Option<Payment>,
}

#[derive(Debug, Deserialize)]
struct Payment {
    #[serde(default, deserialize_with = "id")]
    charge: Option<String>,
    #[serde(default, deserialize_with = "id")]
    payment_intent: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Transitions {
    paid_at: Option<i64>,
}

impl Invoice {
    /// Of which subscription it is.
    pub(super) fn subscription(&self) -> Option<&str> {
        let parent = self.parent.as_ref().and_then(|parent| parent.subscription_details.as_ref());
        parent.and_then(|details| details.subscription.as_deref()).or(self.subscription.as_deref())
    }

    /// The charges and payment intents by which it was paid.
    pub(super) fn payments(&self) -> Vec<&str> {
        let payments = self.payments.iter().flat_map(|list| &list.data).filter_map(|it| it.payment.as_ref());
        let payments = payments.flat_map(|payment| [payment.charge.as_deref(), payment.payment_intent.as_deref()]);
        payments.chain([self.charge.as_deref(), self.payment_intent.as_deref()]).flatten().collect()
    }

    /// Seconds since 1970.
    pub(super) fn paid_at(&self) -> i64 {
        self.status_transitions.as_ref().and_then(|moves| moves.paid_at).unwrap_or(self.created)
    }
}

/// <https://docs.stripe.com/api/invoice-line-item/object>
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) quantity: Option<i64>,
    pub(super) period: Span,
    proration: Option<bool>,
    parent: Option<LineParent>,
    pricing: Option<Pricing>,
    price: Option<Price>,
    plan: Option<Price>,
}

/// Seconds since 1970.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
}

#[derive(Debug, Clone, Deserialize)]
struct LineParent {
    subscription_item_details: Option<Prorated>,
    invoice_item_details: Option<Prorated>,
}

#[derive(Debug, Clone, Deserialize)]
struct Prorated {
    proration: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
struct Pricing {
    price_details: Option<PriceDetails>,
}

#[derive(Debug, Clone, Deserialize)]
struct PriceDetails {
    #[serde(default, deserialize_with = "id")]
    price: Option<String>,
}

impl Line {
    /// The price's id.
    pub(super) fn price_id(&self) -> Option<&str> {
        let details = self.pricing.as_ref().and_then(|pricing| pricing.price_details.as_ref());
        details.and_then(|details| details.price.as_deref()).or(self.price().map(|price| price.id.as_str()))
    }

    /// The price, where it stands there whole.
    pub(super) fn price(&self) -> Option<&Price> {
        self.price.as_ref().or(self.plan.as_ref())
    }

    /// Whether it is for a part of a period.
    pub(super) fn is_prorated(&self) -> bool {
        let parent = self.parent.as_ref();
        let of_item = parent.and_then(|it| it.subscription_item_details.as_ref().or(it.invoice_item_details.as_ref()));
        of_item.and_then(|item| item.proration).or(self.proration).unwrap_or(false)
    }
}

/// <https://docs.stripe.com/api/checkout/sessions/object>
#[derive(Debug, Deserialize)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) url: Option<String>,
    pub(super) mode: String,
    pub(super) status: Option<String>,
    pub(super) payment_status: String,
    pub(super) created: i64,
    pub(super) expires_at: i64,
    pub(super) amount_total: Option<i64>,
    pub(super) currency: Option<String>,
    #[serde(default, deserialize_with = "id")]
    pub(super) customer: Option<String>,
    #[serde(default, deserialize_with = "id")]
    pub(super) payment_intent: Option<String>,
    #[serde(default, deserialize_with = "id")]
    pub(super) subscription: Option<String>,
    #[serde(default)]
    pub(super) metadata: Option<Metadata>,
}

/// <https://docs.stripe.com/api/charges/object>
#[derive(Debug, Deserialize)]
pub(super) struct Charge {
    pub(super) id: String,
    #[serde(default)]
    pub(super) amount_refunded: i64,
    #[serde(default)]
    pub(super) disputed: bool,
    #[serde(default, deserialize_with = "id")]
    pub(super) customer: Option<String>,
    #[serde(default, deserialize_with = "id")]
    pub(super) payment_intent: Option<String>,
}

/// <https://docs.stripe.com/api/disputes/object>
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Dispute {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) status: String,
}

/// A session of the customer portal.
#[derive(Debug, Deserialize)]
pub(super) struct Portal {
    pub(super) url: String,
}

/// <https://docs.stripe.com/api/events/object>
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) object: String,
    pub(super) r#type: String,
    #[serde(default)]
    pub(super) livemode: bool,
    pub(super) data: EventData,
}

#[derive(Debug, Deserialize)]
pub(super) struct EventData {
    pub(super) object: Subject,
}

/// What an event is about, as far as it says to whom it belongs. Nothing else of it is believed.
#[derive(Debug, Deserialize)]
pub(super) struct Subject {
    #[serde(default, deserialize_with = "id")]
    pub(super) customer: Option<String>,
    #[serde(default, deserialize_with = "id")]
    pub(super) charge: Option<String>,
    pub(super) client_reference_id: Option<String>,
    #[serde(default)]
    pub(super) metadata: Option<Metadata>,
}
