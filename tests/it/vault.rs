//! Secrets at rest: bound to their rows, and sealed anew while hosts run.

use crate::harness::{BOTH, Backend, Host, Person, Settings, program, settings};
use orla::app::App;
use orla::clock::Clock;
use orla::config::Config;
use orla::connectors::{Memories, Setup};
use orla::on;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

async fn run(config: &Config, arguments: &[&str], crash_at: Option<&str>) -> Output {
    let mut command = Command::new(program());
    command.env_clear().arg("vault").args(arguments).env("ORLA_DATA", &config.data);
    command.env("DATABASE_URL", config.database());
    if let Some(crash_at) = crash_at {
        command.env("ORLA_CRASH_AT", crash_at);
    }
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

async fn does(config: &Config, arguments: &[&str]) -> String {
    let output = run(config, arguments, None).await;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

async fn fails(config: &Config, arguments: &[&str]) -> String {
    let output = run(config, arguments, None).await;
    assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

/// All that is sealed: what a secret or data key is of, and what it is sealed under.
async fn sealed_under(host: &Host) -> Vec<(&'static str, String)> {
    let mut tx = host.app.db().read().await.unwrap();
    let mut all = Vec::new();
    for (what, select) in [
        ("secret", "select sealed from connection_secrets"),
        ("app", "select sealed_secret from connector_apps where workspace_id is not null"),
        ("webhook", "select sealed from webhook_secrets"),
        ("data key", "select sealed from data_keys"),
        ("root", "select sealed_root from vault"),
    ] {
        let sealed: Vec<Vec<u8>> = on!(&mut tx, conn => sqlx::query_scalar(select).fetch_all(conn).await).unwrap();
        all.extend(sealed.into_iter().map(|sealed| (what, hex::encode(&sealed[1..17]))));
    }
    all
}

fn retired(data: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(data).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| file.to_string_lossy().contains("master.retired-")).collect()
}

async fn publish(person: &Person, key: &str) {
    let post = json!({"platform": "twitter", "content": format!("post {key}")});
    let done = person.published(&post, key, &["published", "failed"]).await;
    assert_eq!((done["state"].as_str(), done["attempts"].as_i64()), (Some("published"), Some(1)), "{done:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_copied_to_another_row_does_not_open() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let (ada, bob) = (host.connected("ada", "twitter").await, host.connected("bob", "twitter").await);
        let config = host.app.config();
        assert_eq!(does(config, &["check"]).await, "All 5 secrets open.\n");
        let copy = "update connection_secrets set sealed =
            (select s.sealed from connection_secrets s where s.workspace_id = $1 and s.name = connection_secrets.name)
            where workspace_id = $2 and name = 'access_token'";
        let mut tx = host.app.db().begin().await.unwrap();
        on!(&mut tx, conn => sqlx::query(copy).bind(ada.workspace).bind(bob.workspace).execute(conn).await.map(drop))
            .unwrap();
        tx.commit().await.unwrap();
        let told = fails(config, &["check"]).await;
        assert!(told.contains("1 of 5 secrets do not open") && told.contains(&bob.workspace.to_string()), "{told}");
        let post = json!({"platform": "twitter", "content": "in whose name?"});
        let id = bob.publish(&post, "k").await.expect(202)["id"].as_str().unwrap().to_owned();
        publish(&ada, "hers").await;
        assert!(host.sim.posts().iter().all(|post| post.text == "post hers"));
        assert_ne!(bob.get(&format!("/social/publications/{id}")).await.expect(200)["state"], "published");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_replaced_under_load_and_nothing_stays_under_the_old_ones() {
    for backend in BOTH {
        let settings = Settings { access_lifetime_s: 1, duplicate_window_s: 0, ..settings() };
        let host = Host::start_with(backend, settings, |_| Memories::Pooled).await;
        let (ada, bob) = (host.connected("ada", "twitter").await, host.connected("bob", "twitter").await);
        // For what she connects from now on.
        let own = json!({"client_id": "orla-demo", "client_secret": "orla-demo-secret"});
        ada.put("/social/apps/twitter", &own).await.expect(200);
        // Nobody has to be there for a secret to be kept.
        ada.post("/webhooks", &json!({"url": format!("{}/hooks", host.sim.origin()), "types": ["ping"]}))
            .await
            .expect(201);
        let before = sealed_under(&host).await;
        let is_over = Arc::new(AtomicBool::new(false));
        // Tokens that last for a second are refreshed, and so sealed, all the time.
        let load = [ada.clone(), bob].map(|person| {
            let is_over = is_over.clone();
            tokio::spawn(async move {
                let mut count = 0;
                while !is_over.load(Ordering::Relaxed) {
                    publish(&person, &format!("under load {count}")).await;
                    count += 1;
                }
                count
            })
        });
        for _ in 0..5 {
            let told = does(host.app.config(), &["rotate"]).await;
            assert!(told.contains("2 workspaces have new data keys"), "{told}");
            host.person(&format!("new{}", told.len())).await;
        }
        is_over.store(true, Ordering::Relaxed);
        for person in load {
            assert!(person.await.unwrap() > 0);
        }
        let after = sealed_under(&host).await;
        assert_eq!(before.len(), after.len());
        assert!(after.iter().all(|under| !before.contains(under)), "{before:?} {after:?}");
        assert_eq!(retired(host.data.path()).len(), 5);
        assert_eq!(does(host.app.config(), &["check"]).await, "All 7 secrets open.\n");
        // Who was signed in still is, and the new key is enough to start with.
        let again = host.again().await;
        let ada = Person { url: again.url.clone(), ..ada };
        publish(&ada, "with the new keys").await;
        ada.connect(&again.sim, "twitter", "second_account").await;
        again.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_cut_off_loses_nothing_and_is_ended_by_the_next() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        let (mut write, mut deaths) = (0, 0);
        loop {
            write += 1;
            let crash_at = format!("{write}{}", if write % 2 == 0 { "+" } else { "" });
            let output = run(host.app.config(), &["rotate"], Some(&crash_at)).await;
            publish(&ada, &format!("after {crash_at}")).await;
            assert_eq!(does(host.app.config(), &["check"]).await, "All 3 secrets open.\n", "crash at {crash_at}");
            if output.status.success() {
                break;
            }
            deaths += 1;
        }
        assert!(deaths >= 6, "a rotation of {deaths} writes");
        let masters: Vec<(&str, String)> = sealed_under(&host).await.split_off(2);
        assert!(masters.iter().all(|(_, under)| *under == masters[0].1), "{masters:?}");
        let file = std::fs::read_to_string(host.app.config().master_key()).unwrap();
        assert_eq!(file.lines().count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_the_new_key_says_so_and_goes_on_once_it_has_it() {
    let one = Host::start(Backend::Postgres).await;
    let two = one.another_node().await;
    let ada = one.connected("ada", "twitter").await;
    let bob = one.person("bob").await;
    let (file, other) = (one.app.config().master_key(), two.app.config().master_key());
    assert!(does(one.app.config(), &["prepare"]).await.contains("Bring the file to every node"));
    std::fs::copy(&file, &other).unwrap();
    does(one.app.config(), &["rotate"]).await;
    let through_two = Person { url: two.url.clone(), ..ada.clone() };
    publish(&through_two, "prepared").await;
    does(one.app.config(), &["rotate"]).await;
    // Bob has no data key yet, and this node does not have the master key that it would be sealed under.
    let bob_through_two = Person { url: two.url.clone(), ..bob };
    let connected = bob_through_two.try_connect(&one.sim, "twitter", "second_account").await;
    assert_eq!(connected, 500);
    std::fs::copy(&file, &other).unwrap();
    bob_through_two.connect(&one.sim, "twitter", "second_account").await;
    publish(&bob_through_two, "with the new key").await;
    two.app.stop().await;
}

async fn opening(config: Config) -> String {
    let opened = Box::pin(App::open(config, Clock::System, Setup { program: program(), memories: Memories::Pooled }));
    format!("{:#}", opened.await.unwrap_err())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_master_key_stops_the_start_with_a_sentence() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        host.connected("ada", "twitter").await;
        host.app.stop().await;
        let config = host.app.config().clone();
        let file = config.master_key();
        let right = std::fs::read(&file).unwrap();
        for (wrong, wanted) in [
            (Some("ab".repeat(32)), "put the right file there"),
            (Some("no key".to_owned()), "is not 64 hex digits a line"),
            (Some(String::new()), "is empty"),
            (None, "put that file back from your backup"),
        ] {
            match &wrong {
                Some(text) => std::fs::write(&file, text).unwrap(),
                None => std::fs::remove_file(&file).unwrap(),
            }
            let told = opening(config.clone()).await;
            assert!(told.contains(wanted) && told.contains("master.key"), "{told}");
            assert_eq!(file.exists(), wrong.is_some(), "no key is made where there was one");
        }
        std::fs::write(&file, right).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        assert!(opening(config.clone()).await.contains("chmod 600"));
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(does(&config, &["check"]).await, "All 3 secrets open.\n");
    }
}
