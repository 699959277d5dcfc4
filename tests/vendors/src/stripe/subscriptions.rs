//! Subscriptions: how they begin, are read, changed and canceled.

use serde_json::{Value, json};

use super::calendar::Interval;
use super::form::changed_metadata;
use super::gate::Call;
use super::object::{merge, nulls, number, text, whole_list};
use super::problem::Problem;
use super::proration::{self, Proration};
use super::world::{Kind, Order, World, new_id};
use super::{catalog, listing};

const DAY_S: i64 = 24 * 60 * 60;
const STATUSES: [&str; 9] =
    ["active", "trialing", "past_due", "canceled", "unpaid", "incomplete", "incomplete_expired", "paused", "all"];
const KNOWN: [&str; 6] =
    ["cancel_at_period_end", "metadata[*]", "items[#][id]", "items[#][price]", "proration_behavior", "expand[#]"];

/// Members of a subscription that are null at first.
const NONE: &str = "\
    application application_fee_percent billing_cycle_anchor_config billing_thresholds cancel_at canceled_at \
    days_until_due default_source description ended_at next_pending_invoice_item_invoice on_behalf_of \
    pause_collection pending_invoice_item_interval pending_setup_intent pending_update schedule test_clock \
    transfer_data";

/// Begins a subscription, on trial or not. Its first invoice is still to be issued.
pub(super) fn begin(world: &mut World, customer: &str, order: &Order, invoice: &str) -> String {
    let (id, item, now) = (new_id("sub"), new_id("si"), world.now());
    let (price, quantity) = order.items.first().cloned().unwrap_or_default();
    let price = world.copy(Kind::Price, &price);
    let trial_end = order.trial_days.map(|days| now + days * DAY_S);
    let end = trial_end.unwrap_or_else(|| catalog::interval(&price).unwrap_or(Interval::Month).end(now, now));
    let mut subscription = nulls(NONE);
    let own = json!({
        "id": id, "object": "subscription",
        "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
        "billing_cycle_anchor": trial_end.unwrap_or(now),
        "billing_mode": { "type": "flexible", "flexible": { "proration_discounts": "included" } },
        "billing_schedules": [], "cancel_at_period_end": false,
        "cancellation_details": { "comment": null, "feedback": null, "reason": null },
        "collection_method": "charge_automatically", "created": now, "currency": price["currency"],
        "customer": customer, "default_payment_method": new_id("pm"), "default_tax_rates": [], "discounts": [],
        "invoice_settings": { "account_tax_ids": null, "issuer": { "type": "self" } }, "latest_invoice": invoice,
        "livemode": world.settings.livemode, "metadata": order.subscription_metadata,
        "payment_settings": {
            "payment_method_options": null, "payment_method_types": null, "save_default_payment_method": "off",
        },
        "start_date": now, "status": if trial_end.is_some() { "trialing" } else { "active" }, "trial_end": trial_end,
        "trial_settings": { "end_behavior": { "missing_payment_method": "create_invoice" } },
        "trial_start": trial_end.map(|_| now),
    });
    merge(&mut subscription, own);
    let data = json!({
        "id": item, "object": "subscription_item", "billing_thresholds": null, "created": now, "current_period_end": end,
        "current_period_start": now, "discounts": [], "metadata": {}, "plan": catalog::plan(&price), "price": price,
        "quantity": quantity, "subscription": id, "tax_rates": [],
    });
    subscription["items"] = whole_list(&[data], &format!("/v1/subscription_items?subscription={id}"));
    world.keep(Kind::Subscription, subscription);
    id
}

/// The items of a subscription, with another period.
pub(super) fn items_with_period(subscription: &Value, start: i64, end: i64) -> Value {
    let mut items = subscription["items"].clone();
    items["data"][0]["current_period_start"] = start.into();
    items["data"][0]["current_period_end"] = end.into();
    items
}

/// When the period that a subscription is in began and ends.
pub(super) fn period(subscription: &Value) -> (i64, i64) {
    let item = &subscription["items"]["data"][0];
    (number(item, "current_period_start"), number(item, "current_period_end"))
}

pub(super) fn list(world: &World, call: &Call) -> Result<Value, Problem> {
    call.check_list(&["customer", "status"])?;
    call.expand(&[])?;
    let status = call.form.one_of("status", &STATUSES)?;
    listing::list(world, call, Kind::Subscription, |subscription| {
        let has_status = match status {
            None => subscription["status"] != "canceled",
            Some("all") => true,
            Some(status) => subscription["status"] == status,
        };
        has_status && call.has_all(subscription, &["customer"])
    })
}

pub(super) fn update(world: &mut World, call: &Call, id: &str) -> Result<Value, Problem> {
    let form = &call.form;
    form.check(&KNOWN)?;
    call.expand(&[])?;
    let subscription = world.find(Kind::Subscription, id, "id")?.clone();
    let behaviours = ["always_invoice", "create_prorations", "none"];
    let proration = match form.one_of("proration_behavior", &behaviours)? {
        Some("always_invoice") => Proration::Invoiced,
        Some("none") => Proration::Left,
        _ => Proration::Pending,
    };
    let metadata = form.metadata("metadata")?;
    let cancels = form.flag("cancel_at_period_end")?;
    let price = new_price(call, &subscription)?;
    if subscription["status"] == "canceled" && (cancels.is_some() || price.is_some()) {
        let message = "A canceled subscription can only update its cancellation_details and metadata.";
        return Err(Problem::invalid(message));
    }
    // Everything that can be refused is looked at before anything is changed.
    if let Some(price) = &price {
        proration::change_plan(world, id, price, proration)?;
    }
    if !metadata.is_empty() {
        let metadata = changed_metadata(&subscription["metadata"], metadata);
        world.update(Kind::Subscription, id, json!({ "metadata": metadata }), "customer.subscription.updated");
    }
    match cancels {
        Some(true) => cancel_at_period_end(world, id),
        Some(false) => resume(world, id),
        None => {}
    }
    Ok(world.copy(Kind::Subscription, id))
}

/// The price that the one item is to have.
fn new_price(call: &Call, subscription: &Value) -> Result<Option<String>, Problem> {
    match call.form.places("items")? {
        0 => return Ok(None),
        1 => {}
        _ => return Err(Problem::at("items", "The simulator has one item to a subscription.")),
    }
    let item = call.form.need("items[0][id]")?;
    if item != text(&subscription["items"]["data"][0], "id") {
        return Err(Problem::no_such("subscription_item", item, "items[0][id]"));
    }
    call.form.need("items[0][price]").map(|price| Some(price.to_owned()))
}

pub(super) fn delete(world: &mut World, call: &Call, id: &str) -> Result<Value, Problem> {
    call.form.check(&["expand[#]"])?;
    call.expand(&[])?;
    cancel_now(world, id)?;
    Ok(world.copy(Kind::Subscription, id))
}

/// A subscription that is not over yet.
pub(super) fn living(world: &World, id: &str) -> Result<Value, Problem> {
    let subscription = world.find(Kind::Subscription, id, "id")?;
    if subscription["status"] == "canceled" {
        return Err(Problem::no_such("subscription", id, "id"));
    }
    Ok(subscription.clone())
}

pub(super) fn cancel_now(world: &mut World, id: &str) -> Result<(), Problem> {
    living(world, id)?;
    let members = json!({ "cancellation_details": requested(), "canceled_at": world.now() });
    world.change(Kind::Subscription, id, members);
    end(world, id);
    Ok(())
}

/// A subscription is over.
pub(super) fn end(world: &mut World, id: &str) {
    let members = json!({ "ended_at": world.now(), "status": "canceled" });
    world.change(Kind::Subscription, id, members);
    world.pending_lines.remove(id);
    world.tell("customer.subscription.deleted", Kind::Subscription, id);
}

pub(super) fn cancel_at_period_end(world: &mut World, id: &str) {
    let subscription = world.copy(Kind::Subscription, id);
    if subscription["cancel_at_period_end"] == true {
        return;
    }
    let members = json!({
        "cancel_at": period(&subscription).1, "cancel_at_period_end": true, "canceled_at": world.now(),
        "cancellation_details": requested(),
    });
    world.update(Kind::Subscription, id, members, "customer.subscription.updated");
}

pub(super) fn resume(world: &mut World, id: &str) {
    let members = json!({
        "cancel_at": null, "cancel_at_period_end": false, "canceled_at": null,
        "cancellation_details": { "comment": null, "feedback": null, "reason": null },
    });
    world.update(Kind::Subscription, id, members, "customer.subscription.updated");
}

fn requested() -> Value {
    json!({ "comment": null, "feedback": null, "reason": "cancellation_requested" })
}
