//! Disputes: a customer's bank takes a charge back.

use serde_json::{Value, json};

use super::api;
use super::gate::Call;
use super::object::{nulls, text};
use super::problem::Problem;
use super::world::{Kind, World, new_id};

const DUE_S: i64 = 7 * 24 * 60 * 60;
/// What can be brought forward; nothing is, here.
const EVIDENCE: &str = "\
    access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal \
    customer_communication customer_email_address customer_name customer_purchase_ip customer_signature \
    duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt \
    refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation \
    shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number \
    uncategorized_file uncategorized_text";

pub(super) fn retrieve(world: &World, call: &Call, id: &str) -> Result<Value, Problem> {
    api::retrieve(world, call, Kind::Dispute, id)
}

/// The bank takes the money, and asks for evidence.
pub(super) fn dispute(world: &mut World, charge_id: &str) -> Result<String, Problem> {
    let charge = world.find(Kind::Charge, charge_id, "charge")?.clone();
    if charge["status"] != "succeeded" || charge["disputed"] == true {
        return Err(Problem::invalid("Only a charge that succeeded can be disputed, and once."));
    }
    let (id, now) = (new_id("du"), world.now());
    let mut evidence = nulls(EVIDENCE);
    evidence["enhanced_evidence"] = json!({});
    let dispute = json!({
        "id": id, "object": "dispute", "amount": charge["amount"], "balance_transactions": [], "charge": charge_id,
        "created": now, "currency": charge["currency"], "enhanced_eligibility_types": [], "evidence": evidence,
        "evidence_details": {
            "due_by": now + DUE_S, "enhanced_eligibility": {}, "has_evidence": false, "past_due": false,
            "submission_count": 0, "submission_method": "not_submitted",
        },
        "is_charge_refundable": false, "livemode": world.settings.livemode, "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "type": "card", "card": {
                "brand": "visa", "case_type": "chargeback", "network": "visa", "network_reason_code": "10.4",
            },
        },
        "reason": "fraudulent", "status": "needs_response",
    });
    world.keep(Kind::Dispute, dispute);
    world.change(Kind::Charge, charge_id, json!({ "disputed": true }));
    world.tell("charge.dispute.created", Kind::Dispute, &id);
    world.tell("charge.dispute.funds_withdrawn", Kind::Dispute, &id);
    Ok(id)
}

/// The bank decides. What was won is given back.
pub(super) fn close(world: &mut World, id: &str, status: &str) -> Result<(), Problem> {
    let dispute = world.find(Kind::Dispute, id, "dispute")?;
    if ["won", "lost"].contains(&text(dispute, "status")) {
        return Err(Problem::invalid("This dispute is already closed."));
    }
    world.change(Kind::Dispute, id, json!({ "status": status }));
    if status == "won" {
        world.tell("charge.dispute.funds_reinstated", Kind::Dispute, id);
    }
    world.tell("charge.dispute.closed", Kind::Dispute, id);
    Ok(())
}
