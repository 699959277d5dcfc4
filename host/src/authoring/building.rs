//! From a crate to a component that a server would admit.

use super::progress::{during, say};
use super::tools::{TARGET, ensure_rust};
use crate::connectors::{Inspection, inspect};
use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// The profile that makes components small; a new connector's `Cargo.toml` has it.
const PROFILE: &str = "connector";

/// A component, and what admission says of it.
#[derive(Debug)]
pub struct Built {
    /// Where it is: `<id>.wasm`, beside the crate's `Cargo.toml`.
    pub file: PathBuf,
    /// What it turned out to be.
    pub inspection: Inspection,
}

/// Builds the crate in a folder. Cargo's own words and progress go to standard error as they are.
///
/// `program` is this program, which compiles components in a child of itself.
///
/// # Errors
/// A sentence that says what is missing, that it does not build, or why no server would admit it.
pub async fn build(program: PathBuf, folder: &Path) -> anyhow::Result<Built> {
    ensure!(folder.is_dir(), "there is no folder {}", folder.display());
    ensure_rust(folder).await?;
    say("Building the component");
    let component = compile(folder).await?;
    let inspection = during("Asking what a server would say of it", inspect(program, &component.wasm)).await?;
    let file = component.folder.join(format!("{}.wasm", inspection.id()));
    tokio::fs::copy(&component.wasm, &file).await.with_context(|| format!("cannot write {}", file.display()))?;
    Ok(Built { file, inspection })
}

/// What cargo made.
#[derive(Debug, PartialEq, Eq)]
struct Component {
    wasm: PathBuf,
    /// The crate's folder.
    folder: PathBuf,
}

/// A message of cargo's; those that name what was made are of interest.
/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>
#[derive(Deserialize)]
struct Message {
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

impl Message {
    /// The component that it says was made.
    fn component(self) -> Option<Component> {
        let Self { manifest_path, target, filenames } = self;
        let is_component = target?.crate_types.iter().any(|kind| kind == "cdylib");
        let wasm = filenames.into_iter().find(|file| file.extension().is_some_and(|extension| extension == "wasm"))?;
        let folder = manifest_path?.parent()?.to_owned();
        is_component.then_some(Component { wasm, folder })
    }
}

async fn compile(folder: &Path) -> anyhow::Result<Component> {
    let mut cargo = Command::new("cargo")
        .args(["build", "--target", TARGET, "--profile", PROFILE, "--message-format", "json-render-diagnostics"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start cargo")?;
    let mut messages = BufReader::new(cargo.stdout.take().context("cargo has no standard output")?).lines();
    let mut components = Vec::new();
    while let Some(line) = messages.next_line().await.context("cargo's messages cannot be read")? {
        components.extend(serde_json::from_str(&line).ok().and_then(Message::component));
    }
    let status = cargo.wait().await.context("cargo was lost")?;
    ensure!(status.success(), "the connector does not build: cargo says above why");
    match <[Component; 1]>::try_from(components) {
        Ok([component]) => Ok(component),
        Err(none) if none.is_empty() => bail!(
            "{} builds, but is no component: its Cargo.toml needs `crate-type = [\"cdylib\", \"rlib\"]` under `[lib]`",
            folder.display()
        ),
        Err(several) => bail!("{} has {} components; name the folder of one", folder.display(), several.len()),
    }
}
