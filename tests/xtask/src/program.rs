//! Other programs, and where things are.

use crate::words::{Failure, Result, say};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An environment variable; nothing where it is empty.
///
/// # Errors
/// It is set, but not to a text.
pub(crate) fn variable(name: &str) -> Result<Option<String>> {
    #[expect(clippy::disallowed_methods, reason = "the settings of a command are the environment that it is called in")]
    match std::env::var(name) {
        Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::new(format!("{name} is no UTF-8."))),
    }
}

/// The project's folder.
pub(crate) fn root() -> Result<PathBuf> {
    // Cargo tells it when it runs us; what was true when we were compiled may be another clone.
    let manifest = variable("CARGO_MANIFEST_DIR")?.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").to_owned());
    let root = Path::new(&manifest).ancestors().nth(2).map(Path::to_owned);
    root.ok_or_else(|| Failure::new(format!("{manifest} does not lie in the project's folder.")))
}

/// This program.
pub(crate) fn ourselves() -> Result<PathBuf> {
    std::env::current_exe().map_err(|error| Failure::new(format!("This program does not know where it is: {error}.")))
}

/// The folder that Cargo builds programs into, and the target folder that it lies in.
pub(crate) fn built() -> Result<(PathBuf, PathBuf)> {
    let ourselves = ourselves()?;
    match (ourselves.parent(), ourselves.ancestors().nth(2)) {
        (Some(programs), Some(target)) => Ok((programs.to_owned(), target.to_owned())),
        _ => Err(Failure::new(format!("{} does not lie in a target folder.", ourselves.display()))),
    }
}

/// Cargo, in the project's folder.
pub(crate) fn cargo() -> Result<Command> {
    let mut cargo = Command::new(variable("CARGO")?.unwrap_or_else(|| "cargo".to_owned()));
    cargo.current_dir(root()?);
    Ok(cargo)
}

/// Runs a program to its end. What it says, the user sees.
///
/// # Errors
/// It cannot be started, or did not succeed.
pub(crate) fn run(command: &mut Command) -> Result {
    let shown = shown(command);
    say(&format!("    {shown}"));
    let status = command.status().map_err(|error| Failure::new(format!("`{shown}` cannot be started: {error}.")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::with_code(format!("`{shown}` failed: {status}."), status.code()))
    }
}

/// What a program prints; nothing where it cannot be started or fails.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// A command as a person would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
