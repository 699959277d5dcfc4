//! Refunds.

use serde_json::{Value, json};

use super::catalog::money;
use super::gate::Call;
use super::object::{number, text};
use super::problem::Problem;
use super::world::{Kind, World, new_id};

pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, Problem> {
    let form = &call.form;
    form.check(&["charge", "payment_intent", "amount", "reason", "metadata[*]"])?;
    let reason = form.one_of("reason", &["duplicate", "fraudulent", "requested_by_customer"])?;
    let amount = form.integer("amount", 1, i64::MAX)?;
    let metadata = form.new_metadata("metadata")?;
    let charge = match (form.get("charge"), form.get("payment_intent")) {
        (Some(charge), None) => charge.to_owned(),
        (None, Some(intent)) => {
            let intent = world.find(Kind::Intent, intent, "payment_intent")?;
            text(intent, "latest_charge").to_owned()
        }
        (None, None) => {
            return Err(Problem::invalid(
                "One of the following params should be provided: `payment_intent` or `charge`.",
            ));
        }
        (Some(_), Some(_)) => return Err(Problem::invalid("You may only specify one of: charge, payment_intent.")),
    };
    let id = refund(world, &charge, amount, reason, &metadata)?;
    Ok(world.copy(Kind::Refund, &id))
}

/// Gives back an amount, or all that is left.
pub(super) fn refund(
    world: &mut World,
    charge_id: &str,
    amount: Option<i64>,
    reason: Option<&str>,
    metadata: &Value,
) -> Result<String, Problem> {
    let charge = world.find(Kind::Charge, charge_id, "charge")?.clone();
    let left = number(&charge, "amount") - number(&charge, "amount_refunded");
    if charge["status"] != "succeeded" {
        return Err(Problem::invalid(format!("Charge {charge_id} has not been paid.")));
    }
    if charge["disputed"] == true {
        let message = format!("Charge {charge_id} has been charged back; cannot issue a refund.");
        return Err(Problem::invalid(message).coded("charge_disputed"));
    }
    if left == 0 {
        let message = format!("Charge {charge_id} has already been refunded.");
        return Err(Problem::invalid(message).coded("charge_already_refunded"));
    }
    let amount = amount.unwrap_or(left);
    if !(1..=left).contains(&amount) {
        let currency = text(&charge, "currency");
        let (wanted, left) = (money(amount, currency), money(left, currency));
        let message = format!("Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})");
        return Err(Problem::at("amount", message));
    }
    let id = new_id("re");
    let refund = json!({
        "id": id, "object": "refund", "amount": amount, "balance_transaction": new_id("txn"), "charge": charge_id,
        "created": world.now(), "currency": charge["currency"],
        "destination_details": { "type": "card", "card": { "type": "refund", "reference_status": "pending" } },
        "metadata": metadata, "payment_intent": charge["payment_intent"], "reason": reason, "receipt_number": null,
        "source_transfer_reversal": null, "status": "succeeded", "transfer_reversal": null,
    });
    world.keep(Kind::Refund, refund);
    world.tell("refund.created", Kind::Refund, &id);
    let refunded = number(&charge, "amount_refunded") + amount;
    let members = json!({ "amount_refunded": refunded, "refunded": amount == left });
    world.update(Kind::Charge, charge_id, members, "charge.refunded");
    Ok(id)
}
