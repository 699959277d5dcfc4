//! A receiver that is down for an hour, by a clock that the test moves.

use super::receiver::{Got, Mood, Receiver};
use super::{DAY, HOUR, Hands, MINUTE, again, deliveries, endpoint, host_at, path, publish, settled};
use crate::broker::mails_of;
use crate::harness::BOTH;
use orla::on;
use orla::webhooks::sweeping;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What was told of each subject, in the order in which it came.
fn by_subject(took: &[Got]) -> BTreeMap<String, Vec<String>> {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for got in took {
        told.entry(got.subject()).or_default().push(got.kind());
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_hour_each_event_arrives_once_and_in_order() {
    for backend in BOTH {
        let (receiver, hands) = (Receiver::start().await, Hands::now());
        let host = host_at(backend, hands.clock(), &[&receiver]).await;
        let ada = host.connected("ada", "twitter").await;
        let hook = endpoint(&ada, &receiver, &[]).await;
        receiver.be(Mood::Answer(503));
        let mut ids = Vec::new();
        for n in 0..3 {
            let when = host.app.now().after(10 * MINUTE);
            let post = json!({"platform": "twitter", "content": format!("post {n}"), "publish_at": when});
            ids.push(ada.publish(&post, &format!("k{n}")).await.expect(202)["id"].as_str().unwrap().to_owned());
        }
        settled(&host).await;
        assert_eq!(receiver.got().len(), 3);
        hands.forward(11 * MINUTE);
        for id in &ids {
            ada.wait(id, &["published"]).await;
        }
        // The posts are out, and nobody can be told: what was told first is tried again and again.
        for _ in 0..5 {
            settled(&host).await;
            hands.forward(10 * MINUTE);
        }
        settled(&host).await;
        let got = receiver.got();
        assert!(got.iter().all(|got| got.kind() == "publication.scheduled" && got.status == 503), "{got:?}");
        assert_eq!(got.len(), 3 * 4, "at once, after 5 seconds, 5 minutes and half an hour");
        assert_eq!(got.iter().map(|got| got.id.clone()).collect::<BTreeSet<_>>().len(), 3, "each under its own id");
        receiver.be(Mood::Answer(204));
        hands.forward(140 * MINUTE);
        settled(&host).await;
        let took = receiver.takes(6).await;
        assert_eq!(took.iter().map(|got| got.id.clone()).collect::<BTreeSet<_>>().len(), 6, "each once");
        let told = by_subject(&took);
        assert_eq!(
            told.keys().collect::<Vec<_>>(),
            ids.iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
        );
        assert!(told.values().all(|kinds| *kinds == ["publication.scheduled", "publication.published"]), "{told:?}");
        // 2xx is final.
        hands.forward(2 * DAY);
        settled(&host).await;
        assert_eq!(receiver.got().len(), 3 * 4 + 6);
        let ada = again(&host, "ada").await;
        let all = deliveries(&ada, &hook, "").await;
        assert!(all.len() == 6 && all.iter().all(|one| one["state"] == "delivered"), "{all:#?}");
        let attempts: Vec<i64> = all.iter().rev().map(|one| one["attempts"].as_i64().unwrap()).collect();
        assert_eq!(attempts, [5, 5, 5, 1, 1, 1]);
        let shown = ada.get(&path(&hook, "")).await.expect(200);
        assert_eq!((&shown["failures"], &shown["failing_since"]), (&json!(0), &Value::Null));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_fails_for_days_is_paused_and_told_by_mail_once() {
    for backend in BOTH {
        let (receiver, hands) = (Receiver::start().await, Hands::now());
        let host = host_at(backend, hands.clock(), &[&receiver]).await;
        let mut ada = host.connected("ada", "twitter").await;
        let hook = endpoint(&ada, &receiver, &["publication.published"]).await;
        receiver.be(Mood::Answer(500));
        let mut days = 0;
        let paused = loop {
            assert!(days < 7, "it is not paused");
            publish(&ada, &format!("day {days}")).await;
            settled(&host).await;
            let shown = ada.get(&path(&hook, "")).await.expect(200);
            if shown["state"] == "paused" {
                break shown;
            }
            for _ in 0..4 {
                hands.forward(6 * HOUR);
                settled(&host).await;
            }
            ada = again(&host, "ada").await;
            days += 1;
        };
        assert!((5..=6).contains(&days), "paused after {days} days");
        assert!(paused["reason"].as_str().unwrap().contains("five days"), "{paused:#}");
        let failed = deliveries(&ada, &hook, "?state=failed").await;
        assert!(failed.len() >= 3 && failed.iter().all(|one| one["attempts"] == 8), "{failed:#?}");
        // What happens meanwhile waits, and nobody is asked.
        let before = receiver.got().len();
        publish(&ada, "while it is paused").await;
        hands.forward(HOUR / 2);
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(receiver.got().len(), before);
        ada.post(&path(&hook, "/test"), &json!({})).await.refused(409, "webhook_not_active");
        host.check_books().await;
        let mails = mails_of(host.data.path(), "A webhook is paused");
        assert!(mails.len() == 1 && mails[0].contains("ada@example.org"), "{mails:?}");
        assert!(mails[0].contains(&path(&hook, "/resume")), "{mails:?}");
        receiver.be(Mood::Answer(200));
        let resumed = ada.post(&path(&hook, "/resume"), &json!({})).await.expect(200);
        assert_eq!((&resumed["state"], &resumed["failures"]), (&json!("active"), &json!(0)), "{resumed:#}");
        settled(&host).await;
        let pending = deliveries(&ada, &hook, "?state=pending").await;
        assert!(pending.is_empty(), "{pending:#?}");
        let texts = receiver.took().len();
        assert!(texts >= 2, "what waited, and what had not been given up: {texts}");
        // What was given up comes when somebody asks for it.
        let since = failed.last().unwrap()["created_at"].clone();
        let replayed = ada.post(&path(&hook, "/replay"), &json!({"failed_since": since})).await.expect(202);
        assert_eq!(replayed["count"].as_u64().unwrap(), u64::try_from(failed.len()).unwrap());
        receiver.takes(texts + failed.len()).await;
        assert_eq!(receiver.took().iter().map(Got::subject).collect::<BTreeSet<_>>().len(), days + 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_is_forgotten_and_holds_nothing_back() {
    for backend in BOTH {
        let (receiver, hands) = (Receiver::start().await, Hands::now());
        let host = host_at(backend, hands.clock(), &[&receiver]).await;
        let ada = host.connected("ada", "twitter").await;
        let hook = endpoint(&ada, &receiver, &["publication.scheduled", "publication.cancelled"]).await;
        ada.post(&path(&hook, "/pause"), &json!({})).await.expect(200);
        let when = host.app.now().after(60 * DAY);
        let post = json!({"platform": "twitter", "content": "much later", "publish_at": when});
        let id = ada.publish(&post, "k").await.expect(202)["id"].as_str().unwrap().to_owned();
        hands.forward(20 * DAY);
        let ada = again(&host, "ada").await;
        ada.post(&format!("/social/publications/{id}/cancel"), &json!({})).await.expect(200);
        let states: Vec<Value> = deliveries(&ada, &hook, "").await.iter().map(|one| one["state"].clone()).collect();
        assert_eq!(states, ["waiting", "pending"]);
        ada.post(&path(&hook, "/rotate"), &json!({})).await.expect(200);
        hands.forward(11 * DAY);
        assert_eq!(sweeping::sweep(&host.app).await.unwrap(), 1);
        let ada = again(&host, "ada").await;
        let events = ada.get("/events").await.expect(200);
        assert_eq!(events["items"].as_array().unwrap().len(), 1, "{events:#}");
        ada.post(&path(&hook, "/resume"), &json!({})).await.expect(200);
        let took = receiver.takes(1).await;
        assert_eq!((took[0].kind().as_str(), took[0].subject()), ("publication.cancelled", id));
        hands.forward(31 * DAY);
        assert_eq!(sweeping::sweep(&host.app).await.unwrap(), 1);
        let mut tx = host.app.db().read().await.unwrap();
        let counts = "select (select count(*) from events), (select count(*) from deliveries),
            (select count(*) from webhook_secrets)";
        let left: (i64, i64, i64) = on!(&mut tx, conn => sqlx::query_as(counts).fetch_one(conn).await).unwrap();
        assert_eq!(left, (0, 0, 1));
    }
}
