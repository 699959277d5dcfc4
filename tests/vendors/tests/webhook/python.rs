//! The specification's own library for Python, as a second judge: what it signs is taken, and what it does not verify
//! is refused.

use std::path::Path;

use tokio::process::Command;

use crate::{Bench, venv};

/// The library, as its package index calls it.
const PACKAGE: &str = "standardwebhooks==1.1.0";

#[tokio::test]
async fn the_official_library_judges_alike() {
    let python = venv::python(PACKAGE).await;
    let bench = Bench::start().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/webhook/judge.py");
    let mut command = Command::new(python);
    command.arg(script).arg(bench.url("/hooks/python")).arg(&bench.sim.settings().secrets[0]);
    venv::run(&mut command, "The library for Python and the simulator disagree").await;
    assert_eq!((bench.sim.accepted(), bench.sim.refused()), (5, 8));
}
