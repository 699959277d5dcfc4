//! Caps: how much may be spent in a day or a month, however many ask at once.

use crate::harness::{BOTH, Host, Person, price};
use orla::clock::{Clock, Timestamp};
use orla::connectors::Memories;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Noon of a day in March 2026.
const NOON: i64 = 1_773_576_000_000_000;
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn no_number_of_requests_at_once_passes_a_cap() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        price(&host.app, 3).await;
        let ada = host.connected("ada", "twitter").await;
        host.grant(ada.workspace, 1_000).await;
        let caps = json!({"caps": [{"scope": "workspace", "period": "day", "credits": 10}]});
        let set = ada.put("/credits/caps", &caps).await.expect(200);
        assert_eq!((&set["items"][0]["credits"], &set["items"][0]["used"]), (&json!(10), &json!(0)), "{set:#}");
        let wishes = (0..20).map(|n| {
            let ada = ada.clone();
            tokio::spawn(async move {
                ada.publish(&json!({"platform": "twitter", "content": format!("post {n}")}), &format!("key {n}")).await
            })
        });
        let mut taken = Vec::new();
        for wish in wishes.collect::<Vec<_>>() {
            let answer = wish.await.unwrap();
            match answer.status.as_u16() {
                202 => taken.push(answer.body["id"].as_str().unwrap().to_owned()),
                _ => {
                    let detail = answer.body["detail"].as_str().unwrap().to_owned();
                    assert!(detail.contains("cap of 10 credits a day") && detail.contains("UTC"), "{detail}");
                    answer.refused(402, "cap_reached");
                }
            }
        }
        assert_eq!(taken.len(), 3);
        for id in &taken {
            ada.wait(id, &["published"]).await;
        }
        let shown = ada.get("/credits/caps").await.expect(200);
        assert_eq!(shown["items"][0]["used"], 9, "{shown:#}");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_frees_with_the_next_day_and_counts_what_is_given_back_as_not_spent() {
    for backend in BOTH {
        let time = Arc::new(AtomicI64::new(NOON));
        let host = Host::start_at(backend, Clock::Manual(time.clone()), |_| Memories::Pooled).await;
        price(&host.app, 3).await;
        let ada = host.connected("ada", "twitter").await;
        host.grant(ada.workspace, 1_000).await;
        let caps = json!({"caps": [
            {"scope": "member", "member": ada.workspace, "period": "day", "credits": 3},
            {"scope": "each_member", "period": "day", "credits": 0},
            {"scope": "workspace", "period": "month", "credits": 6},
        ]});
        ada.put("/credits/caps", &caps).await.expect(200);
        let later = |n: i64| json!({"platform": "twitter", "content": format!("post {n}"), "publish_at": Timestamp(NOON + 20 * DAY)});
        let first = ada.publish(&later(1), "1").await.expect(202)["id"].as_str().unwrap().to_owned();
        ada.publish(&later(2), "2").await.refused(402, "cap_reached");
        ada.post(&format!("/social/publications/{first}/cancel"), &json!({})).await.expect(200);
        ada.publish(&later(2), "2 again").await.expect(202);
        ada.publish(&later(3), "3").await.refused(402, "cap_reached");
        time.store(NOON + DAY / 2, Ordering::SeqCst);
        let ada = Person::log_in(&host.url, "ada@example.org").await;
        ada.publish(&later(3), "3 again").await.expect(202);
        // Six in the month by then, whatever the day.
        time.store(NOON + DAY + DAY / 2, Ordering::SeqCst);
        let ada = Person::log_in(&host.url, "ada@example.org").await;
        let refused = ada.publish(&later(4), "4").await;
        assert!(refused.body["detail"].as_str().unwrap().contains("2026-04-01 00:00:00 UTC"), "{}", refused.body);
        refused.refused(402, "cap_reached");
        ada.put("/credits/caps", &json!({"caps": []})).await.expect(200);
        ada.publish(&later(4), "4 again").await.expect(202);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn caps_that_make_no_sense_are_refused() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let (ada, bob) = (host.person("ada").await, host.person("bob").await);
        for cap in [
            json!({"scope": "workspace", "period": "day", "credits": -1}),
            json!({"scope": "workspace", "period": "day", "credits": i64::MAX}),
            json!({"scope": "workspace", "period": "day", "credits": 1, "member": ada.workspace}),
            json!({"scope": "member", "period": "day", "credits": 1}),
            json!({"scope": "member", "period": "day", "credits": 1, "member": bob.workspace}),
        ] {
            ada.put("/credits/caps", &json!({"caps": [cap]})).await.refused(422, "invalid_input");
        }
        let cap = json!({"scope": "workspace", "period": "day", "credits": 1});
        ada.put("/credits/caps", &json!({"caps": [cap, cap]})).await.refused(422, "invalid_input");
        assert_eq!(ada.get("/credits/caps").await.expect(200), json!({"items": []}));
    }
}
