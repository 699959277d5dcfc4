//! Connectors that were written with the SDK's documents alone, against strict simulators of their vendors.

use crate::harness::{BOTH, Backend, Host, component, settings};
use orla::connectors::{Actor, Consent, Memories, Then};
use orla_vendors::{mastodon, webhook};
use serde_json::{Value, json};

/// A host on which a connector was installed while it runs, and which may call its vendor.
async fn host(backend: Backend, id: &str, origin: &str) -> Host {
    let address = origin.trim_start_matches("http://").to_owned();
    let host = Host::start_with(backend, settings(), |config| {
        config.egress_allow.push(address);
        Memories::Pooled
    })
    .await;
    let wasm = std::fs::read(component(id)).unwrap();
    let installing = host.app.connectors().install(&wasm, Then::Activate(Consent::Withheld), Actor::Command);
    let installed = Box::pin(installing).await;
    assert_eq!(installed.unwrap().state, "active");
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_with_a_picture_goes_to_mastodon() {
    for backend in BOTH {
        let instance = mastodon::Sim::start(mastodon::Settings::default()).await;
        let host = host(backend, "mastodon", &instance.origin()).await;
        let ada = host.person("ada").await;
        let wrong = json!({"fields": {"instance": instance.origin(), "token": "no-such-token"}});
        let told = ada.post("/social/connections/mastodon", &wrong).await;
        assert!(told.body["detail"].as_str().unwrap().contains("token"), "{}", told.body);
        assert_eq!(told.status, 400);
        let right = json!({"fields": {"instance": instance.origin(), "token": "orla-demo-mastodon-token"}});
        let connection = ada.post("/social/connections/mastodon", &right).await.expect(201);
        assert_eq!(connection["handle"], "orla_demo");
        let picture = format!("{}/pictures/square.png", host.sim.origin());
        let thread = json!({"platform": "mastodon", "parts": [
            {"text": "A square.", "media": [{"url": picture, "alt_text": "A square"}]},
            {"text": "And that was it."},
        ]});
        let done = ada.published(&thread, "thread", &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        let statuses = instance.statuses();
        let texts: Vec<&str> = statuses.iter().map(|status| status.text.as_str()).collect();
        assert_eq!(texts, ["A square.", "And that was it."]);
        assert_eq!(statuses[1].in_reply_to_id.as_ref(), Some(&statuses[0].id));
        assert_eq!(done["receipt"][1]["id"], Value::from(statuses[1].id.as_str()));
        assert_eq!(instance.media().len(), 1);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_whose_answer_is_lost_is_found_at_mastodon() {
    for backend in BOTH {
        let instance = mastodon::Sim::start(mastodon::Settings::default()).await;
        let host = host(backend, "mastodon", &instance.origin()).await;
        let ada = host.person("ada").await;
        let fields = json!({"fields": {"instance": instance.origin(), "token": "orla-demo-mastodon-token"}});
        ada.post("/social/connections/mastodon", &fields).await.expect(201);
        instance.fault(mastodon::Fault {
            method: "POST".to_owned(),
            path: "/api/v1/statuses".to_owned(),
            mode: mastodon::Mode::CutAfter,
            times: 1,
            skip: 0,
        });
        let post = json!({"platform": "mastodon", "content": "Lost and found"});
        let done = ada.published(&post, "lost", &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        assert_eq!(instance.statuses().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_goes_to_a_webhook_signed() {
    for backend in BOTH {
        let receiver = webhook::Sim::start(webhook::Settings::default()).await;
        let host = host(backend, "webhook", &receiver.origin()).await;
        let ada = host.person("ada").await;
        let secret = &webhook::Settings::default().secrets[0];
        let fields = json!({"fields": {"url": format!("{}/hooks/a-secret-path", receiver.origin()), "secret": secret}});
        ada.post("/social/connections/webhook", &fields).await.expect(201);
        let post = json!({"platform": "webhook", "content": "Good day"});
        let done = ada.published(&post, "k", &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        let deliveries = receiver.deliveries();
        assert_eq!((deliveries.len(), receiver.accepted()), (1, 1), "{deliveries:?}");
        assert_eq!(deliveries[0].path, "/hooks/a-secret-path");
        assert!(deliveries[0].body.contains("Good day"), "{}", deliveries[0].body);
        host.check_books().await;
    }
}
