//! The crash walk: a host that dies at every durable write of a publication, just before it and just after it.
//!
//! A three-part thread with a picture is published by a host in a process of its own, which aborts at its n-th write. A
//! second host starts on what is left, the client asks again with the same key, and the network must hold each part once.

mod replies;

use crate::harness::{BOTH, Backend, Host, Person, Place, Settings, Sim, price, settings};
use orla::connectors::Memories;
use orla::db::Db;
use orla::ledger;
use serde_json::{Value, json};
use std::time::Duration;

/// A thread that the network has not seen: it refuses the same text twice a day.
fn thread(sim: &Sim, round: &str) -> Value {
    let picture = format!("{}/pictures/square.png", sim.origin());
    json!({"platform": "twitter", "parts": [
        {"text": format!("one {round}"), "media": [{"url": picture}]},
        {"text": format!("two {round}")},
        {"text": format!("three {round}")},
    ]})
}

/// Publishes, whether or not the host lives long enough to answer.
async fn publish(person: &Person, sim: &Sim, key: &str) {
    let request = person.http.post(format!("{}/social/publish", person.url)).bearer_auth(&person.token);
    // A connection that breaks is what a crash looks like from outside.
    let _ = request.header("idempotency-key", key).json(&thread(sim, key)).send().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_at_any_write_posts_each_part_once() {
    for backend in BOTH {
        walk(backend).await;
    }
}

async fn walk(backend: Backend) {
    // A host in this process signs Ada up and connects her; the walk then goes on with its data and database.
    // The network does not refuse a text that it has seen, so that a part sent twice is there twice.
    let settings = Settings { duplicate_window_s: 0, ..settings() };
    let host = Host::start_with(backend, settings, |_| Memories::Pooled).await;
    price(&host.app, 3).await;
    let ada = host.connected("ada", "twitter").await;
    host.grant(ada.workspace, 3_000).await;
    let (place, sim) = (Place::after(&host).await, &host.sim);
    let db = Db::open(&place.database).await.unwrap();
    let ada = Person { url: place.url(), ..ada };
    let (mut survived, mut deaths, mut write) = (0, 0, 0);
    while survived < 2 {
        write += 1;
        for side in ["", "+"] {
            let crash_at = format!("{write}{side}");
            let before = sim.posts().len();
            let died = crash_and_go_on(&place, &ada, &crash_at).await;
            let posts = sim.posts().split_off(before);
            let texts: Vec<&str> = posts.iter().map(|post| post.text.as_str()).collect();
            let wanted = ["one", "two", "three"].map(|word| format!("{word} {crash_at}"));
            assert_eq!(texts, wanted, "{backend:?}, crash at {crash_at}");
            assert_eq!(posts[0].media.len(), 1);
            survived = if died { 0 } else { survived + 1 };
            deaths += u32::from(died);
        }
        assert!(write < 60, "a publication of {write} writes");
    }
    assert!(deaths > 20, "the host died only {deaths} times in {write} writes");
    check_books(&db).await;
}

/// The ledger adds up, and nothing is reserved.
async fn check_books(db: &Db) {
    let broken = ledger::audit(&mut db.read().await.unwrap()).await.unwrap();
    assert!(broken.is_empty(), "{broken:?}");
    let mut tx = db.read().await.unwrap();
    let open: i64 = orla::on!(&mut tx, conn =>
        sqlx::query_scalar("select count(*) from credit_holds where state = 'open'").fetch_one(conn).await)
    .unwrap();
    assert_eq!(open, 0, "open holds");
}

/// One round of the walk; whether the host died.
async fn crash_and_go_on(place: &Place<'_>, ada: &Person, crash_at: &str) -> bool {
    let mut first = place.start(Some(crash_at));
    let mut died = !place.serving(&mut first).await;
    if !died {
        publish(ada, place.sim, crash_at).await;
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
    let done = ada.published(&thread(place.sim, crash_at), crash_at, &["published", "failed"]).await;
    assert_eq!(done["state"], "published", "crash at {crash_at}: {done:#}");
    assert!(done["receipt"].as_array().unwrap().iter().all(|part| part["outcome"] == "done"), "{done:#}");
    died
}

/// Whether the round's publication has ended while its host still lives.
async fn finished(ada: &Person) -> bool {
    let list = ada.http.get(format!("{}/social/publications?limit=1", ada.url)).bearer_auth(&ada.token).send().await;
    let Ok(list) = list else { return false };
    let Ok(list) = list.json::<Value>().await else { return false };
    matches!(list["items"][0]["state"].as_str(), Some("published" | "failed"))
}
