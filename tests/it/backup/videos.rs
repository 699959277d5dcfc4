//! Videos that came with a backup: what the vendor had begun is looked at, what it may have begun since is not begun again.

use super::stage::{Empty, back_up, does};
use super::{WAYS, move_up};
use crate::harness::Person;
use crate::videos::{PRICE, ask, connected, google, host, until};
use orla::ledger;
use orla_vendors::vertex::{Canned, Fault, Mode, Settings};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_video_of_a_backup_is_gone_on_with_or_uncertain_and_never_begun_twice() {
    for (from, to) in &WAYS[2..] {
        let (host, sim) = host(*from, Settings { looks: 1_000_000, ..google() }).await;
        let ada = connected(&host, &sim, 2).await;
        let wish = json!({"prompt": "A lighthouse"});
        let begun = ask(&ada, "begun", &wish).await.expect(202)["id"].as_str().unwrap().to_owned();
        until(&ada, &begun, |video| video["progress"]["begun_at"].is_string()).await;
        let limit = Mode::Status(Canned { status: 429, retry_after_s: Some(3_600), ..Canned::default() });
        sim.fault(Fault::on("POST", &sim.method("predictLongRunning"), limit));
        let waiting = ask(&ada, "waiting", &wish).await.expect(202)["id"].as_str().unwrap().to_owned();
        until(&ada, &waiting, |video| video["fault"]["kind"] == "rate-limited").await;
        let backups = tempfile::tempdir().unwrap();
        let (backup, _) = back_up(&host, backups.path(), &[]).await;
        let empty = Empty::beside(&host, *to).await;
        empty.restores(&backup).await;
        let host = host.again_with(empty.config.clone()).await;
        let ada = Person::log_in(&host.url, "ada@example.org").await;
        let doubted = ada.get(&format!("/ai/video/{waiting}")).await.expect(200);
        assert_eq!((&doubted["state"], &doubted["receipt"]["credits_charged"]), (&json!("uncertain"), &json!(0)));
        let balance = async || {
            let balance = ledger::balance(&mut host.app.db().read().await.unwrap(), ada.workspace).await.unwrap();
            (balance.posted, balance.held)
        };
        assert_eq!(balance().await, (2 * PRICE, PRICE), "that of the one which was begun");
        sim.change(|settings| settings.looks = 0);
        // What the vendor asked for is over.
        move_up(&host, &begun).await;
        does(&empty.config, &["resume"]).await;
        let made = until(&ada, &begun, |video| video["state"] == "completed").await;
        assert_eq!((made["video"]["size_bytes"].as_i64(), sim.operations().len()), (Some(100_000), 1), "{made:#}");
        assert_eq!(balance().await, (PRICE, 0));
        host.app.stop().await;
    }
}
