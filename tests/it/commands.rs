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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_connector_is_refused_in_one_sentence() {
    let host = Host::start(Backend::Sqlite).await;
    let whole = std::fs::read(host.app.config().connectors_folder.join("x.wasm")).unwrap();
    let module = wat::parse_str("(module (func (export \"describe\")))").unwrap();
    let bare = wat::parse_str("(component)").unwrap();
    let files: [(&str, &[u8]); 6] = [
        ("empty", b""),
        ("text", b"not a component"),
        ("truncated", &whole[..whole.len() / 2]),
        ("module", &module),
        ("bare", &bare),
        ("huge", &vec![0; 100 << 20]),
    ];
    for (name, bytes) in files {
        let file = host.data.path().join(format!("{name}.wasm"));
        std::fs::write(&file, bytes).unwrap();
        refused(name, &connector("check", &file));
    }
    refused("absent", &connector("inspect", &host.data.path().join("absent.wasm")));
}

fn refused(name: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "{name}: {output:?}");
    assert!(said.contains(&format!("{name}.wasm")) && said.trim().lines().count() == 1, "{name}: {said}");
}
