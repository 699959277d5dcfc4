//! What a payment is worth in credits: when they come, and when they end.
//!
//! A plan's credits come each month and end with it; those of a year that was paid at once come in twelve parts. What is paid for a
//! part of a period, as where a plan is changed, is worth the same part of the credits, and what is paid back for the rest of the
//! plan before is taken off. Credits alone come at once and never end.

use super::objects::{CREDITS, Dispute, Invoice, Line, Session, WORKSPACE, is_of_another};
use super::plans::Interval;
use super::prices::{Pinned, Prices};
use crate::clock::Timestamp;
use crate::id::WorkspaceId;
use crate::ledger::GrantOrigin;
use chrono::{DateTime, Months};

/// Seconds of a month, where a trial has the part of one.
const MONTH_S: i64 = 30 * 24 * 60 * 60;

/// Something that was paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sale {
    /// The invoice's id, or the Checkout session's.
    pub(super) id: String,
    /// For a person.
    pub(super) description: String,
    /// What was paid, in the currency's smallest unit.
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) origin: GrantOrigin,
    pub(super) paid_at: Timestamp,
    /// The charges and payment intents by which it was paid.
    pub(super) payments: Vec<String>,
    /// At least one.
    pub(super) parts: Vec<Part>,
    pub(super) reversals: Reversals,
}

/// Credits that come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) credits: i64,
    pub(super) starts_at: Timestamp,
    /// `None` for never.
    pub(super) ends_at: Option<Timestamp>,
}

/// What became of a payment.
#[derive(Debug, Clone, Default)]
pub(super) struct Reversals {
    /// Paid back, in the currency's smallest unit.
    pub(super) refunded: i64,
    /// By the bank of who paid.
    pub(super) disputes: Vec<Dispute>,
}

impl PartialEq for Reversals {
    fn eq(&self, other: &Self) -> bool {
        let words = |of: &Self| of.disputes.iter().map(|it| (it.id.clone(), it.status.clone())).collect::<Vec<_>>();
        self.refunded == other.refunded && words(self) == words(other)
    }
}

impl Eq for Reversals {}

/// A moment of Stripe's.
pub(super) fn moment(seconds: i64) -> Timestamp {
    Timestamp(seconds.saturating_mul(1_000_000))
}

/// So much of it as is paid: rounded to whole credits, towards zero.
pub(super) fn share(credits: i64, paid: i64, whole: i64) -> i64 {
    if whole <= 0 {
        return 0;
    }
    i64::try_from(i128::from(credits) * i128::from(paid) / i128::from(whole)).unwrap_or(0)
}

/// What a paid invoice of a subscription is worth; `None` for nothing.
pub(super) fn of_invoice(invoice: &Invoice, prices: &Prices) -> Option<Sale> {
    let known = invoice.lines.data.iter().filter_map(|line| Some((line, prices.get(line.price_id()?)?)));
    let known: Vec<(&Line, &Pinned)> = known.filter(|(_, price)| price.credits > 0).collect();
    let ends = known.iter().map(|(line, _)| line.period.end).max()?;
    let starts = invoice.paid_at();
    let mut monthly: Vec<Part> = Vec::new();
    let mut once = 0_i64;
    for (line, price) in &known {
        if price.period == Some(Interval::Year) && !line.is_prorated() && line.amount > 0 {
            monthly.extend(months(line, price.credits.saturating_mul(line.quantity.unwrap_or(1))));
        } else {
            once = once.saturating_add(worth(line, price));
        }
    }
    let parts = together(once, monthly, moment(starts), moment(ends));
    let title = known.iter().rev().find_map(|(line, price)| (line.amount >= 0).then(|| price.title())).flatten();
    (!parts.is_empty()).then(|| Sale {
        id: invoice.id.clone(),
        description: title.map_or_else(|| "Subscription".to_owned(), |title| format!("Subscription: {title}")),
        amount: invoice.amount_paid,
        currency: invoice.currency.clone().unwrap_or_default(),
        origin: GrantOrigin::Subscription,
        paid_at: moment(starts),
        payments: invoice.payments().into_iter().map(str::to_owned).collect(),
        parts,
        reversals: Reversals::default(),
    })
}

/// What a line is worth; less than nothing for what is paid back.
fn worth(line: &Line, price: &Pinned) -> i64 {
    let months = i64::from(price.period.map_or(1, Interval::months));
    if line.amount == 0 && price.amount > 0 {
        // A trial: the part of a month that it is, at most a month.
        let seconds = line.period.end.saturating_sub(line.period.start).clamp(0, MONTH_S);
        return share(price.credits, seconds, MONTH_S);
    }
    share(price.credits.saturating_mul(months), line.amount, price.amount)
}

/// A part for each month of a line.
fn months(line: &Line, credits: i64) -> Vec<Part> {
    let after = |months: u32| {
        let start = DateTime::from_timestamp(line.period.start, 0)?;
        Some(start.checked_add_months(Months::new(months))?.timestamp())
    };
    let mut parts = Vec::new();
    for month in 0..Interval::Year.months() {
        let (Some(start), Some(end)) = (after(month), after(month + 1)) else { break };
        // The last ends with what was paid for.
        let end = if month + 1 == Interval::Year.months() { line.period.end } else { end };
        if start < end {
            parts.push(Part { credits, starts_at: moment(start), ends_at: Some(moment(end)) });
        }
    }
    parts
}

/// What comes at once, and what comes by the month. What was paid back for the plan before is taken off the first months.
fn together(once: i64, mut monthly: Vec<Part>, starts_at: Timestamp, ends_at: Timestamp) -> Vec<Part> {
    if once > 0 {
        monthly.insert(0, Part { credits: once, starts_at, ends_at: Some(ends_at) });
        return monthly;
    }
    let mut off = once.saturating_neg();
    for part in &mut monthly {
        let taken = off.min(part.credits);
        part.credits -= taken;
        off -= taken;
    }
    monthly.retain(|part| part.credits > 0);
    monthly
}

/// What a Checkout session sold for credits alone is worth; `None` for one that is not paid, or not of ours.
pub(super) fn of_session(session: &Session, workspace: WorkspaceId) -> Option<Sale> {
    let words = session.metadata.as_ref()?;
    if session.mode != "payment" || session.payment_status != "paid" || !words.contains_key(WORKSPACE) {
        return None;
    }
    if is_of_another(Some(words), workspace) {
        tracing::warn!(%workspace, "session {} of its customer says that it is another's", session.id);
        return None;
    }
    let credits: i64 = words.get(CREDITS)?.parse().ok().filter(|credits| *credits > 0)?;
    Some(Sale {
        id: session.id.clone(),
        description: format!("{credits} credits"),
        amount: session.amount_total.unwrap_or(0),
        currency: session.currency.clone().unwrap_or_default(),
        origin: GrantOrigin::Purchased,
        paid_at: moment(session.created),
        payments: session.payment_intent.iter().cloned().collect(),
        parts: vec![Part { credits, starts_at: moment(session.created), ends_at: None }],
        reversals: Reversals::default(),
    })
}

#[cfg(test)]
mod tests;
