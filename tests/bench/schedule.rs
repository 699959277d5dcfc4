//! The scheduler: many publications that are due in the same second, on one node and on three of which one is killed; what a
//! claim costs beside a million jobs to come; and what one's crowd, or a slow vendor, costs others.

use crate::crowd::{ACCOUNTS, CONNECTORS, Crowd, due_at, lateness, percentile, states};
use crate::harness::{BOTH, Backend, Fault, Host, Mode};
use crate::process::{Process, name};
use crate::table::{Table, Verdict, digits, median};
use orla::clock::Clock;
use orla::db::Db;
use orla::{jobs, on};
use std::time::{Duration, Instant};

const WORKSPACES: usize = 100;
const RUSH: usize = 10_000;
const NODES: usize = 3;
/// The least publications a second of one node on PostgreSQL.
const RATE: f64 = 500.0;
/// Until everything is due, so that the nodes have started.
const LEAD: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(600);

/// Jobs to come that a claim must not notice.
const FEW: i64 = 10_000;
const MANY: i64 = 1_000_000;
const TIMES: f64 = 1.3;
const CLAIMS: usize = 300;

/// Due posts of one workspace, and the most seconds that another's may be later for them.
const HOG: usize = 50_000;
const LATER_S: f64 = 2.0;
/// How long a slow vendor takes.
const SLOW: Duration = Duration::from_secs(30);

/// Measures, prints, and tells whether the thresholds hold.
pub(crate) async fn measure() -> bool {
    let mut holds = claims().await;
    for backend in BOTH {
        holds &= Box::pin(hog(backend)).await;
        holds &= Box::pin(slow(backend)).await;
    }
    holds & Box::pin(rush(1)).await & Box::pin(rush(NODES)).await
}

/// Waits until nothing is left to do; gives how long after a moment that was.
async fn finished(db: &Db, since: Instant, meanwhile: &mut impl FnMut(i64)) -> Duration {
    const LEFT: &str = "select count(*) from publications where state not in ('published', 'failed', 'cancelled')";
    loop {
        let left: i64 = {
            let mut tx = db.read().await.unwrap();
            on!(&mut tx, conn => sqlx::query_scalar(LEFT).fetch_one(conn).await).unwrap()
        };
        meanwhile(left);
        if left == 0 {
            return since.elapsed();
        }
        assert!(since.elapsed() < LONGEST, "{left} publications did not end: {:?}", states(db).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Everything is due in the same second; of several nodes one is killed half way.
async fn rush(nodes: usize) -> bool {
    let crowd = Crowd::gather(Backend::Postgres, WORKSPACES).await;
    let each = RUSH / WORKSPACES / CONNECTORS.len();
    let planned = crowd.plan(&crowd.people, &CONNECTORS, each).await;
    crowd.host.app.stop().await;
    let db = Db::open(&crowd.place.database).await.unwrap();
    let mut running: Vec<(Process, _)> = Vec::new();
    for _ in 0..nodes {
        running.push(crowd.node().await);
    }
    due_at(&db, Clock::System.now().after(LEAD)).await;
    let begins = Instant::now() + LEAD;
    tokio::time::sleep(LEAD).await;
    let mut victim = (nodes > 1).then(|| running.remove(0));
    let took = finished(&db, begins, &mut |left| {
        if usize::try_from(left).unwrap() < planned / 2 {
            // Dropping a process kills it.
            victim.take();
        }
    })
    .await;
    let (states, counts, late) = (states(&db).await, crowd.counts(), lateness(&db, "").await);
    let (published, at_once) =
        (states.get("published").copied().unwrap_or(0), counts.values().filter(|n| **n == 1).count());
    let twice = counts.values().filter(|n| **n > 1).count();
    let title = format!(
        "rush: {planned} publications of {WORKSPACES} workspaces at {} connectors, due in the same second, on PostgreSQL with {nodes} \
         node(s){}",
        CONNECTORS.len(),
        if nodes > 1 { ", one of them killed half way" } else { "" }
    );
    let mut table = Table::new(title, &["what", "figure"]);
    let rate = planned as f64 / took.as_secs_f64();
    let row = [&"publications a second" as &dyn std::fmt::Display, &digits(rate, 0)];
    if nodes == 1 {
        table.judged(&row, &Verdict::at_least(rate, RATE))
    } else {
        table.row(&row)
    }
    table.row(&[&"began late, seconds (p50)", &digits(percentile(&late, 50), 2)]);
    table.row(&[&"began late, seconds (p99)", &digits(percentile(&late, 99), 2)]);
    table.judged(&[&"published", &published], &Verdict::at_least(published as f64, planned as f64));
    table.judged(&[&"at the network once", &at_once], &Verdict::at_least(at_once as f64, planned as f64));
    table.judged(&[&"at the network twice", &twice], &Verdict::at_most(twice as f64, 0.0));
    db.close().await;
    table.print()
}

/// What a claim costs beside few and beside many jobs to come.
async fn claims() -> bool {
    let title = format!("claims: a batch of jobs, beside {FEW} and {MANY} jobs to come; medians of {CLAIMS}");
    let mut table = Table::new(title, &["database", "µs beside few", "µs beside many", "ratio"]);
    for backend in BOTH {
        let host = Host::start(backend).await;
        host.app.stop().await;
        let db = Db::open(&host.app.config().database()).await.unwrap();
        fill(&db, FEW, "few").await;
        fill(&db, 64, "ready").await;
        let few = claim_us(&db).await;
        fill(&db, MANY - FEW, "many").await;
        let many = claim_us(&db).await;
        let cells = [format!("{backend:?}"), digits(few, 0), digits(many, 0), digits(many / few, 2)];
        let cells = cells.each_ref().map(|cell| cell as &dyn std::fmt::Display);
        table.judged(&cells, &Verdict::at_most(many / few, TIMES));
        db.close().await;
    }
    table.print()
}

async fn claim_us(db: &Db) -> f64 {
    let mut took = Vec::with_capacity(CLAIMS);
    for _ in 0..CLAIMS {
        let (claimed, each) = jobs::claim_for_bench(db, Clock::System.now()).await.unwrap();
        took.push(each.as_secs_f64() * 1e6);
        assert_eq!(claimed, 16, "a batch is claimed, and given back");
    }
    median(took)
}

/// Jobs of a connector, each of a line of its own: ready ones, or of a year to come.
async fn fill(db: &Db, count: i64, kind: &str) {
    let mut tx = db.begin().await.unwrap();
    let new = if tx.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
    let ready = i64::from(kind == "ready");
    // A machine's clock may be set back a little meanwhile.
    let now = Clock::System.now();
    let due =
        if kind == "ready" { now.before(Duration::from_secs(60)) } else { now.after(Duration::from_secs(86_400)) };
    let statement = format!(
        "insert into jobs (id, kind, subject, due_at, attempts, created_at, queue, workspace_id, line, ready)
        with recursive numbers (n) as (select cast(1 as bigint) union all select n + 1 from numbers where n < $1)
        select {new}, 'reconcile', {new}, $2 + n * $3, 0, $2, 'x', {new}, {new}, $4 from numbers"
    );
    let statement = sqlx::AssertSqlSafe(statement);
    let spread = if kind == "ready" { 0_i64 } else { 30_000_000 };
    on!(&mut tx, conn => sqlx::query(statement).bind(count).bind(due).bind(spread).bind(ready).execute(conn).await.map(drop))
        .unwrap();
    tx.commit().await.unwrap();
    // What PostgreSQL would do by and by, while it is measured.
    let rest: &[&str] =
        if matches!(db, Db::Postgres(_)) { &["vacuum analyze jobs", "checkpoint"] } else { &["analyze"] };
    for statement in rest {
        let mut tx = db.begin_single().await.unwrap();
        on!(&mut tx, conn => sqlx::query(*statement).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    }
}

/// One workspace's crowd, and another's single post behind it.
async fn hog(backend: Backend) -> bool {
    let crowd = Crowd::gather(backend, 2).await;
    let (hog, other) = (&crowd.people[..1], &crowd.people[1..]);
    for n in 3..=ACCOUNTS {
        hog[0].connect(&crowd.host.sim, CONNECTORS[0], &name(n)).await;
    }
    let planned = crowd.plan(hog, &CONNECTORS[..1], HOG.div_ceil(ACCOUNTS - 1)).await;
    crowd.plan(other, &CONNECTORS[..1], 1).await;
    crowd.host.app.stop().await;
    let db = Db::open(&crowd.place.database).await.unwrap();
    let (node, _data) = crowd.node().await;
    // The crowd first.
    let due = Clock::System.now().after(LEAD);
    due_at(&db, due).await;
    let mut tx = db.begin().await.unwrap();
    let workspace = other[0].workspace;
    let later = due.after(Duration::from_secs(3));
    for statement in [
        "update publications set publish_at = $1 where workspace_id = $2",
        "update jobs set due_at = $1 where workspace_id = $2",
    ] {
        on!(&mut tx, conn => sqlx::query(statement).bind(later).bind(workspace).execute(conn).await.map(drop)).unwrap();
    }
    tx.commit().await.unwrap();
    const OTHERS: &str = "select publication_events.at - publications.publish_at
        from publications join publication_events on publication_id = publications.id
        where publications.workspace_id = $1 and publication_events.state = 'running'";
    let began = Instant::now();
    let late = loop {
        let mut tx = db.read().await.unwrap();
        let found: Option<i64> =
            on!(&mut tx, conn => sqlx::query_scalar(OTHERS).bind(workspace).fetch_optional(conn).await).unwrap();
        drop(tx);
        if let Some(micros) = found {
            break micros as f64 / 1e6;
        }
        assert!(began.elapsed() < LONGEST, "the other's post does not begin: {:?}", states(&db).await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let done = states(&db).await.get("published").copied().unwrap_or(0);
    node.end().await;
    db.close().await;
    let title = format!(
        "hog on {backend:?}: {planned} due posts of one workspace's {} accounts, and one of another's 3 s later",
        ACCOUNTS - 1
    );
    let mut table = Table::new(title, &["what", "figure"]);
    table.row(&[&"of the crowd, published by then", &done]);
    table.judged(&[&"the other's began late, seconds", &digits(late, 2)], &Verdict::at_most(late, LATER_S));
    table.print()
}

/// A vendor that takes half a minute for each answer, and the posts of others beside it.
async fn slow(backend: Backend) -> bool {
    const EACH: usize = 20;
    const PEOPLE: usize = 20;
    let crowd = Crowd::gather(backend, PEOPLE).await;
    let planned = crowd.plan(&crowd.people, &CONNECTORS, EACH).await;
    let delay = u64::try_from(SLOW.as_millis()).unwrap();
    crowd.other.fault(Fault::on("POST", "/2/tweets", Mode::DelayMs(delay)).times(u32::MAX));
    crowd.host.app.stop().await;
    let db = Db::open(&crowd.place.database).await.unwrap();
    let (node, _data) = crowd.node().await;
    due_at(&db, Clock::System.now().after(LEAD)).await;
    let quick = planned * 3 / 4;
    let began = Instant::now();
    while usize::try_from(states(&db).await.get("published").copied().unwrap_or(0)).unwrap() < quick {
        assert!(began.elapsed() < LONGEST, "the quick ones do not end: {:?}", states(&db).await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let took = began.elapsed() - LEAD;
    let mut late: Vec<f64> = Vec::new();
    for id in &CONNECTORS[..3] {
        late.extend(lateness(&db, id).await);
    }
    late.sort_by(f64::total_cmp);
    node.end().await;
    db.close().await;
    let title = format!(
        "slow on {backend:?}: {planned} posts of {PEOPLE} workspaces due in the same second; a quarter of them at a vendor that takes \
         {} s for each",
        SLOW.as_secs()
    );
    let mut table = Table::new(title, &["what", "figure"]);
    table.row(&[&"seconds until all at the other vendors were out", &digits(took.as_secs_f64(), 1)]);
    let most = percentile(&late, 100);
    table.judged(
        &[&"the last of them began late, seconds", &digits(most, 2)],
        &Verdict::at_most(most, SLOW.as_secs_f64() / 3.0),
    );
    table.print()
}
