//! OpenAI's own client for Python against the simulator: what the client cannot read, OpenAI does not send.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use orla_vendors::openai::{Fault, Mode};
use tokio::process::Command;

use crate::{Bench, KEY};

/// The client, as its package index calls it.
const PACKAGE: &str = "openai==3.54.0";

#[tokio::test]
async fn the_official_client_reads_every_answer() {
    let python = environment().await;
    let bench = Bench::start().await;
    // The script's last call meets this one; the others have a path, and so an answer, of their own.
    bench.sim.fault(Fault::on("GET", "/v1/models/rate-limited", Mode::rate_limited(1)));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openai/client.py");
    let mut command = Command::new(python);
    command.arg(script).env("OPENAI_BASE_URL", bench.url("/v1")).env("OPENAI_API_KEY", KEY);
    run(&mut command, "OpenAI's client does not get along with the simulator").await;
    assert_eq!(bench.sim.generations(), 6);
    assert_eq!((bench.sim.hung_up(), bench.sim.open_streams()), (0, 0));
}

/// The Python of a virtual environment that has the client. It is made beside its place and then moved there whole, so
/// neither a second test process nor one that was killed leaves half of one.
async fn environment() -> PathBuf {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let place = temporary.join(PACKAGE.replace("==", "-"));
    let python = place.join("bin/python");
    if python.exists() {
        return python;
    }
    let made = temporary.join(format!("openai-{}", std::process::id()));
    // What a killed process of the same number may have left.
    let _ = std::fs::remove_dir_all(&made);
    let missing = "This test needs Python 3 with its module venv, which Debian calls `python3-venv` and `cargo verify` \
                   installs";
    run(Command::new("python3").args(["-m", "venv"]).arg(&made), missing).await;
    let mut install = Command::new(made.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]);
    run(&mut install, &format!("This test needs {PACKAGE} from the index of Python packages, by the network")).await;
    if std::fs::rename(&made, &place).is_err() {
        assert!(python.exists(), "{} cannot be moved to {}.", made.display(), place.display());
        // Another test process was faster, and what it made is as good.
        let _ = std::fs::remove_dir_all(&made);
    }
    python
}

async fn run(command: &mut Command, otherwise: &str) {
    let output = match command.stdin(Stdio::null()).output().await {
        Ok(output) => output,
        Err(error) => panic!("{otherwise}: {error}."),
    };
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{otherwise}: {}.\n{out}{err}", output.status);
}
