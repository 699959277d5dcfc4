//! A private PostgreSQL cluster for this test process, from the distribution's binaries. It ends with the process, even
//! when that is killed: the server's shell waits for the end of a pipe that only this process holds.

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

struct Cluster {
    folder: PathBuf,
    /// Its standard input is the pipe that keeps the server alive.
    _shell: Child,
}

const SCRIPT: &str = r#"
set -e
initdb -D "$1/data" -U orla -A trust --no-sync -E UTF8 --locale=C >"$1/initdb.log" 2>&1
postgres -D "$1/data" -k "$1" -c listen_addresses= -c fsync="$2" -c full_page_writes="$2" -c max_connections=500 \
    -c autovacuum="$2" >"$1/server.log" 2>&1 &
server=$!
cat >/dev/null || true
kill -INT $server
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

fn start() -> Cluster {
    let folder = tempfile::Builder::new().prefix("orla-pg-").tempdir_in("/tmp").unwrap().keep();
    // The server refuses to run as root, so root hands it to the user that the distribution made for it.
    let is_root = rustix::process::geteuid().is_root();
    let mut command = if is_root {
        let given = Command::new("chown").arg("postgres:postgres").arg(&folder).status().unwrap();
        assert!(given.success(), "the user postgres exists (package postgresql)");
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    #[expect(clippy::disallowed_methods, reason = "the server's shell needs this process's PATH")]
    let path = format!("{}:{}", binaries().display(), std::env::var("PATH").unwrap_or_default());
    let shell = command
        .args(["-c", SCRIPT, "sh"])
        .arg(&folder)
        .arg(if DURABLE.load(Ordering::Relaxed) { "on" } else { "off" })
        .env("PATH", path)
        .current_dir("/")
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell starts");
    Cluster { folder, _shell: shell }
}

fn url(folder: &Path, database: &str) -> String {
    format!("postgres://orla@localhost/{database}?host={}", folder.display())
}

/// The URL of a new, empty database.
pub(super) async fn fresh_database() -> String {
    let cluster = tokio::task::spawn_blocking(|| CLUSTER.get_or_init(start)).await.unwrap();
    let admin = connect(&url(&cluster.folder, "postgres")).await;
    let name = format!("t{}", Uuid::now_v7().simple());
    sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&admin).await.unwrap();
    admin.close().await;
    url(&cluster.folder, &name)
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
