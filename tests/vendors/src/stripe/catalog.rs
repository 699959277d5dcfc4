//! What is sold: products and prices.

use serde_json::{Value, json};

use super::calendar::Interval;
use super::gate::Call;
use super::listing;
use super::object::{number, text};
use super::problem::Problem;
use super::world::{Kind, World, new_id};

const MAX_AMOUNT: i64 = 99_999_999;
const MAX_LOOKUP_KEYS: usize = 10;

pub(super) fn create_product(world: &mut World, call: &Call) -> Result<Value, Problem> {
    call.form.check(&["name", "description", "active", "metadata[*]"])?;
    let name = call.form.need("name")?.to_owned();
    let active = call.form.flag("active")?.unwrap_or(true);
    let metadata = call.form.new_metadata("metadata")?;
    let id = keep_product(world, &name, call.form.get("description"), active, &metadata);
    Ok(world.copy(Kind::Product, &id))
}

fn keep_product(world: &mut World, name: &str, description: Option<&str>, active: bool, metadata: &Value) -> String {
    let (id, now) = (new_id("prod"), world.now());
    let product = json!({
        "id": id, "object": "product", "active": active, "created": now, "default_price": null, "description": description,
        "images": [], "livemode": world.settings.livemode, "marketing_features": [], "metadata": metadata, "name": name,
        "package_dimensions": null, "shippable": null, "statement_descriptor": null, "tax_code": null, "type": "service",
        "unit_label": null, "updated": now, "url": null,
    });
    world.keep(Kind::Product, product);
    world.tell("product.created", Kind::Product, &id);
    id
}

pub(super) fn create_price(world: &mut World, call: &Call) -> Result<Value, Problem> {
    let form = &call.form;
    form.check(&[
        "currency",
        "unit_amount",
        "recurring[interval]",
        "lookup_key",
        "transfer_lookup_key",
        "product",
        "product_data[name]",
        "nickname",
        "metadata[*]",
        "expand[#]",
    ])?;
    call.expand(&["product"])?;
    let currency = currency(form.need("currency")?)?.to_owned();
    let amount = form.integer("unit_amount", 0, MAX_AMOUNT)?.ok_or_else(|| Problem::missing("unit_amount"))?;
    let interval = form.one_of("recurring[interval]", &["month", "year"])?;
    let metadata = form.new_metadata("metadata")?;
    let transfers = form.flag("transfer_lookup_key")?.unwrap_or(false);
    let lookup_key = form.get("lookup_key").map(str::to_owned);
    let holder = lookup_key.as_deref().and_then(|key| holder(world, key));
    if holder.is_some() && !transfers {
        let message = "A price already uses that lookup key.";
        return Err(Problem::at("lookup_key", message).coded("resource_already_exists"));
    }
    let product = match (form.get("product"), form.get("product_data[name]")) {
        (Some(id), None) => text(world.find(Kind::Product, id, "product")?, "id").to_owned(),
        (None, Some(name)) => keep_product(world, name, None, true, &json!({})),
        (None, None) => return Err(Problem::missing("product")),
        (Some(_), Some(_)) => {
            return Err(Problem::at("product", "You may only specify one of these parameters: product, product_data."));
        }
    };
    if let Some(holder) = holder {
        world.update(Kind::Price, &holder, json!({ "lookup_key": null }), "price.updated");
    }
    let id = new_id("price");
    let recurring = interval.map(|interval| {
        json!({
            "interval": interval, "interval_count": 1, "meter": null, "trial_period_days": null, "usage_type": "licensed",
        })
    });
    let kind = if recurring.is_some() { "recurring" } else { "one_time" };
    let price = json!({
        "id": id, "object": "price", "active": true, "billing_scheme": "per_unit", "created": world.now(),
        "currency": currency, "custom_unit_amount": null, "livemode": world.settings.livemode, "lookup_key": lookup_key,
        "metadata": metadata, "nickname": form.get("nickname"), "product": product, "recurring": recurring,
        "tax_behavior": "unspecified", "tiers_mode": null, "transform_quantity": null, "type": kind, "unit_amount": amount,
        "unit_amount_decimal": amount.to_string(),
    });
    world.keep(Kind::Price, price);
    world.tell("price.created", Kind::Price, &id);
    shown(world, call, &id, "product")
}

/// The active price that has a lookup key.
fn holder(world: &World, key: &str) -> Option<String> {
    let found = world.all(Kind::Price).iter().find(|price| price["active"] == true && text(price, "lookup_key") == key);
    found.map(|price| text(price, "id").to_owned())
}

fn currency(given: &str) -> Result<&str, Problem> {
    if given.len() == 3 && given.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(given);
    }
    Err(Problem::at("currency", format!("Invalid currency: {given}. It is three letters, in lower case.")))
}

pub(super) fn price(world: &World, call: &Call, id: &str) -> Result<Value, Problem> {
    call.form.check(&["expand[#]"])?;
    shown(world, call, id, "product")
}

fn shown(world: &World, call: &Call, id: &str, path: &str) -> Result<Value, Problem> {
    let mut price = world.find(Kind::Price, id, "id")?.clone();
    if call.expand(&[path])? {
        price["product"] = world.copy(Kind::Product, text(&price, "product"));
    }
    Ok(price)
}

pub(super) fn list_prices(world: &World, call: &Call) -> Result<Value, Problem> {
    call.check_list(&["lookup_keys[#]", "active"])?;
    let (keys, active) = (call.form.all("lookup_keys"), call.form.flag("active")?);
    if keys.len() > MAX_LOOKUP_KEYS {
        return Err(Problem::at("lookup_keys", format!("You may pass at most {MAX_LOOKUP_KEYS} lookup keys.")));
    }
    let expands = call.expand(&["data.product"])?;
    let mut list = listing::list(world, call, Kind::Price, |price| {
        active.is_none_or(|active| price["active"] == active)
            && (keys.is_empty() || keys.contains(&text(price, "lookup_key")))
    })?;
    if let Some(data) = list["data"].as_array_mut().filter(|_| expands) {
        for price in data {
            price["product"] = world.copy(Kind::Product, text(price, "product"));
        }
    }
    Ok(list)
}

/// The interval of a price; nothing if it is paid once.
pub(super) fn interval(price: &Value) -> Option<Interval> {
    Interval::parse(text(&price["recurring"], "interval"))
}

/// How a price's product is called.
pub(super) fn product_name(world: &World, price: &Value) -> String {
    text(&world.copy(Kind::Product, text(price, "product")), "name").to_owned()
}

/// `plan`, the older shape of a recurring price, which items of subscriptions still have.
pub(super) fn plan(price: &Value) -> Value {
    json!({
        "id": price["id"], "object": "plan", "active": price["active"], "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"], "billing_scheme": "per_unit", "created": price["created"],
        "currency": price["currency"], "interval": price["recurring"]["interval"], "interval_count": 1,
        "livemode": price["livemode"], "metadata": price["metadata"], "meter": null, "nickname": price["nickname"],
        "product": price["product"], "tiers_mode": null, "transform_usage": null, "trial_period_days": null,
        "usage_type": "licensed",
    })
}

/// An amount as people read it, such as `12.00 USD`.
pub(super) fn money(amount: i64, currency: &str) -> String {
    const WHOLE: [&str; 15] =
        ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"];
    let shown = currency.to_uppercase();
    if WHOLE.contains(&currency) {
        return format!("{amount} {shown}");
    }
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}.{:02} {shown}", amount.abs() / 100, amount.abs() % 100)
}

/// An amount of so many.
pub(super) fn amount(price: &Value, quantity: i64) -> i64 {
    number(price, "unit_amount").saturating_mul(quantity)
}
