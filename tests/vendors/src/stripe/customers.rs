//! Customers.

use serde_json::{Map, Value, json};

use super::form::changed_metadata;
use super::gate::Call;
use super::object::{number, text};
use super::problem::Problem;
use super::world::{Kind, World, new_id};

const MEMBERS: [&str; 2] = ["email", "name"];

pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, Problem> {
    call.form.check(&["email", "name", "metadata[*]"])?;
    let email = email(call)?;
    let (id, metadata) = (new_id("cus"), call.form.new_metadata("metadata")?);
    let prefix = id.trim_start_matches("cus_").chars().take(8).collect::<String>().to_uppercase();
    let customer = json!({
        "id": id, "object": "customer", "address": null, "balance": 0, "created": world.now(), "currency": null,
        "default_source": null, "delinquent": false, "description": null, "email": email, "invoice_prefix": prefix,
        "invoice_settings": {
            "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null,
        },
        "livemode": world.settings.livemode, "metadata": metadata, "name": call.form.get("name"),
        "next_invoice_sequence": 1, "phone": null, "preferred_locales": [], "shipping": null, "tax_exempt": "none",
        "test_clock": null,
    });
    world.keep(Kind::Customer, customer);
    world.tell("customer.created", Kind::Customer, &id);
    Ok(world.copy(Kind::Customer, &id))
}

pub(super) fn update(world: &mut World, call: &Call, id: &str) -> Result<Value, Problem> {
    call.form.check(&["email", "name", "metadata[*]"])?;
    email(call)?;
    let customer = world.find(Kind::Customer, id, "id")?;
    let metadata = changed_metadata(&customer["metadata"], call.form.metadata("metadata")?);
    let mut changes = Map::new();
    changes.insert("metadata".to_owned(), metadata);
    for (member, value) in MEMBERS.iter().filter_map(|member| Some((*member, call.form.get(member)?))) {
        changes.insert(member.to_owned(), value.into());
    }
    world.update(Kind::Customer, id, Value::Object(changes), "customer.updated");
    Ok(world.copy(Kind::Customer, id))
}

fn email(call: &Call) -> Result<Option<&str>, Problem> {
    let email = call.form.get("email");
    let is_address =
        |email: &str| email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    match email {
        Some(wrong) if !is_address(wrong) => {
            Err(Problem::at("email", format!("Invalid email address: {wrong}")).coded("email_invalid"))
        }
        email => Ok(email),
    }
}

/// Refuses a currency other than the one that a customer has paid in.
pub(super) fn check_currency(world: &World, customer: &str, currency: &str) -> Result<(), Problem> {
    let customer = world.copy(Kind::Customer, customer);
    let known = text(&customer, "currency");
    if known.is_empty() || known == currency {
        return Ok(());
    }
    Err(Problem::invalid(format!(
        "You cannot combine currencies on a single customer. This customer has had a subscription, coupon, or invoice item \
         with currency {known}"
    )))
}

/// The number of a customer's next invoice, which counts on, and its currency from now on.
pub(super) fn next_number(world: &mut World, customer: &str, currency: &str) -> String {
    let known = world.copy(Kind::Customer, customer);
    let sequence = number(&known, "next_invoice_sequence");
    world.change(Kind::Customer, customer, json!({ "next_invoice_sequence": sequence + 1 }));
    world.update(Kind::Customer, customer, json!({ "currency": currency }), "customer.updated");
    format!("{}-{sequence:04}", text(&known, "invoice_prefix"))
}
