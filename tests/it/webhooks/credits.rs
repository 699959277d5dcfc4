//! Low credits are told of once for each time that they sink below what the workspace has set.

use super::receiver::Receiver;
use super::{endpoint, host, publish, settled};
use crate::harness::{BOTH, Host, Person, price};
use orla::ledger::{self, Grant, GrantOrigin};
use serde_json::{Value, json};

async fn grant(host: &Host, person: &Person, credits: i64, key: &str) {
    let mut tx = host.app.db().begin().await.unwrap();
    let (origin, description) = (GrantOrigin::Promotional, "for a test");
    let grant = Grant { origin, credits, key, expires_at: None, description };
    ledger::grant(&mut tx, person.workspace, &grant, host.app.now()).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn low_credits_are_told_of_once_each_time() {
    for backend in BOTH {
        let receiver = Receiver::start().await;
        let host = host(backend, &[&receiver]).await;
        price(&host.app, 3).await;
        let ada = host.connected("ada", "twitter").await;
        endpoint(&ada, &receiver, &["credits.low"]).await;
        assert_eq!(ada.get("/credits/alert").await.expect(200), json!({"below": null}));
        let below = json!({"below": 5});
        assert_eq!(ada.put("/credits/alert", &below).await.expect(200), below);
        assert_eq!(ada.get("/credits/alert").await.expect(200), below);
        grant(&host, &ada, 11, "first").await;
        for n in 0..3 {
            // 8, 5, 2 are left; while a post is under way, as many are available.
            assert!(receiver.got().is_empty());
            publish(&ada, &format!("post {n}")).await;
            settled(&host).await;
        }
        let told = receiver.takes(1).await[0].json();
        assert_eq!(told["data"], json!({"available": 2, "held": 3, "posted": 5, "below": 5}), "{told:#}");
        grant(&host, &ada, 1, "not enough").await;
        publish(&ada, "still low").await;
        grant(&host, &ada, 8, "second").await;
        settled(&host).await;
        assert_eq!(receiver.got().len(), 1);
        for n in 3..5 {
            publish(&ada, &format!("post {n}")).await;
        }
        receiver.takes(2).await;
        // Who is not to be told is not, and who sets it while they are low is told the next time.
        ada.put("/credits/alert", &json!({"below": null})).await.expect(200);
        grant(&host, &ada, 100, "third").await;
        ada.put("/credits/alert", &json!({"below": 200})).await.expect(200);
        publish(&ada, "the last one").await;
        settled(&host).await;
        assert_eq!(receiver.got().len(), 2);
        for wish in [json!({"below": 0}), json!({"below": -1})] {
            ada.put("/credits/alert", &wish).await.refused(422, "invalid_input");
        }
        for wish in [json!({}), json!({"below": "5"}), json!({"below": 1.5}), Value::Null] {
            ada.put("/credits/alert", &wish).await.refused(400, "malformed_request");
        }
        host.check_books().await;
    }
}
