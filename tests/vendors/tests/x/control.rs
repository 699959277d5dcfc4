//! Control over HTTP.

use orla_vendors::x::Answer;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{Bench, body, sent};

impl Bench {
    async fn control(&self, method: Method, path: &str, content: &Value) -> reqwest::Response {
        let request = self.http.request(method, self.url(&format!("/_sim/x/{path}")));
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
    let fault = json!({ "method": "POST", "path": "/2/tweets", "mode": { "status": { "status": 500 } }, "times": 1 });
    assert_eq!(bench.order("faults", &fault).await, StatusCode::NO_CONTENT);
    assert_eq!(bench.look("faults").await[0]["skip"], 0);
    let caller = bench.caller().await;
    caller.refused(&json!({ "text": "x" }), StatusCode::INTERNAL_SERVER_ERROR).await;
    let id = caller.tweet_text("x").await;
    caller.get(&format!("/2/tweets/{id}?tweet.fields=text")).send().await.unwrap();
    bench.http.get(bench.url("/2/tweets")).send().await.unwrap();

    assert_eq!(bench.look("posts").await[0]["text"], "x");
    assert_eq!(bench.look("tokens").await[1]["kind"], "access");
    let requests = bench.look("requests").await;
    assert_eq!(
        requests[3],
        json!({
            "seq": 4, "method": "GET", "path": format!("/2/tweets/{id}"), "query_keys": ["tweet.fields"],
            "user": "orla_demo", "status": 200,
        })
    );
    assert_eq!(requests[4]["status"], 405);
    let counts = json!({
        "POST /2/oauth2/token": 1, "POST /2/tweets": 2, "GET /2/tweets/{id}": 1, "GET /2/tweets": 1,
    });
    assert_eq!(bench.look("counts").await, counts, "control requests do not count");
}

#[tokio::test]
async fn settings_and_faults_are_closed() {
    let bench = Bench::start().await;
    assert_eq!(bench.order("settings", &json!({ "read_lag_ms": 5 })).await, StatusCode::OK);
    assert_eq!(bench.sim.settings().read_lag_ms, 5);
    assert_eq!(bench.sim.settings().client_id, "orla-demo");
    for wrong in [json!({ "read_lag": 5 }), json!({ "read_lag_ms": "5" }), json!([])] {
        assert_eq!(bench.order("settings", &wrong).await, StatusCode::BAD_REQUEST, "{wrong}");
    }
    for mode in
        [json!("explode"), json!({ "status": { "status": 99 } }), json!({ "status": { "status": 500, "x": 1 } })]
    {
        let fault = json!({ "method": "POST", "path": "/2/tweets", "mode": mode });
        assert_eq!(bench.order("faults", &fault).await, StatusCode::BAD_REQUEST, "{fault}");
    }
    let extra = json!({ "method": "POST", "path": "/2/tweets", "mode": "cut_after", "often": true });
    assert_eq!(bench.order("faults", &extra).await, StatusCode::BAD_REQUEST);
    assert_eq!(bench.order("redirect_uris", &json!("https://example.com/back")).await, StatusCode::NO_CONTENT);
    assert_eq!(bench.sim.settings().redirect_uris.len(), 2);
}

#[tokio::test]
async fn a_reset_forgets_all_but_the_redirect_uris() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    caller.tweet_text("x").await;
    bench.order("settings", &json!({ "read_lag_ms": 5 })).await;
    assert_eq!(bench.order("reset", &Value::Null).await, StatusCode::NO_CONTENT);
    assert!(bench.sim.posts().is_empty() && bench.sim.tokens().is_empty() && bench.sim.requests().is_empty());
    assert_eq!(bench.sim.settings().read_lag_ms, 0);
    caller.refused(&json!({ "text": "x" }), StatusCode::UNAUTHORIZED).await;

    let caller = bench.caller().await;
    assert_eq!(bench.order("revoke_all", &Value::Null).await, StatusCode::NO_CONTENT);
    caller.refused(&json!({ "text": "x" }), StatusCode::UNAUTHORIZED).await;
    assert_eq!(bench.sim.requests()[2].status, Answer::Status(401));
}
