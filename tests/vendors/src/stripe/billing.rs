//! Billing: invoices are issued, collected, paid or not.

use serde_json::{Value, json};

use super::object::{merge, nulls, number, text, whole_list};
use super::payments::{self, Outcome};
use super::problem::Problem;
use super::world::{Kind, World, new_id};
use super::{customers, invoices};

/// Members of an invoice that nothing here sets.
const NONE: &str = "\
    account_tax_ids application automatically_finalizes_at custom_fields customer_address customer_phone \
    customer_shipping default_payment_method default_source description due_date footer from_invoice invoice_pdf \
    last_finalization_error latest_revision next_payment_attempt on_behalf_of receipt_number rendering \
    shipping_details statement_descriptor test_clock";

/// What an invoice is made of.
pub(super) struct Bill<'a> {
    /// The invoice's id, chosen before so that others can name it.
    pub(super) id: &'a str,
    pub(super) customer: &'a str,
    /// The subscription, as it is; null for what was bought once.
    pub(super) subscription: &'a Value,
    /// `billing_reason`.
    pub(super) reason: &'a str,
    pub(super) lines: Vec<Value>,
    pub(super) currency: &'a str,
    pub(super) start: i64,
    pub(super) end: i64,
    /// The intent that it is paid by, where there is one already.
    pub(super) intent: Option<String>,
}

/// Issues an invoice, which is open then, with an intent for what is due.
pub(super) fn issue(world: &mut World, mut bill: Bill<'_>) {
    let total: i64 = bill.lines.iter().map(|line| number(line, "amount")).sum();
    for line in &mut bill.lines {
        line["invoice"] = bill.id.into();
    }
    let number_shown = customers::next_number(world, bill.customer, bill.currency);
    let balance = number(&world.copy(Kind::Customer, bill.customer), "balance");
    // A balance below zero is what the customer has to the good.
    let due = (total + balance).max(0);
    let left = total + balance - due;
    let invoice = render(world, &bill, total, (balance, left), due, &number_shown);
    world.keep(Kind::Invoice, invoice);
    world.tell("invoice.created", Kind::Invoice, bill.id);
    world.update(Kind::Customer, bill.customer, json!({ "balance": left }), "customer.updated");
    if due > 0 {
        let intent = bill.intent.take().unwrap_or_else(|| {
            let words =
                if bill.reason == "subscription_create" { "Subscription creation" } else { "Subscription update" };
            payments::intend(world, bill.customer, due, bill.currency, &json!({}), Some(words))
        });
        let id = new_id("inpay");
        let payment = json!({
            "id": id, "object": "invoice_payment", "amount_paid": null, "amount_requested": due, "created": world.now(),
            "currency": bill.currency, "invoice": bill.id, "is_default": true, "livemode": world.settings.livemode,
            "payment": { "type": "payment_intent", "payment_intent": intent }, "status": "open",
            "status_transitions": { "canceled_at": null, "paid_at": null },
        });
        world.keep(Kind::InvoicePayment, payment);
    }
    let open = json!({
        "status": "open", "effective_at": world.now(),
        "status_transitions": {
            "finalized_at": world.now(), "marked_uncollectible_at": null, "paid_at": null, "voided_at": null,
        },
    });
    world.change(Kind::Invoice, bill.id, open);
    world.tell("invoice.finalized", Kind::Invoice, bill.id);
}

fn render(world: &World, bill: &Bill<'_>, total: i64, balance: (i64, i64), due: i64, number_shown: &str) -> Value {
    let customer = world.copy(Kind::Customer, bill.customer);
    let parent = bill.subscription.is_object().then(|| {
        json!({
            "type": "subscription_details", "quote_details": null,
            "subscription_details": {
                "metadata": bill.subscription["metadata"], "subscription": bill.subscription["id"],
            },
        })
    });
    let mut invoice = blank();
    let own = json!({
        "id": bill.id, "object": "invoice", "effective_at": null, "shipping_cost": null, "webhooks_delivered_at": null,
    "account_name": world.settings.business, "amount_due": due,
        "amount_remaining": due, "billing_reason": bill.reason, "created": world.now(), "currency": bill.currency,
        "customer": bill.customer, "customer_email": customer["email"], "customer_name": customer["name"],
        "ending_balance": balance.1,
        "hosted_invoice_url": format!("{}/i/{}", world.public_origin(), bill.id),
        "lines": whole_list(&bill.lines, &format!("/v1/invoices/{}/lines", bill.id)),
        "livemode": world.settings.livemode, "number": number_shown, "parent": parent, "period_end": bill.end,
        "period_start": bill.start, "starting_balance": balance.0, "subtotal": total, "subtotal_excluding_tax": total,
        "total": total, "total_excluding_tax": total,
    });
    merge(&mut invoice, own);
    invoice
}

/// What all invoices have in common as drafts.
fn blank() -> Value {
    let mut invoice = nulls(NONE);
    let common = json!({
        "account_country": "US", "amount_overpaid": 0, "amount_paid": 0, "amount_shipping": 0, "attempt_count": 0,
        "attempted": false, "auto_advance": false,
        "automatic_tax": {
            "disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null,
        },
        "collection_method": "charge_automatically", "customer_tax_exempt": "none", "customer_tax_ids": [],
        "default_tax_rates": [], "discounts": [], "issuer": { "type": "self" }, "metadata": {},
        "payment_settings": { "default_mandate": null, "payment_method_options": null, "payment_method_types": null },
        "post_payment_credit_notes_amount": 0, "pre_payment_credit_notes_amount": 0, "status": "draft",
        "status_transitions": {
            "finalized_at": null, "marked_uncollectible_at": null, "paid_at": null, "voided_at": null,
        },
        "total_discount_amounts": [], "total_pretax_credit_amounts": [], "total_taxes": [],
    });
    merge(&mut invoice, common);
    invoice
}

/// Tries to collect what is due. What was declined leaves its subscription past due.
pub(super) fn collect(world: &mut World, invoice: &str, outcome: Outcome) {
    let intent = invoices::intent_of(world, invoice);
    if intent.is_empty() {
        return mark_paid(world, invoice);
    }
    payments::attempt(world, &intent, outcome);
    match outcome {
        Outcome::Succeeds => mark_paid(world, invoice),
        Outcome::Fails => mark_failed(world, invoice),
        Outcome::Pends => {}
    }
}

/// The customer pays an invoice that is open.
pub(super) fn retry(world: &mut World, id: &str) -> Result<(), Problem> {
    let invoice = world.find(Kind::Invoice, id, "invoice")?;
    if invoice["status"] != "open" {
        return Err(Problem::invalid("Invoice is not open."));
    }
    let outcome = world.by_card(text(invoice, "customer"));
    collect(world, id, outcome);
    if outcome == Outcome::Fails { Err(Problem::declined()) } else { Ok(()) }
}

/// An invoice is paid, and its subscription active if it was the latest.
pub(super) fn mark_paid(world: &mut World, id: &str) {
    let invoice = world.copy(Kind::Invoice, id);
    let payment = invoices::mark_payment(world, id);
    let mut transitions = invoice["status_transitions"].clone();
    transitions["paid_at"] = world.now().into();
    let attempts = number(&invoice, "attempt_count") + i64::from(payment.is_some());
    let paid = json!({
        "amount_paid": invoice["amount_due"], "amount_remaining": 0, "attempt_count": attempts, "attempted": true,
        "status": "paid", "status_transitions": transitions,
    });
    world.change(Kind::Invoice, id, paid);
    if let Some(payment) = payment {
        world.tell("invoice_payment.paid", Kind::InvoicePayment, &payment);
    }
    world.tell("invoice.paid", Kind::Invoice, id);
    world.tell("invoice.payment_succeeded", Kind::Invoice, id);
    set_status(world, &invoice, "past_due", "active");
}

/// An invoice could not be collected.
pub(super) fn mark_failed(world: &mut World, id: &str) {
    let invoice = world.copy(Kind::Invoice, id);
    let attempts = number(&invoice, "attempt_count") + 1;
    world.change(Kind::Invoice, id, json!({ "attempt_count": attempts, "attempted": true }));
    world.tell("invoice.payment_failed", Kind::Invoice, id);
    set_status(world, &invoice, "active", "past_due");
}

/// Changes the status of an invoice's subscription, if it has another and the invoice is its latest.
fn set_status(world: &mut World, invoice: &Value, from: &str, to: &str) {
    let Some(id) = invoices::subscription_of(invoice) else { return };
    let subscription = world.copy(Kind::Subscription, id);
    if subscription["status"] == from && subscription["latest_invoice"] == invoice["id"] {
        world.update(Kind::Subscription, id, json!({ "status": to }), "customer.subscription.updated");
    }
}
