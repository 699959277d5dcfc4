//! The soak: a host under load is killed with SIGKILL at random moments, 200 times a database, and started again.
//!
//! `cargo soak [kills]`. In the end every publication that a client asked for must be published, each of its parts must be
//! at the network exactly once, no credits may be reserved any more and the ledger must add up.

#![expect(clippy::print_stdout, reason = "a command for people")]
#![expect(clippy::unwrap_used, reason = "a soak ends at the first thing that it does not expect")]

#[path = "../it/harness/mod.rs"]
#[expect(dead_code, reason = "made for the tests, of which this needs a part")]
#[expect(unused_imports, reason = "as above")]
mod harness;

use harness::{BOTH, Backend, Host, Person, Place, Settings, price, settings};
use orla::connectors::Memories;
use orla::db::Db;
use orla::ledger;
use orla_vendors::x::Account;
use rand::RngExt as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Each with an account of its own at the network: reconciling reads an account's recent posts, and more of them than
/// the network lets an account make would hide the one that it looks for.
const CLIENTS: usize = 32;
const CREDITS: i64 = 100_000;
const PRICE: i64 = 3;

#[tokio::main]
async fn main() {
    let kills = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(200);
    for backend in BOTH {
        soak(backend, kills).await;
    }
}

async fn soak(backend: Backend, kills: usize) {
    // The network does not refuse a text that it has seen, so that a part sent twice is there twice.
    let accounts =
        (0..CLIENTS).map(|n| Account::new(&format!("19000000000000{n:05}"), &format!("client_{n}"), "A client"));
    let settings = Settings { duplicate_window_s: 0, accounts: accounts.collect(), ..settings() };
    let host = Host::start_with(backend, settings, |_| Memories::Pooled).await;
    price(&host.app, PRICE).await;
    let mut people = Vec::new();
    for n in 0..CLIENTS {
        let person = host.person(&format!("client{n}")).await;
        person.connect(&host.sim, "twitter", &format!("client_{n}")).await;
        host.grant(person.workspace, CREDITS).await;
        people.push(person);
    }
    let config = host.app.config().clone();
    host.app.stop().await;
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let place = Place {
        port,
        data: host.data.path(),
        database: config.database(),
        connectors: &config.connectors_folder,
        sim: &host.sim,
        openai: &host.openai,
        also: Vec::new(),
    };
    let (next, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = people
        .into_iter()
        .map(|person| tokio::spawn(client(Person { url: place.url(), ..person }, next.clone(), over.clone())))
        .collect();
    for kill in 1..=kills {
        let mut process = place.start(None);
        place.serving(&mut process).await;
        let moment = rand::rng().random_range(0..600);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        drop(process);
        if kill % 20 == 0 {
            println!("{backend:?}: {kill} kills, {} posts at the network", host.sim.posts().len());
        }
    }
    over.store(true, Ordering::SeqCst);
    let mut process = place.start(None);
    assert!(place.serving(&mut process).await, "the host starts again");
    let mut wishes = Vec::new();
    for client in clients {
        wishes.push(client.await.unwrap());
    }
    verify(&place, &wishes).await;
    drop(process);
}

fn thread(n: usize) -> Value {
    let parts = if n.is_multiple_of(3) { 3 } else { 1 };
    let parts: Vec<Value> = (0..parts).map(|part| json!({"text": format!("wish {n} part {part}")})).collect();
    json!({"platform": "twitter", "parts": parts})
}

/// Asks for one publication after the other, each until it is taken in; gives their ids.
async fn client(person: Person, next: Arc<AtomicUsize>, over: Arc<AtomicBool>) -> (Person, Vec<String>) {
    let mut taken = Vec::new();
    while !over.load(Ordering::SeqCst) {
        let n = next.fetch_add(1, Ordering::SeqCst);
        let id = loop {
            let request = person.http.post(format!("{}/social/publish", person.url)).bearer_auth(&person.token);
            let answer = request.header("idempotency-key", format!("wish {n}")).json(&thread(n)).send().await;
            if let Ok(answer) = answer
                && answer.status() == 202
                && let Ok(body) = answer.json::<Value>().await
            {
                break body["id"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        taken.push(id);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    (person, taken)
}

async fn verify(place: &Place<'_>, wishes: &[(Person, Vec<String>)]) {
    let (mut uncertain, mut parts) = (0, 0);
    for (person, id) in wishes.iter().flat_map(|(person, ids)| ids.iter().map(move |id| (person, id))) {
        let done = person.wait(id, &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        let timeline = done["timeline"].as_array().unwrap();
        uncertain += usize::from(timeline.iter().any(|event| event["state"] == "uncertain"));
        assert!(done["receipt"].as_array().unwrap().iter().all(|part| part["outcome"] == "done"), "{done:#}");
        parts += done["receipt"].as_array().unwrap().len();
    }
    let mut counts = BTreeMap::<String, usize>::new();
    for post in place.sim.posts() {
        *counts.entry(post.text).or_default() += 1;
    }
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "posted more than once: {twice:?}");
    assert_eq!(counts.len(), parts, "each part is at the network");
    let db = Db::open(&place.database).await.unwrap();
    let mut tx = db.read().await.unwrap();
    let broken = ledger::audit(&mut tx).await.unwrap();
    assert!(broken.is_empty(), "{broken:?}");
    let mut publications = 0;
    for (person, ids) in wishes {
        let balance = ledger::balance(&mut tx, person.workspace).await.unwrap();
        let charged = PRICE * i64::try_from(ids.len()).unwrap();
        assert_eq!((balance.posted, balance.held), (CREDITS - charged, 0));
        publications += ids.len();
    }
    println!(
        "{publications} publications of {parts} parts: all published, each part once; {uncertain} were uncertain for a while; \
         no credits held, the ledger adds up"
    );
}
