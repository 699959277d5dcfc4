//! `orla ledger audit`: whether the books are right.

use anyhow::{Context as _, bail};
use clap::Subcommand;
use orla::config::Config;
use orla::db::{Absent, Db};
use orla::{ledger, telemetry};
use std::io::Write as _;

/// What can be done to the ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Hold every account, grant, hold and transaction against each other; a sentence says where one breaks. Hosts may run.
    Audit,
}

/// Does it, and prints what came of it.
#[tokio::main]
pub(crate) async fn run(Ledger::Audit: Ledger) -> anyhow::Result<()> {
    telemetry::start_quietly();
    let config = Config::read()?;
    let db = Db::connect(&config.database(), Absent::Refused).await?;
    // As the database is at one moment, whatever hosts write meanwhile.
    let mut tx = db.snapshot().await?;
    let faults = ledger::audit(&mut tx).await;
    drop(tx);
    db.close().await;
    let faults = faults.context("the ledger could not be read")?;
    if faults.is_empty() {
        return writeln!(std::io::stdout(), "The ledger adds up.").context("cannot write the answer");
    }
    bail!("The ledger does not add up:\n{}", faults.join("\n"))
}
