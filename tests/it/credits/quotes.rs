//! Prices, quotes and receipts.

use crate::harness::{BOTH, Host, Person, price};
use crate::operating::operator;
use orla::clock::{Clock, Timestamp};
use orla_vendors::openai::{Fault, Mode};
use serde_json::{Value, json};
use std::time::Duration;

async fn quote(person: &Person, wish: Value) -> Value {
    person.post("/credits/quote", &wish).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_keeps_its_price() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        host.grant(ada.workspace, 100).await;
        let later = Clock::System.now().after(Duration::from_secs(6));
        let mut ids = Vec::new();
        for credits in [3, 5, 0] {
            price(&host.app, credits).await;
            let post = json!({"platform": "twitter", "content": format!("at {credits}"), "publish_at": later});
            ids.push(ada.publish(&post, &format!("{credits}")).await.expect(202)["id"].as_str().unwrap().to_owned());
        }
        price(&host.app, 50).await;
        for (id, credits) in ids.iter().zip([3, 5, 0]) {
            ada.wait(id, &["published"]).await;
            let receipt = ada.get(&format!("/credits/receipts/{id}")).await.expect(200);
            let charged = (&receipt["credits_held"], &receipt["credits_charged"], &receipt["state"]);
            assert_eq!(charged, (&json!(credits), &json!(credits), &json!("published")), "{receipt:#}");
            if credits == 0 {
                assert_eq!((&receipt["outcome"], &receipt["items"]), (&json!("free"), &json!([])));
                continue;
            }
            assert_eq!((&receipt["outcome"], &receipt["version"]), (&json!("charged"), &json!("0.1.0")), "{receipt:#}");
            let item = &receipt["items"][0];
            assert_eq!(
                (&item["unit"], &item["quantity"], &item["credits_per_unit"]),
                (&json!("run"), &json!(1), &json!(credits))
            );
            assert!(receipt["meter"]["requests"].as_u64().unwrap() > 0, "{receipt:#}");
        }
        assert_eq!(ada.get("/credits/balance").await.expect(200)["available"], 92);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_not_charged_by_the_ledger_s_word() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        host.grant(ada.workspace, 100).await;
        let written = ada.post("/social-caption/generate", &json!({"topic": "bread"})).await.expect(200);
        let receipt = ada.get(&format!("/credits/receipts/{}", written["id"].as_str().unwrap())).await.expect(200);
        assert_eq!((&receipt["outcome"], &receipt["credits_charged"]), (&json!("charged"), &json!(10)), "{receipt:#}");
        assert!(receipt["usage"]["output_tokens"].as_u64().unwrap() > 0, "{receipt:#}");
        host.openai.fault(Fault::on("POST", "/v1/responses", Mode::NotJson));
        ada.post("/social-caption/generate", &json!({"topic": "bread"})).await;
        let list = ada.get("/social-caption/generations").await.expect(200);
        let failed = list["items"].as_array().unwrap().iter().find(|one| one["state"] == "failed").unwrap();
        let receipt = ada.get(&format!("/credits/receipts/{}", failed["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(
            (&receipt["outcome"], &receipt["credits_charged"]),
            (&json!("not_charged"), &json!(0)),
            "{receipt:#}"
        );
        assert!(receipt["note"].as_str().unwrap().starts_with("Not charged"), "{receipt:#}");
        let bob = host.person("bob").await;
        let path = format!("/credits/receipts/{}", failed["id"].as_str().unwrap());
        bob.get(&path).await.refused(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nearest_price_of_each_unit_counts() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let (ada, bob, operator) = (host.person("ada").await, host.person("bob").await, operator(&host).await);
        host.grant(ada.workspace, 100).await;
        let set = async |mut price: Value| {
            price["reason"] = json!("a test");
            operator.post("/admin/prices", &price).await.expect(201)
        };
        let plain = json!({"operation": "video_generation"});
        let dear = quote(&ada, plain.clone()).await;
        assert_eq!(
            (&dear["credits"], &dear["is_available"], &dear["available"]),
            (&json!(200), &json!(false), &json!(100))
        );
        set(json!({"operation": "video_generation", "credits": 5})).await;
        set(json!({"operation": "video_generation", "unit": "second", "credits": 2, "connector": "acme"})).await;
        set(json!({"operation": "video_generation", "unit": "second", "credits": 9, "connector": "acme", "model": "big"})).await;
        set(json!({"operation": "video_generation", "unit": "gigabyte", "credits": 7})).await;
        set(json!({"operation": "video_generation", "credits": 1, "workspace_id": bob.workspace})).await;
        let tomorrow = Clock::System.now().after(Duration::from_secs(86_400));
        set(json!({"operation": "video_generation", "credits": 9_999, "valid_from": tomorrow})).await;
        assert_eq!(quote(&ada, plain.clone()).await["credits"], 5);
        assert_eq!(quote(&bob, plain).await["credits"], 1);
        let run = |connector: &str, model: &str, quantities: Value| json!({"operation": "video_generation", "connector": connector, "model": model, "quantities": quantities});
        let small = quote(&ada, run("acme", "small", json!({"seconds": 8, "bytes": 1_000_000_001_i64}))).await;
        assert_eq!(small["credits"], 5 + 8 * 2 + 8, "{small:#}");
        assert_eq!(small["items"].as_array().unwrap().len(), 3, "{small:#}");
        assert_eq!(quote(&ada, run("acme", "big", json!({"seconds": 8}))).await["credits"], 5 + 8 * 9);
        assert_eq!(quote(&ada, run("other", "big", json!({"seconds": 8}))).await["credits"], 5);
        let listed = ada.get("/credits/prices").await.expect(200).to_string();
        assert!(!listed.contains(&bob.workspace.to_string()) && !listed.contains("9999"), "{listed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_on_the_customer_s_own_app_have_a_price_of_their_own() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let (ada, operator) = (host.person("ada").await, operator(&host).await);
        let own = json!({"client_id": "orla-demo", "client_secret": "orla-demo-secret"});
        ada.put("/social/apps/twitter", &own).await.expect(200);
        ada.connect(&host.sim, "twitter", "orla_demo").await;
        let bob = host.connected("bob", "twitter").await;
        for (vendor_key, credits) in [("own", 1), ("any", 4)] {
            let price = json!({"operation": "publish", "credits": credits, "vendor_key": vendor_key, "reason": "r"});
            operator.post("/admin/prices", &price).await.expect(201);
        }
        for (person, credits) in [(&ada, 1), (&bob, 4)] {
            host.grant(person.workspace, 10).await;
            let connection = person.get("/social/connections").await.expect(200)["items"][0]["id"].clone();
            let wish = json!({"operation": "publish", "connection_id": connection});
            assert_eq!(quote(person, wish).await["credits"], credits);
            let post = json!({"platform": "twitter", "content": format!("for {credits}")});
            let published = person.published(&post, "k", &["published"]).await;
            assert_eq!(published["price"], credits, "{published:#}");
        }
        // Somebody else's account is none that a price would be known by.
        let connection = ada.get("/social/connections").await.expect(200)["items"][0]["id"].clone();
        assert_eq!(quote(&bob, json!({"operation": "publish", "connection_id": connection})).await["credits"], 4);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_and_prices_that_make_no_sense_are_refused() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let (ada, operator) = (host.person("ada").await, operator(&host).await);
        let most = i64::MAX;
        for wish in [
            json!({"operation": "nothing_like_it"}),
            json!({"operation": "social_caption", "quantities": {"tokens": -1}}),
            json!({"operation": "social_caption", "quantities": {"bytes": most}}),
        ] {
            ada.post("/credits/quote", &wish).await.refused(422, "invalid_input");
        }
        let past = Timestamp(1);
        for price in [
            json!({"operation": "publish", "credits": -1, "reason": "r"}),
            json!({"operation": "publish", "credits": most, "reason": "r"}),
            json!({"operation": "", "credits": 1, "reason": "r"}),
            json!({"operation": "pub\u{0}lish", "credits": 1, "reason": "r"}),
            json!({"operation": "publish", "credits": 1, "reason": " "}),
            json!({"operation": "publish", "credits": 1, "reason": "r", "model": "m"}),
            json!({"operation": "publish", "credits": 1, "reason": "r", "valid_from": past}),
        ] {
            operator.post("/admin/prices", &price).await.refused(422, "invalid_input");
            ada.post("/admin/prices", &price).await.refused(403, "forbidden");
        }
        let nobody = uuid::Uuid::now_v7();
        let price = json!({"operation": "publish", "credits": 1, "reason": "r", "workspace_id": nobody});
        operator.post("/admin/prices", &price).await.refused(404, "not_found");
        // So much that it would cost more than numbers have room for.
        let dear = json!({"operation": "social_caption", "unit": "second", "credits": 1_000_000_000, "reason": "r"});
        operator.post("/admin/prices", &dear).await.expect(201);
        let wish = json!({"operation": "social_caption", "quantities": {"seconds": 1_000_000_000_000_000_i64}});
        ada.post("/credits/quote", &wish).await.refused(422, "invalid_input");
    }
}
