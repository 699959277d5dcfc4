//! Sending anew what was given up, or is wanted once more.

use super::receiver::{Got, Mood, Receiver};
use super::{DAY, HOUR, Hands, MINUTE, again, deliveries, endpoint, host_at, path, publish, settled};
use crate::harness::BOTH;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_comes_in_order_when_asked_for() {
    for backend in BOTH {
        let (receiver, hands) = (Receiver::start().await, Hands::now());
        let host = host_at(backend, hands.clock(), &[&receiver]).await;
        let ada = host.connected("ada", "twitter").await;
        let hook = endpoint(&ada, &receiver, &[]).await;
        receiver.be(Mood::Answer(500));
        let when = host.app.now().after(HOUR / 2);
        let post = json!({"platform": "twitter", "content": "planned", "publish_at": when});
        let id = ada.publish(&post, "k").await.expect(202)["id"].as_str().unwrap().to_owned();
        hands.forward(HOUR / 2);
        ada.wait(&id, &["published"]).await;
        // Both are tried eight times, the second when the first is given up.
        for wanted in [["pending", "failed"], ["failed", "failed"]] {
            for pause in [MINUTE, 6 * MINUTE, 34 * MINUTE, 3 * HOUR, 6 * HOUR, 12 * HOUR, 12 * HOUR] {
                settled(&host).await;
                hands.forward(pause);
            }
            settled(&host).await;
            let ada = again(&host, "ada").await;
            let states: Vec<Value> = deliveries(&ada, &hook, "").await.iter().map(|one| one["state"].clone()).collect();
            assert_eq!(states, wanted);
        }
        let got = receiver.got();
        let kinds: Vec<String> = got.iter().map(Got::kind).collect();
        assert_eq!(kinds[..8], vec!["publication.scheduled"; 8]);
        assert_eq!(kinds[8..], vec!["publication.published"; 8]);
        receiver.be(Mood::Answer(200));
        let ada = again(&host, "ada").await;
        // After the first of them, there is one.
        let second = deliveries(&ada, &hook, "").await[0]["created_at"].clone();
        let asked = json!({"failed_since": second});
        assert_eq!(ada.post(&path(&hook, "/replay"), &asked).await.expect(202), json!({"count": 1}));
        settled(&host).await;
        assert_eq!(receiver.kinds(), ["publication.published"]);
        let asked = json!({"failed_since": hook["created_at"]});
        assert_eq!(ada.post(&path(&hook, "/replay"), &asked).await.expect(202), json!({"count": 1}));
        settled(&host).await;
        assert_eq!(receiver.kinds(), ["publication.published", "publication.scheduled"]);
        assert_eq!(ada.post(&path(&hook, "/replay"), &asked).await.expect(202), json!({"count": 0}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn given_up_events_of_one_subject_come_in_their_order() {
    for backend in BOTH {
        let (receiver, hands) = (Receiver::start().await, Hands::now());
        let host = host_at(backend, hands.clock(), &[&receiver]).await;
        let ada = host.connected("ada", "twitter").await;
        let hook = endpoint(&ada, &receiver, &[]).await;
        receiver.be(Mood::Answer(410));
        let when = host.app.now().after(DAY);
        let post = json!({"platform": "twitter", "content": "planned", "publish_at": when});
        let id = ada.publish(&post, "k").await.expect(202)["id"].as_str().unwrap().to_owned();
        settled(&host).await;
        // While it is paused, three more wait, one behind the other.
        ada.post(&path(&hook, "/resume"), &json!({})).await.expect(200);
        ada.post(&path(&hook, "/pause"), &json!({})).await.expect(200);
        for days in [2, 3] {
            let when = json!({"publish_at": host.app.now().after(days * DAY)});
            let way = format!("/social/publications/{id}");
            ada.call(reqwest::Method::PATCH, &way, Some(&when)).await.expect(200);
        }
        ada.post(&format!("/social/publications/{id}/cancel"), &json!({})).await.expect(200);
        // The one that was given up is older than all of them.
        let asked = json!({"failed_since": hook["created_at"]});
        assert_eq!(ada.post(&path(&hook, "/replay"), &asked).await.expect(202), json!({"count": 1}));
        let states: Vec<Value> = deliveries(&ada, &hook, "").await.iter().map(|one| one["state"].clone()).collect();
        assert_eq!(states, ["waiting", "waiting", "waiting", "pending"]);
        receiver.be(Mood::Answer(200));
        ada.post(&path(&hook, "/resume"), &json!({})).await.expect(200);
        let took = receiver.takes(4).await;
        let sequences: Vec<i64> = took.iter().map(|got| got.json()["sequence"].as_i64().unwrap()).collect();
        assert!(sequences.is_sorted_by(|one, next| one < next), "{sequences:?}");
        assert_eq!(took[3].kind(), "publication.cancelled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_sent_once_more_under_the_same_id_also_to_whom_it_is_new() {
    for backend in BOTH {
        let (receiver, later, hands) = (Receiver::start().await, Receiver::start().await, Hands::now());
        let host = host_at(backend, hands.clock(), &[&receiver, &later]).await;
        let ada = host.connected("ada", "twitter").await;
        let hook = endpoint(&ada, &receiver, &[]).await;
        publish(&ada, "hello").await;
        let first = receiver.takes(1).await.remove(0);
        let another = endpoint(&ada, &later, &["credits.low"]).await;
        let asked = json!({"event_id": first.id});
        for endpoint in [&hook, &another] {
            settled(&host).await;
            assert_eq!(ada.post(&path(endpoint, "/replay"), &asked).await.expect(202), json!({"count": 1}));
        }
        for got in [receiver.takes(2).await.remove(1), later.takes(1).await.remove(0)] {
            assert_eq!((&got.id, &got.body), (&first.id, &first.body));
        }
        // Another tenant's event is none.
        let bob = host.person("bob").await;
        let his = endpoint(&bob, &later, &[]).await;
        bob.post(&path(&his, "/replay"), &asked).await.refused(404, "not_found");
        bob.post(&path(&hook, "/replay"), &asked).await.refused(404, "not_found");
    }
}
