//! Invoices: how they are read. How they come about is in `billing`.

use serde_json::{Value, json};

use super::gate::Call;
use super::listing;
use super::object::{text, whole_list};
use super::problem::Problem;
use super::world::{Kind, World};

pub(super) fn invoice(world: &World, call: &Call, id: &str) -> Result<Value, Problem> {
    call.form.check(&["expand[#]"])?;
    let mut invoice = world.find(Kind::Invoice, id, "id")?.clone();
    if call.expand(&["payments"])? {
        invoice["payments"] = payments(world, id);
    }
    Ok(invoice)
}

pub(super) fn list(world: &World, call: &Call) -> Result<Value, Problem> {
    call.check_list(&["customer", "subscription", "status"])?;
    call.form.one_of("status", &["draft", "open", "paid", "uncollectible", "void"])?;
    let expands = call.expand(&["data.payments"])?;
    let subscription = call.form.get("subscription");
    let mut list = listing::list(world, call, Kind::Invoice, |invoice| {
        call.has_all(invoice, &["customer", "status"])
            && subscription.is_none_or(|wanted| subscription_of(invoice) == Some(wanted))
    })?;
    if let Some(data) = list["data"].as_array_mut().filter(|_| expands) {
        for invoice in data {
            invoice["payments"] = payments(world, text(invoice, "id"));
        }
    }
    Ok(list)
}

fn payments(world: &World, invoice: &str) -> Value {
    let all = world.all(Kind::InvoicePayment).iter();
    let own: Vec<Value> = all.filter(|payment| text(payment, "invoice") == invoice).cloned().collect();
    whole_list(&own, &format!("/v1/invoice_payments?invoice={invoice}"))
}

pub(super) fn list_payments(world: &World, call: &Call) -> Result<Value, Problem> {
    call.check_list(&["payment[type]", "payment[payment_intent]", "invoice"])?;
    call.expand(&[])?;
    let kind = call.form.one_of("payment[type]", &["payment_intent"])?;
    let intent = call.form.get("payment[payment_intent]");
    match (kind, intent) {
        (None, Some(_)) => return Err(Problem::missing("payment[type]")),
        (Some(_), None) => return Err(Problem::missing("payment[payment_intent]")),
        _ => {}
    }
    listing::list(world, call, Kind::InvoicePayment, |payment| {
        call.has_all(payment, &["invoice"])
            && intent.is_none_or(|wanted| text(&payment["payment"], "payment_intent") == wanted)
    })
}

/// The subscription that an invoice is for.
pub(super) fn subscription_of(invoice: &Value) -> Option<&str> {
    invoice["parent"]["subscription_details"]["subscription"].as_str()
}

/// The intent by which an invoice is paid; empty if there is nothing to pay.
pub(super) fn intent_of(world: &World, invoice: &str) -> String {
    let mut all = world.all(Kind::InvoicePayment).iter();
    let payment = all.find(|payment| text(payment, "invoice") == invoice);
    payment.map(|payment| text(&payment["payment"], "payment_intent").to_owned()).unwrap_or_default()
}

/// Sets the status of an invoice's payment, if it has one. Says its id.
pub(super) fn mark_payment(world: &mut World, invoice: &str) -> Option<String> {
    let mut all = world.all(Kind::InvoicePayment).iter();
    let payment = all.find(|payment| text(payment, "invoice") == invoice)?;
    let (id, amount) = (text(payment, "id").to_owned(), payment["amount_requested"].clone());
    let paid = json!({
        "amount_paid": amount, "status": "paid", "status_transitions": { "canceled_at": null, "paid_at": world.now() },
    });
    world.change(Kind::InvoicePayment, &id, paid);
    Some(id)
}
