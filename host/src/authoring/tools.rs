//! What an author's machine must have. What is missing is installed where we may, else a sentence says how.

use super::progress::say;
use anyhow::{Context as _, bail, ensure};
use std::io;
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

/// What connectors are compiled to.
pub(super) const TARGET: &str = "wasm32-wasip2";

const NO_RUST: &str = "there is no Rust on the PATH; install it by https://rustup.rs, then run this again";

/// Makes sure that cargo runs, and that Rust's standard library for connectors is there.
///
/// # Errors
/// A sentence that says what is missing and how to get it.
pub(super) async fn ensure_rust(folder: &Path) -> anyhow::Result<()> {
    output("cargo", &["--version"], folder).await?;
    let sysroot = output("rustc", &["--print", "sysroot"], folder).await?;
    if Path::new(&sysroot).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    say(&format!("Installing Rust's target {TARGET}, which connectors are compiled to: rustup target add {TARGET}"));
    let installed = Command::new("rustup").args(["target", "add", TARGET]).current_dir(folder).status().await;
    match installed {
        Ok(status) => {
            ensure!(status.success(), "Rust's target {TARGET} cannot be installed: rustup says above why");
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "Rust's target {TARGET} is missing, and there is no rustup to add it; install Rust by https://rustup.rs, \
             then run this again"
        ),
        Err(error) => Err(error).context("cannot start rustup"),
    }
}

/// What a program prints.
async fn output(program: &str, arguments: &[&str], folder: &Path) -> anyhow::Result<String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped());
    let running = match command.spawn() {
        Ok(running) => running,
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(NO_RUST),
        Err(error) => return Err(error).with_context(|| format!("cannot start {program}")),
    };
    let output = running.wait_with_output().await.with_context(|| format!("{program} was lost"))?;
    ensure!(output.status.success(), "{program} does not run here: it says above why");
    Ok(String::from_utf8(output.stdout)
        .with_context(|| format!("{program} does not answer in UTF-8"))?
        .trim()
        .to_owned())
}
