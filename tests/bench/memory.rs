//! What a host takes before it does anything, what each call of a connector in flight takes, and whether everything that
//! it is for fits into a small machine.

use crate::harness::{Answer, Backend, Fault, Host, Mode, Person, Settings, Sim, client, settings};
use crate::limited::Limited;
use crate::process::{Place, Process, account, connections, free_port, name};
use crate::table::{Table, Verdict, digits, median};
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const COLD_STARTS: usize = 3;
const WARM_STARTS: usize = 9;
const ROUNDS: usize = 3;
/// Calls in flight, beyond the first.
const MORE: usize = 32;
/// How long the network lets them wait, to be looked at meanwhile.
const HELD_MS: u64 = 3_000;
/// Posts at once in the small machine.
const CROWD: usize = 64;
/// What everything must fit into.
const SMALL_MIB: u32 = 512;

/// Measures, prints, and tells whether everything fits.
pub(crate) async fn measure() -> bool {
    let connectors = only_x().await;
    let mut table =
        Table::new("memory: the product's program with the connector X, on SQLite", &["what", "figure", ""]);
    starts(&mut table, connectors.path()).await;
    in_flight(&mut table, connectors.path()).await;
    in_a_small_machine(&mut table, connectors.path()).await;
    table.print()
}

/// A folder with the one connector that the product comes with.
async fn only_x() -> TempDir {
    let host = Host::start(Backend::Sqlite).await;
    let folder = TempDir::new().unwrap();
    std::fs::copy(host.app.config().connectors_folder.join("x.wasm"), folder.path().join("x.wasm")).unwrap();
    host.app.stop().await;
    folder
}

fn place(data: &TempDir, connectors: &Path, sim: &Sim) -> Place {
    let place = Place {
        port: free_port(),
        data: data.path().to_owned(),
        database: format!("sqlite:{}", data.path().join("orla.db").display()),
        connectors: connectors.to_owned(),
        origin: sim.origin(),
    };
    sim.register_redirect_uri(format!("{}/social/oauth/twitter/callback", place.url()));
    place
}

/// With so many accounts: what goes to the same one goes out one after the other.
fn network(count: usize) -> Settings {
    let mut settings = Settings { duplicate_window_s: 0, ..settings() };
    settings.accounts.extend((1..count).map(account));
    settings
}

async fn starts(table: &mut Table, connectors: &Path) {
    let sim = Sim::start(network(1)).await;
    let (mut cold, mut warm, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..COLD_STARTS {
        let data = TempDir::new().unwrap();
        let place = place(&data, connectors, &sim);
        let (host, took) = place.start(&mut place.serve_command()).await;
        cold.push(took.as_secs_f64() * 1e3);
        host.end().await;
        for _ in 0..WARM_STARTS / COLD_STARTS {
            let (host, took) = place.start(&mut place.serve_command()).await;
            warm.push(took.as_secs_f64() * 1e3);
            tokio::time::sleep(Duration::from_millis(500)).await;
            idle.push(host.memory_mib("VmRSS"));
            host.end().await;
        }
    }
    table.row(&[&"from start to ready, everything compiled and a new database", &digits(median(cold), 0), &"ms"]);
    table.row(&[&"from start to ready, the next time", &digits(median(warm), 0), &"ms"]);
    table.row(&[&"resident when idle", &digits(median(idle), 1), &"MiB"]);
}

async fn in_flight(table: &mut Table, connectors: &Path) {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let sim = Sim::start(network(MORE + 1)).await;
        let data = TempDir::new().unwrap();
        let place = place(&data, connectors, &sim);
        let host = place.serve().await;
        let (person, accounts) = newcomer(&place, &sim, MORE + 1).await;
        sim.fault(Fault::on("POST", "/2/tweets", Mode::DelayMs(HELD_MS)).times(u32::try_from(MORE + 2).unwrap()));
        let one = resident_while_held(&host, &person, &sim, &accounts[..1]).await;
        let many = resident_while_held(&host, &person, &sim, &accounts).await;
        rounds.push((many - one) * 1024.0 / f64::from(u32::try_from(MORE).unwrap()));
        host.end().await;
    }
    let name = format!("resident for each of {MORE} further calls in flight");
    table.row(&[&name, &digits(median(rounds), 0), &"KiB"]);
}

/// Publishes a post to each of these accounts that the network answers late, and gives the host's resident memory while
/// it waits for all.
async fn resident_while_held(host: &Process, person: &Person, sim: &Sim, accounts: &[String]) -> f64 {
    let (before, count) = (sim.posts().len(), accounts.len());
    publish(person, accounts).await;
    let arrived = || sim.counts().get("POST /2/tweets").copied().unwrap_or(0);
    while arrived() < (before + count) as u64 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(sim.posts().len(), before, "none of them was answered yet");
    let resident = host.memory_mib("VmRSS");
    while sim.posts().len() < before + count {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    resident
}

async fn publish(person: &Person, accounts: &[String]) {
    let wishes = stream::iter(accounts.iter().enumerate()).for_each_concurrent(CROWD, async |(n, account)| {
        let content = format!("Post {n}: there is cake.");
        let post = json!({"platform": "twitter", "content": content, "connection_id": account});
        person.publish(&post, &uuid::Uuid::now_v7().to_string()).await.expect(202);
    });
    wishes.await;
}

/// Everything that a host is for, in a group of processes that may not have more.
async fn in_a_small_machine(table: &mut Table, connectors: &Path) {
    let sim = Sim::start(network(CROWD)).await;
    let data = TempDir::new().unwrap();
    let place = place(&data, connectors, &sim);
    let group = Limited::to_bytes(u64::from(SMALL_MIB) << 20);
    let mut command = place.serve_command();
    if let Some(group) = &group {
        command = group.command(&command);
    }
    let (host, _) = place.start(&mut command).await;
    if let Some(group) = &group {
        let name = format!("in {SMALL_MIB} MiB: compiles and starts; peak of host, compiler and page cache");
        table.row(&[&name, &digits(group.peak_mib(), 1), &"MiB"]);
    }
    let (person, accounts) = newcomer(&place, &sim, CROWD).await;
    let picture = format!("{}/pictures/big-4000000.png", sim.origin());
    let post = json!({
        "platform": "twitter", "content": "Look, a cake.", "media_urls": [picture], "connection_id": accounts[0],
    });
    person.published(&post, "a picture", &["published"]).await;
    let delay = Fault::on("POST", "/2/tweets", Mode::DelayMs(500));
    sim.fault(delay.times(u32::try_from(CROWD).unwrap()));
    publish(&person, &accounts).await;
    while sim.posts().len() < CROWD + 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let most = host.memory_mib("VmHWM");
    let did = format!("signs up, connects, publishes a picture of 4 MB and {CROWD} posts at once");
    let (name, figure) = match &group {
        Some(group) => (format!("in {SMALL_MIB} MiB: {did}; peak of all and page cache"), group.peak_mib()),
        None => (format!("{did}; peak of the host alone (no control group can be made)"), most),
    };
    table.judged(&[&name, &digits(figure, 1), &"MiB"], &Verdict::at_most(figure, f64::from(SMALL_MIB)));
    table.row(&[&"of it the host's own, at its peak (VmHWM)", &digits(most, 1), &"MiB"]);
    host.end().await;
}

/// A person who signed up at a host in a process of its own, and connected so many accounts: their ids.
async fn newcomer(place: &Place, sim: &Sim, count: usize) -> (Person, Vec<String>) {
    let (http, url, email) = (client(), place.url(), "ada@example.org");
    let register = json!({"email": email, "password": "Correct1Horse"});
    Answer::of(http.post(format!("{url}/auth/register")).json(&register).send().await.unwrap()).await.expect(201);
    Answer::of(http.get(mailed_link(&place.data).await).send().await.unwrap()).await.expect(200);
    let person = Person::log_in(&url, email).await;
    person.connect(sim, "twitter", "orla_demo").await;
    for n in 1..count {
        person.connect(sim, "twitter", &name(n)).await;
    }
    let accounts = connections(&person, "twitter").await;
    (person, accounts)
}

/// The link in the one mail of a host.
async fn mailed_link(data: &Path) -> String {
    for _ in 0..500 {
        let mails = std::fs::read_dir(data.join("mail")).into_iter().flatten();
        let mail = mails.map(|mail| mail.unwrap().path()).find(|path| path.extension().is_some_and(|end| end == "eml"));
        if let Some(mail) = mail {
            let text = std::fs::read_to_string(mail).unwrap();
            return text.split_whitespace().find(|word| word.starts_with("http")).expect("a link").to_owned();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the host sent no mail");
}
