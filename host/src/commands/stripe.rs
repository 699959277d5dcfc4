//! `orla stripe …`: what is offered, at Stripe, and what keeps it from being bought.

use crate::open;
use anyhow::Context as _;
use clap::Subcommand;
use orla::app::App;
use orla::error::Error;
use orla::operating::doctor::{Finding, Look};
use orla::operating::till;
use orla::{payments, telemetry};
use std::fmt::Write as _;
use std::io::Write as _;

/// What can be done at Stripe.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Stripe {
    /// Find the price of each plan and each top-up at Stripe by its lookup key, and make those that are missing or have changed.
    Sync,
    /// Find out what keeps people from paying, or from getting what they paid for.
    Doctor {
        /// Also ask Stripe whether it takes the key and has the prices.
        #[arg(long)]
        live: bool,
    },
}

/// Does it, and prints what came of it.
#[tokio::main]
pub(crate) async fn run(command: Stripe) -> anyhow::Result<()> {
    telemetry::start_quietly();
    let app = Box::pin(open()).await?;
    let said = match command {
        Stripe::Sync => synced(&app).await,
        Stripe::Doctor { live } => examined(&app, if live { Look::Live } else { Look::Here }).await,
    };
    app.stop().await;
    write!(std::io::stdout(), "{}", said?).context("cannot write the answer")
}

async fn synced(app: &App) -> Result<String, Error> {
    let mut said = String::new();
    for price in Box::pin(payments::sync(app)).await? {
        let payments::Synced { lookup_key, title, amount, currency, price_id, is_new } = price;
        let how = if is_new { "made" } else { "found" };
        let _ = writeln!(said, "{how}  {lookup_key}  {price_id}  {title}: {amount} {currency}");
    }
    Ok(said)
}

async fn examined(app: &App, look: Look) -> Result<String, Error> {
    let findings = Box::pin(till::examine(app, look)).await?;
    let mut report = String::new();
    for Finding { weight, sentence } in &findings {
        let _ = writeln!(report, "{weight:<8} {sentence}");
    }
    match findings.iter().any(Finding::is_problem) {
        true => Err(Error::Conflict { code: "payments_problem", detail: report.trim_end().to_owned() }),
        false => Ok(report),
    }
}
