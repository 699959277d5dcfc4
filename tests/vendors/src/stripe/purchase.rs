//! What customers do in Checkout.

use serde_json::{Value, json};

use super::billing::{self, Bill};
use super::lines::Line;
use super::object::{number, text};
use super::payments::{self, Outcome};
use super::problem::Problem;
use super::world::{Kind, Order, World, new_id};
use super::{catalog, invoices, renewal, subscriptions};

/// The customer pays by card, at once. A card that is declined leaves the session open.
pub(super) fn pay(world: &mut World, id: &str) -> Result<(), Problem> {
    let session = open_session(world, id)?;
    let amount = number(&session, "amount_total");
    let customer = text(&session, "customer");
    if amount > 0 && world.by_card(customer) == Outcome::Fails {
        let metadata = order(world, id).intent_metadata;
        let intent = payments::intend(world, customer, amount, text(&session, "currency"), &metadata, None);
        payments::attempt(world, &intent, Outcome::Fails);
        return Err(Problem::declined());
    }
    complete(world, &session, Outcome::Succeeds);
    Ok(())
}

/// The customer pays by a means that takes days.
pub(super) fn pay_later(world: &mut World, id: &str) -> Result<(), Problem> {
    let session = open_session(world, id)?;
    if number(&session, "amount_total") == 0 {
        return Err(Problem::invalid("There is nothing to pay."));
    }
    complete(world, &session, Outcome::Pends);
    Ok(())
}

/// What the bank says after those days.
pub(super) fn settle_later(world: &mut World, id: &str, outcome: Outcome) -> Result<(), Problem> {
    let session = world.find(Kind::Session, id, "session")?.clone();
    let mut intent = text(&session, "payment_intent").to_owned();
    let invoice = text(&session, "invoice").to_owned();
    if intent.is_empty() {
        intent = invoices::intent_of(world, &invoice);
    }
    if session["status"] != "complete" || world.copy(Kind::Intent, &intent)["status"] != "processing" {
        return Err(Problem::invalid("This Checkout Session waits for no payment."));
    }
    payments::settle(world, &intent, outcome);
    if outcome == Outcome::Fails {
        if !invoice.is_empty() {
            billing::mark_failed(world, &invoice);
        }
        world.tell("checkout.session.async_payment_failed", Kind::Session, id);
        return Ok(());
    }
    if !invoice.is_empty() {
        billing::mark_paid(world, &invoice);
    }
    let invoice = if invoice.is_empty() { receipt(world, &session, &intent) } else { Some(invoice) };
    world.change(Kind::Session, id, json!({ "invoice": invoice, "payment_status": "paid" }));
    world.tell("checkout.session.async_payment_succeeded", Kind::Session, id);
    Ok(())
}

/// Ends a session that is open.
pub(super) fn expire(world: &mut World, id: &str) -> Result<(), Problem> {
    let session = world.find(Kind::Session, id, "session")?;
    let status = text(session, "status");
    if status != "open" {
        let message =
            format!("Only Checkout Sessions with a status in [\"open\"] can be expired. This one is {status}.");
        return Err(Problem::invalid(message));
    }
    world.change(Kind::Session, id, json!({ "status": "expired", "url": null }));
    world.tell("checkout.session.expired", Kind::Session, id);
    Ok(())
}

fn open_session(world: &World, id: &str) -> Result<Value, Problem> {
    let session = world.find(Kind::Session, id, "session")?;
    match text(session, "status") {
        "open" => Ok(session.clone()),
        status => Err(Problem::invalid(format!("This Checkout Session is {status}."))),
    }
}

fn order(world: &World, session: &str) -> Order {
    world.orders.get(session).cloned().unwrap_or_default()
}

fn complete(world: &mut World, session: &Value, outcome: Outcome) {
    let done = if session["mode"] == "subscription" {
        subscribe(world, session, outcome)
    } else {
        buy(world, session, outcome)
    };
    let customer = world.copy(Kind::Customer, text(session, "customer"));
    let status = match outcome {
        Outcome::Pends => "unpaid",
        _ if number(session, "amount_total") == 0 => "no_payment_required",
        _ => "paid",
    };
    let id = text(session, "id");
    world.change(Kind::Session, id, done);
    let ended = json!({
        "customer_details": {
            "address": null, "business_name": null, "email": customer["email"], "individual_name": null,
            "name": customer["name"], "phone": null, "tax_exempt": "none", "tax_ids": [],
        },
        "payment_status": status, "status": "complete", "url": null,
    });
    world.change(Kind::Session, id, ended);
    world.tell("checkout.session.completed", Kind::Session, id);
}

/// A payment. Says what of the session came of it.
fn buy(world: &mut World, session: &Value, outcome: Outcome) -> Value {
    let order = order(world, text(session, "id"));
    let (customer, currency) = (text(session, "customer"), text(session, "currency"));
    let amount = number(session, "amount_total");
    let intent = payments::intend(world, customer, amount, currency, &order.intent_metadata, None);
    payments::attempt(world, &intent, outcome);
    let invoice = if outcome == Outcome::Succeeds { receipt(world, session, &intent) } else { None };
    json!({ "payment_intent": intent, "invoice": invoice })
}

/// The invoice of a payment that was made, if the session wants one.
fn receipt(world: &mut World, session: &Value, intent: &str) -> Option<String> {
    if session["invoice_creation"]["enabled"] != true {
        return None;
    }
    let (id, now) = (new_id("in"), world.now());
    let items = order(world, text(session, "id")).items;
    let lines = items.iter().map(|(price, quantity)| {
        let price = world.copy(Kind::Price, price);
        let line = Line {
            price: &price,
            quantity: *quantity,
            amount: catalog::amount(&price, *quantity),
            description: catalog::product_name(world, &price),
            start: now,
            end: now,
            item: None,
            is_proration: false,
            metadata: &json!({}),
        };
        line.render(world)
    });
    let bill = Bill {
        id: &id,
        customer: text(session, "customer"),
        subscription: &Value::Null,
        reason: "manual",
        lines: lines.collect(),
        currency: text(session, "currency"),
        start: now,
        end: now,
        intent: Some(intent.to_owned()),
    };
    billing::issue(world, bill);
    billing::mark_paid(world, &id);
    Some(id)
}

/// A subscription. Says what of the session came of it.
fn subscribe(world: &mut World, session: &Value, outcome: Outcome) -> Value {
    let order = order(world, text(session, "id"));
    let invoice = new_id("in");
    let subscription = subscriptions::begin(world, text(session, "customer"), &order, &invoice);
    world.tell("customer.subscription.created", Kind::Subscription, &subscription);
    renewal::bill_period(world, &subscription, &invoice, "subscription_create");
    billing::collect(world, &invoice, outcome);
    json!({ "subscription": subscription, "invoice": invoice })
}
