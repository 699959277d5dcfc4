//! A backup or a restore that dies in the middle: nothing is there, or something that the next one knows what to do with.

use super::stage::{Empty, does, refused, run, text};
use super::{WAYS, begin};
use crate::harness::program;
use orla::app::App;
use orla::clock::Clock;
use orla::connectors::{Memories, Setup};
use orla::on;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Every write, just before it and just after it.
fn deaths() -> impl Iterator<Item = String> {
    (1..200).flat_map(|write| ["", "+"].map(|side| format!("{write}{side}")))
}

fn died(output: &std::process::Output) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    output.status.signal().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_dies_is_no_backup_and_the_next_one_is() {
    for (from, to) in &WAYS[..2] {
        let (host, _) = begin(*from).await;
        let backups = tempfile::tempdir().unwrap();
        let file = backups.path().join("orla.tar");
        let partial = backups.path().join("orla.tar.partial");
        let empty = Empty::beside(&host, *to).await;
        let mut count = 0;
        for crash_at in deaths().step_by(9) {
            let output = run(host.app.config(), &["backup", text(&file)], Some(&crash_at)).await;
            if !died(&output) {
                break;
            }
            count += 1;
            if !file.exists() {
                let head = std::fs::metadata(&partial).unwrap().len();
                let words = if head < 512 { "is no backup" } else { "is not whole: it was cut off" };
                empty.refuses(&partial, words).await;
            } else {
                std::fs::remove_file(&file).unwrap();
            }
        }
        assert!(count > 3, "it died {count} times");
        // The last one lived.
        assert!(file.exists() && !partial.exists());
        empty.restores(&file).await;
    }
}

/// A backup that holds a picture and its master key.
async fn with_everything(host: &crate::harness::Host, ada: &crate::harness::Person, folder: &Path) -> PathBuf {
    let picture = json!([{"url": format!("{}/pictures/square.png", host.sim.origin())}]);
    let post = json!({"platform": "twitter", "parts": [{"text": "seen", "media": picture}]});
    ada.published(&post, "k", &["published"]).await;
    let file = folder.join("orla.tar");
    does(host.app.config(), &["backup", text(&file), "--with-master-key"]).await;
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_dies_is_ended_by_the_next() {
    for (from, to) in &WAYS[2..] {
        let (host, ada) = begin(*from).await;
        let backups = tempfile::tempdir().unwrap();
        let backup = with_everything(&host, &ada, backups.path()).await;
        let other = backups.path().join("other.tar");
        does(host.app.config(), &["backup", text(&other)]).await;
        let mut count = 0;
        for crash_at in deaths() {
            let empty = Empty::beside(&host, *to).await;
            std::fs::remove_file(empty.config.master_key()).unwrap();
            if !died(&run(&empty.config, &["restore", text(&backup)], Some(&crash_at)).await) {
                break;
            }
            count += 1;
            let is_whole = !empty.is_empty().await;
            let is_noted = empty.data.path().join("restoring").exists();
            assert!(is_noted || is_whole || !empty.data.path().join("blobs").exists(), "{crash_at}");
            if is_noted && !is_whole {
                let told = opening(&empty).await.unwrap_err();
                assert!(told.contains("was cut off: run `orla restore` with the same backup again"), "{told}");
                std::fs::copy(host.app.config().master_key(), empty.config.master_key()).unwrap();
                let told = refused(&run(&empty.config, &["restore", text(&other)], None).await);
                assert!(told.contains("a restore of another backup"), "{told}");
            }
            if is_noted || !is_whole {
                let told = empty.restores(&backup).await;
                assert!(told.contains("1 blobs.\n"), "{told}");
            }
            assert!(!empty.data.path().join("restoring").exists());
            opening(&empty).await.unwrap();
            is_the_same(&host, &empty).await;
        }
        assert!(count > 6, "it died {count} times");
    }
}

async fn opening(empty: &Empty) -> Result<(), String> {
    let setup = Setup { program: program(), memories: Memories::Pooled };
    let opened = Box::pin(App::open(empty.config.clone(), Clock::System, setup)).await;
    let app = opened.map_err(|error| format!("{error:#}"))?;
    app.stop().await;
    Ok(())
}

/// The restored installation has the picture, and its row.
async fn is_the_same(host: &crate::harness::Host, empty: &Empty) {
    use orla::db::{Absent, Db};
    let db = Db::connect(&empty.config.database(), Absent::Refused).await.unwrap();
    let blobs: Vec<(uuid::Uuid, uuid::Uuid)> = {
        let mut tx = db.read().await.unwrap();
        on!(&mut tx, conn => sqlx::query_as("select workspace_id, id from blobs").fetch_all(conn).await).unwrap()
    };
    db.close().await;
    assert_eq!(blobs.len(), 1);
    for (workspace, blob) in blobs {
        let [there, here] = [host.data.path(), empty.data.path()]
            .map(|data| std::fs::read(data.join(format!("blobs/{workspace}/{blob}"))).unwrap());
        assert_eq!(there, here);
    }
}
