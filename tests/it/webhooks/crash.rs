//! A host that dies at any of its writes: an event is told of exactly if its move was made.

use super::receiver::{Got, Receiver};
use super::{endpoint, host};
use crate::harness::{BOTH, Backend, Person, Place};
use orla::db::Db;
use orla::on;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_there_if_and_only_if_its_move_is() {
    for backend in BOTH {
        walk(backend).await;
    }
}

async fn walk(backend: Backend) {
    let receiver = Receiver::start().await;
    let host = host(backend, &[&receiver]).await;
    let ada = host.connected("ada", "twitter").await;
    endpoint(&ada, &receiver, &["publication.published"]).await;
    let mut place = Place::after(&host).await;
    let allowed = format!("{},{}", host.sim.origin().trim_start_matches("http://"), receiver.address);
    place.also.push(("ORLA_EGRESS_ALLOW", allowed));
    let db = Db::open(&place.database).await.unwrap();
    let ada = Person { url: place.url(), ..ada };
    let (mut survived, mut deaths, mut write) = (0, 0, 0);
    while survived < 2 {
        write += 1;
        let crash_at = format!("{write}{}", if write % 2 == 0 { "+" } else { "" });
        let died = round(&place, &db, &ada, &receiver, &crash_at).await;
        survived = if died { 0 } else { survived + 1 };
        deaths += u32::from(died);
        assert!(write < 40, "a publication of {write} writes");
    }
    assert!(deaths >= 6, "the host died only {deaths} times in {write} writes");
    // Nothing was told twice but what was answered while the host died.
    let took = receiver.took();
    let ids: BTreeSet<&str> = took.iter().map(|got| got.id.as_str()).collect();
    let subjects: BTreeSet<String> = took.iter().map(Got::subject).collect();
    assert_eq!(ids.len(), subjects.len(), "one event of each publication");
    assert!(took.len() - ids.len() <= 3, "{} of {} came twice", took.len() - ids.len(), ids.len());
}

/// One round; whether the host died.
async fn round(place: &Place<'_>, db: &Db, ada: &Person, receiver: &Receiver, crash_at: &str) -> bool {
    let before = receiver.took().len();
    let mut first = place.start(Some(crash_at));
    let mut died = !place.serving(&mut first).await;
    if !died {
        let request = ada.http.post(format!("{}/social/publish", ada.url)).bearer_auth(&ada.token);
        // A connection that breaks is what a crash looks like from outside.
        let _ = request.header("idempotency-key", crash_at).json(&post(crash_at)).send().await;
        for _ in 0..300 {
            died = first.has_ended();
            if died || receiver.took().len() > before && delivered(db).await {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    drop(first);
    assert_told_exactly_if_moved(db, crash_at).await;
    let mut second = place.start(None);
    assert!(place.serving(&mut second).await, "the host starts again");
    let done = ada.published(&post(crash_at), crash_at, &["published", "failed"]).await;
    assert_eq!(done["state"], "published", "crash at {crash_at}: {done:#}");
    for _ in 0..400 {
        if delivered(db).await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_told_exactly_if_moved(db, crash_at).await;
    let told = receiver.took().into_iter().filter(|got| got.subject() == done["id"].as_str().unwrap()).count();
    assert!((1..=2).contains(&told), "crash at {crash_at}: told {told} times");
    died
}

fn post(crash_at: &str) -> Value {
    json!({"platform": "twitter", "content": format!("crash at {crash_at}")})
}

/// Whether nothing is on its way.
async fn delivered(db: &Db) -> bool {
    let mut tx = db.read().await.unwrap();
    let left: i64 = on!(&mut tx, conn =>
        sqlx::query_scalar("select count(*) from deliveries where finished_at is null").fetch_one(conn).await)
    .unwrap();
    left == 0
}

async fn assert_told_exactly_if_moved(db: &Db, crash_at: &str) {
    const TORN: &str = "select count(*) from publications p where (p.state = 'published')
        <> exists (select 1 from events e join deliveries d on d.event_id = e.id
            where e.subject = p.id and e.type = 'publication.published')";
    const EVENTS: &str = "select count(*) from (select subject from events group by subject having count(*) > 1) twice";
    let mut tx = db.read().await.unwrap();
    let torn: i64 = on!(&mut tx, conn => sqlx::query_scalar(TORN).fetch_one(conn).await).unwrap();
    let twice: i64 = on!(&mut tx, conn => sqlx::query_scalar(EVENTS).fetch_one(conn).await).unwrap();
    assert_eq!((torn, twice), (0, 0), "crash at {crash_at}: a move without its event, or the other way round");
}
