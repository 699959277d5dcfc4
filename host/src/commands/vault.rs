//! `orla vault rotate | prepare | check`: the keys that secrets are sealed under.

use crate::open;
use anyhow::{Context as _, bail};
use clap::Subcommand;
use orla::app::App;
use orla::operating::vault::{self, Checked, Rotated};
use orla::telemetry;
use std::fmt::Write as _;
use std::io::Write as _;

/// What can be done to the vault.
#[derive(Debug, Subcommand)]
pub(crate) enum Vault {
    /// Add a new master key to the file without using it, so that the file can be brought to every node before `rotate`.
    Prepare,
    /// Replace the master key and all data keys, while hosts run; the prepared master key, or one that is made now.
    Rotate,
    /// See whether every stored secret opens.
    Check,
}

/// Does it, and prints what came of it.
#[tokio::main]
pub(crate) async fn run(command: Vault) -> anyhow::Result<()> {
    telemetry::start_quietly();
    let app = Box::pin(open()).await?;
    let said = Box::pin(command.carry_out(&app)).await;
    app.stop().await;
    write!(std::io::stdout(), "{}", said?).context("cannot write the answer")
}

impl Vault {
    async fn carry_out(self, app: &App) -> anyhow::Result<String> {
        let file = app.config().master_key();
        match self {
            Self::Prepare => {
                let master = vault::prepare(app)?;
                let file = file.display();
                Ok(format!(
                    "{file} now holds the master key {master} as well. Bring the file to every node, then run `orla vault rotate`.\n"
                ))
            }
            Self::Rotate => Ok(rotated(&vault::rotate(app).await?)),
            Self::Check => checked(&vault::check(app).await?),
        }
    }
}

fn rotated(rotated: &Rotated) -> String {
    let Rotated { master, workspaces, secrets, retired } = rotated;
    let mut said = format!(
        "The master key is {master} from now on. {workspaces} workspaces have new data keys, {secrets} secrets were sealed anew.\n"
    );
    for file in retired {
        let _ = writeln!(
            said,
            "The old master key is in {}: backups of before need it. Delete it with the last of them.",
            file.display()
        );
    }
    said
}

fn checked(checked: &Checked) -> anyhow::Result<String> {
    let Checked { secrets, shut } = checked;
    if shut.is_empty() {
        return Ok(format!("All {secrets} secrets open.\n"));
    }
    bail!("{} of {} secrets do not open:\n{}", shut.len(), secrets + shut.len(), shut.join("\n"))
}
