//! Deliveries of events, and how they are signed.

use std::time::Duration;

use orla_vendors::{stripe, webhook};
use sha2::{Digest, Sha256};

use crate::Bench;

/// The signature, by the definition of HMAC and not by the simulator's code.
fn hmac(secret: &str, message: &str) -> String {
    let mut key = secret.as_bytes().to_vec();
    key.resize(64, 0);
    let padded = |with: u8| -> Vec<u8> { key.iter().map(|byte| byte ^ with).collect() };
    let inner = Sha256::digest([padded(0x36), message.as_bytes().to_vec()].concat());
    hex::encode(Sha256::digest([padded(0x5c), inner.to_vec()].concat()))
}

#[tokio::test]
async fn a_body_is_signed_with_the_whole_secret() {
    let bench = Bench::start().await;
    bench.customer().await;
    let event = bench.sim.events().pop().unwrap();
    let body = event.body();
    assert!(body.contains("\"type\":\"customer.created\"") && event.object_id().starts_with("cus_"));
    let right = format!("t=1700000000,v1={}", hmac("whsec_orla_demo", &format!("1700000000.{body}")));
    assert_eq!(stripe::sign("whsec_orla_demo", &body, 1_700_000_000), right);
}

#[tokio::test]
async fn an_event_is_delivered_until_it_is_taken() {
    let endpoint = webhook::Sim::start(webhook::Settings::default()).await;
    // The endpoint knows another kind of signature, so faults answer in its place.
    endpoint.fault(webhook::Fault::on("POST", "/stripe", webhook::Mode::CutBefore));
    endpoint.fault(webhook::Fault::on("POST", "/stripe", webhook::Mode::status(500)));
    endpoint.fault(webhook::Fault::on(
        "POST",
        "/stripe",
        webhook::Mode::ExecutedThenStatus(webhook::Canned { status: 204, ..webhook::Canned::default() }),
    ));
    let settings = stripe::Settings {
        webhook_url: Some(format!("{}/stripe", endpoint.origin())),
        webhook_pauses_ms: vec![1, 1, 1],
        ..stripe::Settings::default()
    };
    let bench = Bench::with(settings).await;
    bench.customer().await;
    for _ in 0..500 {
        if bench.sim.deliveries().len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let statuses: Vec<Option<u16>> = bench.sim.deliveries().iter().map(|delivery| delivery.status).collect();
    assert_eq!(statuses, [None, Some(500), Some(204)]);
    let event = bench.sim.events().pop().unwrap();
    assert_eq!((event.pending_webhooks, bench.sim.delivered()), (0, 1));
    let received = endpoint.deliveries().pop().unwrap();
    let sent: serde_json::Value = serde_json::from_str(&received.body).unwrap();
    assert_eq!((&sent["id"], &sent["pending_webhooks"]), (&serde_json::json!(event.id), &serde_json::json!(1)));
    assert_eq!(received.content_type.as_deref(), Some("application/json; charset=utf-8"));
}
