//! Python with one package in it, for tests that let a vendor's own client be the judge.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::process::Command;

/// How many environments this process began to make.
static MADE: AtomicU32 = AtomicU32::new(0);

/// The Python of a virtual environment that has a package, such as `openai==3.54.0`. It is made beside its place and
/// then moved there whole, so neither a second test nor one that was killed leaves half of one.
pub(crate) async fn python(package: &str) -> PathBuf {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let name = package.replace("==", "-");
    let place = temporary.join(&name);
    let python = place.join("bin/python");
    if python.exists() {
        return python;
    }
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let made = temporary.join(format!("{name}-{}-{number}", std::process::id()));
    // What a killed process of the same number may have left.
    let _ = std::fs::remove_dir_all(&made);
    let missing = "This test needs Python 3 with its module venv, which Debian calls `python3-venv` and `cargo verify` \
                   installs";
    run(Command::new("python3").args(["-m", "venv"]).arg(&made), missing).await;
    let mut install = Command::new(made.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]);
    run(&mut install, &format!("This test needs {package} from the index of Python packages, by the network")).await;
    if std::fs::rename(&made, &place).is_err() {
        assert!(python.exists(), "{} cannot be moved to {}.", made.display(), place.display());
        // Another test was faster, and what it made is as good.
        let _ = std::fs::remove_dir_all(&made);
    }
    python
}

/// Run a command that must succeed.
pub(crate) async fn run(command: &mut Command, otherwise: &str) {
    let output = match command.stdin(Stdio::null()).output().await {
        Ok(output) => output,
        Err(error) => panic!("{otherwise}: {error}."),
    };
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{otherwise}: {}.\n{out}{err}", output.status);
}
