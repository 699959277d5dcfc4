//! `cargo demo`: the host, its connectors and simulated vendors, built and running on this machine.

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

/// The connectors, by their ids.
const CONNECTORS: [&str; 9] =
    ["x", "openai", "mastodon", "webhook", "facebook", "instagram", "dropbox", "youtube", "vertex"];
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
    place_connectors(&settings)?;
    seed(&settings)?;
    announce("Starting");
    // From here on this process is the shell: it comes back only where that could not be started.
    let error = Command::new("sh").arg(root()?.join(IN_FRONT)).arg(ourselves()?).args(["demo", "keep"]).exec();
    Err(Failure::new(format!("`sh` cannot be started: {error}.")))
}

fn build() -> Result {
    announce("Building the host and the simulators (the first time takes about a quarter of an hour on two cores)");
    // `--workspace` and `--examples` are there for the features of our dependencies: with them they are those of
    // `cargo test --workspace`, so what was built for one command serves the other.
    let programs = ["--workspace", "--examples", "--bin", "orla", "--bin", "vendors"];
    program::run(cargo()?.arg("build").args(programs))?;
    announce("Building the connectors");
    let mut connectors = cargo()?;
    connectors.args(["build", "--target", WASM, "--profile", "connector"]);
    for id in CONNECTORS {
        connectors.args(["--package", &format!("orla-{id}")]);
    }
    program::run(&mut connectors)
}

/// Puts the connectors where the host loads them from.
fn place_connectors(settings: &Settings) -> Result {
    let folder = settings.connectors_folder();
    let failed = |error| Failure::new(format!("The connectors cannot be put into {}: {error}.", folder.display()));
    // The data folder keeps secrets: it is its owner's alone.
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
    let (_, target) = built()?;
    for id in CONNECTORS {
        let component = target.join(WASM).join(format!("connector/orla_{id}.wasm"));
        std::fs::copy(&component, folder.join(format!("{id}.wasm"))).map_err(failed)?;
        say(&format!("    {} is in {}", component.display(), folder.display()));
    }
    Ok(())
}

fn seed(settings: &Settings) -> Result {
    announce("Making the demo's account (the first time, the host also compiles the connectors to machine code)");
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
