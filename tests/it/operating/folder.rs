//! The watched folder.

use super::{altered, operator, probe};
use crate::harness::{BOTH, Host, Person, settings};
use orla::connectors::Memories;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// A folder with the probe in it, as `one.wasm`.
fn folder(host: &Host) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("one.wasm"), probe(host)).unwrap();
    folder
}

/// The probe's releases as `version state`, once they are as wanted.
async fn become_(operator: &Person, wanted: &[&str]) {
    let mut last = Vec::new();
    for _ in 0..200 {
        let probe = operator.get("/admin/connectors/probe").await.body;
        let releases = probe["releases"].as_array().cloned().unwrap_or_default();
        let text = |release: &Value, name: &str| release[name].as_str().unwrap().to_owned();
        last =
            releases.iter().map(|release| format!("{} {}", text(release, "version"), text(release, "state"))).collect();
        if last == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{last:?} instead of {wanted:?}");
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_into_the_folder_is_installed_and_what_lies_there_does_nothing() {
    for backend in BOTH {
        let shared = Host::start(backend).await;
        let folder = folder(&shared);
        let host = Host::start_with(backend, settings(), |config| {
            config.connectors_folder = folder.path().to_owned();
            Memories::Pooled
        })
        .await;
        let operator = operator(&host).await;
        let component = probe(&shared);
        become_(&operator, &["0.1.0 active"]).await;
        // A newer one under another name, then under the same; what is no component does no harm.
        put(folder.path(), "bad.wasm", b"no component");
        put(folder.path(), "cut.wasm", &component[..component.len() / 2]);
        put(folder.path(), "two.wasm", &altered(&component, "0.1.0", "0.1.1"));
        become_(&operator, &["0.1.0 retained", "0.1.1 active"]).await;
        put(folder.path(), "two.wasm", &altered(&component, "0.1.0", "0.1.2"));
        become_(&operator, &["0.1.0 retained", "0.1.1 retained", "0.1.2 active"]).await;
        // One that asks for more waits.
        put(folder.path(), "wide.wasm", &altered(&altered(&component, "0.1.0", "0.2.0"), "users.read", "users.evil"));
        let waiting = ["0.1.0 retained", "0.1.1 retained", "0.1.2 active", "0.2.0 staged"];
        become_(&operator, &waiting).await;
        // A rollback outlives a restart, although the newer file still lies there; and taking files away changes nothing.
        operator.post("/admin/connectors/probe/rollback", &serde_json::json!({})).await.expect(200);
        let rolled_back = ["0.1.0 retained", "0.1.1 active", "0.1.2 retained", "0.2.0 staged"];
        become_(&operator, &rolled_back).await;
        for name in ["one.wasm", "two.wasm"] {
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
        let again = host.again().await;
        become_(&Person::log_in(&again.url, "operator@example.org").await, &rolled_back).await;
    }
}
