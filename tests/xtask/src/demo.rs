//! `cargo demo`: the host, the X connector and a simulated X, built and running on this machine.

mod keeping;
mod ready;
mod settings;

pub(crate) use keeping::keep;

use crate::needs::{self, WASM};
use crate::program::{self, built, cargo, ourselves, root};
use crate::words::{Failure, Result, announce, say};
use settings::{EMAIL, PASSWORD, Settings};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// The script of the shell that stays in front, in the project's folder.
const IN_FRONT: &str = "tests/xtask/src/demo/in_front.sh";

/// Builds, prepares the data folder and runs the programs until told to stop.
///
/// # Errors
/// A sentence that says what is missing, or which step failed.
pub(crate) fn run() -> Result {
    let settings = Settings::read()?;
    settings.check_ports()?;
    needs::c_compiler()?;
    needs::wasm_target()?;
    build()?;
    place_connector(&settings)?;
    seed(&settings)?;
    announce("Starting");
    // From here on this process is the shell: it comes back only where that could not be started.
    let error = Command::new("sh").arg(root()?.join(IN_FRONT)).arg(ourselves()?).args(["demo", "keep"]).exec();
    Err(Failure::new(format!("`sh` cannot be started: {error}.")))
}

fn build() -> Result {
    announce("Building the host and the simulator (the first time takes about a quarter of an hour on two cores)");
    // `--workspace` and `--examples` are there for the features of our dependencies: with them they are those of
    // `cargo test --workspace`, so what was built for one command serves the other.
    let programs = ["--workspace", "--examples", "--bin", "orla", "--bin", "vendors"];
    program::run(cargo()?.arg("build").args(programs))?;
    announce("Building the connector for X");
    let connector = ["--target", WASM, "--profile", "connector", "--package", "orla-x"];
    program::run(cargo()?.arg("build").args(connector))
}

/// Puts the connector where the host loads connectors from.
fn place_connector(settings: &Settings) -> Result {
    let folder = settings.connectors_folder();
    let failed = |error| Failure::new(format!("The connector cannot be put into {}: {error}.", folder.display()));
    // The data folder keeps secrets: it is its owner's alone.
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
    let (_, target) = built()?;
    let component = target.join(WASM).join("connector/orla_x.wasm");
    std::fs::copy(&component, folder.join("x.wasm")).map_err(failed)?;
    say(&format!("    {} is in {}", component.display(), folder.display()));
    Ok(())
}

fn seed(settings: &Settings) -> Result {
    announce("Making the demo's account (the first time, the host also compiles the connector to machine code)");
    let mut command = settings.host()?;
    let command = command.env("ORLA_PASSWORD", PASSWORD).args(["demo-seed", "--email", EMAIL, "--credits", "1000"]);
    let seeded = program::run(command);
    if seeded.is_err() {
        say(&format!(
            "    If {} is of an earlier version of Orla, move it away and try again.",
            settings.data.display()
        ));
    }
    seeded
}
