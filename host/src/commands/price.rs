//! `orla price list | set`: what operations cost.

use crate::open;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use orla::app::App;
use orla::clock::Timestamp;
use orla::connectors::Actor;
use orla::id::WorkspaceId;
use orla::operating::crediting;
use orla::prices::{self, NewPrice, Price, Unit, VendorKey};
use orla::telemetry;
use serde::de::DeserializeOwned;
use std::fmt::Write as _;
use std::io::Write as _;

/// What can be done to prices.
#[derive(Debug, Subcommand)]
pub(crate) enum Prices {
    /// Every version of every price, the newest of an operation first.
    List,
    /// Set a price, from a time on. What is under way keeps the price that it was quoted.
    Set(Set),
}

/// A price to be set.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The metered operation, such as `social_caption`.
    operation: String,
    /// Credits for one of the unit.
    credits: i64,
    /// What it is for: run, kilotoken, image, second, post or gigabyte.
    #[arg(long, default_value = "run", value_parser = word::<Unit>)]
    unit: Unit,
    /// The connector that it is for; all where absent.
    #[arg(long)]
    connector: Option<String>,
    /// The connector's model that it is for; all where absent.
    #[arg(long, requires = "connector")]
    model: Option<String>,
    /// The workspace that it is for; all where absent.
    #[arg(long)]
    workspace: Option<WorkspaceId>,
    /// For runs on the customer's own app at the vendor only.
    #[arg(long)]
    own_key: bool,
    /// From when on it counts, such as 2027-01-01T00:00:00Z; at once where absent.
    #[arg(long, value_parser = word::<Timestamp>)]
    from: Option<Timestamp>,
    /// Why; it is kept with the price.
    #[arg(long)]
    reason: String,
}

/// Reads a word as it stands in JSON.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

/// Does it, and prints what came of it.
#[tokio::main]
pub(crate) async fn run(command: Prices) -> anyhow::Result<()> {
    telemetry::start_quietly();
    let app = Box::pin(open()).await?;
    let said = Box::pin(command.carry_out(&app)).await;
    app.stop().await;
    write!(std::io::stdout(), "{}", said?).context("cannot write the answer")
}

impl Prices {
    async fn carry_out(self, app: &App) -> anyhow::Result<String> {
        let prices = match self {
            Self::List => prices::all(&mut app.db().read().await?).await?,
            Self::Set(set) => vec![crediting::set_price(app, Actor::Command, &set.price()).await?],
        };
        let mut said = String::new();
        for price in &prices {
            let _ = writeln!(said, "{}", line(price));
        }
        Ok(said)
    }
}

impl Set {
    fn price(self) -> NewPrice {
        NewPrice {
            operation: self.operation,
            unit: self.unit,
            credits: self.credits,
            connector: self.connector,
            model: self.model,
            workspace_id: self.workspace,
            vendor_key: if self.own_key { VendorKey::Own } else { VendorKey::Any },
            valid_from: self.from,
            reason: self.reason,
        }
    }
}

fn line(price: &Price) -> String {
    let unit = serde_json::to_value(price.unit).ok().and_then(|unit| unit.as_str().map(str::to_owned));
    let mut line = format!("{}  {} credits a {}", price.operation, price.credits, unit.unwrap_or_default());
    for (name, value) in [("connector", &price.connector), ("model", &price.model)] {
        if let Some(value) = value {
            let _ = write!(line, ", {name} {value}");
        }
    }
    if let Some(workspace) = price.workspace_id {
        let _ = write!(line, ", workspace {workspace}");
    }
    if price.vendor_key == VendorKey::Own {
        line.push_str(", on the customer's own key");
    }
    let _ = write!(line, ", from {} on", price.valid_from);
    line
}
