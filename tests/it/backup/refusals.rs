//! What is not restored, and that nothing is changed then.

use super::stage::{Empty, back_up, does, refused, run, text};
use super::{WAYS, begin};
use orla::backup::{MasterKey, make};
use orla::clock::Clock;
use orla::on;
use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A copy of a backup, changed.
fn changed(backup: &Path, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = std::fs::read(backup).unwrap();
    change(&mut bytes);
    let copy = backup.with_file_name(format!("{}.tar", uuid::Uuid::now_v7()));
    std::fs::write(&copy, bytes).unwrap();
    copy
}

fn place(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap()
}

fn replaced(backup: &Path, old: &str, new: &str) -> PathBuf {
    assert_eq!(old.len(), new.len());
    changed(backup, |bytes| {
        let at = place(bytes, old);
        bytes[at..at + new.len()].copy_from_slice(new.as_bytes());
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_not_whole_or_was_changed_is_refused_and_nothing_is_written() {
    for (from, to) in &WAYS[..2] {
        let (host, ada) = begin(*from).await;
        let picture = json!([{"url": format!("{}/pictures/square.png", host.sim.origin())}]);
        let post = json!({"platform": "twitter", "parts": [{"text": "seen", "media": picture}]});
        ada.published(&post, "k", &["published"]).await;
        let backups = tempfile::tempdir().unwrap();
        let (backup, _) = back_up(&host, backups.path(), &[]).await;
        let mode = std::fs::metadata(&backup).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "nobody else may read it");
        let told = refused(&run(host.app.config(), &["backup", text(&backup)], None).await);
        assert!(told.contains("is there already"), "{told}");
        let empty = Empty::beside(&host, *to).await;
        let size = std::fs::metadata(&backup).unwrap().len();
        for eighth in 1..8 {
            let cut = changed(&backup, |bytes| bytes.truncate(usize::try_from(size * eighth / 8).unwrap()));
            empty.refuses(&cut, "is not whole: it was cut off").await;
        }
        for (what, words) in [
            ("\"blog_generation\"", "tables/price_versions.jsonl in the backup is not what was written"),
            ("ada@example.org", "tables/users.jsonl in the backup is not what was written"),
            ("\u{1a}\n\0\0\0\rIHDR", "is not what was written: it is damaged, or was changed"),
            ("\"made_at\": \"20", "was changed after it was signed"),
        ] {
            let spoilt = changed(&backup, |bytes| {
                let at = place(bytes, what);
                // Within what was found, and still the JSON that it was.
                bytes[at + what.len() - 1] = if what.ends_with('0') { b'1' } else { bytes[at + what.len() - 1] ^ 1 };
            });
            empty.refuses(&spoilt, words).await;
        }
        empty.refuses(&replaced(&backup, "backup, format 1", "backup, format 2"), "the format 2, and this").await;
        empty.refuses(&replaced(&backup, "\"format\": 1,", "\"format\": 3,"), "the format 3, and this").await;
        let foreign = changed(&backup, |bytes| *bytes = b"once upon a time".repeat(100));
        empty.refuses(&foreign, "is no backup of Orla's").await;
        empty.refuses(&changed(&backup, Vec::clear), "is no backup of Orla's").await;
        empty.refuses(&backups.path().join("absent.tar"), "cannot open").await;
        empty.restores(&backup).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_newer_program_is_refused() {
    for (from, to) in &WAYS[..2] {
        let (host, _) = begin(*from).await;
        let newer = if *from == crate::harness::Backend::Postgres {
            "insert into _sqlx_migrations values (9999, 'of tomorrow', now(), true, '', 0)"
        } else {
            "insert into _sqlx_migrations values (9999, 'of tomorrow', '2026-01-01', 1, x'', 0)"
        };
        let mut tx = host.app.db().begin().await.unwrap();
        on!(&mut tx, conn => sqlx::query(newer).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
        let backups = tempfile::tempdir().unwrap();
        let (backup, _) = back_up(&host, backups.path(), &[]).await;
        Empty::beside(&host, *to).await.refuses(&backup, "whose schema has `of tomorrow`").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_overwritten() {
    for (from, to) in &WAYS[..2] {
        let (host, ada) = begin(*from).await;
        let backups = tempfile::tempdir().unwrap();
        let (backup, _) = back_up(&host, backups.path(), &[]).await;
        // Into itself, while it serves: by the command another host is in the way, by the function its database.
        let told = refused(&run(host.app.config(), &["restore", text(&backup)], None).await);
        assert!(told.contains("is not empty"), "{told}");
        ada.get("/social/connections").await.expect(200);
        // A blob that somebody else left.
        let empty = Empty::beside(&host, *to).await;
        let left = empty.data.path().join("blobs/somebody/else");
        std::fs::create_dir_all(left.parent().unwrap()).unwrap();
        std::fs::write(&left, "left").unwrap();
        let told = refused(&run(&empty.config, &["restore", text(&backup)], None).await);
        assert!(told.contains("has blobs of another installation"), "{told}");
        assert!(empty.is_empty().await);
        std::fs::remove_dir_all(empty.data.path().join("blobs")).unwrap();
        empty.restores(&backup).await;
        // Not even what it restored itself.
        let told = refused(&run(&empty.config, &["restore", text(&backup)], None).await);
        assert!(told.contains("is not empty"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_has_to_be_at_hand_or_in_the_backup() {
    for (from, to) in &WAYS[..2] {
        let (host, _) = begin(*from).await;
        let backups = tempfile::tempdir().unwrap();
        let (apart, _) = back_up(&host, backups.path(), &[]).await;
        let (included, told) = back_up(&host, backups.path(), &["--with-master-key"]).await;
        assert!(told.contains("is in it: whoever has this file has all tokens"), "{told}");
        let empty = Empty::beside(&host, *to).await;
        let file = empty.config.master_key();
        let right = std::fs::read(&file).unwrap();
        std::fs::write(&file, "ab".repeat(32)).unwrap();
        for backup in [&apart, &included] {
            empty.refuses(backup, "put the right file there").await;
        }
        std::fs::remove_file(&file).unwrap();
        empty.refuses(&apart, "which is not in it, and there is no").await;
        empty.restores(&included).await;
        assert_eq!(std::fs::read(&file).unwrap(), right);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(does(&empty.config, &["vault", "check"]).await, "All 3 secrets open.\n");
        // Nor is a backup made where the key is gone: better now than when it is needed.
        std::fs::remove_file(&file).unwrap();
        let made = Box::pin(make(&empty.config, &Clock::System, backups.path(), MasterKey::Apart)).await;
        assert!(format!("{:#}", made.unwrap_err()).contains("with the master key at hand"));
        assert_eq!(std::fs::read_dir(backups.path()).unwrap().count(), 2, "nothing is left of it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_installation_is_not_backed_up() {
    for (from, to) in &WAYS[..2] {
        let (host, _) = begin(*from).await;
        let empty = Empty::beside(&host, *to).await;
        let told = refused(&run(&empty.config, &["backup", text(&empty.data.path().join("b.tar"))], None).await);
        assert!(told.contains("DATABASE_URL") || told.contains("holds no installation"), "{told}");
        assert!(!empty.data.path().join("orla.db").exists() && !empty.data.path().join("b.tar.partial").exists());
        let told = refused(&run(host.app.config(), &["backup", "/nowhere/at/all.tar"], None).await);
        assert!(told.contains("/nowhere/at/all.tar"), "{told}");
    }
}
