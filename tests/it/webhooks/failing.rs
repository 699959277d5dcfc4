//! Receivers that do not want, ask for a pause, or are slow.

use super::receiver::{Mood, Receiver};
use super::{HOUR, Hands, MINUTE, again, deliveries, endpoint, host, host_at, path, publish, settled};
use crate::harness::BOTH;
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn who_is_gone_is_told_nothing_more_until_resumed() {
    for backend in BOTH {
        let (receiver, hands) = (Receiver::start().await, Hands::now());
        let host = host_at(backend, hands.clock(), &[&receiver]).await;
        let ada = host.connected("ada", "twitter").await;
        let hook = endpoint(&ada, &receiver, &["publication.published"]).await;
        receiver.be(Mood::Answer(500));
        publish(&ada, "one").await;
        settled(&host).await;
        receiver.be(Mood::Answer(410));
        publish(&ada, "two").await;
        settled(&host).await;
        let shown = ada.get(&path(&hook, "")).await.expect(200);
        assert_eq!(shown["state"], "disabled");
        assert!(shown["reason"].as_str().unwrap().contains("410"), "{shown:#}");
        let states = deliveries(&ada, &hook, "?state=failed").await;
        assert_eq!(states.len(), 2, "what it did not want, and what waited: {states:#?}");
        publish(&ada, "three").await;
        hands.forward(HOUR / 2);
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(receiver.got().len(), 2);
        assert_eq!(
            ada.get("/events").await.expect(200)["items"].as_array().unwrap().len(),
            2,
            "nothing is kept for it"
        );
        let failed_since = json!({"failed_since": shown["created_at"]});
        for (act, body) in [("/test", json!({})), ("/replay", failed_since.clone())] {
            ada.post(&path(&hook, act), &body).await.refused(409, "webhook_not_active");
        }
        assert_eq!(ada.post(&path(&hook, "/pause"), &json!({})).await.expect(200)["state"], "disabled");
        receiver.be(Mood::Answer(200));
        ada.post(&path(&hook, "/resume"), &json!({})).await.expect(200);
        ada.post(&path(&hook, "/replay"), &failed_since).await.expect(202);
        publish(&ada, "four").await;
        receiver.takes(3).await;
        assert!(crate::broker::mails_of(host.data.path(), "is paused").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_pause_gets_it_for_all_events() {
    for backend in BOTH {
        let (receiver, hands) = (Receiver::start().await, Hands::now());
        let host = host_at(backend, hands.clock(), &[&receiver]).await;
        let ada = host.connected("ada", "twitter").await;
        endpoint(&ada, &receiver, &["publication.published"]).await;
        receiver.be(Mood::Quiet(429, 1_800));
        publish(&ada, "one").await;
        settled(&host).await;
        receiver.be(Mood::Answer(200));
        publish(&ada, "two").await;
        for _ in 0..2 {
            hands.forward(14 * MINUTE);
            tokio::time::sleep(Duration::from_millis(700)).await;
            assert_eq!(receiver.got().len(), 1, "both retries and new events wait");
        }
        hands.forward(3 * MINUTE);
        settled(&host).await;
        receiver.takes(2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_slow_holds_back_neither_others_nor_publications() {
    for backend in BOTH {
        let (slow, quick) = (Receiver::start().await, Receiver::start().await);
        let host = host(backend, &[&slow, &quick]).await;
        let ada = host.connected("ada", "twitter").await;
        let hook = endpoint(&ada, &slow, &["publication.published"]).await;
        endpoint(&ada, &quick, &["publication.published"]).await;
        slow.be(Mood::Hang);
        let wishes = (0..20).map(|n| {
            let ada = ada.clone();
            tokio::spawn(async move { publish(&ada, &format!("post {n}")).await })
        });
        for wish in wishes.collect::<Vec<_>>() {
            assert_eq!(wish.await.unwrap()["state"], "published");
        }
        quick.takes(20).await;
        assert!(slow.took().is_empty());
        assert!((1..=4).contains(&slow.most_at_once()), "{}", slow.most_at_once());
        slow.be(Mood::Answer(200));
        ada.post(&path(&hook, "/resume"), &json!({})).await.expect(200);
        let mut took = Vec::new();
        for _ in 0..800 {
            took = slow.took();
            if took.len() == 20 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(took.len(), 20);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_resumes_need_not_wait_for_the_next_attempt() {
    for backend in BOTH {
        let (receiver, hands) = (Receiver::start().await, Hands::now());
        let host = host_at(backend, hands.clock(), &[&receiver]).await;
        let ada = host.connected("ada", "twitter").await;
        let hook = endpoint(&ada, &receiver, &["publication.published"]).await;
        receiver.be(Mood::Quiet(503, 7_200));
        publish(&ada, "one").await;
        settled(&host).await;
        receiver.be(Mood::Answer(200));
        hands.forward(MINUTE);
        ada.post(&path(&hook, "/resume"), &json!({})).await.expect(200);
        receiver.takes(1).await;
        let ada = again(&host, "ada").await;
        settled(&host).await;
        assert_eq!(deliveries(&ada, &hook, "").await[0]["attempts"], 2);
    }
}
