//! Where secrets are not: guests' memories, answers, the journal, logs, and the database in clear.

pub(crate) mod memory;

use crate::harness::{BOTH, Backend, Fault, Host, Mode, Settings, settings};
use memory::Watched;
use orla::connectors::Memories;
use orla::db::Tx;
use serde_json::json;
use std::sync::{Arc, Mutex, OnceLock};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

/// How every token of the simulator begins here.
const MARK: &str = "MARKED7F3A";
/// What the probe plants in its own memory, so that a scan that finds nothing is known to have looked.
const CONTROL: &str = "CONTROL-TOKEN-IN-GUEST-MEMORY-7f3a";

/// Log lines, as an operator would read them.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// All of them so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

static LINES: OnceLock<Lines> = OnceLock::new();

/// The log of this process from now on. A subscriber is global, so the log of neighbouring tests is in it and held to the
/// same.
pub(crate) fn log() -> Lines {
    let install = || {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(LevelFilter::DEBUG).with(layer))
            .unwrap();
        lines
    };
    LINES.get_or_init(install).clone()
}

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Everything that the database holds, as text and raw bytes.
pub(crate) async fn dump(host: &Host) -> Vec<u8> {
    let mut all = Vec::new();
    for file in ["orla.db", "orla.db-wal"] {
        all.extend(std::fs::read(host.data.path().join(file)).unwrap_or_default());
    }
    let mut tx: Tx = host.app.db().read().await.unwrap();
    if tx.is_postgres() {
        for table in [
            "connections",
            "connection_secrets",
            "connection_targets",
            "connector_apps",
            "oauth_states",
            "effects",
            "publications",
            "publication_events",
            "jobs",
            "runs",
            "blobs",
        ] {
            let statement =
                sqlx::AssertSqlSafe(format!("select coalesce(string_agg(t::text, '\n'), '') from {table} t"));
            let Tx::Postgres(guard) = &mut tx else { unreachable!("asked above") };
            let text: String = sqlx::query_scalar(statement).fetch_one(&mut **guard).await.unwrap();
            // Bytes appear in hex.
            all.extend_from_slice(text.as_bytes());
            let hex: String = text
                .split("\\x")
                .skip(1)
                .filter_map(|rest| rest.split(|c: char| !c.is_ascii_hexdigit()).next())
                .collect();
            all.extend(hex::decode(&hex[..hex.len() / 2 * 2]).unwrap_or_default());
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_reaches_a_guest_an_answer_the_log_or_the_database() {
    let lines = log();
    for backend in BOTH {
        scan(backend, &lines).await;
    }
}

async fn scan(backend: Backend, lines: &Lines) {
    let watched = Watched::new([MARK, CONTROL, "orla-demo-secret"]);
    let memories = Memories::From(Arc::new(watched.clone()));
    let settings = Settings { token_prefix: MARK.to_owned(), access_lifetime_s: 2, ..settings() };
    let host = Host::start_with(backend, settings, |config| {
        config.concurrent_calls = 4;
        memories
    })
    .await;
    assert_eq!(host.app.connectors().platforms(), ["fields", "hook", "probe", "twitter"]);
    let ada = host.connected("ada", "probe").await;
    ada.connect(&host.sim, "twitter", "orla_demo").await;
    let mut answers = Vec::new();
    // The vendor echoes the token in body and headers; the probe logs and publishes all that it sees.
    host.sim.fault(Fault::on("GET", "/2/users/me", Mode::EchoToken).times(2));
    let echo = json!({"platform": "probe", "content": "read /2/users/me\necho"});
    answers.push(ada.published(&echo, "echo", &["published", "failed"]).await);
    // A refresh, a failed one, and an error that repeats what was sent.
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    host.sim.fault(Fault::on("POST", "/2/oauth2/token", Mode::status(500)));
    let thread = json!({"platform": "twitter", "parts": [{"text": "one"}, {"text": "two"}]});
    answers.push(ada.published(&thread, "thread", &["published", "failed"]).await);
    host.sim.fault(Fault::on("POST", "/2/tweets", Mode::EchoToken));
    answers.push(
        ada.published(&json!({"platform": "twitter", "content": "three"}), "three", &["published", "failed"]).await,
    );
    let plant = json!({"platform": "probe", "content": "holdtoken\ncommit a planted"});
    answers.push(ada.published(&plant, "plant", &["published", "failed"]).await);
    for path in ["/social/connections", "/social/publications", "/auth/me"] {
        answers.push(ada.get(path).await.expect(200));
    }
    assert!(host.sim.tokens().len() >= 6, "tokens were minted");
    assert!(watched.hits(CONTROL) > 0, "the scan of guests' memories finds what is there");
    assert_eq!(watched.hits(MARK), 0, "a token was in a guest's memory");
    assert_eq!(watched.hits("orla-demo-secret"), 0, "the app's secret was in a guest's memory");
    let (answers, database) = (serde_json::to_vec(&answers).unwrap(), dump(&host).await);
    let log = lines.bytes();
    for (what, bytes) in [("an answer", &answers), ("the log", &log), ("the database", &database)] {
        assert!(bytes.len() > 100, "{what} is empty");
        assert!(!contains(bytes, MARK), "a token is in {what}");
        assert!(!contains(bytes, "orla-demo-secret"), "the app's secret is in {what}");
    }
    for post in host.sim.posts() {
        assert!(!post.text.contains(MARK), "a token was published: {}", post.text);
    }
    assert!(contains(&log, "[redacted]"), "the probe logged an answer in which the token was blanked");
}
