//! What a video costs: by its price, once, within caps, and reserved for as long as it takes.

use super::{PRICE, ask, balance, connected, ended, google, host, until};
use crate::harness::BOTH;
use orla::operating::sweeping;
use orla::prices::{self, NewPrice, Unit, VendorKey};
use orla::{db, on};
use orla_vendors::vertex::Settings;
use serde_json::{Value, json};

const FAST: &str = "veo-3.1-fast-generate-001";

#[tokio::test(flavor = "multi_thread")]
async fn a_price_by_second_and_model_counts_and_its_receipt_says_how() {
    for backend in BOTH {
        let (host, sim) = host(backend, google()).await;
        let ada = connected(&host, &sim, 4).await;
        let by_second = NewPrice {
            operation: "video_generation".to_owned(),
            unit: Unit::Second,
            credits: 30,
            connector: Some("vertex".to_owned()),
            model: Some(FAST.to_owned()),
            workspace_id: None,
            vendor_key: VendorKey::Any,
            valid_from: None,
            reason: "for a test".to_owned(),
        };
        let mut tx = host.app.db().begin().await.unwrap();
        prices::add(&mut tx, &by_second, "command", host.app.now()).await.unwrap();
        tx.commit().await.unwrap();
        for (key, wish, cost) in [
            ("other", json!({"prompt": "A lighthouse", "duration_seconds": 6}), PRICE),
            ("fast", json!({"prompt": "A lighthouse", "duration_seconds": 4, "model": FAST}), PRICE + 120),
        ] {
            let done = ended(&ada, key, &wish).await;
            assert_eq!((done["state"].as_str(), &done["price"]), (Some("completed"), &json!(cost)), "{done:#}");
            let path = format!("/credits/receipts/{}", done["id"].as_str().unwrap());
            let receipt = ada.get(&path).await.expect(200);
            let told = (&receipt["kind"], &receipt["outcome"], &receipt["credits_charged"], &receipt["state"]);
            assert_eq!(told, (&json!("video"), &json!("charged"), &json!(cost), &json!("completed")), "{receipt:#}");
            let items = receipt["items"].as_array().unwrap();
            assert_eq!(items.iter().map(|item| item["credits"].as_i64().unwrap()).sum::<i64>(), cost, "{receipt:#}");
            assert_eq!(receipt["meter"], done["receipt"]["meter"], "{receipt:#}");
            host.person("mallory").await.get(&path).await.refused(404, "not_found");
        }
        assert_eq!(balance(&ada).await, (4 * PRICE - 2 * PRICE - 120, 0));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_of_a_member_counts_and_nothing_is_begun_beyond_it() {
    for backend in BOTH {
        let (host, sim) = host(backend, google()).await;
        let ada = connected(&host, &sim, 3).await;
        let caps = json!({"caps": [{"scope": "each_member", "period": "month", "credits": PRICE}]});
        ada.put("/credits/caps", &caps).await.expect(200);
        let wish = json!({"prompt": "A lighthouse"});
        let id = ask(&ada, "one", &wish).await.expect(202)["id"].as_str().unwrap().to_owned();
        ask(&ada, "two", &wish).await.refused(402, "cap_reached");
        until(&ada, &id, |video| video["state"] == "completed").await;
        assert_eq!((sim.operations().len(), balance(&ada).await), (1, (2 * PRICE, 0)));
        host.check_books().await;
    }
}

/// As if everything had been reserved nine days ago.
async fn grow_old(db: &db::Db) {
    const AGE: &str = "update credit_holds set created_at = created_at - 777600000000";
    let mut tx = db.begin().await.unwrap();
    on!(&mut tx, conn => sqlx::query(AGE).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_reserved_for_a_video_that_takes_long_is_given_back_to_nobody() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings { looks: 1_000_000, ..google() }).await;
        let ada = connected(&host, &sim, 1).await;
        let id =
            ask(&ada, "long", &json!({"prompt": "A lighthouse"})).await.expect(202)["id"].as_str().unwrap().to_owned();
        until(&ada, &id, |video| video["progress"]["begun_at"].is_string()).await;
        grow_old(host.app.db()).await;
        assert_eq!((sweeping::sweep(&host.app).await.unwrap(), balance(&ada).await), (0, (PRICE, PRICE)));
        let receipt: Value = ada.get(&format!("/credits/receipts/{id}")).await.expect(200);
        assert_eq!((&receipt["outcome"], &receipt["credits_charged"]), (&json!("reserved"), &json!(0)), "{receipt:#}");
        sim.change(|settings| settings.looks = 0);
        until(&ada, &id, |video| video["state"] == "completed").await;
        assert_eq!((sweeping::sweep(&host.app).await.unwrap(), balance(&ada).await), (0, (0, 0)));
        host.check_books().await;
    }
}
