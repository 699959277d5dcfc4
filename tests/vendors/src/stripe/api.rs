//! Every route in one list.

use serde_json::{Value, json};

use super::gate::Call;
use super::problem::Problem;
use super::world::{Kind, World};
use super::{catalog, checkout, customers, disputes, invoices, listing, portal, refunds, subscriptions};

/// Does what is asked.
pub(super) fn route(world: &mut World, call: &Call) -> Result<Value, Problem> {
    let path = call.path.strip_prefix("/v1/").unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    match (call.method.as_str(), segments.as_slice()) {
        ("POST", ["products"]) => catalog::create_product(world, call),
        ("GET", ["products", id]) => retrieve(world, call, Kind::Product, id),
        ("POST", ["prices"]) => catalog::create_price(world, call),
        ("GET", ["prices"]) => catalog::list_prices(world, call),
        ("GET", ["prices", id]) => catalog::price(world, call, id),
        ("POST", ["customers"]) => customers::create(world, call),
        ("GET", ["customers", id]) => retrieve(world, call, Kind::Customer, id),
        ("POST", ["customers", id]) => customers::update(world, call, id),
        ("POST", ["checkout", "sessions"]) => checkout::create(world, call),
        ("GET", ["checkout", "sessions"]) => checkout::list(world, call),
        ("GET", ["checkout", "sessions", id]) => checkout::session(world, call, id),
        ("POST", ["checkout", "sessions", id, "expire"]) => checkout::expire(world, call, id),
        ("GET", ["subscriptions"]) => subscriptions::list(world, call),
        ("GET", ["subscriptions", id]) => retrieve(world, call, Kind::Subscription, id),
        ("POST", ["subscriptions", id]) => subscriptions::update(world, call, id),
        ("DELETE", ["subscriptions", id]) => subscriptions::delete(world, call, id),
        ("GET", ["invoices"]) => invoices::list(world, call),
        ("GET", ["invoices", id]) => invoices::invoice(world, call, id),
        ("GET", ["invoice_payments"]) => invoices::list_payments(world, call),
        ("GET", ["charges"]) => listing::list_by(world, call, Kind::Charge, &["customer", "payment_intent"]),
        ("GET", ["charges", id]) => retrieve(world, call, Kind::Charge, id),
        ("GET", ["payment_intents", id]) => retrieve(world, call, Kind::Intent, id),
        ("POST", ["refunds"]) => refunds::create(world, call),
        ("GET", ["refunds"]) => listing::list_by(world, call, Kind::Refund, &["charge"]),
        ("GET", ["disputes"]) => listing::list_by(world, call, Kind::Dispute, &["charge", "payment_intent"]),
        ("GET", ["disputes", id]) => disputes::retrieve(world, call, id),
        ("POST", ["billing_portal", "sessions"]) => portal::create(world, call),
        ("GET", ["events"]) => listing::events(world, call),
        ("GET", ["events", id]) => listing::event(world, call, id),
        ("GET", ["account"]) => {
            call.form.check(&[])?;
            Ok(world.account())
        }
        _ => Err(Problem::no_route(&call.method, &call.path)),
    }
}

/// One object, of which nothing can be expanded.
pub(super) fn retrieve(world: &World, call: &Call, kind: Kind, id: &str) -> Result<Value, Problem> {
    call.form.check(&["expand[#]"])?;
    call.expand(&[])?;
    Ok(json!(world.find(kind, id, "id")?))
}
