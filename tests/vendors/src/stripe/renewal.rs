//! What time does: sessions expire, trials end, subscriptions renew or are over.

use serde_json::{Value, json};

use super::billing::{self, Bill};
use super::calendar::Interval;
use super::object::{number, text};
use super::subscriptions::{end, items_with_period, period};
use super::world::{Kind, World, new_id};
use super::{catalog, lines, purchase};

/// How long before a trial ends its customer is told.
const WARNING_S: i64 = 3 * 24 * 60 * 60;

enum Due {
    SessionExpires(String),
    TrialWillEnd(String),
    PeriodEnds(String),
}

impl World {
    /// Does everything that is due by now, each at its time.
    pub(super) fn catch_up(&mut self) {
        let now = self.clock();
        while let Some((at, due)) = next_due(self).filter(|(at, _)| *at <= now) {
            self.due = Some(at);
            match due {
                // It is open, and so expires.
                Due::SessionExpires(id) => drop(purchase::expire(self, &id)),
                Due::TrialWillEnd(id) => {
                    self.tell("customer.subscription.trial_will_end", Kind::Subscription, &id);
                    self.told.insert(id);
                }
                Due::PeriodEnds(id) => end_period(self, &id),
            }
            self.due = None;
        }
    }
}

fn next_due(world: &World) -> Option<(i64, Due)> {
    let id = |object: &Value| text(object, "id").to_owned();
    let open = world.all(Kind::Session).iter().filter(|session| session["status"] == "open");
    let sessions = open.map(|session| (number(session, "expires_at"), Due::SessionExpires(id(session))));
    let living = || world.all(Kind::Subscription).iter().filter(|subscription| subscription["status"] != "canceled");
    let ends = living().map(|subscription| (period(subscription).1, Due::PeriodEnds(id(subscription))));
    let untold = living().filter(|one| one["status"] == "trialing" && !world.told.contains(text(one, "id")));
    let warnings = untold.map(|subscription| {
        let at = (number(subscription, "trial_end") - WARNING_S).max(number(subscription, "created"));
        (at, Due::TrialWillEnd(id(subscription)))
    });
    sessions.chain(warnings).chain(ends).min_by_key(|(at, _)| *at)
}

fn end_period(world: &mut World, id: &str) {
    let subscription = world.copy(Kind::Subscription, id);
    if subscription["cancel_at_period_end"] == true {
        return end(world, id);
    }
    let price = &subscription["items"]["data"][0]["price"];
    let interval = catalog::interval(price).unwrap_or(Interval::Month);
    let start = period(&subscription).1;
    let end = interval.end(number(&subscription, "billing_cycle_anchor"), start);
    let invoice = new_id("in");
    let mut members = json!({ "items": items_with_period(&subscription, start, end), "latest_invoice": invoice });
    if subscription["status"] == "trialing" {
        members["status"] = "active".into();
    }
    world.update(Kind::Subscription, id, members, "customer.subscription.updated");
    bill_period(world, id, &invoice, "subscription_cycle");
    let outcome = world.by_card(text(&subscription, "customer"));
    billing::collect(world, &invoice, outcome);
}

/// Issues the invoice of the period that a subscription is in, with what waited for it.
pub(super) fn bill_period(world: &mut World, id: &str, invoice: &str, reason: &str) {
    let subscription = world.copy(Kind::Subscription, id);
    let (start, end) = period(&subscription);
    let mut lines = world.pending_lines.remove(id).unwrap_or_default();
    lines.push(lines::of_period(world, &subscription, start, end));
    let bill = Bill {
        id: invoice,
        customer: text(&subscription, "customer"),
        subscription: &subscription,
        reason,
        lines,
        currency: text(&subscription, "currency"),
        start,
        end,
        intent: None,
    };
    billing::issue(world, bill);
}
