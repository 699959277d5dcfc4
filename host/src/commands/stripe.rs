//! `orla stripe sync`: what is offered, at Stripe.

use crate::open;
use anyhow::Context as _;
use clap::Subcommand;
use orla::{payments, telemetry};
use std::fmt::Write as _;
use std::io::Write as _;

/// What can be done at Stripe.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Stripe {
    /// Find the price of each plan and each top-up at Stripe by its lookup key, and make those that are missing or have changed.
    Sync,
}

/// Does it, and prints what came of it.
#[tokio::main]
pub(crate) async fn run(command: Stripe) -> anyhow::Result<()> {
    telemetry::start_quietly();
    let Stripe::Sync = command;
    let app = Box::pin(open()).await?;
    let synced = Box::pin(payments::sync(&app)).await;
    app.stop().await;
    let mut said = String::new();
    for price in synced? {
        let payments::Synced { lookup_key, title, amount, currency, price_id, is_new } = price;
        let how = if is_new { "made" } else { "found" };
        let _ = writeln!(said, "{how}  {lookup_key}  {price_id}  {title}: {amount} {currency}");
    }
    write!(std::io::stdout(), "{said}").context("cannot write the answer")
}
