//! Checkout: sessions, as the program under test makes and reads them. What customers do in them is in `purchase`.

use serde_json::{Value, json};

use super::gate::Call;
use super::object::{merge, nulls, text, whole_list};
use super::problem::Problem;
use super::world::{Kind, Order, World, new_id};
use super::{catalog, customers, listing, purchase};

/// How long a session is open.
const LIFETIME_S: i64 = 24 * 60 * 60;
const MAX_TRIAL_DAYS: i64 = 730;
const MAX_QUANTITY: i64 = 999_999;
const MAX_ITEMS: usize = 100;
/// Stripe charges nothing smaller, in any currency of two digits.
const LEAST_AMOUNT: i64 = 50;

const KNOWN: [&str; 14] = [
    "mode",
    "line_items[#][price]",
    "line_items[#][quantity]",
    "customer",
    "client_reference_id",
    "success_url",
    "cancel_url",
    "metadata[*]",
    "subscription_data[metadata][*]",
    "subscription_data[trial_period_days]",
    "payment_intent_data[metadata][*]",
    "invoice_creation[enabled]",
    "allow_promotion_codes",
    "expand[#]",
];

/// Members of a session that are null at first.
const NONE: &str = "\
    adaptive_pricing after_expiration billing_address_collection client_secret collected_information consent \
    consent_collection currency_conversion customer_creation customer_details customer_email invoice locale \
    origin_context payment_intent payment_link payment_method_configuration_details permissions recovered_from \
    saved_payment_method_options setup_intent shipping_address_collection shipping_cost submit_type subscription \
    wallet_options";

pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, Problem> {
    let form = &call.form;
    form.check(&KNOWN)?;
    call.expand(&["line_items"])?;
    let modes = ["payment", "subscription"];
    let mode = form.one_of("mode", &modes)?.ok_or_else(|| Problem::missing("mode"))?;
    let others: &[&str] = match mode {
        "payment" => &["subscription_data"],
        _ => &["payment_intent_data", "invoice_creation"],
    };
    if let Some(other) = others.iter().find(|other| form.has(other)) {
        return Err(Problem::at(other, format!("You can not pass `{other}` in `{mode}` mode.")));
    }
    let customer = text(world.find(Kind::Customer, form.need("customer")?, "customer")?, "id").to_owned();
    let success_url = web_address(call, "success_url")?.ok_or_else(|| Problem::missing("success_url"))?;
    let cancel_url = web_address(call, "cancel_url")?;
    let Basket { items, currency, total } = basket(world, call, mode)?;
    let invoices = form.flag("invoice_creation[enabled]")?.unwrap_or(false);
    if mode == "subscription" || invoices {
        customers::check_currency(world, &customer, &currency)?;
    }
    let order = Order {
        items,
        subscription_metadata: form.new_metadata("subscription_data[metadata]")?,
        intent_metadata: form.new_metadata("payment_intent_data[metadata]")?,
        trial_days: form.integer("subscription_data[trial_period_days]", 1, MAX_TRIAL_DAYS)?,
    };
    let id = new_id(if world.settings.livemode { "cs_live" } else { "cs_test" });
    let due_now = if order.trial_days.is_some() { 0 } else { total };
    let session = json!({
        "allow_promotion_codes": form.flag("allow_promotion_codes")?, "amount_subtotal": due_now, "amount_total": due_now,
        "cancel_url": cancel_url, "client_reference_id": form.get("client_reference_id"), "currency": currency,
        "customer": customer, "metadata": form.new_metadata("metadata")?, "mode": mode, "success_url": success_url,
        "invoice_creation": (mode == "payment").then(|| json!({
            "enabled": invoices,
            "invoice_data": {
                "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null, "issuer": null,
                "metadata": {}, "rendering_options": null,
            },
        })),
    });
    keep(world, &id, session);
    world.orders.insert(id.clone(), order);
    shown(world, call, &id)
}

/// Keeps a session, with what all of them have.
fn keep(world: &mut World, id: &str, own: Value) {
    let now = world.now();
    let mut session = nulls(NONE);
    let common = json!({
        "id": id, "object": "checkout.session",
        "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
        "created": now, "custom_fields": [],
        "custom_text": {
            "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null,
        },
        "discounts": [], "expires_at": now + LIFETIME_S, "livemode": world.settings.livemode,
        "payment_method_collection": "always", "payment_method_options": {}, "payment_method_types": ["card"],
        "payment_status": "unpaid", "phone_number_collection": { "enabled": false }, "shipping_options": [],
        "status": "open", "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
        "ui_mode": "hosted_page", "url": format!("{}/c/pay/{id}", world.public_origin()),
    });
    merge(&mut session, common);
    merge(&mut session, own);
    world.keep(Kind::Session, session);
}

/// What is bought.
struct Basket {
    /// Prices, and how many of each.
    items: Vec<(String, i64)>,
    currency: String,
    total: i64,
}

fn basket(world: &World, call: &Call, mode: &str) -> Result<Basket, Problem> {
    let count = call.form.places("line_items")?;
    if count == 0 {
        return Err(Problem::missing("line_items"));
    }
    if count > MAX_ITEMS || (mode == "subscription" && count > 1) {
        return Err(Problem::at("line_items", "The simulator has one item to a subscription, and 100 to a payment."));
    }
    let (mut items, mut currency, mut total) = (Vec::new(), String::new(), 0_i64);
    for at in 0..count {
        let name = format!("line_items[{at}][price]");
        let price = world.find(Kind::Price, call.form.need(&name)?, &name)?;
        let quantity_name = format!("line_items[{at}][quantity]");
        let quantity = call.form.integer(&quantity_name, 1, MAX_QUANTITY)?;
        let quantity = quantity.ok_or_else(|| Problem::missing(&quantity_name))?;
        check_price(price, mode, &name)?;
        if !currency.is_empty() && currency != text(price, "currency") {
            return Err(Problem::at(&name, "All prices on a Checkout Session must have the same currency."));
        }
        text(price, "currency").clone_into(&mut currency);
        total = total.saturating_add(catalog::amount(price, quantity));
        items.push((text(price, "id").to_owned(), quantity));
    }
    if total < LEAST_AMOUNT && (mode == "payment" || total > 0) {
        let message = "The Checkout Session's total amount due must add up to at least $0.50 usd";
        return Err(Problem::invalid(message).coded("amount_too_small"));
    }
    Ok(Basket { items, currency, total })
}

fn check_price(price: &Value, mode: &str, param: &str) -> Result<(), Problem> {
    let id = text(price, "id");
    if price["active"] != true {
        let message = format!("The price specified is inactive. This field only accepts active prices. ({id})");
        return Err(Problem::at(param, message));
    }
    match (mode, text(price, "type")) {
        ("payment", "recurring") => Err(Problem::invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only \
             one-time prices.",
        )),
        ("subscription", "one_time") => Err(Problem::invalid(
            "You must provide at least one recurring price in `subscription` mode when using prices.",
        )),
        _ => Ok(()),
    }
}

fn web_address(call: &Call, name: &str) -> Result<Option<String>, Problem> {
    let Some(given) = call.form.get(name) else { return Ok(None) };
    let is_web = url::Url::parse(given).is_ok_and(|url| ["http", "https"].contains(&url.scheme()));
    if !is_web {
        return Err(Problem::at(name, "Not a valid URL").coded("url_invalid"));
    }
    Ok(Some(given.to_owned()))
}

pub(super) fn session(world: &World, call: &Call, id: &str) -> Result<Value, Problem> {
    call.form.check(&["expand[#]"])?;
    shown(world, call, id)
}

fn shown(world: &World, call: &Call, id: &str) -> Result<Value, Problem> {
    let mut session = world.find(Kind::Session, id, "id")?.clone();
    if call.expand(&["line_items"])? {
        session["line_items"] = line_items(world, id);
    }
    Ok(session)
}

fn line_items(world: &World, session: &str) -> Value {
    let items = world.orders.get(session).map(|order| order.items.as_slice()).unwrap_or_default();
    let data = items.iter().enumerate().map(|(at, (price, quantity))| {
        let price = world.copy(Kind::Price, price);
        let amount = catalog::amount(&price, *quantity);
        // The same item has the same id whenever it is shown.
        let tail: String = session.chars().rev().take(22).collect();
        json!({
            "id": format!("li_{tail}{at:02}"), "object": "item", "amount_discount": 0, "amount_subtotal": amount,
            "amount_tax": 0, "amount_total": amount, "currency": price["currency"],
            "description": catalog::product_name(world, &price), "metadata": {}, "price": price, "quantity": quantity,
        })
    });
    whole_list(&data.collect::<Vec<_>>(), &format!("/v1/checkout/sessions/{session}/line_items"))
}

pub(super) fn list(world: &World, call: &Call) -> Result<Value, Problem> {
    let filters = ["customer", "status", "subscription", "payment_intent"];
    call.check_list(&filters)?;
    call.expand(&[])?;
    call.form.one_of("status", &["open", "complete", "expired"])?;
    listing::list(world, call, Kind::Session, |session| call.has_all(session, &filters))
}

pub(super) fn expire(world: &mut World, call: &Call, id: &str) -> Result<Value, Problem> {
    call.form.check(&["expand[#]"])?;
    world.find(Kind::Session, id, "id")?;
    purchase::expire(world, id)?;
    shown(world, call, id)
}
