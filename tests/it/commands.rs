//! Commands that look at a connector before it is loaded.

use crate::harness::{Backend, Host, program};
use std::path::Path;
use std::process::{Command, Output};

fn connector(command: &str, file: &Path) -> Output {
    Command::new(program()).env_clear().args(["connector", command]).arg(file).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_shown_before_it_is_loaded() {
    let host = Host::start(Backend::Sqlite).await;
    let folder = &host.app.config().connectors_folder;
    let checked = connector("check", &folder.join("openai.wasm"));
    assert!(checked.status.success(), "{checked:?}");
    let said = String::from_utf8(checked.stdout).unwrap();
    assert_eq!(said, "OpenAI (openai 0.1.0) would be admitted. It can do: text-model.\n");
    let shown = connector("inspect", &folder.join("x.wasm"));
    assert!(shown.status.success(), "{shown:?}");
    let shown = String::from_utf8(shown.stdout).unwrap();
    for wanted in
        ["sha256", "twitter", "publish, reconcile", "by OAuth 2", "https://api.x.com", "orla:connector/http", "fuel"]
    {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = connector("inspect", Path::new("absent.wasm"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert!(said.contains("absent.wasm") && said.trim().lines().count() == 1, "{said}");
}
