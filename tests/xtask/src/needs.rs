//! What this machine must have. What is missing is installed where we may, else a sentence says how.

use crate::program::{output, run, variable};
use crate::words::{Failure, Result, announce};
use std::path::Path;
use std::process::Command;

/// The target that connectors are compiled to.
pub(crate) const WASM: &str = "wasm32-wasip2";

/// Where Debian puts PostgreSQL's programs: a folder a version.
const POSTGRESQL: &str = "/usr/lib/postgresql";

/// Rust's standard library for connectors.
///
/// # Errors
/// It is missing, and cannot be installed.
pub(crate) fn wasm_target() -> Result {
    let sysroot = output("rustc", &["--print", "sysroot"]).ok_or_else(|| Failure::new("`rustc` does not run."))?;
    if Path::new(&sysroot).join("lib/rustlib").join(WASM).is_dir() {
        return Ok(());
    }
    if output("rustup", &["--version"]).is_none() {
        return Err(Failure::new(format!(
            "Rust's target {WASM} is missing, which connectors are compiled to, and there is no `rustup` to add it. \
             Install Rust by https://rustup.rs, then run this again."
        )));
    }
    announce(&format!("Installing Rust's target {WASM}, which connectors are compiled to"));
    run(Command::new("rustup").args(["target", "add", WASM]))
}

/// A C compiler and `make`: SQLite, the cryptography and the allocator are C.
///
/// # Errors
/// It is missing, and cannot be installed.
pub(crate) fn c_compiler() -> Result {
    let compiler = variable("CC")?.unwrap_or_else(|| "cc".to_owned());
    if output(&compiler, &["--version"]).is_some() && output("make", &["--version"]).is_some() {
        return Ok(());
    }
    let missing = format!("a C compiler (`{compiler}`) and `make`, for SQLite, the cryptography and the allocator");
    debian_package("build-essential", &missing)
}

/// PostgreSQL's programs: the tests start a server of their own.
///
/// # Errors
/// They are missing, and cannot be installed.
pub(crate) fn postgresql() -> Result {
    let versions = std::fs::read_dir(POSTGRESQL).into_iter().flatten().flatten();
    if versions.into_iter().any(|version| version.path().join("bin/initdb").is_file()) {
        return Ok(());
    }
    debian_package("postgresql", &format!("PostgreSQL (its programs in {POSTGRESQL}/<version>/bin), for the tests"))
}

/// Python with its module venv: a vendor's own client is one of the tests.
///
/// # Errors
/// It is missing, and cannot be installed.
pub(crate) fn python() -> Result {
    // Debian's Python has `venv` without what that stands on, `ensurepip`.
    if output("python3", &["-c", "import ensurepip, venv"]).is_some() {
        return Ok(());
    }
    debian_package("python3-venv", "Python 3 with its module venv, for the tests with OpenAI's own client")
}

/// Installs a package of Debian and its descendants.
fn debian_package(package: &str, what: &str) -> Result {
    if output("apt-get", &["--version"]).is_none() {
        return Err(Failure::new(format!(
            "This machine lacks {what}. Install what Debian calls `{package}`, then run this again."
        )));
    }
    if output("id", &["-u"]).as_deref() != Some("0") {
        return Err(Failure::new(format!(
            "This machine lacks {what}. Run this, and then this command again:\n\n    \
             sudo apt-get update && sudo apt-get install --yes {package}"
        )));
    }
    announce(&format!("Installing {what}"));
    run(apt_get().args(["update", "--quiet"]))?;
    run(apt_get().args(["install", "--quiet", "--yes", "--no-install-recommends", package]))
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}
