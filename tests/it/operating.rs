//! Operators: connectors are installed, swapped, rolled back and removed while the host runs.

mod commands;
pub(crate) mod doctor;
mod folder;
mod nodes;
mod refusals;

use crate::harness::{BOTH, Backend, Host, Person};
use orla::identity;
use orla::identity::passwords::Password;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// A host with an operator, and a person whose account is connected by the probe.
struct Stage {
    host: Host,
    operator: Person,
    ada: Person,
}

impl Stage {
    async fn set(backend: Backend) -> Self {
        let host = Host::start(backend).await;
        let operator = operator(&host).await;
        let ada = host.connected("ada", "probe").await;
        Self { host, operator, ada }
    }

    /// The states of the probe's releases by version.
    async fn states(&self) -> Vec<(String, String)> {
        let probe = self.operator.get("/admin/connectors/probe").await.expect(200);
        let text = |release: &Value, name: &str| release[name].as_str().unwrap().to_owned();
        let releases = probe["releases"].as_array().unwrap().iter();
        releases.map(|release| (text(release, "version"), text(release, "state"))).collect()
    }

    /// The version of the probe that a publication runs on.
    async fn version(&self, key: &str) -> String {
        let post = json!({"platform": "probe", "content": format!("commit {key} {{version}} {key}")});
        let done = self.ada.published(&post, key, &["published", "failed"]).await;
        let id = done["receipt"][0]["id"].as_str().unwrap_or_else(|| panic!("{done:#}")).to_owned();
        let posted = self.host.sim.posts().into_iter().find(|post| post.id == id).unwrap();
        posted.text.split(' ').next().unwrap().to_owned()
    }
}

/// Somebody who operates the host.
pub(crate) async fn operator(host: &Host) -> Person {
    let password = Password::from("Correct1Horse".to_owned());
    identity::create_admin(&host.app, "operator@example.org", &password).await.unwrap();
    Person::log_in(&host.url, "operator@example.org").await
}

/// The probe's component.
fn probe(host: &Host) -> Vec<u8> {
    std::fs::read(host.app.config().connectors_folder.join("probe.wasm")).unwrap()
}

/// A component with a text of its data replaced by another of the same length; names of the contract stay.
fn altered(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut altered = component.to_vec();
    let mut count = 0;
    for at in 0..=altered.len() - from.len() {
        let before = at.checked_sub(1).map(|before| altered[before]);
        if &altered[at..at + from.len()] == from.as_bytes() && before != Some(b'@') {
            altered[at..at + to.len()].copy_from_slice(to.as_bytes());
            count += 1;
        }
    }
    assert!(count > 0, "{from} does not occur");
    altered
}

impl Person {
    async fn upload(&self, path: &str, component: Vec<u8>) -> crate::harness::Answer {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = request.header("content-type", "application/wasm").body(component);
        crate::harness::Answer::of(request.send().await.unwrap()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_installed_swapped_and_rolled_back_while_the_host_runs() {
    for backend in BOTH {
        let stage = Stage::set(backend).await;
        assert_eq!(stage.version("a").await, "0.1.0");
        let newer = altered(&probe(&stage.host), "0.1.0", "0.1.1");
        let seen = stage.operator.upload("/admin/connectors/inspect", newer.clone()).await.expect(200);
        assert_eq!((&seen["active_version"], &seen["asks_new"]), (&json!("0.1.0"), &json!([])));
        let installed = stage.operator.upload("/admin/connectors", newer.clone()).await.expect(201);
        assert_eq!((&installed["state"], &installed["version"]), (&json!("active"), &json!("0.1.1")));
        assert_eq!(stage.version("b").await, "0.1.1");
        let both =
            |old: &str, new: &str| vec![("0.1.0".to_owned(), old.to_owned()), ("0.1.1".to_owned(), new.to_owned())];
        assert_eq!(stage.states().await, both("retained", "active"));
        let back = stage.operator.post("/admin/connectors/probe/rollback", &json!({})).await.expect(200);
        assert_eq!(back["version"], "0.1.0");
        assert_eq!(stage.version("c").await, "0.1.0");
        assert_eq!(stage.states().await, both("active", "retained"));
        stage.operator.post("/admin/connectors/probe/activate", &json!({"release": "0.1.1"})).await.expect(200);
        assert_eq!(stage.version("d").await, "0.1.1");
        // Installing what is there already changes nothing but what serves.
        stage.operator.upload("/admin/connectors?then=stage", newer).await.expect(201);
        assert_eq!(stage.states().await, both("retained", "active"));
        let shown = stage.operator.get("/admin/connectors/probe").await.expect(200);
        let actions: Vec<&str> =
            shown["events"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["activate", "rollback", "activate", "install", "activate", "install"]);
        let actors: Vec<&str> =
            shown["events"].as_array().unwrap().iter().map(|event| event["actor"].as_str().unwrap()).collect();
        assert!(actors[..4].iter().all(|actor| actor.starts_with("user:")) && actors[4..] == ["folder", "folder"]);
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_on_the_release_that_it_began_with() {
    for backend in BOTH {
        let stage = Stage::set(backend).await;
        stage.host.sim.change(|settings| settings.script = "commit a {version} a\npending 200".to_owned());
        let wish = json!({"platform": "probe", "content": "remote"});
        let id = stage.ada.publish(&wish, "k").await.expect(202)["id"].as_str().unwrap().to_owned();
        stage.ada.wait(&id, &["pending"]).await;
        let newer = altered(&probe(&stage.host), "0.1.0", "0.1.1");
        stage.operator.upload("/admin/connectors", newer).await.expect(201);
        stage.host.sim.change(|settings| settings.script = "commit a {version} a\ncommit b {version} b".to_owned());
        stage.ada.wait(&id, &["published", "failed"]).await;
        let texts: Vec<String> = stage.host.sim.posts().into_iter().map(|post| post.text).collect();
        assert!(texts.contains(&"0.1.0 a".to_owned()) && texts.contains(&"0.1.0 b".to_owned()), "{texts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_asks_for_more_waits_for_consent() {
    for backend in BOTH {
        let stage = Stage::set(backend).await;
        let wider = altered(&altered(&probe(&stage.host), "0.1.0", "0.2.0"), "users.read", "users.evil");
        let installed = stage.operator.upload("/admin/connectors", wider.clone()).await.expect(201);
        assert_eq!(installed["state"], "staged");
        assert_eq!(installed["asks_more"], json!([{"ask": "scope", "scope": "users.evil"}]));
        let answer = stage.operator.post("/admin/connectors/probe/activate", &json!({"release": "0.2.0"})).await;
        assert!(answer.body["detail"].as_str().unwrap().contains("users.evil"), "{}", answer.body);
        answer.refused(409, "consent_required");
        assert_eq!(stage.version("a").await, "0.1.0");
        let consent = json!({"release": "0.2.0", "consent": "given"});
        stage.operator.post("/admin/connectors/probe/activate", &consent).await.expect(200);
        assert_eq!(stage.version("b").await, "0.2.0");
        // What was granted once needs no second consent, and going back needs none either.
        stage.operator.post("/admin/connectors/probe/rollback", &json!({})).await.expect(200);
        stage.operator.post("/admin/connectors/probe/activate", &json!({"release": "0.2.0"})).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_not_there() {
    for backend in BOTH {
        let stage = Stage::set(backend).await;
        let shown = stage.operator.get("/admin/connectors/probe").await.expect(200);
        let mut granted = shown["granted"].as_array().unwrap().clone();
        for ask in &mut granted {
            if ask["of"] == "requests" {
                ask["amount"] = json!(3);
            }
        }
        let put = |asks: Value| {
            let operator = stage.operator.clone();
            async move { operator.call(Method::PUT, "/admin/connectors/probe/grant", Some(&asks)).await }
        };
        put(json!(granted)).await.expect(204);
        let wish = json!({"platform": "probe", "content": "stay 4"});
        let done = stage.ada.published(&wish, "k", &["failed", "published"]).await;
        assert_eq!(done["fault"]["kind"], "budget", "{done:#}");
        // Its OAuth goes to an endpoint: without it, the connector cannot be.
        granted.retain(|ask| ask["name"] != "api");
        let answer = put(json!(granted)).await;
        assert!(answer.body["detail"].as_str().unwrap().contains("api"), "{}", answer.body);
        answer.refused(422, "invalid_input");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_disabled_enabled_and_removed() {
    for backend in BOTH {
        let stage = Stage::set(backend).await;
        stage.host.sim.change(|settings| settings.script = "pending 100".to_owned());
        let wish = json!({"platform": "probe", "content": "remote"});
        let id = stage.ada.publish(&wish, "k").await.expect(202)["id"].as_str().unwrap().to_owned();
        let remove = || stage.operator.call(Method::DELETE, "/admin/connectors/probe", None);
        remove().await.refused(409, "connector_enabled");
        stage.operator.post("/admin/connectors/probe/disable", &json!({})).await.expect(204);
        stage
            .ada
            .publish(&json!({"platform": "probe", "content": "commit a a"}), "l")
            .await
            .refused(422, "invalid_input");
        remove().await.refused(409, "connector_in_use");
        // What is under way goes on, though nothing new begins.
        stage.host.sim.change(|settings| settings.script = "commit z z".to_owned());
        stage.ada.wait(&id, &["published"]).await;
        stage.operator.post("/admin/connectors/probe/enable", &json!({})).await.expect(204);
        assert_eq!(stage.version("a").await, "0.1.0");
        stage.operator.post("/admin/connectors/probe/disable", &json!({})).await.expect(204);
        remove().await.expect(204);
        stage.operator.get("/admin/connectors/probe").await.refused(404, "not_found");
        // The connection is still there, and works with the connector installed anew.
        stage.operator.upload("/admin/connectors", probe(&stage.host)).await.expect(201);
        assert_eq!(stage.version("b").await, "0.1.0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_traps_time_and_again_is_taken_back() {
    for backend in BOTH {
        let stage = Stage::set(backend).await;
        let newer = altered(&probe(&stage.host), "0.1.0", "0.1.1");
        stage.operator.upload("/admin/connectors", newer).await.expect(201);
        for n in 0..5 {
            let wish = json!({"platform": "probe", "content": format!("trap {n}")});
            stage.ada.published(&wish, &format!("k{n}"), &["failed"]).await;
        }
        let taken_back = [("0.1.0".to_owned(), "active".to_owned()), ("0.1.1".to_owned(), "taken_back".to_owned())];
        for _ in 0..100 {
            if stage.states().await == taken_back {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(stage.states().await, taken_back);
        let shown = stage.operator.get("/admin/connectors/probe").await.expect(200);
        assert_eq!(
            (&shown["events"][0]["action"], &shown["events"][0]["actor"]),
            (&json!("take_back"), &json!("host"))
        );
        assert_eq!(stage.version("a").await, "0.1.0");
        // The last release there is stays, however often it traps: there is nothing to go back to.
        for n in 0..6 {
            let wish = json!({"platform": "probe", "content": format!("trap again {n}")});
            stage.ada.published(&wish, &format!("l{n}"), &["failed"]).await;
        }
        assert_eq!(stage.version("b").await, "0.1.0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_connectors_use_is_counted_by_version() {
    for backend in BOTH {
        let host = Host::start_with(backend, crate::harness::settings(), |config| {
            config.metrics_token = Some("scrape-me".to_owned().into());
            orla::connectors::Memories::Pooled
        })
        .await;
        let ada = host.connected("ada", "probe").await;
        ada.published(&json!({"platform": "probe", "content": "commit a counted"}), "k", &["published"]).await;
        let read = |token: &'static str| ada.http.get(format!("{}/metrics", host.url)).bearer_auth(token).send();
        assert_eq!(read("guess").await.unwrap().status(), 401);
        let text = read("scrape-me").await.unwrap().text().await.unwrap();
        for wanted in [
            "orla_connector_calls_total{connector=\"probe\",version=\"0.1.0\",outcome=\"Ok\"}",
            "orla_connector_fuel_total{connector=\"probe\",version=\"0.1.0\"}",
            "orla_connector_requests_total{connector=\"probe\",version=\"0.1.0\"}",
            "orla_connector_memory_peak_bytes{",
            "orla_connector_memory_byte_seconds_total{",
            "orla_connector_sent_bytes_total{",
            "orla_connector_wall_seconds_total{",
            "# EOF",
        ] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
    }
}
