//! Payments by Stripe: plans with credits each month, and credits alone.
//!
//! Owns the tables `payment_…`. People pay at Stripe (`checkout`), and Stripe tells (`events`). Nothing that it tells is believed but
//! whose it is: the customer's present state is read at Stripe (`reading`), each payment's worth in credits is worked out (`sales`),
//! and the ledger is brought to it in the transaction that writes down the event (`applying`). So events may come in any order, any
//! number of times, at once or not at all: whoever reads last leaves what is true.
//!
//! ```text
//! event ──► verify ──► whose? ──► read the customer ──► one transaction: event id, plan, sales, grants, clawbacks
//! ```
//!
//! What a price stands for is read once and kept (`prices`): later prices change nothing that was sold.

mod applying;
mod checkout;
mod customers;
mod events;
mod objects;
mod plans;
mod prices;
mod reading;
mod sales;
mod signature;
mod stripe;
mod syncing;
mod viewing;
pub mod watching;

pub use checkout::{Opened, Shown, open, portal, show};
pub use events::take;
pub use plans::{Interval, Offer, Plans, Tier, TopUp, Wish};
pub use prices::not_offered;
pub use syncing::{Synced, missing, sync};
pub use viewing::{Plan, Purchase, Purchases, plan, purchases};

use crate::app::App;
use anyhow::Context as _;

/// Where Stripe's events are taken, below the server's public URL.
pub const WEBHOOK_PATH: &str = "/payment/stripe/webhook";

/// What is offered: the operator's plans, or those of this program.
///
/// # Errors
/// The operator's file cannot be read, or makes no sense.
pub fn plans(app: &App) -> anyhow::Result<Plans> {
    match &app.config().stripe.plans_file {
        None => Plans::built_in(),
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            Plans::parse(&text).with_context(|| format!("{} makes no sense", file.display()))
        }
    }
}
