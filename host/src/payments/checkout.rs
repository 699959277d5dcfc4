//! Paying: Checkout for plans and credits, and the customer portal for all that comes later.

use super::applying;
use super::customers::{self, Customer, Standing};
use super::objects::{CREDITS, Portal, Session, WORKSPACE, is_of_another};
use super::plans::{Offer, Wish};
use super::prices::{self, Pinned};
use super::stripe::{Client, Parameters, with};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::id::WorkspaceId;
use crate::identity::Caller;
use crate::publications;
use serde::Serialize;
use utoipa::ToSchema;

/// Where to pay.
#[derive(Debug, Serialize, ToSchema)]
pub struct Opened {
    /// The Checkout session's id.
    pub session_id: String,
    /// Send the browser here.
    pub session_url: String,
    /// Until when it can be paid there.
    pub expires_at: Timestamp,
}

/// A Checkout session as it is now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Shown {
    /// Its id.
    pub session_id: String,
    /// `open`, `complete` or `expired`.
    pub status: String,
    /// `paid`, `unpaid` (the bank takes its time) or `no_payment_required`.
    pub payment_status: String,
    /// Where to pay while it is open.
    pub session_url: Option<String>,
}

/// Opens a Checkout session. The same key opens one.
///
/// # Errors
/// It is not offered; the workspace has a plan already; Stripe failed.
pub async fn open(app: &App, caller: &Caller, wish: &Wish, key: Option<&str>) -> Result<Opened> {
    publications::check_key(key)?;
    let offer = super::plans(app)?.choose(wish)?;
    let client = Client::of(app)?;
    let price = prices::offered(&mut app.db().read().await?, &offer.lookup_key).await?;
    let price = price.filter(|price| price.currency == offer.currency).ok_or(Error::NotConfigured(
        "This is not for sale yet: the operator of this server has to run `orla stripe sync`.",
    ))?;
    let customer = customers::make(app, client, caller).await?;
    if offer.tier.is_some() {
        // What an event has not told yet counts as well.
        applying::follow(app, client, &customer, None).await?;
        let customer = customers::of_workspace(&mut app.db().read().await?, caller.workspace).await?;
        check_has_none(customer.and_then(|customer| customer.standing()))?;
    }
    customers::count_checkout(app, caller.workspace).await?;
    let named = key.map_or_else(|| uuid::Uuid::now_v7().to_string(), |key| format!("as/{key}"));
    let named = format!("orla-checkout-{}-{named}", caller.workspace);
    let may_try = !applying::had_plan(&mut app.db().read().await?, caller.workspace).await?;
    let parameters = parameters(app, &customer, &offer, &price, may_try);
    let session: Session = client.post("/v1/checkout/sessions", &parameters, &named).await?;
    if offer.tier.is_some() {
        leave_one(client, &customer, &session).await?;
    }
    let session_url = session.url.ok_or_else(|| {
        let detail = "That Checkout session is over. Use a new Idempotency-Key.".to_owned();
        Error::Conflict { code: "checkout_over", detail }
    })?;
    Ok(Opened { session_id: session.id, session_url, expires_at: super::sales::moment(session.expires_at) })
}

fn check_has_none(standing: Option<Standing>) -> Result<()> {
    let Some(standing) = standing else { return Ok(()) };
    let tier = standing.tier.as_deref().unwrap_or("another");
    let detail = format!("The workspace has the plan {tier} already. Change it in the customer portal.");
    Err(Error::Conflict { code: "has_plan", detail })
}

/// Where Stripe sends people afterwards.
fn back_at(app: &App, outcome: &str) -> String {
    let console = app.config().frontend_url.first().map(|url| url.as_str().trim_end_matches('/').to_owned());
    match console {
        Some(console) => format!("{console}/billing?checkout={outcome}"),
        None => format!("{}/payment/return?checkout={outcome}", app.config().public()),
    }
}

fn parameters(app: &App, customer: &Customer, offer: &Offer, price: &Pinned, may_try: bool) -> Parameters {
    let workspace = customer.workspace_id;
    // Stripe puts the id into the braces, which must not be encoded twice.
    let success = format!("{}&session_id={{CHECKOUT_SESSION_ID}}", back_at(app, "success"));
    let mut parameters = vec![
        with("customer", &customer.customer_id),
        with("client_reference_id", &workspace),
        with("line_items[0][price]", &price.price_id),
        with("line_items[0][quantity]", &1),
        with("success_url", &success),
        with("cancel_url", &back_at(app, "canceled")),
        with(&format!("metadata[{WORKSPACE}]"), &workspace),
    ];
    if offer.tier.is_some() {
        parameters.push(with("mode", "subscription"));
        parameters.push(with(&format!("subscription_data[metadata][{WORKSPACE}]"), &workspace));
        let days = app.config().stripe.trial_days;
        if days > 0 && may_try {
            parameters.push(with("subscription_data[trial_period_days]", &days));
        }
    } else {
        parameters.push(with("mode", "payment"));
        parameters.push(with(&format!("metadata[{CREDITS}]"), &price.credits));
        parameters.push(with(&format!("payment_intent_data[metadata][{WORKSPACE}]"), &workspace));
        parameters.push(with("invoice_creation[enabled]", &true));
    }
    parameters
}

/// Leaves one session open in which a plan can be bought: the newest. Two would be two plans. Whoever opens one looks afterwards,
/// so whoever looks last sees all.
async fn leave_one(client: Client<'_>, customer: &Customer, session: &Session) -> Result<()> {
    let open = [with("customer", &customer.customer_id), with("status", "open")];
    let mut open: Vec<Session> = client.list("/v1/checkout/sessions", &open).await?;
    open.retain(|other| other.mode == "subscription");
    open.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
    for other in open.iter().skip(1) {
        expire(client, &other.id).await?;
    }
    if open.iter().skip(1).any(|other| other.id == session.id) {
        let detail = "Another Checkout was opened at the same time. Pay there, or try again.".to_owned();
        return Err(Error::Conflict { code: "checkout_opened_twice", detail });
    }
    Ok(())
}

/// Ends a session that is still open.
async fn expire(client: Client<'_>, id: &str) -> Result<()> {
    let path = format!("/v1/checkout/sessions/{id}/expire");
    match client.post::<Session>(&path, &Vec::new(), &format!("orla-expire-{id}")).await {
        // It was paid or ended meanwhile, and that is read in its turn.
        Err(Error::Vendor(_) | Error::NotFound(_)) => Ok(()),
        done => done.map(drop),
    }
}

/// A Checkout session of the workspace, and credits what was paid there: whoever comes back need not wait for Stripe's word.
///
/// # Errors
/// The workspace has no such session; Stripe or the database failed.
pub async fn show(app: &App, workspace: WorkspaceId, id: &str) -> Result<Shown> {
    const GONE: Error = Error::NotFound("Checkout session");
    let customer = customers::of_workspace(&mut app.db().read().await?, workspace).await?.ok_or(GONE)?;
    let is_id = id.starts_with("cs_") && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_id {
        return Err(GONE);
    }
    let client = Client::of(app)?;
    let session: Option<Session> = client.get(&format!("/v1/checkout/sessions/{id}"), &Vec::new()).await?;
    let is_own = |session: &Session| {
        session.customer.as_ref() == Some(&customer.customer_id) && !is_of_another(session.metadata.as_ref(), workspace)
    };
    let session = session.filter(is_own).ok_or(GONE)?;
    let is_known = match &session.subscription {
        Some(subscription) => customer.standing().is_some_and(|standing| standing.subscription_id == *subscription),
        None => applying::is_booked(&mut app.db().read().await?, &session.id).await?,
    };
    if session.status.as_deref() == Some("complete") && !is_known {
        applying::follow(app, client, &customer, None).await?;
    }
    Ok(Shown {
        session_id: session.id,
        status: session.status.unwrap_or_default(),
        payment_status: session.payment_status,
        session_url: session.url,
    })
}

/// A page of Stripe's where the workspace changes or cancels its plan, its card and its addresses, and finds its invoices. It is for
/// this moment only.
///
/// # Errors
/// The workspace never bought anything; Stripe failed.
pub async fn portal(app: &App, caller: &Caller) -> Result<String> {
    let client = Client::of(app)?;
    let customer = customers::of_workspace(&mut app.db().read().await?, caller.workspace).await?;
    let customer = customer.ok_or_else(|| {
        let detail = "The workspace never bought anything, so there is nothing to manage.".to_owned();
        Error::Conflict { code: "no_customer", detail }
    })?;
    let parameters = vec![with("customer", &customer.customer_id), with("return_url", &back_at(app, "managed"))];
    let key = format!("orla-portal-{}", uuid::Uuid::now_v7());
    let portal: Portal = client.post("/v1/billing_portal/sessions", &parameters, &key).await?;
    Ok(portal.url)
}
