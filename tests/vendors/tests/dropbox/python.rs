//! Dropbox's own client for Python against the simulator: what it cannot read, Dropbox does not send.

use std::path::Path;

use orla_vendors::dropbox::{Account, Content, File, Settings};
use tokio::process::Command;

use crate::{Bench, text, venv};

/// The client, as its package index calls it.
const PACKAGE: &str = "dropbox==12.2.4";

#[tokio::test]
async fn the_official_client_gets_along() {
    let python = venv::python(PACKAGE).await;
    let mut files: Vec<File> = (0..5).map(|number| File::noise(&format!("/Many/{number}.bin"), 10)).collect();
    files.push(File::new("/Größe “M” 🦀.png", Content::SquarePng));
    files.push(File::new("/Clip.mp4", Content::Mp4 { size_bytes: 5 << 20 }));
    files.push(File::new("/Plan.gdoc", Content::Text(String::new())).exported_as("docx"));
    let account = Account { files, ..Account::new("orla_demo", "Orla Demo") };
    let bench = Bench::with(Settings { accounts: vec![account], ..Settings::default() }).await;
    let tokens = bench.tokens().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dropbox/client.py");
    let mut command = Command::new(python);
    let host = bench.sim.origin().replace("http://", "");
    for name in ["DROPBOX_API_HOST", "DROPBOX_API_CONTENT_HOST", "DROPBOX_API_NOTIFY_HOST", "DROPBOX_WEB_HOST"] {
        command.env(name, &host);
    }
    command.arg(script).env("DROPBOX_ORIGIN", bench.sim.origin());
    command.env("DROPBOX_REFRESH_TOKEN", text(&tokens["refresh_token"]));
    command.env("DROPBOX_ACCESS_TOKEN", text(&tokens["access_token"]));
    venv::run(&mut command, "The official client does not get along with the simulator").await;
    let tally = bench.sim.tally();
    // By refresh token alone, and once more after the access tokens have expired.
    assert_eq!((tally.exchanges, tally.refreshes, tally.revocations), (1, 3, 1));
    assert_eq!((tally.lists, tally.list_continues, tally.searches, tally.search_continues), (3, 2, 1, 2));
    assert_eq!((tally.downloads, tally.links), (3, 1));
}
