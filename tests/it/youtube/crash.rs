//! The crash walk for a video with a thumbnail and a first comment: whenever the host dies, each is there once.

use super::{GRANULE, connected, film, host, with};
use crate::harness::{Answer, BOTH, Backend, Person, Place};
use orla::connectors::Memories;
use orla::db::Db;
use orla::ledger;
use orla_vendors::youtube::{Settings, Sim};
use serde_json::{Value, json};
use std::time::Duration;

/// What a host in a process of its own is told of the connector.
pub(super) fn environment(youtube: &Sim) -> Vec<(&'static str, String)> {
    let client = youtube.settings();
    let mut all = vec![
        ("ORLA_CONNECTORS__YOUTUBE__CLIENT_ID", client.client_id),
        ("ORLA_CONNECTORS__YOUTUBE__CLIENT_SECRET", client.client_secret),
        ("ORLA_CONNECTORS__YOUTUBE__VISIBLE_AFTER_MS", "150".to_owned()),
    ];
    let endpoints = [
        "ORLA_CONNECTORS__YOUTUBE__ENDPOINTS__API",
        "ORLA_CONNECTORS__YOUTUBE__ENDPOINTS__TOKENS",
        "ORLA_CONNECTORS__YOUTUBE__ENDPOINTS__WEB",
    ];
    all.extend(endpoints.map(|name| (name, youtube.origin())));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_at_any_write_publishes_one_video() {
    for backend in BOTH {
        walk(backend).await;
    }
}

async fn walk(backend: Backend) {
    let youtube =
        Settings { uploads_a_day: 10_000, uploads_a_channel: 10_000, units_a_day: 1_000_000, ..Settings::default() };
    let (host, sim) = host(backend, youtube, Memories::Pooled).await;
    let (ada, _) = connected(&host, &sim).await;
    let place = Place { also: environment(&sim), ..Place::after(&host).await };
    let ada = Person { url: place.url(), ..ada };
    let web = host.sim.origin();
    let (url, picture) = (format!("{web}/pictures/clip-{}.mp4", GRANULE + 7), format!("{web}/pictures/square.png"));
    let (mut survived, mut deaths, mut write) = (0, 0, 0);
    while survived < 2 {
        write += 1;
        for side in ["", "+"] {
            let crash_at = format!("{write}{side}");
            let words = json!({"title": crash_at, "first_comment": crash_at, "media_urls": [url, picture]});
            let died = crash_and_go_on(&place, &ada, &crash_at, &with(film(&url), words)).await;
            let videos: Vec<_> = sim.videos().into_iter().filter(|video| video.title == crash_at).collect();
            assert_eq!(videos.len(), 1, "{backend:?}, crash at {crash_at}: {videos:#?}");
            assert!(videos[0].thumbnail_sha256.is_some(), "{backend:?}, crash at {crash_at}");
            let said = sim.comments().into_iter().filter(|comment| comment.text == crash_at).count();
            assert_eq!(said, 1, "{backend:?}, crash at {crash_at}");
            survived = if died { 0 } else { survived + 1 };
            deaths += u32::from(died);
        }
        assert!(write < 60, "a publication of {write} writes");
    }
    assert!(deaths > 16, "the host died only {deaths} times in {write} writes");
    let db = Db::open(&place.database).await.unwrap();
    assert!(ledger::audit(&mut db.read().await.unwrap()).await.unwrap().is_empty());
}

/// One round of the walk; whether the host died.
async fn crash_and_go_on(place: &Place<'_>, ada: &Person, crash_at: &str, post: &Value) -> bool {
    let mut first = place.start(Some(crash_at));
    let mut died = !place.serving(&mut first).await;
    if !died {
        // A connection that breaks is what a crash looks like from outside.
        let _ = ask(ada, crash_at, post).send().await;
        for _ in 0..150 {
            if first.has_ended() {
                died = true;
                break;
            }
            if finished(ada).await {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    drop(first);
    let mut second = place.start(None);
    assert!(place.serving(&mut second).await, "the host starts again");
    let taken = Answer::of(ask(ada, crash_at, post).send().await.unwrap()).await.expect(202);
    let done = ada.wait(taken["id"].as_str().unwrap(), &["published", "failed"]).await;
    assert_eq!(done["state"], "published", "crash at {crash_at}: {done:#}");
    died
}

fn ask(ada: &Person, key: &str, post: &Value) -> reqwest::RequestBuilder {
    let request = ada.http.post(format!("{}/social/publish", ada.url)).bearer_auth(&ada.token);
    request.header("idempotency-key", key).json(post)
}

/// Whether the round's publication has ended while its host still lives.
async fn finished(ada: &Person) -> bool {
    let newest = format!("{}/social/publications?limit=1", ada.url);
    let Ok(list) = ada.http.get(newest).bearer_auth(&ada.token).send().await else { return false };
    let Ok(list) = list.json::<Value>().await else { return false };
    matches!(list["items"][0]["state"].as_str(), Some("published" | "failed"))
}
