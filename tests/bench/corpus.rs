//! What a neighbour notices of hostile guests: the time that 99 % of his calls of a connector stay below, while one guest of
//! the corpus after the other attacks the host; and what they leave behind.

#[path = "../it/corpus/attacks.rs"]
#[expect(dead_code, reason = "made for the tests, of which this needs a part")]
mod attacks;
#[path = "../it/corpus/forged.rs"]
#[expect(dead_code, reason = "as above")]
mod forged;
#[path = "../it/corpus/stage.rs"]
#[expect(dead_code, reason = "as above")]
mod stage;

use crate::harness::{Backend, Host, Person, client, settings};
use crate::process::{self, Place, Process, account, free_port};
use crate::table::{Table, Verdict, digits};
use attacks::{Attack, EXHAUSTING, LYING, STRAYING};
use futures_util::future::join_all;
use orla::on;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The neighbour calls so often.
const BETWEEN_CALLS: Duration = Duration::from_millis(10);
const QUIET: Duration = Duration::from_secs(10);
/// How long each guest attacks, and how long before the neighbour is looked at.
const ATTACK: Duration = Duration::from_secs(5);
const LEAD: Duration = Duration::from_millis(500);
/// Attacks at the same time.
const AT_ONCE: usize = 8;
/// The most that the neighbour may notice.
const MOST_MS: f64 = 20.0;
/// What may be left behind, once the host has rested.
const MOST_LEFT_MIB: f64 = 10.0;
const REST: Duration = Duration::from_secs(150);
/// Calls at once before and after all, more than there are slots.
const CROWD: usize = 200;
/// Crowds before anything is held against the guests: by then, caches hold what they hold after a while of any use.
const WARMING: usize = 10;

/// What the attacks are called that are made one after the other in one row.
const STRAYS: &str = "asks for what must not leave";

/// Measures the attacks with these words in their names, prints, and tells whether the neighbour was left in peace.
pub(crate) async fn measure(words: &str) -> bool {
    let rows = rows(words);
    if rows.is_empty() {
        println!("no attack of the corpus has `{words}` in its name");
        return false;
    }
    let mut settings = settings();
    settings.accounts.extend((1..=AT_ONCE).map(account));
    let accounts: Vec<String> = (1..=AT_ONCE).map(process::name).collect();
    let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
    let (host, mallory) = stage::set_with(Backend::Sqlite, settings, &accounts).await;
    let ada = host.connected("ada", "twitter").await;
    host.app.stop().await;
    let place = place(&host);
    let mut process = serve(&place).await;
    let [mallory, ada] = [mallory, ada].map(|person| Person { url: place.url(), ..person });
    let title = format!(
        "corpus: {AT_ONCE} hostile guests at a time for {} s, and a neighbour who calls `check` of X through the API 100 times a \
         second (SQLite; p99 in ms)",
        ATTACK.as_secs()
    );
    let mut table = Table::new(title, &["guest", "ends", "quiet", "under attack", "later by"]);
    for _ in 0..WARMING {
        crowd(&mallory, CROWD).await;
    }
    let quiet = p99(calls(&ada, QUIET).await);
    let before = (process.memory_mib("VmRSS"), process.open_files());
    for (name, attacks) in rows {
        let (under, ends) = under(&mallory, &ada, &attacks).await;
        judge(&mut table, name, &ends, quiet, under);
        assert!(process.lives(), "the host died of a guest that {name}");
    }
    let again = p99(calls(&ada, QUIET).await);
    judge(&mut table, "after all of them", "", quiet, again);
    let peaceful = table.print();
    left_behind(&place, &process, &mallory, before).await && peaceful
}

/// The rows of the table: what the guests do, and the attacks that do it.
fn rows(words: &str) -> Vec<(&'static str, Vec<&'static Attack>)> {
    let each = EXHAUSTING.iter().chain(LYING).map(|attack| (attack.name, vec![attack]));
    let rows = each.chain([(STRAYS, STRAYING.iter().collect())]);
    rows.filter(|(name, _)| name.contains(words)).collect()
}

fn judge(table: &mut Table, guest: &str, ends: &str, quiet: f64, under: f64) {
    let verdict = Verdict::at_most(under - quiet, MOST_MS);
    table.judged(&[&guest, &ends, &digits(quiet, 1), &digits(under, 1), &digits(under - quiet, 1)], &verdict);
}

/// Where the host under measure runs: what the host in this process left, with its connectors.
fn place(host: &Host) -> Place {
    let config = host.app.config();
    Place {
        port: free_port(),
        data: host.data.path().to_owned(),
        database: config.database(),
        connectors: config.connectors_folder.clone(),
        origin: host.sim.origin(),
    }
}

async fn serve(place: &Place) -> Process {
    let mut command = place.serve_command();
    for id in ["PROBE", "FORGED"] {
        command
            .env(format!("ORLA_CONNECTORS__{id}__CLIENT_ID"), "orla-demo")
            .env(format!("ORLA_CONNECTORS__{id}__CLIENT_SECRET"), "orla-demo-secret")
            .env(format!("ORLA_CONNECTORS__{id}__ENDPOINTS__API"), &place.origin)
            .env(format!("ORLA_CONNECTORS__{id}__ENDPOINTS__WEB"), &place.origin);
    }
    place.start(&mut command).await.0
}

/// The same person with connections of their own, which end with what this is made for: none of them is left behind.
fn anew(person: &Person) -> Person {
    Person { http: client(), ..person.clone() }
}

/// The neighbour's calls, each begun when it was due, however long those before take. Gives how long each took, in
/// milliseconds.
async fn calls(neighbour: &Person, span: Duration) -> Vec<f64> {
    // Too long for X: the connector says so, and nothing else is done.
    let post = json!({"platform": "twitter", "content": "x".repeat(300)});
    let neighbour = anew(neighbour);
    let mut under_way = JoinSet::new();
    let began = Instant::now();
    let mut due = began;
    while due < began + span {
        tokio::time::sleep_until(due.into()).await;
        let (neighbour, post) = (neighbour.clone(), post.clone());
        under_way.spawn(async move {
            let answer = neighbour.post("/social/publish", &post).await;
            assert_eq!(answer.status, 422, "{}", answer.body);
            due.elapsed().as_secs_f64() * 1e3
        });
        due += BETWEEN_CALLS;
    }
    under_way.join_all().await
}

fn p99(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[(figures.len() * 99).div_ceil(100) - 1]
}

/// Lets guests attack, and gives the neighbour's p99 meanwhile and how the attacks ended.
async fn under(mallory: &Person, neighbour: &Person, attacks: &[&'static Attack]) -> (f64, String) {
    let mallory = &anew(mallory);
    let until = Instant::now() + LEAD + ATTACK;
    let mut accounts = BTreeMap::new();
    for platform in ["probe", forged::ID] {
        accounts.insert(platform, process::connections(mallory, platform).await);
    }
    let attackers = join_all((0..AT_ONCE).map(|first| attack(mallory, &accounts, attacks, first, until)));
    let (ended, figures) = tokio::join!(attackers, async {
        tokio::time::sleep(LEAD).await;
        calls(neighbour, ATTACK).await
    });
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    ended.into_iter().flatten().for_each(|end| *counts.entry(end).or_default() += 1);
    let ends: Vec<String> = counts.into_iter().map(|(end, count)| format!("{count} {end}")).collect();
    (p99(figures), ends.join(", "))
}

/// Attacks again and again until then; gives how each attack ended.
async fn attack(
    mallory: &Person,
    accounts: &BTreeMap<&str, Vec<String>>,
    attacks: &[&'static Attack],
    first: usize,
    until: Instant,
) -> Vec<String> {
    let mut ended = Vec::new();
    let mut attacks = attacks.iter().cycle().skip(first);
    while Instant::now() < until {
        let attack = attacks.next().expect("a cycle has no end");
        let mut post = attack.post();
        // The connector that is made by hand says of every account that it is the same.
        let own = &accounts[post["platform"].as_str().expect("a network")];
        post["connection_id"] = own[first % own.len()].as_str().into();
        ended.push(end(mallory, &post).await);
    }
    ended
}

/// Posts, and gives how it ended: the kind of its fault, or the code with which it was not taken.
async fn end(mallory: &Person, post: &Value) -> String {
    let answer = mallory.post("/social/publish", post).await;
    let Some(id) = answer.body["id"].as_str().filter(|_| answer.status == 202) else {
        return answer.body["code"].as_str().unwrap_or("unknown").to_owned();
    };
    let done = mallory.wait(id, &["published", "failed", "uncertain"]).await;
    done["fault"]["kind"].as_str().unwrap_or("no fault").to_owned()
}

/// Polite calls at once; each must be made.
async fn crowd(mallory: &Person, count: usize) {
    let mallory = &anew(mallory);
    let accounts = process::connections(mallory, "probe").await;
    let post = |n: usize| {
        let account = &accounts[n % accounts.len()];
        json!({"platform": "probe", "connection_id": account, "content": "fault politely"})
    };
    for end in join_all((0..count).map(|n| async move { end(mallory, &post(n)).await })).await {
        assert_eq!(end, "invalid", "a polite call is made");
    }
}

/// Whether the host is as it was before the attacks.
async fn left_behind(place: &Place, process: &Process, mallory: &Person, before: (f64, usize)) -> bool {
    let mut table = Table::new("corpus: what is left behind", &["what", "before", "after", "more"]);
    crowd(mallory, CROWD).await;
    let db = place.look().await;
    let rested = Instant::now() + REST;
    let (mut memory, mut files, mut open, mut jobs);
    loop {
        (memory, files) = (process.memory_mib("VmRSS"), process.open_files());
        let mut tx = db.read().await.unwrap();
        const HOLDS: &str = "select count(*) from credit_holds where state = 'open'";
        const JOBS: &str = "select count(*) from jobs";
        open = on!(&mut tx, conn => sqlx::query_scalar::<_, i64>(HOLDS).fetch_one(conn).await).unwrap();
        jobs = on!(&mut tx, conn => sqlx::query_scalar::<_, i64>(JOBS).fetch_one(conn).await).unwrap();
        let is_clean = memory - before.0 <= MOST_LEFT_MIB && files <= before.1 && open == 0 && jobs == 0;
        if is_clean || Instant::now() > rested {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let more = memory - before.0;
    let verdict = Verdict::at_most(more, MOST_LEFT_MIB);
    table.judged(&[&"resident memory, MiB", &digits(before.0, 1), &digits(memory, 1), &digits(more, 1)], &verdict);
    let more = files as f64 - before.1 as f64;
    table.judged(&[&"open files", &before.1, &files, &digits(more, 0)], &Verdict::at_most(more, 0.0));
    table.judged(&[&"open holds", &0, &open, &open], &Verdict::at_most(open as f64, 0.0));
    table.judged(&[&"jobs", &0, &jobs, &jobs], &Verdict::at_most(jobs as f64, 0.0));
    table.print()
}
