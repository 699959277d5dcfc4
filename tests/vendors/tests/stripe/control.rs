//! Control over HTTP.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{Bench, START, body, sent, text};

impl Bench {
    async fn order(&self, path: &str, content: &Value) -> (StatusCode, Value) {
        let answer = sent(self.http.post(self.url(&format!("/_sim/stripe/{path}"))).json(content)).await;
        let status = answer.status();
        (status, serde_json::from_str(&answer.text().await.expect("the body arrives whole")).unwrap_or_default())
    }

    async fn look(&self, path: &str) -> Value {
        body(sent(self.http.get(self.url(&format!("/_sim/stripe/{path}")))).await, StatusCode::OK).await
    }

    async fn done(&self, path: &str, content: &Value) -> Value {
        let (status, answer) = self.order(path, content).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        answer
    }
}

#[tokio::test]
async fn another_process_can_do_what_customers_and_banks_do() {
    let bench = Bench::start().await;
    let (customer, price, dear) = (bench.customer().await, bench.monthly("900").await, bench.monthly("1900").await);
    let session = bench.session("subscription", &customer, &price, &[]).await;
    let subscription = text(&bench.done("pay", &json!({ "session": session })).await["subscription"]);
    bench.done("change_plan", &json!({ "subscription": subscription, "price": dear })).await;
    bench.done("decline", &json!({ "customer": customer, "declines": true })).await;
    assert_eq!(bench.order("advance", &json!(28 * 86_400)).await.0, StatusCode::NO_CONTENT);
    assert_eq!(bench.look("now").await, START + 28 * 86_400);
    let invoice = bench.sim.latest("invoice").unwrap();
    assert_eq!(bench.order("retry", &json!({ "invoice": invoice["id"] })).await.0, StatusCode::BAD_REQUEST);
    bench.done("decline", &json!({ "customer": customer, "declines": false })).await;
    assert_eq!(bench.done("retry", &json!({ "invoice": invoice["id"] })).await["status"], "paid");
    let charge = bench.sim.latest("charge").unwrap()["id"].clone();
    bench.done("refund", &json!({ "charge": charge, "amount": 100 })).await;
    let dispute = bench.done("dispute", &json!({ "charge": charge })).await;
    bench.done("close_dispute", &json!({ "dispute": dispute["id"], "won": false })).await;
    bench.done("cancel", &json!({ "subscription": subscription, "at_period_end": false })).await;
    let once = bench.price("500", None).await;
    let session = bench.session("payment", &customer, &once, &[]).await;
    bench.done("pay_later", &json!({ "session": session })).await;
    bench.done("settle_later", &json!({ "session": session, "ok": true })).await;
    let session = bench.session("payment", &customer, &once, &[]).await;
    bench.done("expire", &json!({ "session": session })).await;
    let events = bench.look("events").await;
    assert_eq!(events.as_array().unwrap().last().unwrap()["type"], "checkout.session.expired");
    assert_eq!(bench.order("pay", &json!({ "sesion": "x" })).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(bench.order("redeliver", &json!({ "event": events[0]["id"] })).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn settings_are_closed_and_a_reset_brings_the_first_ones_back() {
    let bench = Bench::start().await;
    let first = bench.look("settings").await;
    for wrong in [json!({ "key": "x" }), json!({ "webhook_secret": "x" }), json!({ "webhook_url": "nowhere" })] {
        assert_eq!(bench.order("settings", &wrong).await.0, StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(bench.order("settings", &json!({ "business": "Other" })).await.0, StatusCode::OK);
    bench.customer().await;
    bench.sim.advance(10);
    assert_eq!(bench.order("reset", &Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!((bench.look("settings").await, bench.sim.now()), (first, START));
    assert!(bench.sim.events().is_empty() && bench.sim.requests().is_empty());
}
