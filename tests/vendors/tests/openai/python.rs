//! OpenAI's own client for Python against the simulator: what the client cannot read, OpenAI does not send.

use std::path::Path;

use orla_vendors::openai::{Fault, Mode};
use tokio::process::Command;

use crate::{Bench, KEY, venv};

/// The client, as its package index calls it.
const PACKAGE: &str = "openai==3.54.0";

#[tokio::test]
async fn the_official_client_reads_every_answer() {
    let python = venv::python(PACKAGE).await;
    let bench = Bench::start().await;
    // The script's last call meets this one; the others have a path, and so an answer, of their own.
    bench.sim.fault(Fault::on("GET", "/v1/models/rate-limited", Mode::rate_limited(1)));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openai/client.py");
    let mut command = Command::new(python);
    command.arg(script).env("OPENAI_BASE_URL", bench.url("/v1")).env("OPENAI_API_KEY", KEY);
    venv::run(&mut command, "OpenAI's client does not get along with the simulator").await;
    assert_eq!(bench.sim.generations(), 6);
    assert_eq!((bench.sim.hung_up(), bench.sim.open_streams()), (0, 0));
}
