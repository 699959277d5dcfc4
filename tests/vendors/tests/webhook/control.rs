//! Control over HTTP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{Bench, EVENT, body, sent};

impl Bench {
    async fn control(&self, method: Method, path: &str, content: &Value) -> reqwest::Response {
        let request = self.http.request(method, self.url(&format!("/_sim/webhook/{path}")));
        let request = if content.is_null() { request } else { request.json(content) };
        sent(request).await
    }

    async fn look(&self, path: &str) -> Value {
        body(self.control(Method::GET, path, &Value::Null).await, StatusCode::OK).await
    }

    async fn order(&self, path: &str, content: &Value) -> StatusCode {
        self.control(Method::POST, path, content).await.status()
    }
}

#[tokio::test]
async fn another_process_can_look_on_and_interfere() {
    let bench = Bench::start().await;
    let fault = json!({ "method": "POST", "path": "/hooks/orla", "mode": { "status": { "status": 500 } } });
    assert_eq!(bench.order("faults", &fault).await, StatusCode::NO_CONTENT);
    assert_eq!(bench.look("faults").await[0]["times"], 1);
    assert_eq!(sent(bench.delivery("msg_1", EVENT)).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    sent(bench.delivery("msg_1", EVENT)).await;
    sent(bench.unsigned("msg_2", "0", EVENT)).await;
    let deliveries = bench.look("deliveries").await;
    assert_eq!((&deliveries[0]["body"], &deliveries[0]["refusal"]), (&json!(EVENT), &Value::Null));
    let reason = "The header webhook-signature is missing.";
    assert_eq!(deliveries[1]["refusal"], json!({ "status": 400, "reason": reason }));
    assert_eq!(bench.look("messages").await, json!({ "msg_1": 1 }));
    assert_eq!(bench.look("counts").await, json!({ "POST /hooks/orla": 3 }));
    assert_eq!(bench.look("requests").await[0]["status"], 500);
}

#[tokio::test]
async fn settings_are_closed_and_a_reset_brings_the_first_ones_back() {
    let bench = Bench::start().await;
    let first = bench.look("settings").await;
    for wrong in [
        json!({ "secret": "x" }),
        json!({ "secrets": ["whsec_c2hvcnQ="] }),
        json!({ "secrets": [] }),
        json!({ "status": 99 }),
    ] {
        assert_eq!(bench.order("settings", &wrong).await, StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(bench.order("settings", &json!({ "status": 202 })).await, StatusCode::OK);
    assert_eq!(sent(bench.delivery("msg_1", EVENT)).await.status(), StatusCode::ACCEPTED);
    assert_eq!(bench.order("reset", &Value::Null).await, StatusCode::NO_CONTENT);
    assert_eq!(bench.look("settings").await, first);
    assert!(bench.sim.deliveries().is_empty() && bench.sim.requests().is_empty());
}
