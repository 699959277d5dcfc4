//! The end: what became of every publication, held against what the networks have and what was paid.

use crate::clients::{Client, Taken};
use crate::harness::Person;
use crate::stage::{CREDITS, Network, PRICE, Stage};
use orla::db::Db;
use orla::{ledger, on};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// After the last host died, all comes to rest within this.
const REST: Duration = Duration::from_secs(300);

/// How the publications ended.
#[derive(Default)]
pub(crate) struct Summary {
    pub(crate) published: BTreeMap<Network, usize>,
    pub(crate) failed: BTreeMap<String, usize>,
    pub(crate) live_parts: usize,
    pub(crate) missing_parts: usize,
    /// Those that were uncertain on their way.
    pub(crate) were_uncertain: usize,
    /// Those of which only a person could say what became of them.
    pub(crate) told_by_a_person: usize,
}

/// Waits until all is quiet, has a person say what nobody can look up, and checks everything.
pub(crate) async fn reach(stage: &Stage, url: &str, database: &str, clients: &[Client]) -> Summary {
    let until = Instant::now() + REST;
    let mut summary = Summary::default();
    let people: Vec<Person> =
        clients.iter().map(|client| Person { url: url.to_owned(), ..client.person.clone() }).collect();
    let all: Vec<(&Person, &Taken)> = people
        .iter()
        .zip(clients)
        .flat_map(|(person, client)| client.taken.iter().map(move |it| (person, it)))
        .collect();
    for (person, taken) in &all {
        let shown = rested(person, taken, until).await;
        check_parts(stage, taken, &shown);
        if shown["state"] == "uncertain" {
            summary.told_by_a_person += 1;
            tell(stage, person, taken, until).await;
        }
    }
    let counts = stage.counts();
    let (mut charged, mut live) = (BTreeMap::<String, i64>::new(), 0);
    for (person, taken) in &all {
        let shown = rested(person, taken, until).await;
        live += check_parts(stage, taken, &shown);
        summary.add(taken, &shown);
        *charged.entry(person.workspace.to_string()).or_default() += PRICE * i64::from(shown["state"] == "published");
    }
    assert_eq!(counts.values().sum::<usize>(), live, "nothing is at a network that no publication says is there");
    summary.live_parts = live;
    check_books(database, &people, &charged, all.len()).await;
    summary
}

impl Summary {
    fn add(&mut self, taken: &Taken, shown: &Value) {
        let timeline = shown["timeline"].as_array().unwrap();
        self.were_uncertain += usize::from(timeline.iter().any(|event| event["state"] == "uncertain"));
        if shown["state"] == "published" {
            *self.published.entry(taken.network).or_default() += 1;
            let receipt = shown["receipt"].as_array().unwrap();
            self.missing_parts += receipt.iter().filter(|part| part["outcome"] != "done").count();
        } else {
            let why = shown["fault"]["message"].as_str().unwrap_or_default().to_owned();
            *self.failed.entry(why).or_default() += 1;
        }
    }
}

/// A publication when nothing more becomes of it by itself.
async fn rested(person: &Person, taken: &Taken, until: Instant) -> Value {
    loop {
        let shown = person.get(&format!("/social/publications/{}", taken.id)).await.expect(200);
        match shown["state"].as_str().unwrap() {
            "published" | "failed" => return shown,
            // Nothing can be looked up at a receiver of webhooks.
            "uncertain" if taken.network == Network::Webhook => return shown,
            "cancelled" => panic!("nobody took it back: {shown:#}"),
            _ => assert!(Instant::now() < until, "it does not come to rest: {shown:#}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Holds a publication against the network. Gives how many of its parts are live.
fn check_parts(stage: &Stage, taken: &Taken, shown: &Value) -> usize {
    let counts = stage.counts();
    let mut live = 0;
    for (n, text) in taken.texts.iter().enumerate() {
        let count = counts.get(&(taken.network, text.clone())).copied().unwrap_or(0);
        live += count;
        let allowed = match shown["state"].as_str().unwrap() {
            "published" if shown["receipt"][n]["outcome"] == "done" => 1..=1,
            "uncertain" => 0..=1,
            _ => 0..=0,
        };
        assert!(allowed.contains(&count), "`{text}` is {count} times at {:?}: {shown:#}", taken.network);
    }
    live
}

/// Says what became of each part whose outcome nobody knows: what the receiver has, it has.
async fn tell(stage: &Stage, person: &Person, taken: &Taken, until: Instant) {
    loop {
        let shown = rested(person, taken, until).await;
        if shown["state"] != "uncertain" {
            return;
        }
        let steps = shown["steps"].as_array().unwrap();
        let lost = steps.iter().find(|step| step["state"] == "unknown" || step["state"] == "started").unwrap();
        let key = lost["key"].as_str().unwrap();
        let part: usize = key.strip_prefix("part/").unwrap().parse().unwrap();
        let arrived = stage.counts().contains_key(&(taken.network, taken.texts[part].clone()));
        let word = if arrived {
            json!({"key": key, "outcome": "published", "vendor_id": key})
        } else {
            json!({"key": key, "outcome": "not_published"})
        };
        person.post(&format!("/social/publications/{}/resolve", taken.id), &word).await.expect(202);
    }
}

/// The ledger adds up, each paid for what was published, nothing is reserved, and no work is left.
async fn check_books(database: &str, people: &[Person], charged: &BTreeMap<String, i64>, publications: usize) {
    let db = Db::open(database).await.unwrap();
    let mut tx = db.read().await.unwrap();
    let broken = ledger::audit(&mut tx).await.unwrap();
    assert!(broken.is_empty(), "{broken:?}");
    let workspaces: BTreeSet<_> = people.iter().map(|person| person.workspace).collect();
    for workspace in workspaces {
        let balance = ledger::balance(&mut tx, workspace).await.unwrap();
        let charged = charged.get(&workspace.to_string()).copied().unwrap_or(0);
        assert_eq!((balance.posted, balance.held), (CREDITS - charged, 0));
    }
    drop(tx);
    assert_eq!(count(&db, "select count(*) from publications").await, publications, "publications");
    assert_eq!(count(&db, "select count(*) from credit_holds where state = 'open'").await, 0, "open holds");
    let until = Instant::now() + Duration::from_secs(10);
    // A look for what a person has told meanwhile may be under way.
    while count(&db, "select count(*) from jobs").await > 0 {
        assert!(Instant::now() < until, "work is left");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn count(db: &Db, statement: &'static str) -> usize {
    let mut tx = db.read().await.unwrap();
    let count: i64 = on!(&mut tx, conn => sqlx::query_scalar(statement).fetch_one(conn).await).unwrap();
    usize::try_from(count).unwrap()
}
