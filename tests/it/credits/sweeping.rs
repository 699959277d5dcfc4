//! Credits whose time is over go away by themselves, and a hold that no run knows is given back; never one that a run has.

use crate::harness::{BOTH, Host, price};
use orla::clock::{Clock, Timestamp};
use orla::connectors::Memories;
use orla::ledger::{self, Grant, GrantOrigin};
use orla::operating::sweeping;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const BEGIN: i64 = 1_773_576_000_000_000;
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_no_run_knows_is_given_back_and_no_other() {
    for backend in BOTH {
        let time = Arc::new(AtomicI64::new(BEGIN));
        let host = Host::start_at(backend, Clock::Manual(time.clone()), |_| Memories::Pooled).await;
        price(&host.app, 3).await;
        let ada = host.connected("ada", "twitter").await;
        host.grant(ada.workspace, 100).await;
        let mut tx = host.app.db().begin().await.unwrap();
        let ends = Some(Timestamp(BEGIN + DAY));
        let (origin, description) = (GrantOrigin::Subscription, "A day");
        let grant = Grant { origin, credits: 50, key: "day", expires_at: ends, description };
        ledger::grant(&mut tx, ada.workspace, &grant, host.app.now()).await.unwrap();
        let lost = ledger::hold(&mut tx, ada.workspace, "publish", 20, "lost", host.app.now()).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let post = json!({"platform": "twitter", "content": "later", "publish_at": Timestamp(BEGIN + 20 * DAY)});
        let later = ada.publish(&post, "later").await.expect(202)["id"].as_str().unwrap().to_owned();
        let balance = async || {
            let balance = ledger::balance(&mut host.app.db().read().await.unwrap(), ada.workspace).await.unwrap();
            (balance.posted, balance.held)
        };
        assert_eq!(balance().await, (150, 23));
        time.store(BEGIN + 2 * DAY, Ordering::SeqCst);
        assert_eq!(sweeping::sweep(&host.app).await.unwrap(), 0);
        // 27 of the fifty were free, 20 are the lost hold's, 3 the post's.
        assert_eq!(balance().await, (123, 23));
        time.store(BEGIN + 9 * DAY, Ordering::SeqCst);
        assert_eq!(sweeping::sweep(&host.app).await.unwrap(), 1);
        assert_eq!(sweeping::sweep(&host.app).await.unwrap(), 0);
        // What is given back to credits whose time is over goes with them.
        assert_eq!(balance().await, (103, 3));
        let mut tx = host.app.db().read().await.unwrap();
        let charge = ledger::charge(&mut tx, ada.workspace, lost).await.unwrap().unwrap();
        assert_eq!((charge.held, charge.charged()), (20, Some(0)));
        assert_eq!(ledger::audit(&mut tx).await.unwrap(), Vec::<String>::new());
        drop(tx);
        let ada = crate::harness::Person::log_in(&host.url, "ada@example.org").await;
        ada.post(&format!("/social/publications/{later}/cancel"), &json!({})).await.expect(200);
        assert_eq!(balance().await, (100, 0));
        host.check_books().await;
    }
}
