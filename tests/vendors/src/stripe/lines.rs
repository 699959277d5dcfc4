//! Lines of invoices.

use serde_json::{Value, json};

use super::catalog;
use super::object::{number, text};
use super::world::{World, new_id};

/// What a line bills.
pub(super) struct Line<'a> {
    pub(super) price: &'a Value,
    pub(super) quantity: i64,
    pub(super) amount: i64,
    pub(super) description: String,
    pub(super) start: i64,
    pub(super) end: i64,
    /// The subscription and its item; none for what was bought once.
    pub(super) item: Option<(&'a str, &'a str)>,
    pub(super) is_proration: bool,
    pub(super) metadata: &'a Value,
}

impl Line<'_> {
    /// The line as an invoice has it; which one is said once it is issued.
    pub(super) fn render(&self, world: &World) -> Value {
        let (invoice_item, invoice_item_details) = match self.item {
            Some(_) if !self.is_proration => (Value::Null, Value::Null),
            Some(_) => (Value::from(new_id("ii")), Value::Null),
            None => {
                let bought = json!({
                    "invoice_item": new_id("ii"), "proration": false, "proration_details": null, "subscription": null,
                });
                (Value::Null, bought)
            }
        };
        let kind = if self.item.is_some() { "subscription_item_details" } else { "invoice_item_details" };
        let subscription_item_details = self.item.map(|(subscription, item)| {
            json!({
                "invoice_item": invoice_item, "proration": self.is_proration,
                "proration_details": { "credited_items": null }, "subscription": subscription,
                "subscription_item": item,
            })
        });
        json!({
            "id": new_id("il"), "object": "line_item", "amount": self.amount, "currency": self.price["currency"],
            "description": self.description, "discount_amounts": [], "discountable": !self.is_proration, "discounts": [],
            "livemode": world.settings.livemode, "metadata": self.metadata,
            "parent": {
                "type": kind, "invoice_item_details": invoice_item_details,
                "subscription_item_details": subscription_item_details,
            },
            "period": { "start": self.start, "end": self.end }, "pretax_credit_amounts": [],
            "pricing": {
                "type": "price_details",
                "price_details": { "price": self.price["id"], "product": self.price["product"] },
                "unit_amount_decimal": self.price["unit_amount_decimal"],
            },
            "quantity": self.quantity, "quantity_decimal": self.quantity.to_string(),
            "subscription": self.item.map(|(subscription, _)| subscription), "subtotal": self.amount, "taxes": [],
        })
    }
}

/// The line of a whole period.
pub(super) fn of_period(world: &World, subscription: &Value, start: i64, end: i64) -> Value {
    let item = &subscription["items"]["data"][0];
    let price = &item["price"];
    let quantity = item["quantity"].as_i64().unwrap_or(1);
    let is_trial = subscription["status"] == "trialing";
    let name = catalog::product_name(world, price);
    let each = catalog::money(number(price, "unit_amount"), text(price, "currency"));
    let description = if is_trial {
        format!("Trial period for {name}")
    } else {
        format!("{quantity} × {name} (at {each} / {})", text(&price["recurring"], "interval"))
    };
    let line = Line {
        price,
        quantity,
        amount: if is_trial { 0 } else { catalog::amount(price, quantity) },
        description,
        start,
        end,
        item: Some((text(subscription, "id"), text(item, "id"))),
        is_proration: false,
        metadata: &subscription["metadata"],
    };
    line.render(world)
}
