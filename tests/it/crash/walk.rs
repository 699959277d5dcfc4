//! What all crash walks share: a host that dies at its n-th durable write, and another that goes on with what is left.

use crate::harness::{Answer, Host, Person, Place, Process};
use orla::db::Db;
use orla::{ledger, on};
use serde_json::Value;
use std::time::Duration;

pub(crate) const PUBLICATIONS: &str = "/social/publications";

/// How long a host may live on without dying and without ending what it was asked for.
const PATIENCE: Duration = Duration::from_secs(3);

/// The writes at which a host dies.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sides {
    /// Just before each, and just after it.
    Both,
    /// Before the odd ones and after the even ones, or the other way round: for walks that have to wait in each round.
    Alternating(bool),
}

impl Sides {
    fn of(self, write: u32) -> Vec<String> {
        let (before, after) = (format!("{write}"), format!("{write}+"));
        match self {
            Self::Both => vec![before, after],
            Self::Alternating(first) => vec![if write.is_multiple_of(2) == first { before } else { after }],
        }
    }
}

/// Goes on from write to write until nothing dies any more. `round` is told at which, and tells whether the host died there.
/// Gives the number of rounds.
pub(crate) async fn walk(sides: Sides, at_least: u32, mut round: impl AsyncFnMut(&str) -> bool) -> u32 {
    let (mut survived, mut deaths, mut write, mut rounds) = (0, 0, 0, 0);
    while survived < 2 {
        write += 1;
        for crash_at in sides.of(write) {
            let died = round(&crash_at).await;
            survived = if died { 0 } else { survived + 1 };
            (deaths, rounds) = (deaths + u32::from(died), rounds + 1);
        }
        assert!(write < 80, "{write} writes");
    }
    assert!(deaths >= at_least, "the host died only {deaths} times in {write} writes");
    rounds
}

/// Where hosts die, and who asks them.
pub(crate) struct Ground<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) person: Person,
    pub(crate) db: Db,
}

impl<'a> Ground<'a> {
    /// Goes on with the data and the database of a host in this process, which is stopped.
    pub(crate) async fn after(host: &'a Host, person: Person, also: Vec<(&'static str, String)>) -> Self {
        let mut place = Place { also, ..Place::after(host).await };
        // Whoever comes back need not wait long for what the dead one had in hand.
        place.also.push(("ORLA_JOB_LEASE_MS", "500".to_owned()));
        let db = Db::open(&place.database).await.unwrap();
        Self { person: Person { url: place.url(), ..person }, place, db }
    }

    /// A host lives until its write, while `act` has it do something and until that has `ended`. Tells whether it died.
    pub(crate) async fn die(&self, crash_at: &str, act: impl AsyncFnOnce(), ended: impl AsyncFn() -> bool) -> bool {
        let mut host = self.place.start(Some(crash_at));
        if !self.place.serving(&mut host).await {
            return true;
        }
        act().await;
        let began = std::time::Instant::now();
        while began.elapsed() < PATIENCE {
            if host.has_ended() {
                return true;
            }
            if ended().await {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    /// One round: a host is asked and dies, the next one is asked again for the same and lives until that is published.
    pub(crate) async fn round(&self, wish: &Wish<'_>) -> bool {
        let act = async || {
            // A connection that breaks is what a crash looks like from outside.
            let _ = self.ask(wish).await;
        };
        let died = self.die(wish.key, act, async || self.newest_has_ended(wish).await).await;
        let _host = self.host().await;
        let done = self.done(wish).await;
        assert_eq!(done["state"], "published", "crash at {}: {done:#}", wish.key);
        // A reply's receipt is not of parts.
        let parts = done["receipt"].as_array().into_iter().flatten();
        assert!(done["receipt"].is_object() || parts.clone().count() > 0, "{done:#}");
        assert!(parts.into_iter().all(|part| part["outcome"] == "done"), "{done:#}");
        died
    }

    /// A host that lives as long as what is given.
    pub(crate) async fn host(&self) -> Process {
        let mut host = self.place.start(None);
        assert!(self.place.serving(&mut host).await, "the host starts again");
        host
    }

    /// Asks again, and waits until it has ended.
    pub(crate) async fn done(&self, wish: &Wish<'_>) -> Value {
        let taken = Answer::of(self.ask(wish).await.unwrap()).await.expect(202);
        self.until(wish.list, taken["id"].as_str().unwrap(), is_over).await
    }

    /// Waits until what was asked for is as wanted.
    pub(crate) async fn until(&self, list: &str, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..600 {
            last = self.person.get(&format!("{list}/{id}")).await.expect(200);
            if wanted(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not come to an end: {last:#}");
    }

    pub(crate) async fn ask(&self, wish: &Wish<'_>) -> reqwest::Result<reqwest::Response> {
        let person = &self.person;
        let request = person.http.post(format!("{}{}", person.url, wish.path)).bearer_auth(&person.token);
        request.header("idempotency-key", wish.key).json(&wish.body).send().await
    }

    /// Whether what was asked for last has ended while its host still lives.
    pub(crate) async fn newest_has_ended(&self, wish: &Wish<'_>) -> bool {
        let newest = format!("{}{}?limit=1", self.person.url, wish.list);
        let Ok(list) = self.person.http.get(newest).bearer_auth(&self.person.token).send().await else { return false };
        list.json::<Value>().await.is_ok_and(|list| is_over(&list["items"][0]))
    }

    /// Waits until a host has done all work that is left.
    pub(crate) async fn all_work_done(&self) {
        let _host = self.host().await;
        for _ in 0..300 {
            let mut tx = self.db.read().await.unwrap();
            let jobs: i64 = on!(&mut tx, conn => sqlx::query_scalar(JOBS).fetch_one(conn).await).unwrap();
            if jobs == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("work is left, and no host does it");
    }

    /// The ledger adds up, nothing is reserved, no work is left, and so many credits are there.
    pub(crate) async fn check_books(&self, credits: i64) {
        check_books(&self.db).await;
        let mut tx = self.db.read().await.unwrap();
        assert_eq!(ledger::balance(&mut tx, self.person.workspace).await.unwrap().posted, credits);
    }
}

const JOBS: &str = "select count(*) from jobs";

/// The ledger adds up, nothing is reserved, and no work is left.
async fn check_books(db: &Db) {
    let mut tx = db.read().await.unwrap();
    let broken = ledger::audit(&mut tx).await.unwrap();
    assert!(broken.is_empty(), "{broken:?}");
    for (what, statement) in [("open holds", "select count(*) from credit_holds where state = 'open'"), ("jobs", JOBS)]
    {
        let count: i64 = on!(&mut tx, conn => sqlx::query_scalar(statement).fetch_one(conn).await).unwrap();
        assert_eq!(count, 0, "{what}");
    }
}

/// Whether nothing more becomes of a publication.
pub(crate) fn is_over(publication: &Value) -> bool {
    matches!(publication["state"].as_str(), Some("published" | "failed" | "cancelled"))
}

/// What is asked for with a key, and where it is seen.
pub(crate) struct Wish<'a> {
    /// Where it is asked for.
    pub(crate) path: String,
    /// Where such wishes are listed.
    pub(crate) list: &'static str,
    /// The idempotency key: at which write the first host dies.
    pub(crate) key: &'a str,
    pub(crate) body: Value,
}

impl<'a> Wish<'a> {
    /// A publication.
    pub(crate) fn publish(key: &'a str, body: Value) -> Self {
        Self { path: "/social/publish".to_owned(), list: PUBLICATIONS, key, body }
    }
}
