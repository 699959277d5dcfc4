//! `orla connector install | list | activate | …`: what an operator does to connectors from a shell.
//!
//! A command works on the database that the host serves from; a host that runs follows within a second.

use anyhow::Context as _;
use clap::Subcommand;
use orla::app::App;
use orla::connectors::asks::{Ask, Measure};
use orla::connectors::{Actor, Consent, Installed, Then};
use orla::error::Error;
use orla::operating::doctor::{self, Examination, Look};
use orla::operating::{self, ConnectorOverview};
use std::fmt::Write as _;
use std::path::PathBuf;

/// What can be done to connectors of this installation.
#[derive(Debug, Subcommand)]
pub(crate) enum Operate {
    /// Install a connector, or a release of one, and make it serve.
    Install {
        /// The component, such as `x.wasm`.
        file: PathBuf,
        /// Only store it; `activate` makes it serve.
        #[arg(long)]
        stage: bool,
        /// Allow all that it asks for, even more than was granted before.
        #[arg(long, conflicts_with = "stage")]
        consent: bool,
    },
    /// List connectors and their releases.
    List,
    /// Make a release serve.
    Activate {
        /// The connector, such as `x`.
        connector: String,
        /// Its version, its digest, or the first 8 or more characters of it.
        release: String,
        /// Allow all that it asks for, even more than was granted before.
        #[arg(long)]
        consent: bool,
    },
    /// Go back to the release before.
    Rollback {
        /// The connector, such as `x`.
        connector: String,
    },
    /// Let no new run begin; those under way end.
    Disable {
        /// The connector, such as `x`.
        connector: String,
    },
    /// Let runs begin again.
    Enable {
        /// The connector, such as `x`.
        connector: String,
    },
    /// Remove a connector that is disabled, with its releases; connections stay.
    Remove {
        /// The connector, such as `x`.
        connector: String,
    },
    /// Set the most that one call may use, such as `limit x requests 10`.
    Limit {
        /// The connector, such as `x`.
        connector: String,
        /// What of.
        of: Measure,
        /// The most of it.
        amount: u64,
    },
    /// Find out what connectors need (redirect URI, scopes, keys) and what keeps them from working. Fails where something does.
    Doctor {
        /// The connector; all of them where absent.
        connector: Option<String>,
        /// Also ask vendors whether they take this server's keys.
        #[arg(long)]
        live: bool,
    },
}

impl Operate {
    /// Does it, and says what came of it. What the doctor calls a problem is a failure of this command.
    pub(crate) async fn run(self, app: &App) -> anyhow::Result<String> {
        let done = Box::pin(self.carry_out(app)).await;
        done.map_err(|error| match error {
            Error::Internal(cause) => cause,
            error => anyhow::anyhow!("{error}"),
        })
    }

    async fn carry_out(self, app: &App) -> Result<String, Error> {
        let connectors = app.connectors();
        match self {
            Self::Install { file, stage, consent } => {
                let wasm = read(&file).await.map_err(|error| Error::invalid("file", format!("{error:#}")))?;
                let then = if stage { Then::Stage } else { Then::Activate(consent_of(consent)) };
                Ok(installed(&Box::pin(connectors.install(&wasm, then, Actor::Command)).await?))
            }
            Self::List => Ok(operating::connectors(app).await?.iter().map(listed).collect()),
            Self::Activate { connector, release, consent } => {
                let consent = consent_of(consent);
                let active = Box::pin(connectors.activate(&connector, &release, consent, Actor::Command)).await?;
                Ok(format!("{} {} ({:.12}) serves.\n", active.connector, active.version, active.digest))
            }
            Self::Rollback { connector } => {
                let active = Box::pin(connectors.rollback(&connector, Actor::Command)).await?;
                Ok(format!("{} {} ({:.12}) serves again.\n", active.connector, active.version, active.digest))
            }
            Self::Disable { connector } => {
                connectors.disable(&connector, Actor::Command).await?;
                Ok(format!("{connector} is disabled: no new run begins, those under way end.\n"))
            }
            Self::Enable { connector } => {
                connectors.enable(&connector, Actor::Command).await?;
                Ok(format!("{connector} is enabled.\n"))
            }
            Self::Remove { connector } => {
                operating::remove(app, &connector, Actor::Command).await?;
                Ok(format!("{connector} is removed.\n"))
            }
            Self::Limit { connector, of, amount } => {
                let (overview, _) = operating::connector(app, &connector).await?;
                let mut granted = overview.granted;
                let limit = Ask::Limit { of, amount };
                let sentence = format!("{connector} may use {limit} from now on.\n");
                granted.add(limit);
                connectors.grant(&connector, granted, Actor::Command).await?;
                Ok(sentence)
            }
            Self::Doctor { connector, live } => {
                let look = if live { Look::Live } else { Look::Here };
                examined(app, connector.as_deref(), look).await
            }
        }
    }
}

async fn read(file: &PathBuf) -> anyhow::Result<Vec<u8>> {
    tokio::fs::read(file).await.with_context(|| format!("cannot read {}", file.display()))
}

/// The flag as the host calls it.
fn consent_of(given: bool) -> Consent {
    if given { Consent::Given } else { Consent::Withheld }
}

fn installed(installed: &Installed) -> String {
    let Installed { connector, version, digest, state, asks_more } = installed;
    let mut said = format!("{connector} {version} ({digest:.12}) is {state}.\n");
    if !asks_more.is_empty() {
        let _ = writeln!(said, "It asks for more than was granted:");
        for ask in asks_more {
            let _ = writeln!(said, "  + {ask}");
        }
        let _ = writeln!(said, "`orla connector activate {connector} {digest:.12} --consent` allows it.");
    }
    said
}

fn listed(connector: &ConnectorOverview) -> String {
    let mut said = format!("{} ({}), {}\n", connector.id, connector.name, connector.state);
    for release in &connector.releases {
        let more = if release.asks_more.is_empty() { "" } else { ", asks for more than is granted" };
        let _ = writeln!(said, "  {:<10} {:.12}  {}{more}", release.version, release.digest, release.state);
    }
    said
}

async fn examined(app: &App, connector: Option<&str>, look: Look) -> Result<String, Error> {
    let examined = Box::pin(doctor::examine(app, connector, look)).await?;
    let mut report: String = examined.iter().map(reported).collect();
    if app.fence().stands() {
        let _ =
            writeln!(report, "This installation was restored from a backup: nothing leaves it before `orla resume`.");
    }
    match examined.iter().any(Examination::has_problem) {
        true => Err(Error::Conflict { code: "connector_problem", detail: report.trim_end().to_owned() }),
        false => Ok(report),
    }
}

fn reported(examined: &Examination) -> String {
    let Examination { connector, name, state, release, auth, .. } = examined;
    let release = release.as_deref().unwrap_or("without an active release");
    let mut said = format!("{connector} ({name}), {state}, {release}, auth: {auth}\n");
    let mut line = |what: &str, text: &str| {
        if !text.is_empty() {
            let _ = writeln!(said, "  {what:<13} {text}");
        }
    };
    line("redirect URI", &examined.redirect_uris.join(" "));
    if let Some(scopes) = &examined.scopes {
        line("scopes", &scopes.sent);
        line("  optional", &scopes.optional.join(" "));
    }
    line("missing", &examined.missing_settings.join(" "));
    line("keys from", examined.keys_at.as_deref().unwrap_or_default());
    for finding in &examined.findings {
        line(finding.weight, &finding.sentence);
    }
    said
}
