//! What publishing costs: through the host, against native code with the same statements.
//!
//! Each way is a process of its own against a simulator in this one, so that its processor time is its own. Three ways:
//! `native` has no host at all; `direct` is a host that is given its publications by a call in its own process, as its
//! API would be; the third is the product's program with clients of its API.

pub(crate) mod direct;
pub(crate) mod native;

use crate::harness::{BOTH, Backend, Fault, Mode, Settings, settings};
use crate::process::{Part, Place, Process, Stage, connections};
use crate::table::{Table, Verdict, digits, median};
use orla::connectors::meter::Meter;
use orla::db::{Db, Tx};
use orla_vendors::x::Kind;
use serde_json::json;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const ROUNDS: usize = 5;
const IN_FLIGHT: usize = 64;
const WARM_UP: usize = 64;
/// How long the network takes to answer a post.
const VENDOR_MS: u64 = 50;
/// A publication calls its connector this often: `check` when it is taken in and `publish` when it is due.
const CALLS: f64 = 2.0;

/// The least share of the floor's publications a second.
const RATE: f64 = 0.9;
/// The most processor time that a call of a connector may add.
const ADDED_US: f64 = 100.0;
/// The most durable transactions of a publication.
const TRANSACTIONS: f64 = 5.0;

/// What publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Native,
    Direct,
    Api,
}

const WAYS: [(Way, &str); 3] = [
    (Way::Native, "native code, same statements"),
    (Way::Direct, "host, without its API"),
    (Way::Api, "host, through its API"),
];

/// Figures of one publication.
#[derive(Debug, Clone, Copy)]
struct Figures {
    /// A second.
    rate: f64,
    cpu_us: f64,
    transactions: f64,
    /// What the guest of the `publish` call took for itself, as the host metered it; none without a host.
    guest_us: Option<f64>,
}

/// Measures, prints, and tells whether every threshold holds.
pub(crate) async fn measure(count: usize) -> bool {
    let title = format!(
        "publish: {count} posts, {IN_FLIGHT} in flight, the network answers after {VENDOR_MS} ms; medians of {ROUNDS} rounds"
    );
    let mut rates = Table::new(title, &["way", "posts/s", "CPU µs a post", "ratio of posts/s"]);
    let mut costs = Table::new("publish: what a host adds to native code", &["what", "figure"]);
    for backend in BOTH {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let mut round = Vec::new();
            for (way, _) in WAYS {
                round.push(run(backend, way, count).await);
            }
            rounds.push(round);
        }
        for (index, (way, name)) in WAYS.into_iter().enumerate() {
            let of = |pick: fn(&Figures) -> f64| median(rounds.iter().map(|round| pick(&round[index])));
            let ratio = median(rounds.iter().map(|round| round[index].rate / round[0].rate));
            let name = format!("{backend:?}: {name}");
            let cells = [name, digits(of(|one| one.rate), 0), digits(of(|one| one.cpu_us), 0), digits(ratio, 2)];
            let cells = cells.each_ref().map(|cell| cell as &dyn std::fmt::Display);
            match way {
                // Clients, and the API that answers them, have no counterpart in the floor.
                Way::Native | Way::Api => rates.row(&cells),
                Way::Direct => rates.judged(&cells, &Verdict::at_least(ratio, RATE)),
            }
        }
        add_costs(&mut costs, backend, &rounds);
    }
    let rates_hold = rates.print();
    costs.print() && rates_hold
}

fn add_costs(costs: &mut Table, backend: Backend, rounds: &[Vec<Figures>]) {
    let added = |way: usize, to: usize| median(rounds.iter().map(|round| round[way].cpu_us - round[to].cpu_us));
    let post = added(1, 0);
    costs.row(&[&format!("{backend:?}: CPU µs added a post, without the API"), &digits(post, 0)]);
    let call = post / CALLS;
    let name = format!("{backend:?}: the same a call of a connector ({CALLS} a post)");
    costs.judged(&[&name, &digits(call, 0)], &Verdict::at_most(call, ADDED_US));
    let guest = median(rounds.iter().filter_map(|round| round[1].guest_us));
    let name = format!("{backend:?}: µs of which the guest of a call of `publish` takes for itself");
    costs.judged(&[&name, &digits(guest, 0)], &Verdict::at_most(guest, ADDED_US));
    costs.row(&[&format!("{backend:?}: CPU µs of the API a post"), &digits(added(2, 1), 0)]);
    let transactions = median(rounds.iter().map(|round| round[2].transactions));
    let name = format!("{backend:?}: durable transactions a post");
    costs.judged(&[&name, &digits(transactions, 2)], &Verdict::at_most(transactions, TRANSACTIONS));
}

fn network() -> Settings {
    // Posts of a warm-up may repeat.
    Settings { duplicate_window_s: 0, ..settings() }
}

/// Publishes so many posts one way, on a fresh database and against a fresh simulator.
async fn run(backend: Backend, way: Way, count: usize) -> Figures {
    let stage = Stage::with_accounts(backend, network(), IN_FLIGHT).await;
    let db = Db::open(&stage.place.database).await.unwrap();
    let delay = Fault::on("POST", "/2/tweets", Mode::DelayMs(VENDOR_MS));
    stage.host.sim.fault(delay.times(u32::try_from(WARM_UP + count).unwrap()));
    let mut publisher = Publisher::start(way, &stage).await;
    publisher.publish(&stage, WARM_UP).await;
    all_done(&db).await;
    let (cpu, transactions) = (publisher.process().cpu(), transactions(&db, &stage.place).await);
    let began = Instant::now();
    publisher.publish(&stage, count).await;
    all_done(&db).await;
    let took = began.elapsed();
    let (cpu, written) = (publisher.process().cpu() - cpu, self::transactions(&db, &stage.place).await - transactions);
    assert_eq!(stage.host.sim.posts().len(), WARM_UP + count, "each post is at the network once");
    let guest_us = if way == Way::Native { None } else { Some(guest_us(&db).await) };
    publisher.end().await;
    db.close().await;
    let posts = f64::from(u32::try_from(count).unwrap());
    Figures {
        guest_us,
        rate: posts / took.as_secs_f64(),
        cpu_us: cpu.as_secs_f64() * 1e6 / posts,
        transactions: f64::from(u32::try_from(written).unwrap()) / posts,
    }
}

/// A process that publishes.
enum Publisher {
    Ours(Box<Part>),
    Product(Process),
}

impl Publisher {
    async fn start(way: Way, stage: &Stage) -> Self {
        let place = &stage.place;
        match way {
            Way::Native => {
                // All accounts have the same bucket of posts there, so one token does for all.
                let tokens = stage.host.sim.tokens();
                let token = tokens.into_iter().find(|token| token.kind == Kind::Access).unwrap().value;
                Self::Ours(Box::new(place.part(&["part", "native", &place.database, &place.origin, &token])))
            }
            Way::Direct => Self::Ours(Box::new(place.part(&["part", "direct"]))),
            Way::Api => Self::Product(place.serve().await),
        }
    }

    fn process(&self) -> &Process {
        match self {
            Self::Ours(part) => &part.process,
            Self::Product(process) => process,
        }
    }

    async fn publish(&mut self, stage: &Stage, count: usize) {
        let ada = &stage.person;
        match self {
            Self::Ours(part) => part.carry_out(count).await,
            Self::Product(_) => {
                let connections = connections(ada, "twitter").await;
                let wish = |n: usize| {
                    let (ada, connection) = (ada.clone(), connections[n % connections.len()].clone());
                    async move {
                        let post = json!({"platform": "twitter", "connection_id": connection, "content": text(n)});
                        ada.publish(&post, &key()).await.expect(202);
                    }
                };
                at_once(count, wish).await;
            }
        }
    }

    async fn end(self) {
        match self {
            Self::Ours(part) => part.process.end().await,
            Self::Product(process) => process.end().await,
        }
    }
}

/// Does a piece of work so many times, in [`IN_FLIGHT`] tasks at once.
async fn at_once<F: Future<Output = ()> + Send + 'static>(count: usize, work: impl Fn(usize) -> F) {
    let (mut tasks, mut next) = (JoinSet::new(), 0..count);
    loop {
        while tasks.len() < IN_FLIGHT
            && let Some(n) = next.next()
        {
            tasks.spawn(work(n));
        }
        match tasks.join_next().await {
            Some(done) => done.unwrap(),
            None => return,
        }
    }
}

fn text(n: usize) -> String {
    format!("Post {n}: the shop opens at nine today, and there is cake.")
}

/// An idempotency key that nobody used before.
fn key() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Waits until no job is left. Seldom asked, since on SQLite asking takes a core from what is measured.
async fn all_done(db: &Db) {
    loop {
        let mut tx = db.read().await.unwrap();
        let jobs: i64 =
            orla::on!(&mut tx, conn => sqlx::query_scalar("select count(*) from jobs").fetch_one(conn).await).unwrap();
        drop(tx);
        if jobs == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The median of what the guests of the `publish` calls took for themselves, instantiating included.
async fn guest_us(db: &Db) -> f64 {
    let mut tx = db.read().await.unwrap();
    let meters: Vec<String> = orla::on!(&mut tx, conn =>
        sqlx::query_scalar("select meter from publication_events where state = 'published'").fetch_all(conn).await)
    .unwrap();
    median(meters.iter().map(|meter| serde_json::from_str::<Meter>(meter).unwrap().guest.as_secs_f64() * 1e6))
}

/// Transactions that wrote something, ever.
async fn transactions(db: &Db, place: &Place) -> i64 {
    match db.read().await.unwrap() {
        Tx::Sqlite(_) => {
            // The WAL's index counts them: `iChange` of its header, bytes 8 to 11 (sqlite.org/walformat.html, 2.1).
            let index = std::fs::File::open(place.data.join("orla.db-shm")).unwrap();
            let mut change = [0; 4];
            index.read_exact_at(&mut change, 8).unwrap();
            i64::from(u32::from_ne_bytes(change))
        }
        Tx::Postgres(mut conn) => {
            // Only a transaction that writes takes a number, and asking for the next takes none.
            let next = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
            sqlx::query_scalar(next).fetch_one(&mut *conn).await.unwrap()
        }
    }
}
