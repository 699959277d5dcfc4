//! Changing a subscription's price within its period: what was paid and not used is given back, by the second.

use serde_json::{Value, json};

use super::billing::{self, Bill};
use super::calendar::Interval;
use super::lines::{self, Line};
use super::object::{number, text};
use super::problem::Problem;
use super::subscriptions::{items_with_period, living, period};
use super::world::{Kind, World, new_id};
use super::{catalog, customers};

/// What becomes of the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proration {
    /// `always_invoice`: an invoice at once.
    Invoiced,
    /// `create_prorations`: lines on the next invoice.
    Pending,
    /// `none`: nothing is reckoned up.
    Left,
}

/// Gives a subscription another price. One of another interval begins a new period, which is billed at once.
pub(super) fn change_plan(world: &mut World, id: &str, price: &str, proration: Proration) -> Result<(), Problem> {
    let old = living(world, id)?;
    let price = world.find(Kind::Price, price, "items[0][price]")?.clone();
    check(world, &old, &price)?;
    let old_price = &old["items"]["data"][0]["price"];
    if old_price["id"] == price["id"] {
        return Ok(());
    }
    let interval = catalog::interval(&price).unwrap_or(Interval::Month);
    let is_trial = old["status"] == "trialing";
    let restarts = !is_trial && catalog::interval(old_price) != Some(interval);
    let now = world.now();
    let mut lines = Vec::new();
    if !is_trial && proration != Proration::Left {
        lines.push(part(world, &old, old_price, Side::Unused));
        if !restarts {
            lines.push(part(world, &old, &price, Side::Remaining));
        }
    }
    let (start, end) = if restarts { (now, interval.end(now, now)) } else { period(&old) };
    let mut items = items_with_period(&old, start, end);
    items["data"][0]["plan"] = catalog::plan(&price);
    items["data"][0]["price"] = price;
    let mut members = json!({ "items": items });
    if restarts {
        members["billing_cycle_anchor"] = now.into();
    }
    if old["cancel_at_period_end"] == true {
        members["cancel_at"] = end.into();
    }
    let invoices = restarts || (proration == Proration::Invoiced && !lines.is_empty());
    let invoice = new_id("in");
    if invoices {
        members["latest_invoice"] = invoice.as_str().into();
    }
    world.update(Kind::Subscription, id, members, "customer.subscription.updated");
    if !invoices {
        world.pending_lines.entry(id.to_owned()).or_default().extend(lines);
        return Ok(());
    }
    let changed = world.copy(Kind::Subscription, id);
    if restarts {
        lines.push(lines::of_period(world, &changed, start, end));
    }
    bill(world, &changed, &invoice, lines);
    Ok(())
}

fn check(world: &World, subscription: &Value, price: &Value) -> Result<(), Problem> {
    const PARAM: &str = "items[0][price]";
    if price["active"] != true {
        return Err(Problem::at(PARAM, "The price specified is inactive. This field only accepts active prices."));
    }
    if catalog::interval(price).is_none() {
        return Err(Problem::at(
            PARAM,
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
        ));
    }
    customers::check_currency(world, text(subscription, "customer"), text(price, "currency"))
}

fn bill(world: &mut World, subscription: &Value, invoice: &str, lines: Vec<Value>) {
    let (start, end) = period(subscription);
    let bill = Bill {
        id: invoice,
        customer: text(subscription, "customer"),
        subscription,
        reason: "subscription_update",
        lines,
        currency: text(subscription, "currency"),
        start,
        end,
        intent: None,
    };
    billing::issue(world, bill);
    let outcome = world.by_card(text(subscription, "customer"));
    billing::collect(world, invoice, outcome);
}

#[derive(Clone, Copy)]
enum Side {
    /// Of the old price, which is given back.
    Unused,
    /// Of the new one, which is taken.
    Remaining,
}

/// The line for what is left of a period.
fn part(world: &World, subscription: &Value, price: &Value, side: Side) -> Value {
    let item = &subscription["items"]["data"][0];
    let quantity = number(item, "quantity");
    let (start, end) = period(subscription);
    let now = world.now();
    let amount = share(catalog::amount(price, quantity), end - now, end - start);
    let (amount, words) = match side {
        Side::Unused => (-amount, "Unused time on"),
        Side::Remaining => (amount, "Remaining time on"),
    };
    let line = Line {
        price,
        quantity,
        amount,
        description: format!("{words} {}", catalog::product_name(world, price)),
        start: now,
        end,
        item: Some((text(subscription, "id"), text(item, "id"))),
        is_proration: true,
        metadata: &subscription["metadata"],
    };
    line.render(world)
}

/// An amount for `left` of `whole` seconds, rounded half up.
fn share(amount: i64, left: i64, whole: i64) -> i64 {
    let (amount, left, whole) = (i128::from(amount), i128::from(left.max(0)), i128::from(whole.max(1)));
    i64::try_from((2 * amount * left + whole) / (2 * whole)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn shares_are_rounded_to_the_nearest() {
        assert_eq!((share(1_000, 1, 2), share(1_001, 1, 2), share(1_000, 1, 3)), (500, 501, 333));
        assert_eq!((share(1_000, 0, 3), share(1_000, 3, 3), share(0, 1, 2)), (0, 1_000, 0));
    }
}
