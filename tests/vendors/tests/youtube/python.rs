//! Google's own client for Python against the simulator: what it cannot read, YouTube does not send; what it sends,
//! YouTube takes.

use std::path::Path;

use orla_vendors::youtube::Settings;
use tokio::process::Command;

use crate::{Bench, text, venv};

/// The client, as its package index calls it.
const PACKAGE: &str = "google-api-python-client==2.202.0";

#[tokio::test]
async fn the_official_client_gets_along() {
    let python = venv::python(PACKAGE).await;
    let bench = Bench::with(Settings { processing_reads: 1, ..Settings::default() }).await;
    let (tokens, settings) = (bench.tokens(&[]).await, bench.sim.settings());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/youtube/client.py");
    let mut command = Command::new(python);
    command.arg(script).env("YOUTUBE_ORIGIN", bench.sim.origin());
    command.env("YOUTUBE_REFRESH_TOKEN", text(&tokens["refresh_token"]));
    command.env("YOUTUBE_CLIENT_ID", settings.client_id).env("YOUTUBE_CLIENT_SECRET", settings.client_secret);
    venv::run(&mut command, "The official client does not get along with the simulator").await;
    let made = bench.sim.made();
    assert_eq!((made.videos, made.thumbnails, made.comments, made.refreshes), (2, 1, 2, 2), "{made:?}");
    let cut = &bench.sim.uploads()[1];
    assert_eq!(cut.stretches, [(0, 1 << 18), (3 << 18, 4 << 18), (4 << 18, (4 << 18) + 9)]);
    assert!(bench.sim.videos()[0].deleted);
}
