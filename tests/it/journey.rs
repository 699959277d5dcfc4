//! The main job, from registering to the receipt.

use crate::harness::{BOTH, Fault, Host, Mode, price};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// What the simulator serves as a picture, and what X then holds, are the same bytes.
async fn picture_digest(origin: &str) -> String {
    let bytes = crate::harness::client().get(format!("{origin}/pictures/square.png")).send().await.unwrap();
    hex::encode(Sha256::digest(bytes.bytes().await.unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_registers_connects_publishes_and_reads_the_receipt() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        let connections = ada.get("/social/connections").await.expect(200);
        assert_eq!(connections["items"][0]["handle"], "orla_demo");

        let picture = format!("{}/pictures/square.png", host.sim.origin());
        let post = json!({"platform": "twitter", "content": "Hello from Orla", "media_urls": [picture]});
        let done = ada.published(&post, "hello", &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");

        let posts = host.sim.posts();
        assert_eq!(posts.len(), 1);
        assert_eq!(posts[0].text, "Hello from Orla");
        assert_eq!(posts[0].media[0].sha256, picture_digest(&host.sim.origin()).await);
        let part = &done["receipt"][0];
        assert_eq!((part["outcome"].as_str(), part["id"].as_str()), (Some("done"), Some(posts[0].id.as_str())));
        assert_eq!(part["url"], format!("https://x.com/orla_demo/status/{}", posts[0].id));

        let timeline: Vec<&str> =
            done["timeline"].as_array().unwrap().iter().map(|e| e["state"].as_str().unwrap()).collect();
        assert_eq!(timeline, ["due", "running", "published"]);
        let meter = &done["timeline"][2]["meter"];
        assert!(meter["fuel"].as_u64().unwrap() > 0 && meter["requests"].as_u64().unwrap() >= 4, "{meter}");
        let listed = ada.get("/social/publications").await.expect(200);
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_is_posted_in_order_and_charged_once() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        price(&host.app, 3).await;
        let ada = host.connected("ada", "twitter").await;
        host.grant(ada.workspace, 10).await;
        let post = json!({"platform": "twitter", "parts": [{"text": "one"}, {"text": "two"}, {"text": "three"}]});
        let done = ada.published(&post, "thread", &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        let posts = host.sim.posts();
        assert_eq!(posts.iter().map(|post| post.text.as_str()).collect::<Vec<_>>(), ["one", "two", "three"]);
        assert_eq!(posts[1].reply_to.as_ref(), Some(&posts[0].id));
        assert_eq!(posts[2].reply_to.as_ref(), Some(&posts[1].id));
        let balance = ada.get("/credits/balance").await.expect(200);
        assert_eq!([&balance["posted"], &balance["held"], &balance["available"]], [7, 0, 7]);
        let kinds = ada.get("/credits/transactions").await.expect(200);
        let kinds: Vec<&str> = kinds["items"].as_array().unwrap().iter().map(|t| t["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["settle", "hold", "grant"]);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_certainly_failed_costs_nothing() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        price(&host.app, 3).await;
        let ada = host.connected("ada", "twitter").await;
        host.grant(ada.workspace, 3).await;
        host.sim.fault(Fault::on("POST", "/2/tweets", orla_vendors::x::reject_in_body()));
        let done =
            ada.published(&json!({"platform": "twitter", "content": "no"}), "no", &["published", "failed"]).await;
        assert_eq!(done["state"], "failed", "a 200 that rejects in its body is no publication: {done:#}");
        let missing = json!({"platform": "twitter", "content": "no picture", "media_urls": [format!("{}/pictures/none.png", host.sim.origin())]});
        let done = ada.published(&missing, "missing", &["published", "failed"]).await;
        assert_eq!(
            (done["state"].as_str(), done["fault"]["kind"].as_str()),
            (Some("failed"), Some("invalid")),
            "{done:#}"
        );
        assert!(host.sim.posts().is_empty());
        let balance = ada.get("/credits/balance").await.expect(200);
        assert_eq!([&balance["posted"], &balance["held"], &balance["available"]], [3, 0, 3]);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_in_passing_is_tried_again() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::status(429)).times(2));
        let done =
            ada.published(&json!({"platform": "twitter", "content": "later"}), "k", &["published", "failed"]).await;
        assert_eq!((done["state"].as_str(), done["attempts"].as_i64()), (Some("published"), Some(3)), "{done:#}");
        assert_eq!(host.sim.posts().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_connection_cannot_be_published_to_and_its_tokens_are_revoked() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        let list = ada.get("/social/connections").await.expect(200);
        let id = list["items"][0]["id"].as_str().unwrap();
        let gone = ada.call(reqwest::Method::DELETE, &format!("/social/connections/{id}"), None).await;
        assert_eq!(gone.status, 204);
        ada.publish(&json!({"platform": "twitter", "content": "late"}), "k").await.refused(409, "not_connected");
        assert!(host.sim.counts().get("POST /2/oauth2/revoke").is_some_and(|count| *count >= 1));
    }
}
