//! Payments: an intent, and a charge for every attempt at it.

use serde_json::{Value, json};

use super::object::{merge, nulls, number, text};
use super::world::{Kind, World, new_id};

/// Members of an intent that are null at first.
const NONE_OF_INTENT: &str = "\
    application application_fee_amount automatic_payment_methods canceled_at cancellation_reason last_payment_error \
    latest_charge next_action on_behalf_of payment_method processing receipt_email review setup_future_usage \
    shipping source statement_descriptor statement_descriptor_suffix transfer_data transfer_group";

/// Members of a charge that are null at first.
const NONE_OF_CHARGE: &str = "\
    application application_fee application_fee_amount balance_transaction failure_balance_transaction failure_code \
    failure_message on_behalf_of outcome receipt_email receipt_number receipt_url review shipping source \
    source_transfer statement_descriptor statement_descriptor_suffix transfer_data transfer_group";

/// What comes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Succeeds,
    /// The card is declined.
    Fails,
    /// The bank takes days to say.
    Pends,
}

impl World {
    /// What comes of charging a customer's card.
    pub(super) fn by_card(&self, customer: &str) -> Outcome {
        if self.declining.contains(customer) { Outcome::Fails } else { Outcome::Succeeds }
    }
}

/// Means to take an amount from a customer.
pub(super) fn intend(
    world: &mut World,
    customer: &str,
    amount: i64,
    currency: &str,
    metadata: &Value,
    description: Option<&str>,
) -> String {
    let id = new_id("pi");
    let mut intent = nulls(NONE_OF_INTENT);
    let own = json!({
        "id": id, "object": "payment_intent", "amount": amount, "amount_capturable": 0,
        "amount_details": { "tip": {} }, "amount_received": 0, "capture_method": "automatic_async",
        "client_secret": format!("{id}_secret_{}", new_id("s")), "confirmation_method": "automatic",
        "created": world.now(), "currency": currency, "customer": customer, "description": description,
        "livemode": world.settings.livemode, "metadata": metadata, "payment_method_options": {},
        "payment_method_types": ["card"], "status": "requires_payment_method",
    });
    merge(&mut intent, own);
    world.keep(Kind::Intent, intent);
    world.tell("payment_intent.created", Kind::Intent, &id);
    id
}

/// Tries to carry out an intent, by a charge.
pub(super) fn attempt(world: &mut World, intent_id: &str, outcome: Outcome) {
    let intent = world.copy(Kind::Intent, intent_id);
    let (id, amount) = (new_id("ch"), number(&intent, "amount"));
    let method = new_id("pm");
    let customer = world.copy(Kind::Customer, text(&intent, "customer"));
    let mut charge = nulls(NONE_OF_CHARGE);
    let own = json!({
        "id": id, "object": "charge", "amount": amount, "amount_captured": 0, "amount_refunded": 0,
        "billing_details": {
            "address": nulls("city country line1 line2 postal_code state"), "email": customer["email"],
            "name": customer["name"], "phone": null, "tax_id": null,
        },
        "calculated_statement_descriptor": "ORLA", "captured": false, "created": world.now(),
        "currency": intent["currency"], "customer": intent["customer"], "description": intent["description"],
        "disputed": false, "fraud_details": {}, "livemode": world.settings.livemode, "metadata": intent["metadata"],
        "paid": false, "payment_intent": intent_id, "payment_method": method,
        "payment_method_details": {
            "type": "card",
            "card": {
                "brand": "visa", "country": "US", "exp_month": 12, "exp_year": 2040, "funding": "credit",
                "last4": "4242", "network": "visa",
            },
        },
        "radar_options": {}, "refunded": false, "status": "pending",
    });
    merge(&mut charge, own);
    world.keep(Kind::Charge, charge);
    world.change(Kind::Intent, intent_id, json!({ "latest_charge": id, "payment_method": method }));
    match outcome {
        Outcome::Succeeds => succeed(world, intent_id, &id),
        Outcome::Fails => fail(world, intent_id, &id),
        Outcome::Pends => {
            world.change(Kind::Intent, intent_id, json!({ "status": "processing" }));
            world.tell("charge.pending", Kind::Charge, &id);
            world.tell("payment_intent.processing", Kind::Intent, intent_id);
        }
    }
}

/// What the bank says about a charge that was pending.
pub(super) fn settle(world: &mut World, intent: &str, outcome: Outcome) {
    let charge = text(&world.copy(Kind::Intent, intent), "latest_charge").to_owned();
    match outcome {
        Outcome::Succeeds => succeed(world, intent, &charge),
        Outcome::Fails => fail(world, intent, &charge),
        Outcome::Pends => {}
    }
}

fn succeed(world: &mut World, intent: &str, charge: &str) {
    let amount = world.copy(Kind::Intent, intent)["amount"].clone();
    let taken = json!({
        "amount_captured": amount, "balance_transaction": new_id("txn"), "captured": true, "paid": true,
        "status": "succeeded",
        "outcome": {
            "network_status": "approved_by_network", "reason": null, "risk_level": "normal",
            "seller_message": "Payment complete.", "type": "authorized",
        },
    });
    world.change(Kind::Charge, charge, taken);
    world.tell("charge.succeeded", Kind::Charge, charge);
    let done = json!({ "amount_received": amount, "last_payment_error": null, "status": "succeeded" });
    world.change(Kind::Intent, intent, done);
    world.tell("payment_intent.succeeded", Kind::Intent, intent);
}

fn fail(world: &mut World, intent: &str, charge: &str) {
    const WORDS: &str = "Your card was declined.";
    let refused = json!({
        "failure_code": "card_declined", "failure_message": WORDS, "status": "failed",
        "outcome": {
            "network_status": "declined_by_network", "reason": "generic_decline", "risk_level": "normal",
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        },
    });
    world.change(Kind::Charge, charge, refused);
    world.tell("charge.failed", Kind::Charge, charge);
    let error = json!({
        "charge": charge, "code": "card_declined", "decline_code": "generic_decline",
        "doc_url": "https://docs.stripe.com/error-codes#card-declined", "message": WORDS, "type": "card_error",
    });
    let members = json!({
        "last_payment_error": error, "payment_method": null, "status": "requires_payment_method",
    });
    world.change(Kind::Intent, intent, members);
    world.tell("payment_intent.payment_failed", Kind::Intent, intent);
}
