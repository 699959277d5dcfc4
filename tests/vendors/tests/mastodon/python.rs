//! The client for Python that most bots use against the simulator: what it cannot read, Mastodon does not send.

use std::path::Path;

use orla_vendors::mastodon::Settings;
use tokio::process::Command;

use crate::{Bench, venv};

/// The client, as its package index calls it.
const PACKAGE: &str = "Mastodon.py==2.3.3";

#[tokio::test]
async fn a_widely_used_client_gets_along() {
    let python = venv::python(PACKAGE).await;
    let bench = Bench::with(Settings { processing_ms: 0, ..Settings::default() }).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python);
    command.arg(folder.join("tests/mastodon/client.py")).arg(folder.join("assets/photo.jpg"));
    command.env("MASTODON_ORIGIN", bench.sim.origin()).env("MASTODON_TOKEN", &bench.token);
    venv::run(&mut command, "Mastodon.py does not get along with the simulator").await;
    let kept = bench.sim.statuses();
    assert_eq!(kept.iter().filter(|status| !status.deleted).count(), 6);
    assert_eq!((kept[0].replays, kept[0].media.len()), (1, 1));
}
