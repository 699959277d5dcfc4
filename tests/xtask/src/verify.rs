//! `cargo verify`: every test, on both databases.

use crate::needs::{self, WASM};
use crate::program::{self, cargo};
use crate::words::{Result, announce};

/// The connectors, and the guests that tests play with.
const CONNECTORS: [&str; 16] = [
    "x",
    "openai",
    "mastodon",
    "webhook",
    "facebook",
    "instagram",
    "dropbox",
    "youtube",
    "vertex",
    "probe",
    "fields",
    "hook",
    "careless",
    "graph",
    "robot",
    "gallery",
];

/// Installs what the tests need, and runs them.
///
/// # Errors
/// Something is missing and cannot be installed, or a test failed.
pub(crate) fn run() -> Result {
    needs::c_compiler()?;
    needs::wasm_target()?;
    needs::postgresql()?;
    needs::python()?;
    announce("Building the connectors");
    // The tests build them as well, but silently; they find them done.
    let mut connectors = cargo()?;
    connectors.args(["build", "--locked", "--target", WASM, "--profile", "connector"]);
    for id in CONNECTORS {
        connectors.args(["--package", &format!("orla-{id}")]);
    }
    program::run(&mut connectors)?;
    announce("Running every test, on SQLite and PostgreSQL");
    program::run(cargo()?.args(["test", "--workspace", "--locked", "--no-fail-fast"]))
}
