//! Facebook's own client for Python against the simulator: what it cannot read, Instagram does not send.

use std::path::Path;

use orla_vendors::facebook::Settings;
use tokio::process::Command;

use crate::{ACCOUNT, Bench, SCOPES, venv};

/// The client, as its package index calls it.
const PACKAGE: &str = "facebook-business==25.0.2";

#[tokio::test]
async fn facebooks_own_client_gets_along() {
    let python = venv::python(PACKAGE).await;
    // The client makes a proof for every call.
    let bench = Bench::of(Settings { require_proof: true, ..Settings::default() }).await;
    let settings = bench.sim.settings();
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/instagram/client.py")).arg(ACCOUNT);
    command.env("FACEBOOK_ORIGIN", bench.sim.origin()).env("FACEBOOK_TOKEN", bench.person(SCOPES).token);
    command.env("FACEBOOK_APP_ID", &settings.app_id).env("FACEBOOK_APP_SECRET", &settings.app_secret);
    venv::run(&mut command, "Facebook's client does not get along with the simulator").await;
    let made = bench.sim.instagram_made();
    assert_eq!((made.containers, made.media, made.comments), (5, 3, 2));
    assert_eq!(bench.sim.instagram_media()[0].alt_text.as_deref(), Some("A cup"));
}
