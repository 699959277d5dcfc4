//! Private PostgreSQL clusters of this test process, from the distribution's binaries: one for all tests, and one for each test
//! that cuts its power. They end with the process, even when that is killed: a server's shell waits for the end of a pipe that
//! only this process holds.

use rustix::process::{Pid, Signal};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

static CLUSTER: OnceLock<Cluster> = OnceLock::new();

/// Whether the server waits for the disk, as an installation's does. Tests, which outlive no power cut, do not wait.
pub(crate) static DURABLE: AtomicBool = AtomicBool::new(false);

/// A running server and its data.
pub(crate) struct Cluster {
    folder: PathBuf,
    /// Their standard inputs are the pipes that keep the server alive: one for each time that it was started.
    shells: Vec<Child>,
    is_durable: bool,
}

const SCRIPT: &str = r#"
set -e
[ -d "$1/data" ] || initdb -D "$1/data" -U orla -A trust --no-sync -E UTF8 --locale=C >"$1/initdb.log" 2>&1
postgres -D "$1/data" -k "$1" -c listen_addresses= -c fsync="$2" -c full_page_writes="$2" -c max_connections=500 \
    -c autovacuum="$2" >"$1/server.log" 2>&1 &
server=$!
cat >/dev/null || true
kill -INT $server 2>/dev/null || true
wait $server || true
rm -rf "$1"
"#;

/// The folder of the newest PostgreSQL of the distribution.
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed (package postgresql)");
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.unwrap().path().join("bin")).collect();
    versions.sort();
    versions.pop().expect("a version of PostgreSQL is installed")
}

/// Starts a server on a folder, whose data are made where there are none.
fn start(folder: &Path, is_durable: bool) -> Child {
    // The server refuses to run as root, so root hands it to the user that the distribution made for it.
    let is_root = rustix::process::geteuid().is_root();
    let mut command = if is_root {
        let given = Command::new("chown").arg("postgres:postgres").arg(folder).status().unwrap();
        assert!(given.success(), "the user postgres exists (package postgresql)");
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    #[expect(clippy::disallowed_methods, reason = "the server's shell needs this process's PATH")]
    let path = format!("{}:{}", binaries().display(), std::env::var("PATH").unwrap_or_default());
    command
        .args(["-c", SCRIPT, "sh"])
        .arg(folder)
        .arg(if is_durable { "on" } else { "off" })
        .env("PATH", path)
        .current_dir("/")
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell starts")
}

impl Cluster {
    fn start(is_durable: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("orla-pg-").tempdir_in("/tmp").unwrap().keep();
        let shell = start(&folder, is_durable);
        Self { folder, shells: vec![shell], is_durable }
    }

    /// One that waits for the disk wherever a server of an installation does, and whose power can be cut.
    pub(crate) async fn durable() -> Self {
        tokio::task::spawn_blocking(|| Self::start(true)).await.unwrap()
    }

    /// The URL of a new, empty database.
    pub(crate) async fn fresh_database(&self) -> String {
        let admin = connect(&self.url("postgres")).await;
        let name = format!("t{}", Uuid::now_v7().simple());
        sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&admin).await.unwrap();
        admin.close().await;
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://orla@localhost/{database}?host={}", self.folder.display())
    }

    /// Ends the server at once. What it has not written to its files is lost, as it is in a power cut.
    pub(crate) async fn cut_power(&self) {
        let pid_file = self.folder.join("data/postmaster.pid");
        let lines = std::fs::read_to_string(&pid_file).expect("the server runs");
        let id: i32 = lines.lines().next().unwrap().parse().unwrap();
        // "Immediate shutdown" in PostgreSQL's words.
        rustix::process::kill_process(Pid::from_raw(id).unwrap(), Signal::QUIT).unwrap();
        while pid_file.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Starts the server again after its power was cut, and waits until it serves.
    pub(crate) async fn restore_power(&mut self) {
        self.shells.push(start(&self.folder, self.is_durable));
        connect(&self.url("postgres")).await.close().await;
    }
}

/// The URL of a new, empty database of the cluster of all tests.
pub(super) async fn fresh_database() -> String {
    let start = || Cluster::start(DURABLE.load(Ordering::Relaxed));
    tokio::task::spawn_blocking(move || CLUSTER.get_or_init(start)).await.unwrap().fresh_database().await
}

async fn connect(url: &str) -> PgPool {
    for _ in 0..300 {
        if let Ok(pool) = PgPoolOptions::new().max_connections(1).connect(url).await {
            return pool;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the test cluster did not start: look at server.log in its folder under /tmp/orla-pg-*");
}
