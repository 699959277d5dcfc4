//! Credits under many hands at once.

mod caps;
mod operators;
mod quotes;
mod sweeping;

use crate::harness::{BOTH, Host, price};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_publications_on_credits_for_five_exactly_five_settle() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        price(&host.app, 3).await;
        let ada = host.connected("ada", "twitter").await;
        host.grant(ada.workspace, 15).await;
        let wishes = (0..20).map(|n| {
            let ada = ada.clone();
            tokio::spawn(async move {
                let post = json!({"platform": "twitter", "content": format!("post {n}")});
                ada.publish(&post, &format!("key {n}")).await
            })
        });
        let mut taken = Vec::new();
        for wish in wishes.collect::<Vec<_>>() {
            let answer = wish.await.unwrap();
            match answer.status.as_u16() {
                202 => taken.push(answer.body["id"].as_str().unwrap().to_owned()),
                _ => answer.refused(402, "insufficient_credits"),
            }
        }
        assert_eq!(taken.len(), 5);
        for id in &taken {
            let done = ada.wait(id, &["published", "failed"]).await;
            assert_eq!(done["state"], "published", "{done:#}");
        }
        let balance = ada.get("/credits/balance").await.expect(200);
        assert_eq!([&balance["posted"], &balance["held"], &balance["available"]], [0, 0, 0]);
        assert_eq!(host.sim.posts().len(), 5);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_wishes_with_one_key_are_one_publication() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        price(&host.app, 3).await;
        let ada = host.connected("ada", "twitter").await;
        host.grant(ada.workspace, 3).await;
        let post = json!({"platform": "twitter", "content": "once"});
        let wishes = (0..20).map(|_| {
            let (ada, post) = (ada.clone(), post.clone());
            tokio::spawn(
                async move { ada.publish(&post, "one key").await.expect(202)["id"].as_str().unwrap().to_owned() },
            )
        });
        let mut ids = Vec::new();
        for wish in wishes.collect::<Vec<_>>() {
            ids.push(wish.await.unwrap());
        }
        ids.dedup();
        assert_eq!(ids.len(), 1);
        ada.wait(&ids[0], &["published"]).await;
        assert_eq!(host.sim.posts().len(), 1);
        let other = json!({"platform": "twitter", "content": "another"});
        ada.publish(&other, "one key").await.refused(409, "idempotency_key_reused");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_without_a_price_is_refused() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        let mut tx = host.app.db().begin().await.unwrap();
        orla::on!(&mut tx, conn => sqlx::query("delete from price_versions where operation = 'publish'").execute(conn).await.map(drop))
            .unwrap();
        tx.commit().await.unwrap();
        ada.publish(&json!({"platform": "twitter", "content": "free?"}), "k").await.refused(503, "unknown_price");
        assert!(host.sim.posts().is_empty());
    }
}
