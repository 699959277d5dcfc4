//! Control over HTTP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{Bench, RESPONSES, ask, sent};

impl Bench {
    async fn control(&self, method: Method, path: &str, content: &Value) -> reqwest::Response {
        let request = self.http.request(method, self.url(&format!("/_sim/openai/{path}")));
        sent(if content.is_null() { request } else { request.json(content) }).await
    }

    async fn look(&self, path: &str) -> Value {
        self.control(Method::GET, path, &Value::Null).await.json().await.expect("the simulator answers JSON")
    }

    async fn demand(&self, path: &str, content: &Value) -> StatusCode {
        self.control(Method::POST, path, content).await.status()
    }
}

#[tokio::test]
async fn another_process_can_look_on_and_interfere() {
    let bench = Bench::start().await;
    for mode in [
        json!({ "status": { "status": 500 } }),
        json!({ "truncate_stream": { "after_pieces": 1 } }),
        json!({ "huge_event": { "bytes": 10 } }),
        json!("usage_missing"),
    ] {
        let fault = json!({ "method": "POST", "path": RESPONSES, "mode": mode });
        assert_eq!(bench.demand("faults", &fault).await, StatusCode::NO_CONTENT, "{mode}");
    }
    assert_eq!(bench.look("faults").await[0]["times"], 1);
    let request = ask(RESPONSES, &json!({}));
    bench.refused(RESPONSES, &request, StatusCode::INTERNAL_SERVER_ERROR).await;
    bench.control(Method::DELETE, "faults", &Value::Null).await;
    assert_eq!(bench.look("faults").await, json!([]));
    assert_eq!(bench.demand("settings", &json!({ "reply": "Hello!" })).await, StatusCode::OK);
    let answer = bench.answered(RESPONSES, &request).await;
    assert_eq!(answer["output"][0]["content"][0]["text"], "Hello!");

    assert_eq!(
        bench.look("requests").await[1],
        json!({
            "seq": 2, "method": "POST", "path": RESPONSES, "authorized": true, "body": request, "status": 200,
        })
    );
    let counts = json!({
        "requests": { "POST /v1/responses": 2 }, "generations": 1, "hung_up": 0, "open_streams": 0,
    });
    assert_eq!(bench.look("counts").await, counts, "control requests do not count");
}

#[tokio::test]
async fn settings_and_faults_are_closed() {
    let bench = Bench::start().await;
    for wrong in [json!({ "replies": "x" }), json!({ "piece_chars": "5" }), json!([])] {
        assert_eq!(bench.demand("settings", &wrong).await, StatusCode::BAD_REQUEST, "{wrong}");
    }
    for mode in [json!("explode"), json!({ "status": { "status": 99 } }), json!({ "stall_stream": {} })] {
        let fault = json!({ "method": "POST", "path": RESPONSES, "mode": mode });
        assert_eq!(bench.demand("faults", &fault).await, StatusCode::BAD_REQUEST, "{fault}");
    }
}

#[tokio::test]
async fn a_reset_forgets_everything() {
    let bench = Bench::start().await;
    bench.sim.change(|settings| settings.api_key = "sk-other".to_owned());
    bench.refused(RESPONSES, &ask(RESPONSES, &json!({})), StatusCode::UNAUTHORIZED).await;
    assert_eq!(bench.demand("reset", &Value::Null).await, StatusCode::NO_CONTENT);
    bench.answered(RESPONSES, &ask(RESPONSES, &json!({}))).await;
    assert_eq!((bench.sim.requests().len(), bench.sim.generations()), (1, 1));
}
