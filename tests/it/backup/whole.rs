//! A backup is whole: every table, one moment of a host under load, and what was under way in it.

use super::stage::{Empty, back_up, does, text, until};
use super::{WAYS, begin, books_are_right};
use crate::captions::{CREDITS, GENERATE, streamed, wish, writing};
use crate::harness::{Backend, Host, Person};
use orla::clock::Clock;
use orla::config::Config;
use orla::db::{Absent, Db, Tx};
use orla::vault::Vault;
use orla::{ledger, on};
use orla_vendors::openai::{Fault, Mode};
use serde_json::{Value, json};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, migrate};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The manifest of a backup, as any program that reads tars finds it.
fn manifest(backup: &Path) -> Value {
    let read = std::process::Command::new("tar").args(["-xOf", text(backup), "manifest.json"]).output().unwrap();
    assert!(read.status.success(), "{read:?}");
    serde_json::from_slice(&read.stdout).unwrap()
}

/// Every table but the migrations' own, with its rows.
async fn tables(db: &Db) -> BTreeMap<String, i64> {
    const SQLITE: &str = "select name from sqlite_master where type = 'table' and name not like '\\_sqlx%' escape '\\'";
    const POSTGRES: &str = "select table_name::text from information_schema.tables
        where table_schema = 'public' and table_name not like '\\_sqlx%'";
    let mut tx: Tx = db.read().await.unwrap();
    let select = if tx.is_postgres() { POSTGRES } else { SQLITE };
    let names: Vec<String> = on!(&mut tx, conn => sqlx::query_scalar(select).fetch_all(conn).await).unwrap();
    let mut tables = BTreeMap::new();
    for name in names {
        let count = AssertSqlSafe(format!("select count(*) from {name}"));
        let count: i64 = on!(&mut tx, conn => sqlx::query_scalar(count).fetch_one(conn).await).unwrap();
        tables.insert(name, count);
    }
    tables
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_in_a_backup_and_comes_back_into_either_database() {
    for (from, to) in WAYS {
        let (host, ada) = begin(from).await;
        ada.published(&json!({"platform": "twitter", "content": "one"}), "k", &["published"]).await;
        let before = tables(host.app.db()).await;
        assert!(before.len() > 24 && before["publications"] == 1, "{before:?}");
        let backups = tempfile::tempdir().unwrap();
        let (backup, told) = back_up(&host, backups.path(), &[]).await;
        let manifest = manifest(&backup);
        let held = manifest["tables"].as_array().unwrap();
        let held: BTreeMap<String, i64> = held
            .iter()
            .map(|table| (table["name"].as_str().unwrap().to_owned(), table["rows"].as_i64().unwrap()))
            .collect();
        assert_eq!(held, before);
        let rows: i64 = before.values().sum();
        assert!(told.contains(&format!(": {rows} rows of {} tables", before.len())), "{told}");
        let empty = Empty::beside(&host, to).await;
        empty.restores(&backup).await;
        let db = Db::connect(&empty.config.database(), Absent::Refused).await.unwrap();
        let mut after = tables(&db).await;
        assert_eq!(after.insert("fence".to_owned(), 0), Some(1));
        assert_eq!(after, before);
        db.close().await;
        assert_eq!(does(&empty.config, &["vault", "check"]).await, "All 3 secrets open.\n");
        // Once more, from there: nothing was lost on the way.
        let again = backups.path().join("again.tar");
        does(&empty.config, &["backup", text(&again)]).await;
        let digests = |manifest: &Value| -> BTreeMap<String, Value> {
            let tables = manifest["tables"].as_array().unwrap().iter();
            tables.map(|table| (table["name"].as_str().unwrap().to_owned(), table["digest"].clone())).collect()
        };
        let (one, two) = (digests(&manifest), digests(&self::manifest(&again)));
        for table in ["users", "publications", "effects", "connection_secrets", "connector_releases", "data_keys"] {
            assert!(from != to || one[table] == two[table], "{table}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_nobody_thought_of_is_backed_up() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (host, _) = begin(backend).await;
        let mut tx = host.app.db().begin().await.unwrap();
        for statement in ["create table of_tomorrow (words text not null)", "insert into of_tomorrow values ('kept')"] {
            on!(&mut tx, conn => sqlx::query(statement).execute(conn).await.map(drop)).unwrap();
        }
        tx.commit().await.unwrap();
        let backups = tempfile::tempdir().unwrap();
        let (backup, _) = back_up(&host, backups.path(), &[]).await;
        let rows = std::process::Command::new("tar").args(["-xOf", text(&backup), "tables/of_tomorrow.jsonl"]).output();
        assert_eq!(String::from_utf8(rows.unwrap().stdout).unwrap(), "[\"kept\"]\n");
        Empty::beside(&host, backend).await.refuses(&backup, "knows no table of_tomorrow").await;
    }
}

/// An installation with the schema of before, a user and a job.
async fn older(config: &Config, backend: Backend) {
    const OLDEST: i64 = 12;
    let db = Db::connect(&config.database(), Absent::Made).await.unwrap();
    let ours = if backend == Backend::Postgres {
        migrate!("../migrations/postgres")
    } else {
        migrate!("../migrations/sqlite")
    };
    let before = ours.iter().filter(|migration| migration.version <= OLDEST).cloned().collect();
    let before = Migrator::with_migrations(before);
    match &db {
        Db::Sqlite { writer, .. } => before.run(writer).await.unwrap(),
        Db::Postgres(pool) => before.run(pool).await.unwrap(),
    }
    let now = Clock::System.now();
    Vault::open(&config.master_key(), &db, now).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    for statement in [
        "insert into users (id, email, email_key, password_hash, role, created_at) values ($1, 'a', 'a', 'h', 'user', $2)",
        "insert into jobs (id, kind, subject, due_at, attempts, created_at) values ($1, 'tell_revoked', $1, $2, 0, $2)",
    ] {
        on!(&mut tx, conn => sqlx::query(statement).bind(uuid::Uuid::now_v7()).bind(now).execute(conn).await.map(drop))
            .unwrap();
    }
    tx.commit().await.unwrap();
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_an_older_program_is_brought_up_to_date() {
    for (from, to) in WAYS {
        let host = Host::start(from).await;
        let (old, empty) = (Empty::beside(&host, from).await, Empty::beside(&host, to).await);
        older(&old.config, from).await;
        let backup = old.data.path().join("old.tar");
        does(&old.config, &["backup", text(&backup)]).await;
        empty.restores(&backup).await;
        let db = Db::connect(&empty.config.database(), Absent::Refused).await.unwrap();
        let tables = tables(&db).await;
        assert_eq!((tables["users"], tables["jobs"], tables["fence"]), (1, 1, 1), "{tables:?}");
        let mut tx = db.read().await.unwrap();
        let moved = "select count(*) from jobs where line = subject and lease is null";
        let moved: i64 = on!(&mut tx, conn => sqlx::query_scalar(moved).fetch_one(conn).await).unwrap();
        assert_eq!(moved, 1, "a later migration saw the job");
        drop(tx);
        db.close().await;
    }
}

/// Publishes one after the other until it is told to stop; gives how many.
async fn write(person: Person, name: usize, stop: Arc<AtomicBool>) -> usize {
    let mut count = 0;
    while !stop.load(Ordering::SeqCst) {
        let post = json!({"platform": "twitter", "content": format!("{name} {count}")});
        let done = person.published(&post, &format!("{name} {count}"), &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        count += 1;
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_host_under_load_is_of_one_moment() {
    for (from, to) in &WAYS[..2] {
        let (host, ada) = begin(*from).await;
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..6).map(|name| tokio::spawn(write(ada.clone(), name, stop.clone()))).collect();
        let backups = tempfile::tempdir().unwrap();
        let (_, _) = back_up(&host, backups.path(), &[]).await;
        let (backup, _) = back_up(&host, backups.path(), &[]).await;
        stop.store(true, Ordering::SeqCst);
        let mut count = 0;
        for writer in writers {
            count += writer.await.unwrap();
        }
        host.check_books().await;
        assert_eq!(host.sim.posts().len(), count);
        let empty = Empty::beside(&host, *to).await;
        empty.restores(&backup).await;
        let host = host.again_with(empty.config.clone()).await;
        let broken = ledger::audit(&mut host.app.db().read().await.unwrap()).await.unwrap();
        assert!(broken.is_empty(), "{broken:?}");
        let ada = Person::log_in(&host.url, "ada@example.org").await;
        does(&empty.config, &["resume"]).await;
        all_end(&host, &ada).await;
        assert_eq!(host.sim.posts().len(), count, "what was under way had been published");
        books_are_right(&host, &ada, 0).await;
        host.check_books().await;
    }
}

/// Waits until every publication has ended, as published.
async fn all_end(host: &Host, person: &Person) {
    const IDS: &str = "select id from publications";
    let ids: Vec<uuid::Uuid> = {
        let mut tx = host.app.db().read().await.unwrap();
        on!(&mut tx, conn => sqlx::query_scalar(IDS).fetch_all(conn).await).unwrap()
    };
    for id in ids {
        let done = person.wait(&id.to_string(), &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caption_that_was_being_written_has_failed_and_costs_nothing() {
    for (from, to) in &WAYS[..2] {
        let (host, ada) = writing(*from, "responses").await;
        host.openai.fault(Fault::on("POST", "/v1/responses", Mode::StallStream { after_pieces: 4 }));
        let request = ada.http.post(format!("{}{GENERATE}", ada.url)).bearer_auth(&ada.token).json(&streamed(&wish()));
        let reading = tokio::spawn(async move { request.send().await.unwrap().text().await });
        until("a stream", async || host.openai.open_streams() > 0).await;
        let backups = tempfile::tempdir().unwrap();
        let (backup, _) = back_up(&host, backups.path(), &[]).await;
        reading.abort();
        let empty = Empty::beside(&host, *to).await;
        empty.restores(&backup).await;
        let host = host.again_with(empty.config.clone()).await;
        let ada = Person::log_in(&host.url, "ada@example.org").await;
        let listed = ada.get("/social-caption/generations?limit=1").await.expect(200);
        let (state, fault) = (&listed["items"][0]["state"], &listed["items"][0]["fault"]["kind"]);
        assert_eq!((state, fault), (&json!("failed"), &json!("cancelled")), "{listed:#}");
        let balance = ada.get("/credits/balance").await.expect(200);
        assert_eq!((&balance["posted"], &balance["held"]), (&json!(CREDITS), &json!(0)));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_is_gone_or_spoilt_is_told_of_and_stops_nothing() {
    for (from, to) in &WAYS[2..] {
        let (host, ada) = begin(*from).await;
        for key in ["gone", "spoilt", "whole"] {
            let picture = json!([{"url": format!("{}/pictures/square.png?{key}", host.sim.origin())}]);
            let post = json!({"platform": "twitter", "parts": [{"text": key, "media": picture}]});
            ada.published(&post, key, &["published"]).await;
        }
        let folder = host.data.path().join(format!("blobs/{}", ada.workspace));
        let mut blobs: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        blobs.sort();
        std::fs::remove_file(&blobs[0]).unwrap();
        std::fs::write(&blobs[1], "something else").unwrap();
        let backups = tempfile::tempdir().unwrap();
        let (backup, told) = back_up(&host, backups.path(), &[]).await;
        let names: Vec<&str> = blobs.iter().map(|blob| blob.file_name().unwrap().to_str().unwrap()).collect();
        assert!(
            told.contains(&format!(
                "It lacks 2 blobs, which were gone or spoilt when it was made: {}, {}.",
                names[0], names[1]
            )),
            "{told}"
        );
        let empty = Empty::beside(&host, *to).await;
        let told = empty.restores(&backup).await;
        assert!(told.contains("and 1 blobs.") && told.contains("It lacks 2 blobs"), "{told}");
        let restored = empty.data.path().join(format!("blobs/{}", ada.workspace));
        let restored: Vec<_> = std::fs::read_dir(restored).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(restored, [names[2]]);
    }
}
