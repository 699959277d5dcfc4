//! The same walk for a reply to a comment: whenever the host dies, the reply is there once, and paid for once.

use super::check_books;
use crate::engagement::stage::{self, Stage};
use crate::facebook::strict;
use crate::harness::{Answer, BOTH, Backend, Person, Place};
use orla::db::Db;
use orla_vendors::facebook::Sim;
use serde_json::{Value, json};
use std::time::Duration;

const PRICE: i64 = 5;
const CREDITS: i64 = 3_000;

/// What a host in a process of its own is told of the connector.
fn environment(facebook: &Sim) -> Vec<(&'static str, String)> {
    let app = facebook.settings();
    let mut all = vec![
        ("ORLA_CONNECTORS__FACEBOOK__CLIENT_ID", app.app_id),
        ("ORLA_CONNECTORS__FACEBOOK__CLIENT_SECRET", app.app_secret),
        ("ORLA_CONNECTORS__FACEBOOK__VISIBLE_AFTER_MS", "150".to_owned()),
    ];
    let endpoints = [
        "ORLA_CONNECTORS__FACEBOOK__ENDPOINTS__API",
        "ORLA_CONNECTORS__FACEBOOK__ENDPOINTS__VIDEO",
        "ORLA_CONNECTORS__FACEBOOK__ENDPOINTS__WEB",
    ];
    all.extend(endpoints.map(|name| (name, facebook.origin())));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_at_any_write_replies_once() {
    for backend in BOTH {
        walk(backend).await;
    }
}

async fn walk(backend: Backend) {
    let Stage { host, sim, ada, connection, post, .. } = stage::set(backend, strict(), CREDITS).await;
    sim.comment(&post, "Ann", "When do you open?").unwrap();
    let comment = stage::listed(&ada, &connection, &post).await.remove(0);
    let place = Place { also: environment(&sim), ..Place::after(&host).await };
    let db = Db::open(&place.database).await.unwrap();
    let ada = Person { url: place.url(), ..ada };
    let (mut survived, mut deaths, mut write, mut rounds) = (0, 0, 0, 0);
    while survived < 2 {
        write += 1;
        for side in ["", "+"] {
            let crash_at = format!("{write}{side}");
            let body = json!({"connection_id": connection, "comment_id": comment["id"], "text": crash_at});
            let died = crash_and_go_on(&place, &ada, &crash_at, &body).await;
            let said = sim.comments().into_iter().filter(|reply| reply.message == crash_at).count();
            assert_eq!(said, 1, "{backend:?}, crash at {crash_at}");
            survived = if died { 0 } else { survived + 1 };
            (deaths, rounds) = (deaths + u32::from(died), rounds + 1);
        }
        assert!(write < 40, "a reply of {write} writes");
    }
    assert!(deaths > 8, "the host died only {deaths} times in {write} writes");
    check_books(&db).await;
    let mut tx = db.read().await.unwrap();
    let balance = orla::ledger::balance(&mut tx, ada.workspace).await.unwrap();
    assert_eq!(balance.posted, CREDITS - PRICE * rounds, "after {rounds} replies");
}

/// One round of the walk; whether the host died.
async fn crash_and_go_on(place: &Place<'_>, ada: &Person, crash_at: &str, body: &Value) -> bool {
    let mut first = place.start(Some(crash_at));
    let mut died = !place.serving(&mut first).await;
    if !died {
        // A connection that breaks is what a crash looks like from outside.
        let _ = ask(ada, crash_at, body).send().await;
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
    let taken = Answer::of(ask(ada, crash_at, body).send().await.unwrap()).await.expect(202);
    let done = stage::wait(ada, taken["id"].as_str().unwrap(), &["published", "failed"]).await;
    assert_eq!(done["state"], "published", "crash at {crash_at}: {done:#}");
    died
}

fn ask(ada: &Person, key: &str, body: &Value) -> reqwest::RequestBuilder {
    let request = ada.http.post(format!("{}/social/engagement/replies", ada.url)).bearer_auth(&ada.token);
    request.header("idempotency-key", key).json(body)
}

/// Whether the round's reply has ended while its host still lives.
async fn finished(ada: &Person) -> bool {
    let newest = format!("{}/social/engagement/replies?limit=1", ada.url);
    let Ok(list) = ada.http.get(newest).bearer_auth(&ada.token).send().await else { return false };
    let Ok(list) = list.json::<Value>().await else { return false };
    matches!(list["items"][0]["state"].as_str(), Some("published" | "failed"))
}
