//! Stripe: Checkout, Billing, the customer portal and webhooks, as described by <https://docs.stripe.com/api> in the version
//! `2026-10-28.endive`.
//!
//! # What is known how
//!
//! - *Documented*, in the types of Stripe's library for Python, against which the tests hold every answer: the members of objects,
//!   in which the period is the item's, an invoice's subscription is in its `parent`, a line's price in its `pricing`, and payments
//!   are told only if `expand[]` asks; the types of events; the signature of deliveries.
//! - *From memory*, and so the least certain: the words of refusals, and in which order the events of one act come. No program may
//!   rely on that order, as Stripe documents.
//! - *Made up*: the pages, and what customers and banks do ([`Stripe::pay`] and its kin).
//!
//! It is stricter than Stripe where that finds mistakes: the version must be said in every request, a session has a customer, a
//! subscription one item, currencies are lower case, a POST has no query, nothing is expanded but what is listed, and a parameter
//! that is not simulated is not known.
//!
//! It is simpler in these: an invoice is finalized at once and not after an hour; what was declined is not tried again by
//! itself, and its subscription stays past due; there are no taxes, coupons, meters, fees or balances of the account.
//!
//! # In a test
//!
//! ```no_run
//! # async fn example(session: &str, subscription: &str) -> Result<(), orla_vendors::stripe::Refused> {
//! use orla_vendors::stripe::{Settings, Sim, sign};
//!
//! let sim = Sim::start(Settings { now: Some(1_800_000_000), ..Settings::default() }).await;
//! // The program under test made a session at sim.origin(), and then:
//! sim.pay(session)?;
//! for event in sim.events() {
//!     let body = event.body();
//!     let _header = sign(&sim.settings().webhook_secret, &body, sim.now());
//! }
//! // A year later:
//! sim.advance(366 * 24 * 60 * 60);
//! sim.cancel(subscription, true)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Control
//!
//! Under `/_sim/stripe/`, without authentication, and as methods of [`Stripe`]: `GET events`, `deliveries`, `now`, `requests`,
//! `counts`, `settings`, `faults`; `POST settings` (the members to change), `advance` (seconds), `pay`, `pay_later` and `expire`
//! (`{"session"}`), `settle_later` (`{"session", "ok"}`), `decline` (`{"customer", "declines"}`), `retry` (`{"invoice"}`),
//! `change_plan` (`{"subscription", "price"}`), `cancel` (`{"subscription", "at_period_end"}`), `refund` (`{"charge", "amount"}`,
//! all that is left without an amount), `dispute` (`{"charge"}`), `close_dispute` (`{"dispute", "won"}`), `redeliver`
//! (`{"event"}`), `faults`, `reset`; `DELETE faults`.

mod acts;
mod api;
mod billing;
mod calendar;
mod catalog;
mod checkout;
mod control;
mod customers;
mod deliveries;
mod disputes;
mod event;
mod form;
mod gate;
mod invoices;
mod lines;
mod listing;
mod object;
mod pages;
mod payments;
mod portal;
mod problem;
mod proration;
mod purchase;
mod refunds;
mod renewal;
mod settings;
mod sim;
mod state;
mod subscriptions;
mod visits;
mod world;

pub use crate::door::{Answer, Canned, Fault, Mode, Received};
pub use deliveries::Delivery;
pub use event::{Data, Event, Request, sign};
pub use problem::Refused;
pub use settings::Settings;
pub use sim::Sim;
pub use state::Stripe;
