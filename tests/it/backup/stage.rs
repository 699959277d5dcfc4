//! An installation to back up, an empty one to restore into, and the commands between them.

use crate::harness::{Backend, Host, program, warm_data};
use orla::config::Config;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;

/// Runs one of the commands on an installation.
pub(super) async fn run(config: &Config, arguments: &[&str], crash_at: Option<&str>) -> Output {
    let mut command = Command::new(program());
    command.env_clear().args(arguments).env("ORLA_DATA", &config.data).env("DATABASE_URL", config.database());
    if let Some(crash_at) = crash_at {
        command.env("ORLA_CRASH_AT", crash_at);
    }
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

pub(super) async fn does(config: &Config, arguments: &[&str]) -> String {
    let output = run(config, arguments, None).await;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A refusal: one sentence, and the code 1.
#[track_caller]
pub(super) fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(told.trim_end().lines().count(), 1, "{told}");
    told
}

/// Backs an installation up into a new file.
pub(super) async fn back_up(host: &Host, folder: &Path, more: &[&str]) -> (PathBuf, String) {
    let file = folder.join(format!("{}.tar", uuid::Uuid::now_v7()));
    let told = does(host.app.config(), &[&["backup", file.to_str().unwrap()], more].concat()).await;
    (file, told)
}

pub(super) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// An empty installation with the master key that all hosts of tests have.
pub(super) struct Empty {
    pub(super) data: TempDir,
    pub(super) config: Config,
}

impl Empty {
    pub(super) async fn beside(host: &Host, backend: Backend) -> Self {
        let data = warm_data().await;
        let database_url = Some(backend.fresh(data.path()).await);
        let config = Config { data: data.path().to_owned(), database_url, ..host.app.config().clone() };
        Self { data, config }
    }

    pub(super) async fn restores(&self, backup: &Path) -> String {
        does(&self.config, &["restore", text(backup)]).await
    }

    /// Asserts that a restore is refused with these words, and that nothing was written.
    pub(super) async fn refuses(&self, backup: &Path, words: &str) {
        let told = refused(&run(&self.config, &["restore", text(backup)], None).await);
        assert!(told.contains(words), "{told}");
        assert!(!self.data.path().join("restoring").exists(), "{told}");
        assert!(!self.data.path().join("blobs").exists(), "{told}");
        assert!(self.is_empty().await, "{told}");
    }

    /// Whether the database has no table.
    pub(super) async fn is_empty(&self) -> bool {
        use orla::db::{Absent, Db};
        let Ok(db) = Db::connect(&self.config.database(), Absent::Refused).await else { return true };
        let mut tx = db.read().await.unwrap();
        let count = if tx.is_postgres() {
            "select count(*) from information_schema.tables where table_schema = 'public'"
        } else {
            "select count(*) from sqlite_master"
        };
        let count: i64 = orla::on!(&mut tx, conn => sqlx::query_scalar(count).fetch_one(conn).await).unwrap();
        drop(tx);
        db.close().await;
        count == 0
    }
}

/// Waits until this is so.
pub(super) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not come");
}
