//! Several nodes on one database, and machine code that somebody changed.

use super::{altered, operator, probe};
use crate::harness::{BOTH, Backend, Host, Person};
use orla::on;
use serde_json::json;
use std::time::{Duration, Instant};

/// When a node that does not follow is given up. It takes a second or two, and longer where other tests take the processors.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(30);

async fn active(operator: &Person) -> String {
    let shown = operator.get("/admin/connectors/probe").await.expect(200);
    let releases = shown["releases"].as_array().unwrap();
    let active = releases.iter().find(|release| release["state"] == "active").unwrap();
    active["version"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_follows() {
    let one = Host::start(Backend::Postgres).await;
    let two = one.another_node().await;
    let operator = operator(&one).await;
    let ada = one.connected("ada", "probe").await;
    let through_two = Person { url: two.url.clone(), ..ada };
    for (n, version) in ["0.1.1", "0.1.2", "0.1.3"].into_iter().enumerate() {
        operator.upload("/admin/connectors", altered(&probe(&one), "0.1.0", version)).await.expect(201);
        let began = Instant::now();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let text = format!("commit a {{version}} {n} {attempt}");
            let post = json!({"platform": "probe", "content": text});
            through_two.published(&post, &format!("{n}/{attempt}"), &["published"]).await;
            let posted = one.sim.posts().into_iter().any(|post| post.text.starts_with(version));
            if posted {
                break;
            }
            assert!(began.elapsed() < FOLLOWS_WITHIN, "the other node does not follow to {version}");
        }
    }
    assert_eq!(active(&operator).await, "0.1.3");
    two.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn machine_code_that_was_tampered_with_is_made_anew() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let artefacts: Vec<_> = std::fs::read_dir(host.data.path().join("artefacts")).unwrap().collect();
        let mut files: Vec<(std::path::PathBuf, Vec<u8>)> = Vec::new();
        for (n, artefact) in artefacts.into_iter().enumerate() {
            let path = artefact.unwrap().path();
            let whole = std::fs::read(&path).unwrap();
            let mut changed = whole.clone();
            match n % 3 {
                0 => changed[whole.len() / 2] ^= 1,
                1 => changed.truncate(whole.len() / 2),
                _ => changed.clear(),
            }
            std::fs::write(&path, changed).unwrap();
            files.push((path, whole));
        }
        assert!(files.len() >= 3);
        let again = host.again().await;
        let ada = again.connected("ada", "probe").await;
        let done =
            ada.published(&json!({"platform": "probe", "content": "commit a a"}), "k", &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        for (path, whole) in files {
            assert_eq!(std::fs::read(&path).unwrap().len(), whole.len(), "{}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_cannot_be_made_ready_leaves_the_one_before_serving_until_it_can() {
    let one = Host::start(Backend::Postgres).await;
    let two = one.another_node().await;
    let operator = operator(&one).await;
    let ada = one.connected("ada", "probe").await;
    let through_two = Person { url: two.url.clone(), ..ada };
    let newer = altered(&probe(&one), "0.1.0", "0.1.1");
    operator.upload("/admin/connectors?then=stage", newer.clone()).await.expect(201);
    // The other node has no machine code of it yet, and finds other bytes than those that were admitted.
    set_component(&one, b"other bytes").await;
    operator.post("/admin/connectors/probe/activate", &json!({"release": "0.1.1"})).await.expect(200);
    two.app.connectors().catch_up().await.unwrap();
    assert_eq!(version(&through_two, &one, "before").await, "0.1.0");
    set_component(&one, &newer).await;
    let mut attempt = 0;
    while version(&through_two, &one, &format!("after {attempt}")).await != "0.1.1" {
        attempt += 1;
        assert!(attempt < 2_000, "the other node does not look again");
    }
    two.app.stop().await;
}

/// Writes other bytes of the release that was installed last.
async fn set_component(host: &Host, bytes: &[u8]) {
    let mut tx = host.app.db().begin().await.unwrap();
    let set = "update connector_releases set component = $1 where connector = 'probe' and version = '0.1.1'";
    on!(&mut tx, conn => sqlx::query(set).bind(bytes.to_vec()).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
}

/// The version that serves a person, by what it posts.
async fn version(person: &Person, host: &Host, name: &str) -> String {
    let post = json!({"platform": "probe", "content": format!("commit a {{version}} {name}")});
    person.published(&post, name, &["published"]).await;
    let posts = host.sim.posts();
    let post = posts.iter().find(|post| post.text.ends_with(&format!(" {name}"))).unwrap();
    post.text.split(' ').next().unwrap().to_owned()
}
