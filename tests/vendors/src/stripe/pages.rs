//! The pages that people see. No scripts, nothing from elsewhere.

use serde_json::Value;

use super::catalog::{self, money};
use super::object::{number, text};
use super::world::{Kind, World};

const STYLE: &str = "
body { margin: 0; background: #f6f8fa; color: #1a1f36; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 27rem; margin: 8vh auto; padding: 2rem; background: #fff; border-radius: .75rem }
h1 { margin: 0 0 1rem; font-size: 1.4rem }
p, dl { margin: .75rem 0 } dt { color: #697386 } dd { margin: 0 } small { color: #697386 }
form { margin: 0 }
button { width: 100%; padding: .75rem; margin-top: .5rem; border-radius: .5rem; font: inherit; font-weight: 600;
  border: 1px solid #d5dbe1; background: #fff; cursor: pointer }
button.primary { background: #635bff; border-color: #635bff; color: #fff }";

/// Where a session is paid.
pub(super) fn checkout(world: &World, session: &Value) -> String {
    let order = world.orders.get(text(session, "id")).cloned().unwrap_or_default();
    let items: String = (order.items.iter())
        .map(|(price, quantity)| {
            let price = world.copy(Kind::Price, price);
            let name = escape(&catalog::product_name(world, &price));
            format!("<dt>{name} × {quantity}</dt>\n<dd>{}</dd>\n", shown(&price, catalog::amount(&price, *quantity)))
        })
        .collect();
    let trial = order.trial_days.map(|days| format!("<p>{days} days free, then as above.</p>\n")).unwrap_or_default();
    let total = escape(&money(number(session, "amount_total"), text(session, "currency")));
    let back = if session["cancel_url"].is_string() { button("back", "", "", "Go back") } else { String::new() };
    let business = escape(&world.settings.business);
    page(
        "Checkout",
        &format!(
            "<h1>Pay {business}</h1>\n<dl>\n{items}</dl>\n{trial}<p>Due today: <strong>{total}</strong></p>\n\
             <form method=\"post\">\n<button class=\"primary\" name=\"action\" value=\"pay\">Pay</button>\n</form>\n{back}"
        ),
    )
}

/// Where a customer manages subscriptions.
pub(super) fn portal(world: &World, session: &Value) -> String {
    let all = world.all(Kind::Subscription).iter();
    let own = all.filter(|one| one["customer"] == session["customer"] && one["status"] != "canceled");
    let subscriptions: String = own.map(|subscription| managed(world, subscription)).collect();
    let subscriptions = if subscriptions.is_empty() { "<p>No subscription.</p>\n".to_owned() } else { subscriptions };
    let (business, back) = (escape(&world.settings.business), button("back", "", "", "Go back"));
    page("Billing", &format!("<h1>{business}: your billing</h1>\n{subscriptions}{back}"))
}

fn managed(world: &World, subscription: &Value) -> String {
    let (id, price) = (text(subscription, "id"), &subscription["items"]["data"][0]["price"]);
    let name = escape(&catalog::product_name(world, price));
    let amount = shown(price, number(price, "unit_amount"));
    let status = escape(text(subscription, "status"));
    let is_ending = subscription["cancel_at_period_end"] == true;
    let ending = if is_ending { "<p>It ends with its period.</p>\n" } else { "" };
    let cancel = match is_ending {
        true => button("keep", id, "", "Keep the subscription"),
        false => button("cancel", id, "", "Cancel at the end of the period"),
    };
    let others = world.all(Kind::Price).iter().filter(|other| {
        other["active"] == true
            && other["type"] == "recurring"
            && other["currency"] == price["currency"]
            && other["id"] != price["id"]
    });
    let changes: String = others
        .map(|other| {
            let name = catalog::product_name(world, other);
            let words = format!("Change to {name}, {}", plain(other, number(other, "unit_amount")));
            button("change", id, text(other, "id"), &words)
        })
        .collect();
    format!("<dl><dt>{name}</dt><dd>{amount}, {status}</dd></dl>\n{ending}{cancel}{changes}")
}

/// What an invoice says.
pub(super) fn invoice(world: &World, invoice: &Value) -> String {
    let currency = text(invoice, "currency");
    let lines = invoice["lines"]["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let lines: String = (lines.iter())
        .map(|line| {
            let (words, amount) = (escape(text(line, "description")), money(number(line, "amount"), currency));
            format!("<dt>{words}</dt>\n<dd>{}</dd>\n", escape(&amount))
        })
        .collect();
    let (number_shown, status) = (escape(text(invoice, "number")), escape(text(invoice, "status")));
    let (business, total) = (escape(&world.settings.business), escape(&money(number(invoice, "total"), currency)));
    page(
        "Invoice",
        &format!("<h1>{business}: invoice {number_shown}</h1>\n<dl>\n{lines}</dl>\n<p>{total}, {status}</p>"),
    )
}

/// What is shown instead.
pub(super) fn sorry(business: &str, words: &str) -> String {
    page("Something went wrong", &format!("<h1>{}</h1>\n<p>{}</p>", escape(business), escape(words)))
}

fn shown(price: &Value, amount: i64) -> String {
    escape(&plain(price, amount))
}

/// An amount, and how often it is paid.
fn plain(price: &Value, amount: i64) -> String {
    let amount = money(amount, text(price, "currency"));
    match text(&price["recurring"], "interval") {
        "" => amount,
        interval => format!("{amount} per {interval}"),
    }
}

fn button(action: &str, subscription: &str, price: &str, words: &str) -> String {
    let field = |name: &str, value: &str| match value {
        "" => String::new(),
        value => format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n", escape(value)),
    };
    let (subscription, price, words) = (field("subscription", subscription), field("price", price), escape(words));
    format!(
        "<form method=\"post\">\n{subscription}{price}<button name=\"action\" value=\"{action}\">{words}</button>\n</form>\n"
    )
}

fn page(title: &str, content: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title} / Stripe (simulated)</title>\
         <style>{STYLE}</style></head>\n<body><main>\n{content}\n\
         <p><small>This is a simulator. No money is taken.</small></p>\n</main></body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
