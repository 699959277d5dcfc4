//! The crash walk for a video: whenever the host dies, one video is begun, stored and charged at most once. Where it died between
//! the beginning and its answer, nobody can know, and that is said.

use super::{BLOBS, PRICE, connected, count, google, host};
use crate::harness::{Answer, BOTH, Backend, Person, Place};
use orla::db::Db;
use orla::ledger;
use orla_vendors::vertex::{Settings, Sim};
use serde_json::{Value, json};
use std::time::Duration;

/// What a host in a process of its own is told of the connector.
fn environment(google: &Sim) -> Vec<(&'static str, String)> {
    let endpoints = [
        "ORLA_CONNECTORS__VERTEX__ENDPOINTS__API",
        "ORLA_CONNECTORS__VERTEX__ENDPOINTS__TOKENS",
        "ORLA_CONNECTORS__VERTEX__ENDPOINTS__STORAGE",
    ];
    let all = endpoints.map(|name| (name, google.origin())).into_iter();
    all.chain([("ORLA_CONNECTORS__VERTEX__SETTINGS__LOOK_EVERY_MS", "30".to_owned())]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_at_any_write_makes_one_video_and_charges_once() {
    for backend in BOTH {
        walk(backend).await;
    }
}

async fn walk(backend: Backend) {
    let (host, sim) = host(backend, Settings { looks: 1, ..google() }).await;
    let ada = connected(&host, &sim, 100).await;
    let place = Place { also: environment(&sim), ..Place::after(&host).await };
    let ada = Person { url: place.url(), ..ada };
    let db = Db::open(&place.database).await.unwrap();
    let (mut survived, mut deaths, mut uncertain, mut write) = (0, 0, 0, 0);
    while survived < 2 {
        write += 1;
        for side in ["", "+"] {
            let crash_at = format!("{write}{side}");
            let (operations, blobs) = (sim.operations().len(), count(&db, BLOBS).await);
            let before = posted(&db).await;
            let (died, done) = crash_and_go_on(&place, &ada, &crash_at).await;
            let begun = sim.operations().len() - operations;
            let (stored, charged) = (count(&db, BLOBS).await - blobs, before - posted(&db).await);
            match done["state"].as_str().unwrap() {
                "completed" => assert_eq!((begun, stored, charged), (1, 1, PRICE), "{backend:?}, crash at {crash_at}"),
                "uncertain" => {
                    assert!(begun <= 1 && died, "{backend:?}, crash at {crash_at}: {begun} begun");
                    assert_eq!((stored, charged), (0, 0), "{backend:?}, crash at {crash_at}");
                    uncertain += 1;
                }
                state => panic!("{state} after a crash at {crash_at}: {done:#}"),
            }
            survived = if died { 0 } else { survived + 1 };
            deaths += u32::from(died);
        }
        assert!(write < 60, "a video of {write} writes");
    }
    assert!(deaths > 10, "the host died only {deaths} times in {write} writes");
    // Just after the beginning is written down, and just before its answer is.
    assert!((1..=2).contains(&uncertain), "{uncertain} of {deaths} deaths left it uncertain");
    assert!(ledger::audit(&mut db.read().await.unwrap()).await.unwrap().is_empty());
    assert_eq!(count(&db, "select count(*) from credit_holds where state = 'open'").await, 0);
}

async fn posted(db: &Db) -> i64 {
    count(db, "select cast(sum(posted) as bigint) from credit_accounts").await
}

/// One round of the walk; whether the host died, and the video in the end.
async fn crash_and_go_on(place: &Place<'_>, ada: &Person, crash_at: &str) -> (bool, Value) {
    let mut first = place.start(Some(crash_at));
    let mut died = !place.serving(&mut first).await;
    if !died {
        // A connection that breaks is what a crash looks like from outside.
        let _ = ask(ada, crash_at).send().await;
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
    let taken = Answer::of(ask(ada, crash_at).send().await.unwrap()).await.expect(202);
    let id = taken["id"].as_str().unwrap();
    (died, super::until(ada, id, |video| super::ENDS.contains(&video["state"].as_str().unwrap())).await)
}

fn ask(ada: &Person, key: &str) -> reqwest::RequestBuilder {
    let request = ada.http.post(format!("{}/ai/video", ada.url)).bearer_auth(&ada.token);
    request.header("idempotency-key", key).json(&json!({"prompt": format!("A lighthouse, {key}")}))
}

/// Whether the round's video has ended while its host still lives.
async fn finished(ada: &Person) -> bool {
    let newest = format!("{}/ai/video?limit=1", ada.url);
    let Ok(list) = ada.http.get(newest).bearer_auth(&ada.token).send().await else { return false };
    let Ok(list) = list.json::<Value>().await else { return false };
    list["items"][0]["state"].as_str().is_some_and(|state| super::ENDS.contains(&state))
}
