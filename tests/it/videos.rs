//! Videos: begun once, looked at until they are made, stored, and only then charged.

mod crash;
mod failing;
mod paying;
mod people;
mod refusing;
mod secrecy;

use crate::harness::{Answer, BOTH, Backend, Host, Person, component, settings};
use orla::config::ConnectorConfig;
use orla::connectors::{Actor, Consent, Memories, Then};
use orla::{db, on};
use orla_vendors::vertex::{Settings, Sim};
use reqwest::header::RANGE;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// Made for these tests alone, by `openssl genpkey`.
const KEY: &str = include_str!("service_accounts/key.pem");
const PUBLIC: &str = include_str!("service_accounts/public.pem");
pub(crate) const PRICE: i64 = 200;
const ENDS: [&str; 4] = ["completed", "failed", "uncertain", "cancelled"];

/// A Google that knows the account's key, and whose videos are quickly made.
pub(crate) fn google() -> Settings {
    Settings { keys: [("first".to_owned(), PUBLIC.to_owned())].into(), ..Settings::default() }
}

/// A host on which the connector was installed while it runs, and the Google that it speaks to.
pub(crate) async fn host(backend: Backend, google: Settings) -> (Host, Sim) {
    host_with(backend, google, &[], Memories::Pooled).await
}

async fn host_with(backend: Backend, google: Settings, also: &[(&str, &str)], memories: Memories) -> (Host, Sim) {
    let sim = Sim::start(google).await;
    let Settings { client_id, client_secret, .. } = sim.settings();
    let connector = ConnectorConfig {
        client_id: Some(client_id),
        client_secret: Some(client_secret.into()),
        ..connector(&sim, also)
    };
    host_as(backend, sim, connector, memories).await
}

/// How the connector finds the simulated Google, without an app there.
fn connector(sim: &Sim, also: &[(&str, &str)]) -> ConnectorConfig {
    let endpoints = ["api", "projects", "storage", "tokens", "web", "who"];
    let set =
        [("look_every_ms", "40")].iter().chain(also).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ConnectorConfig {
        endpoints: endpoints.map(|name| (name.to_owned(), sim.origin())).into(),
        settings: set.collect(),
        ..ConnectorConfig::default()
    }
}

async fn host_as(backend: Backend, sim: Sim, connector: ConnectorConfig, memories: Memories) -> (Host, Sim) {
    let host = Host::start_with(backend, settings(), |config| {
        config.connectors.insert("vertex".to_owned(), connector);
        if matches!(memories, Memories::From(_)) {
            config.concurrent_calls = 4;
        }
        memories
    })
    .await;
    let wasm = std::fs::read(component("vertex")).unwrap();
    let installing = host.app.connectors().install(&wasm, Then::Activate(Consent::Withheld), Actor::Command);
    assert_eq!(Box::pin(installing).await.unwrap().state, "active");
    sim.register_redirect_uri(format!("{}/social/oauth/vertex/callback", host.url));
    (host, sim)
}

/// A key file as Google hands them out.
fn key_file(sim: &Sim) -> String {
    json!({
        "type": "service_account", "project_id": sim.settings().project, "private_key_id": "first", "private_key": KEY,
        "client_email": sim.settings().account, "token_uri": "https://evil.example/token",
    })
    .to_string()
}

/// A person who has connected the service account and has credits for so many videos.
pub(crate) async fn connected(host: &Host, sim: &Sim, videos: i64) -> Person {
    let ada = host.person("ada").await;
    let fields = json!({"fields": {"key_file": key_file(sim)}});
    let connection = ada.post("/social/connections/vertex", &fields).await.expect(201);
    assert_eq!(connection["handle"], sim.settings().account, "{connection:#}");
    host.grant(ada.workspace, videos * PRICE).await;
    ada
}

pub(crate) async fn ask(ada: &Person, key: &str, wish: &Value) -> Answer {
    let request = ada.http.post(format!("{}/ai/video", ada.url)).bearer_auth(&ada.token);
    Answer::of(request.header("idempotency-key", key).json(wish).send().await.unwrap()).await
}

/// Asks for a video, and waits until it has ended.
async fn ended(ada: &Person, key: &str, wish: &Value) -> Value {
    let id = ask(ada, key, wish).await.expect(202)["id"].as_str().unwrap().to_owned();
    until(ada, &id, |video| ENDS.contains(&video["state"].as_str().unwrap())).await
}

/// Looks at a video until it is so.
pub(crate) async fn until(ada: &Person, id: &str, so: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..1_200 {
        last = ada.get(&format!("/ai/video/{id}")).await.expect(200);
        if so(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never was so: {last:#}");
}

async fn balance(ada: &Person) -> (i64, i64) {
    let balance = ada.get("/credits/balance").await.expect(200);
    (balance["posted"].as_i64().unwrap(), balance["held"].as_i64().unwrap())
}

/// How many rows there are.
async fn count(db: &db::Db, statement: &'static str) -> i64 {
    let mut tx = db.read().await.unwrap();
    on!(&mut tx, conn => sqlx::query_scalar(statement).fetch_one(conn).await).unwrap()
}

const BLOBS: &str = "select count(*) from blobs";

#[tokio::test(flavor = "multi_thread")]
async fn a_video_is_made_stored_and_charged_once() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings { looks: 6, ..google() }).await;
        let ada = connected(&host, &sim, 2).await;
        ada.post("/webhooks", &json!({"url": format!("{}/hooks", host.sim.origin())})).await.expect(201);
        let wish = json!({"prompt": "A lighthouse at dusk", "duration_seconds": 6, "seed": 7});
        let taken = ask(&ada, "first", &wish).await.expect(202);
        assert_eq!((&taken["price"], &taken["receipt"], &taken["video"]), (&json!(PRICE), &json!(null), &json!(null)));
        assert_eq!(balance(&ada).await, (2 * PRICE, PRICE), "held, and not charged");
        let id = taken["id"].as_str().unwrap();
        let half =
            until(&ada, id, |video| video["progress"]["percent"].as_i64().is_some_and(|percent| percent >= 30)).await;
        assert_eq!(half["state"].as_str().map(|state| ["running", "pending"].contains(&state)), Some(true), "{half:#}");
        assert!(half["progress"]["message"].as_str().unwrap().starts_with("Rendering"), "{half:#}");
        assert!(half["progress"]["begun_at"].is_string(), "{half:#}");
        let done = until(&ada, id, |video| video["state"] == "completed").await;
        let file = &done["video"];
        assert_eq!((&file["content_type"], &file["size_bytes"]), (&json!("video/mp4"), &json!(100_000)), "{done:#}");
        let receipt = &done["receipt"];
        assert_eq!((&receipt["credits_held"], &receipt["credits_charged"]), (&json!(PRICE), &json!(PRICE)), "{done:#}");
        assert_eq!((&receipt["operation"], &receipt["connector"]), (&json!("video_generation"), &json!("vertex")));
        assert_eq!(receipt["model"], "veo-3.1-generate-001");
        assert!(receipt["meter"]["requests"].as_i64().unwrap() > 6, "all its calls count: {receipt:#}");
        assert_eq!(balance(&ada).await, (PRICE, 0));
        // The bytes are there, whole and in stretches.
        let url = file["url"].as_str().unwrap();
        let whole = ada.http.get(url).bearer_auth(&ada.token).send().await.unwrap();
        assert_eq!((whole.status().as_u16(), whole.headers()["content-type"].to_str().unwrap()), (200, "video/mp4"));
        let whole = whole.bytes().await.unwrap();
        let digest = <sha2::Sha256 as sha2::Digest>::digest(&whole);
        assert_eq!((whole.len(), json!(hex::encode(digest))), (100_000, file["sha256"].clone()));
        let some = ada.http.get(url).bearer_auth(&ada.token).header(RANGE, "bytes=10-19").send().await.unwrap();
        assert_eq!(some.status(), 206);
        assert_eq!(some.bytes().await.unwrap(), whole[10..20]);
        // The same key gives the same video, and nothing more is begun.
        assert_eq!(ask(&ada, "first", &wish).await.expect(202)["id"], done["id"]);
        ask(&ada, "first", &json!({"prompt": "Another"})).await.refused(409, "idempotency_key_reused");
        let operations = sim.operations();
        assert_eq!((operations.len(), operations[0].duration_s, operations[0].seed), (1, 6, Some(7)));
        assert_eq!(count(host.app.db(), BLOBS).await, 1);
        let list = ada.get("/ai/video").await.expect(200);
        assert_eq!((list["items"].as_array().unwrap().len(), &list["items"][0]["id"]), (1, &done["id"]));
        let told = ada.get("/events").await.expect(200);
        let of_it = |event: &&Value| event["type"] == "video.finished" && event["subject_id"] == done["id"];
        assert_eq!(told["items"].as_array().unwrap().iter().filter(of_it).count(), 1, "{told:#}");
        strangers_see_nothing(&host, &done).await;
        host.check_books().await;
    }
}

/// Another tenant has none of it.
async fn strangers_see_nothing(host: &Host, video: &Value) {
    let mallory = host.person("mallory").await;
    let id = video["id"].as_str().unwrap();
    for path in [format!("/ai/video/{id}"), format!("/ai/video/{id}/content")] {
        mallory.get(&path).await.refused(404, "not_found");
    }
    mallory.post(&format!("/ai/video/{id}/cancel"), &Value::Null).await.refused(404, "not_found");
    let hers = json!({"prompt": "mine", "connection_id": video["connection_id"]});
    ask(&mallory, "k", &hers).await.refused(404, "not_found");
    assert_eq!(mallory.get("/ai/video").await.expect(200)["items"], json!([]));
    let fetched = mallory.http.get(video["video"]["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(fetched.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_has_the_end_at_once() {
    for backend in BOTH {
        let (host, sim) = host(backend, google()).await;
        let ada = connected(&host, &sim, 1).await;
        let request =
            ada.http.post(format!("{}/ai/video", ada.url)).bearer_auth(&ada.token).header("prefer", "wait=20");
        let done = Answer::of(request.json(&json!({"prompt": "A lighthouse"})).send().await.unwrap()).await.expect(200);
        assert_eq!(done["state"], "completed", "{done:#}");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_begins_with_a_picture_and_may_come_from_cloud_storage() {
    const A_BLOB: &str = "select id from blobs where content_type = 'image/png'";
    for backend in BOTH {
        let also = [("storage_uri", "gs://films/orla/"), ("model", "veo-3.1-fast-generate-001")];
        let (host, sim) = host_with(backend, google(), &also, Memories::Pooled).await;
        let ada = connected(&host, &sim, 1).await;
        // A picture of the workspace's: one that it posted.
        ada.connect(&host.sim, "twitter", "orla_demo").await;
        let picture = format!("{}/pictures/square.png", host.sim.origin());
        let post = json!({"platform": "twitter", "content": "look", "media_urls": [picture]});
        ada.published(&post, "look", &["published"]).await;
        let mut tx = host.app.db().read().await.unwrap();
        let blob: Uuid = on!(&mut tx, conn => sqlx::query_scalar(A_BLOB).fetch_one(conn).await).unwrap();
        drop(tx);
        let done =
            ended(&ada, "k", &json!({"prompt": "It begins to rain", "image": blob, "aspect_ratio": "9:16"})).await;
        assert_eq!((done["state"].as_str(), &done["image"]), (Some("completed"), &json!(blob)), "{done:#}");
        assert_eq!(done["video"]["size_bytes"], 100_000);
        assert_eq!(done["receipt"]["model"], "veo-3.1-fast-generate-001");
        let operations = sim.operations();
        assert_eq!((operations.len(), operations[0].aspect_ratio.as_str()), (1, "9:16"));
        assert_eq!(operations[0].storage_uri.as_deref(), Some("gs://films/orla/"));
        assert!(operations[0].image_sha256.is_some());
        let other = json!({"prompt": "x", "image": Uuid::now_v7()});
        ask(&ada, "other", &other).await.refused(422, "invalid_input");
        host.check_books().await;
    }
}
