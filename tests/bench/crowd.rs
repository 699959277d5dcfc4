//! Many workspaces with accounts at several connectors, and many publications that are due in the same second.

use crate::harness::{Backend, Host, Person, Sim, settings};
use crate::platform::altered;
use crate::process::{Place, Process, account, connections, free_port, name};
use futures_util::StreamExt as _;
use orla::clock::Timestamp;
use orla::connectors::Memories;
use orla::db::Db;
use orla::on;
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;

/// What the connectors are called: the probe under other names.
pub(crate) const CONNECTORS: [&str; 4] = ["pro00", "pro01", "pro02", "pro03"];
/// Accounts at the networks, at least.
pub(crate) const ACCOUNTS: usize = 50;
/// In the text of a publication that is made many of: replaced by its number.
const NUMBER: &str = "{number}";

/// A database in which workspaces have connected accounts at all connectors, with no host running.
pub(crate) struct Crowd {
    pub(crate) host: Host,
    /// The network of the last connector alone.
    pub(crate) other: Sim,
    pub(crate) place: Place,
    pub(crate) people: Vec<Person>,
    _connectors: TempDir,
}

impl Crowd {
    pub(crate) async fn gather(backend: Backend, workspaces: usize) -> Self {
        let mut network = settings();
        network.duplicate_window_s = 0;
        network.accounts.extend((1..=workspaces.max(ACCOUNTS)).map(account));
        let other = Sim::start(network.clone()).await;
        let folder = TempDir::new().unwrap();
        let (into, origin) = (folder.path().to_owned(), other.origin());
        let host = Host::start_with(backend, network, |config| {
            let component = std::fs::read(config.connectors_folder.join("probe.wasm")).unwrap();
            let probe = config.connectors["probe"].clone();
            for id in CONNECTORS {
                std::fs::write(into.join(format!("{id}.wasm")), altered(&component, "probe", id)).unwrap();
                config.connectors.insert(id.to_owned(), probe.clone());
            }
            let last = config.connectors.get_mut(CONNECTORS[3]).unwrap();
            last.endpoints.values_mut().for_each(|endpoint| *endpoint = origin.clone());
            config.egress_allow.push(origin.trim_start_matches("http://").to_owned());
            config.connectors_folder = into;
            Memories::Pooled
        })
        .await;
        for id in CONNECTORS {
            for sim in [&host.sim, &other] {
                sim.register_redirect_uri(format!("{}/social/oauth/{id}/callback", host.url));
            }
        }
        let people = futures_util::stream::iter(1..=workspaces).map(|n| join(&host, &other, n)).buffered(4);
        let people = people.collect().await;
        let config = host.app.config().clone();
        let place = Place {
            port: free_port(),
            data: host.data.path().to_owned(),
            database: config.database(),
            connectors: config.connectors_folder,
            origin: host.sim.origin(),
        };
        Self { host, other, place, people, _connectors: folder }
    }

    /// Plans a publication for each account of each person at these connectors, and makes many of each. Gives how many there are.
    pub(crate) async fn plan(&self, people: &[Person], connectors: &[&str], of_each: usize) -> usize {
        let at = time_of(self.host.app.now().after(Duration::from_secs(24 * 60 * 60)));
        let mut planned = 0;
        for person in people {
            for id in connectors {
                for connection in connections(person, id).await {
                    let text = format!("commit a {NUMBER}");
                    let post = json!({"platform": id, "connection_id": connection, "content": text, "publish_at": at});
                    person.post("/social/publish", &post).await.expect(202);
                    planned += of_each;
                }
            }
        }
        multiply(self.host.app.db(), of_each).await;
        planned
    }

    /// Starts a node: the product's program, on a port and a data folder of its own.
    pub(crate) async fn node(&self) -> (Process, TempDir) {
        let data = TempDir::new().unwrap();
        std::fs::copy(self.place.data.join("master.key"), data.path().join("master.key")).unwrap();
        let Place { database, connectors, origin, .. } = &self.place;
        let place = Place {
            port: free_port(),
            data: data.path().to_owned(),
            database: database.clone(),
            connectors: connectors.clone(),
            origin: origin.clone(),
        };
        let mut command = place.serve_command();
        self.settle_in(&mut command);
        (place.start(&mut command).await.0, data)
    }

    fn settle_in(&self, command: &mut Command) {
        let allowed = [self.host.sim.origin(), self.other.origin()].map(|origin| origin.replace("http://", ""));
        command.env("ORLA_EGRESS_ALLOW", allowed.join(",")).env("ORLA_JOB_LEASE_MS", "5000");
        for id in CONNECTORS {
            let origin = if id == CONNECTORS[3] { self.other.origin() } else { self.host.sim.origin() };
            let id = id.to_uppercase();
            command
                .env(format!("ORLA_CONNECTORS__{id}__CLIENT_ID"), "orla-demo")
                .env(format!("ORLA_CONNECTORS__{id}__CLIENT_SECRET"), "orla-demo-secret")
                .env(format!("ORLA_CONNECTORS__{id}__ENDPOINTS__API"), &origin)
                .env(format!("ORLA_CONNECTORS__{id}__ENDPOINTS__WEB"), &origin);
        }
    }

    /// How often each post is at the networks, by its number.
    pub(crate) fn counts(&self) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for post in self.host.sim.posts().into_iter().chain(self.other.posts()) {
            *counts.entry(post.text).or_default() += 1;
        }
        counts
    }
}

async fn join(host: &Host, other: &Sim, n: usize) -> Person {
    let person = host.person(&name(n)).await;
    for id in CONNECTORS {
        let sim = if id == CONNECTORS[3] { other } else { &host.sim };
        person.connect(sim, id, &name(n)).await;
    }
    person
}

/// A time as the API writes it.
fn time_of(at: Timestamp) -> serde_json::Value {
    serde_json::to_value(at).unwrap()
}

/// Makes so many of each planned publication that names its number, each with a job of its own.
async fn multiply(db: &Db, of_each: usize) {
    let of_each = i64::try_from(of_each).unwrap();
    let mut tx = db.begin().await.unwrap();
    let new = if tx.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
    let publications = format!(
        "insert into publications (id, workspace_id, author_id, connection_id, connector, platform, parts, state, attempts,
            request_digest, price, created_at, updated_at, target, publish_at)
        with recursive numbers (n) as (select cast(1 as bigint) union all select n + 1 from numbers where n < $1)
        select {new}, workspace_id, author_id, connection_id, connector, platform,
            replace(parts, '{NUMBER}', connector || '-' || n || '-' || cast(connection_id as text)), state, 0,
            'made by the measure', 0, created_at, updated_at, target, publish_at
        from publications cross join numbers where parts like '%{NUMBER}%'"
    );
    // A blob is no text on SQLite.
    let publications = if tx.is_postgres() {
        publications
    } else {
        publications.replace("cast(connection_id as text)", "hex(connection_id)")
    };
    const JOBS: &str =
        "insert into jobs (id, kind, subject, due_at, attempts, created_at, queue, workspace_id, line, ready)
        select id, 'publish', id, publish_at, 0, created_at, connector, workspace_id, connection_id, 0
        from publications where request_digest = 'made by the measure' and state = 'scheduled'
        and not exists (select 1 from jobs where jobs.subject = publications.id)";
    let statements = [
        publications,
        JOBS.to_owned(),
        format!("delete from jobs where subject in (select id from publications where parts like '%{NUMBER}%')"),
        format!(
            "delete from publication_events where publication_id in (select id from publications where parts like '%{NUMBER}%')"
        ),
        format!("delete from publications where parts like '%{NUMBER}%'"),
    ];
    for (index, statement) in statements.into_iter().enumerate() {
        let statement = sqlx::AssertSqlSafe(statement);
        on!(&mut tx, conn => {
            let query = sqlx::query(statement);
            let query = if index == 0 { query.bind(of_each) } else { query };
            query.execute(conn).await.map(drop)
        })
        .unwrap();
    }
    tx.commit().await.unwrap();
}

/// Lets all that is planned be due then.
pub(crate) async fn due_at(db: &Db, at: Timestamp) {
    let mut tx = db.begin().await.unwrap();
    for statement in [
        "update publications set publish_at = $1 where state = 'scheduled'",
        "update jobs set due_at = $1 where kind = 'publish' and ready = 0",
    ] {
        on!(&mut tx, conn => sqlx::query(statement).bind(at).execute(conn).await.map(drop)).unwrap();
    }
    tx.commit().await.unwrap();
}

/// How late, in seconds, publications of a connector began (all where it is empty), in order.
pub(crate) async fn lateness(db: &Db, connector: &str) -> Vec<f64> {
    const BEGAN: &str = "select min(publication_events.at) - min(publications.publish_at)
        from publications join publication_events on publication_id = publications.id
        where publication_events.state = 'running' and ($1 = '' or connector = $1) group by publications.id";
    let mut tx = db.read().await.unwrap();
    let late: Vec<i64> = on!(&mut tx, conn => sqlx::query_scalar(BEGAN).bind(connector).fetch_all(conn).await).unwrap();
    let mut late: Vec<f64> = late.into_iter().map(|micros| micros as f64 / 1e6).collect();
    late.sort_by(f64::total_cmp);
    late
}

/// What so many percent stay below.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

/// How many publications are in each state, but for none.
pub(crate) async fn states(db: &Db) -> HashMap<String, i64> {
    const STATES: &str = "select state, count(*) from publications group by state";
    let mut tx = db.read().await.unwrap();
    let states: Vec<(String, i64)> = on!(&mut tx, conn => sqlx::query_as(STATES).fetch_all(conn).await).unwrap();
    states.into_iter().collect()
}
