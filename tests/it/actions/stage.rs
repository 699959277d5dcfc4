//! A host whose clock can be moved on, three persons who use it, and one who only has something there.

use super::actor::{Actor, Shared};
use crate::harness::{Backend, Host, Person, client, price};
use orla::clock::{Clock, Timestamp};
use orla::on;
use orla_vendors::x::{Account, Posted};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

const NAMES: [&str; 3] = ["ann", "bob", "cyd"];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How far behind the network's clock the host's begins. It is never moved beyond it: what the network made at the present
/// would be older than the request for it.
const BEHIND: Duration = Duration::from_secs(300 * 24 * 60 * 60);
pub(super) const PRICE: i64 = 3;
pub(super) const CREDITS: i64 = 150;

pub(super) struct Stage {
    pub(super) host: Host,
    pub(super) actors: Vec<Actor>,
    pub(super) shared: Shared,
    bystander: Person,
    micros: Arc<AtomicI64>,
    ticking: Ticking,
}

/// What lets a clock that is moved by hand go on by itself as well.
struct Ticking(JoinHandle<()>);

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn tick(micros: Arc<AtomicI64>) -> Ticking {
    Ticking(tokio::spawn(async move {
        let mut last = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let now = Instant::now();
            micros.fetch_add(i64::try_from((now - last).as_micros()).unwrap(), Ordering::SeqCst);
            last = now;
        }
    }))
}

impl Stage {
    pub(super) async fn set(backend: Backend, rng: &mut StdRng) -> Self {
        let micros = Arc::new(AtomicI64::new(Clock::System.now().before(BEHIND).0));
        let ticking = tick(micros.clone());
        let host = Host::start_by(backend, Clock::Manual(micros.clone())).await;
        let accounts = NAMES.iter().chain(&["dan"]).zip(1_u64..);
        let accounts = accounts.map(|(name, n)| Account::new(&format!("180000000000000010{n}"), name, name));
        host.sim.change(|settings| settings.accounts = accounts.collect());
        price(&host.app, PRICE).await;
        let document: Value =
            client().get(format!("{}/openapi.json", host.url)).send().await.unwrap().json().await.unwrap();
        let shared = Shared::new(&document, host.sim.state().clone(), Clock::Manual(micros.clone()));
        let mut actors = Vec::new();
        for name in NAMES {
            let person = host.person(name).await;
            person.connect(&host.sim, "twitter", name).await;
            host.grant(person.workspace, CREDITS).await;
            actors.push(Actor::new(name, person, rng.random()));
        }
        let bystander = host.person("dan").await;
        bystander.connect(&host.sim, "twitter", "dan").await;
        host.grant(bystander.workspace, CREDITS).await;
        let stage = Self { host, actors, shared, bystander, micros, ticking };
        stage.settle_bystander().await;
        stage
    }

    /// He publishes something, and plans something for much later.
    async fn settle_bystander(&self) {
        let dan = &self.bystander;
        let now = json!({"platform": "twitter", "content": "dan was here"});
        let done = dan.published(&now, "now", &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        let at = self.now().after(DAY * 700);
        let later = json!({"platform": "twitter", "content": "dan will be here", "publish_at": at});
        dan.publish(&later, "later").await.expect(202);
    }

    /// All that the bystander has.
    pub(super) async fn bystanders_things(&self) -> Vec<Value> {
        let dan = Person::log_in(&self.host.url, "dan@example.org").await;
        let mut things = Vec::new();
        for path in ["/social/publications", "/credits/balance", "/social/connections", "/schedules"] {
            things.push(dan.get(path).await.expect(200));
        }
        things
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp(self.micros.load(Ordering::SeqCst))
    }

    /// Time passes, once nobody is at work: else it would seem that the host had been asleep in the middle of it.
    pub(super) async fn pass(&mut self, time: Duration) {
        for _ in 0..100 {
            if self.count("select count(*) from jobs where lease is not null", None).await == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let later = self.now().after(time);
        if later < Clock::System.now() {
            self.shared.tell(format!("{} minutes pass", time.as_secs() / 60));
            self.micros.fetch_max(later.0, Ordering::SeqCst);
            self.host.app.wake_worker();
        }
        self.sign_in().await;
    }

    /// Sessions end as time passes.
    async fn sign_in(&mut self) {
        for actor in &mut self.actors {
            actor.person = Person::log_in(&self.host.url, &format!("{}@example.org", actor.name)).await;
        }
    }

    /// The host stops, and starts again.
    pub(super) async fn again(self) -> Self {
        self.shared.tell("the host stops and starts".to_owned());
        let host = self.host.again().await;
        let mut stage = Self { host, ..self };
        stage.sign_in().await;
        stage
    }

    /// Everybody takes back at the network what was granted.
    pub(super) fn revoke(&self) {
        self.shared.tell("the network ends all tokens".to_owned());
        self.host.sim.revoke_all();
    }

    pub(super) fn posts(&self) -> Vec<Posted> {
        self.host.sim.posts()
    }

    pub(super) async fn count(&self, statement: &'static str, now: Option<Timestamp>) -> i64 {
        let mut tx = self.host.app.db().read().await.unwrap();
        match now {
            Some(now) => on!(&mut tx, conn => sqlx::query_scalar(statement).bind(now).fetch_one(conn).await).unwrap(),
            None => on!(&mut tx, conn => sqlx::query_scalar(statement).fetch_one(conn).await).unwrap(),
        }
    }

    /// Nothing goes wrong at the network any more, and all that can end does.
    pub(super) async fn come_to_rest(&mut self) {
        // Of work that waits for a later time, such as the next look for what was lost, nothing is expected.
        const UNDER_WAY: &str = "select count(*) from publications where state in ('due', 'running', 'pending')
            or state = 'scheduled' and publish_at <= $1";
        const DUE: &str = "select count(*) from jobs where due_at <= $1";
        self.shared.tell("rest".to_owned());
        self.host.sim.clear_faults();
        let mut quiet = 0;
        for _ in 0..1_200 {
            let now = self.now();
            let left = self.count(UNDER_WAY, Some(now)).await + self.count(DUE, Some(now)).await;
            quiet = if left == 0 { quiet + 1 } else { 0 };
            match quiet {
                // Time stands still from here on, so nothing more comes due while it is looked at.
                3 => self.ticking.0.abort(),
                6 => return self.sign_in().await,
                0 if self.ticking.0.is_finished() => self.ticking = tick(self.micros.clone()),
                _ => {}
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("what was asked for does not come to rest");
    }

    pub(super) async fn close(self) {
        self.host.app.stop().await;
    }
}
