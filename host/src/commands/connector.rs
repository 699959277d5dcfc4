//! `orla connector`: for those who write connectors, and for operators. What authors need opens nothing, so it wants
//! neither a database nor a configuration.

use super::operate::Operate;
use crate::{open, program};
use anyhow::{Context as _, ensure};
use clap::{Subcommand, ValueEnum};
use orla::connectors::inspect;
use orla::{authoring, proving, telemetry};
use std::io::Write as _;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(crate) enum Connector {
    /// Begin a connector: a crate that builds and passes its tests at once.
    New {
        /// Its name: lowercase letters, digits and hyphens.
        name: String,
        /// What it can do from the start.
        #[arg(long, value_enum, default_value_t = Ability::Publish)]
        ability: Ability,
        /// The folder to make; by default one of the connector's name.
        #[arg(long, value_name = "DIR")]
        path: Option<PathBuf>,
    },
    /// Build a connector's component, and say whether it would be admitted.
    Build {
        /// The crate's folder.
        #[arg(long, value_name = "DIR", default_value = ".")]
        path: PathBuf,
    },
    /// Play a connector's cases against its component, with everything going wrong that can.
    Test(proving::Options),
    /// Say whether a component would be admitted, and if not, why.
    Check {
        /// The component, such as `x.wasm`.
        file: PathBuf,
    },
    /// Show what a component is, can do, asks for and may use.
    Inspect {
        /// The component, such as `x.wasm`.
        file: PathBuf,
        /// Also show how it differs from the release that serves in this installation.
        #[arg(long)]
        active: bool,
    },
    #[command(flatten)]
    Operate(Operate),
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Ability {
    /// Say whose account it is, and publish posts.
    Publish,
    /// The same, for accounts that are connected by an address and a token, which a person enters.
    Fields,
    /// Write text with a language model.
    TextModel,
}

/// Does what is asked, and prints the answer.
#[tokio::main]
pub(crate) async fn run(command: Connector) -> anyhow::Result<()> {
    let answer = match command {
        Connector::New { name, ability, path } => {
            let folder = path.unwrap_or_else(|| PathBuf::from(&name));
            let ability = match ability {
                Ability::Publish => authoring::Ability::Publish,
                Ability::Fields => authoring::Ability::Fields,
                Ability::TextModel => authoring::Ability::TextModel,
            };
            authoring::create(&name, ability, &folder)?;
            let folder = folder.display();
            format!(
                "Made {folder}; its README.md says what to change. Now:\n\n    cd {folder}\n    cargo test\n    orla connector build"
            )
        }
        Connector::Build { path } => {
            let built = authoring::build(program()?, &path).await?;
            let inspection = &built.inspection;
            let (size, digest) = (inspection.size_bytes(), inspection.digest());
            format!("{}\n{}: {size} bytes, sha256 {digest}", inspection.verdict(), built.file.display())
        }
        Connector::Test(options) => {
            let report = proving::prove(program()?, &options).await?;
            writeln!(std::io::stdout(), "{report}").context("cannot write the report")?;
            ensure!(report.passed(), "the connector did not pass");
            return Ok(());
        }
        Connector::Operate(command) => return Box::pin(operate(command)).await,
        Connector::Check { file } => inspect(program()?, &file).await?.verdict(),
        Connector::Inspect { file, active } => {
            let shown = inspect(program()?, &file).await?.to_string();
            if active { format!("{shown}\n{}", Box::pin(differences(&file)).await?) } else { shown }
        }
    };
    writeln!(std::io::stdout(), "{answer}").context("cannot write the answer")
}

/// Does what an operator wants done. Only warnings are logged: the command says what came of it.
async fn operate(command: Operate) -> anyhow::Result<()> {
    telemetry::start_quietly();
    let app = open().await?;
    let said = command.run(&app).await;
    app.stop().await;
    write!(std::io::stdout(), "{}", said?).context("cannot write the answer")
}

/// How a component differs from the release of its connector that serves.
async fn differences(file: &Path) -> anyhow::Result<String> {
    telemetry::start_quietly();
    let wasm = tokio::fs::read(file).await.with_context(|| format!("cannot read {}", file.display()))?;
    let app = open().await?;
    let inspected = Box::pin(app.connectors().inspect(&wasm)).await;
    app.stop().await;
    let inspected = inspected?;
    let Some(version) = inspected.active_version else { return Ok("  no release of it serves here".to_owned()) };
    let mut lines = vec![format!("  against     {version}, which serves")];
    lines.extend(inspected.asks_new.iter().map(|ask| format!("  +           {ask}")));
    lines.extend(inspected.asks_dropped.iter().map(|ask| format!("  -           {ask}")));
    if lines.len() == 1 {
        lines.push("              it asks for the same".to_owned());
    }
    Ok(lines.join("\n"))
}
