//! What nobody can find out for certain waits for a person: it is not sent on the off chance.

use super::stage::{Empty, back_up, does, until};
use super::{WAYS, at, begin, planned};
use crate::facebook::{self, COFFEE, strict};
use crate::harness::{Fault, Host, Mode, Person};
use orla::connectors::Memories;
use orla::on;
use serde_json::json;
use std::time::Duration;

/// A video's commit is named by its upload. A restored installation uploads anew, and would look for another name.
#[tokio::test(flavor = "multi_thread")]
async fn a_video_that_was_uploaded_under_another_name_is_not_published_again() {
    for (from, to) in &WAYS[..2] {
        let (host, sim) = facebook::host(*from, strict(), Memories::Pooled).await;
        let (ada, _) = facebook::connected(&host, &sim).await;
        let video = format!("{}/pictures/clip-70000.mp4", host.sim.origin());
        let part = json!([{"text": "Watch", "media": [{"url": video}]}]);
        let post =
            json!({"platform": "facebook", "target": COFFEE, "parts": part, "publish_at": at(Duration::from_secs(3))});
        let id = ada.publish(&post, "video").await.expect(202)["id"].as_str().unwrap().to_owned();
        let backups = tempfile::tempdir().unwrap();
        let (backup, _) = back_up(&host, backups.path(), &[]).await;
        let done = ada.wait(&id, &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        let posts = sim.made().posts;
        let empty = Empty::beside(&host, *to).await;
        empty.restores(&backup).await;
        let host = host.again_with(empty.config.clone()).await;
        let ada = Person::log_in(&host.url, "ada@example.org").await;
        assert!(does(&empty.config, &["resume"]).await.contains(" 1 publications"));
        ada.wait(&id, &["uncertain", "published", "failed"]).await;
        // The vendor is asked, and its answer taken for none.
        let asked = || -> u64 {
            sim.counts().iter().filter(|(route, _)| route.starts_with("GET")).map(|(_, count)| count).sum()
        };
        let before = asked();
        until("a look", async || asked() > before && !is_looking(&host).await).await;
        let uncertain = ada.get(&format!("/social/publications/{id}")).await.expect(200);
        assert_eq!(uncertain["state"], "uncertain", "{uncertain:#}");
        assert_eq!(sim.made().posts, posts);
        // Ada has seen it on the page.
        let step = uncertain["steps"].as_array().unwrap().iter().find(|step| step["kind"] == "commit").unwrap();
        let word = json!({"key": step["key"], "outcome": "published", "vendor_id": done["receipt"][0]["id"]});
        ada.post(&format!("/social/publications/{id}/resolve"), &word).await.expect(202);
        host.app.stop().await;
    }
}

/// Two posts with the same words, of which only the other is at the network: it must not be taken for the doubtful one.
#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_is_known_to_be_another_is_not_taken_for_the_doubtful_one() {
    for (from, to) in &WAYS[2..] {
        let (host, ada) = begin(*from).await;
        let words = json!([{"text": "Good morning"}]);
        let id = planned(&ada, &words, "planned", at(Duration::from_secs(3_600))).await;
        let backups = tempfile::tempdir().unwrap();
        let (backup, _) = back_up(&host, backups.path(), &[]).await;
        let empty = Empty::beside(&host, *to).await;
        empty.restores(&backup).await;
        let host = host.again_with(empty.config.clone()).await;
        let ada = Person::log_in(&host.url, "ada@example.org").await;
        // Asked for after the restore, so that nobody doubts it.
        let other = json!({"platform": "twitter", "content": "Good morning"});
        let other = ada.publish(&other, "other").await.expect(202)["id"].as_str().unwrap().to_owned();
        super::move_up(&host, &id).await;
        host.sim.fault(Fault::on("GET", "/2/users/*/tweets", Mode::status(503)).times(1_000));
        does(&empty.config, &["resume"]).await;
        let other = ada.wait(&other, &["published"]).await;
        ada.wait(&id, &["uncertain"]).await;
        host.sim.clear_faults();
        let asked = || host.sim.counts().get("GET /2/users/{id}/tweets").copied().unwrap_or(0);
        let before = asked();
        until("a look", async || asked() > before && !is_looking(&host).await).await;
        let path = format!("/social/publications/{id}");
        let waits = ada.get(&path).await.expect(200);
        assert_eq!(waits["state"], "uncertain", "{waits:#}");
        assert!(waits["timeline"].to_string().contains("restored from a backup"), "{waits:#}");
        let word = json!({"key": "part/0", "outcome": "not_published"});
        ada.post(&format!("{path}/resolve"), &word).await.expect(202);
        let done = ada.wait(&id, &["published"]).await;
        assert_ne!(done["receipt"][0]["id"], other["receipt"][0]["id"]);
        assert_eq!(host.sim.posts().len(), 2);
        host.check_books().await;
    }
}

/// Whether a worker looks for something at this moment.
async fn is_looking(host: &Host) -> bool {
    const LOOKING: &str = "select count(*) from jobs where kind = 'reconcile' and lease is not null";
    let mut tx = host.app.db().read().await.unwrap();
    let looking: i64 = on!(&mut tx, conn => sqlx::query_scalar(LOOKING).fetch_one(conn).await).unwrap();
    looking > 0
}

/// A planned post that was taken back behind the fence does not go out, and cannot be tried again by a click: it may be live.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_behind_the_fence_is_neither_looked_for_nor_sent() {
    for (from, to) in &WAYS[..2] {
        let (host, ada) = begin(*from).await;
        let id = planned(&ada, &json!([{"text": "taken back"}]), "k", at(Duration::from_secs(3))).await;
        let backups = tempfile::tempdir().unwrap();
        let (backup, _) = back_up(&host, backups.path(), &[]).await;
        ada.wait(&id, &["published"]).await;
        let empty = Empty::beside(&host, *to).await;
        empty.restores(&backup).await;
        let host = host.again_with(empty.config.clone()).await;
        let ada = Person::log_in(&host.url, "ada@example.org").await;
        let path = format!("/social/publications/{id}");
        assert_eq!(ada.post(&format!("{path}/cancel"), &json!({})).await.expect(200)["state"], "cancelled");
        ada.post(&format!("{path}/retry"), &json!({})).await.refused(409, "partly_published");
        assert!(does(&empty.config, &["resume"]).await.contains(" 0 publications"));
        host.check_books().await;
        assert_eq!(host.sim.posts().len(), 1);
    }
}
