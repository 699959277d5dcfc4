//! Control over HTTP.

use orla_vendors::mastodon::Answer;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{Bench, STATUSES, body, sent};

impl Bench {
    async fn control(&self, method: Method, path: &str, content: &Value) -> reqwest::Response {
        let request = self.http.request(method, self.url(&format!("/_sim/mastodon/{path}")));
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
    let fault = json!({ "method": "POST", "path": STATUSES, "mode": { "status": { "status": 500 } }, "times": 1 });
    assert_eq!(bench.order("faults", &fault).await, StatusCode::NO_CONTENT);
    assert_eq!(bench.look("faults").await[0]["skip"], 0);
    bench.refused_by_fault().await;
    let id = bench.posted_words("x").await;
    bench.read(&format!("{STATUSES}/{id}")).await;
    sent(bench.http.get(bench.url("/nowhere?a=1&b=2"))).await;

    assert_eq!(bench.look("statuses").await[0]["text"], "x");
    assert_eq!(bench.look("media").await, json!([]));
    let requests = bench.look("requests").await;
    let user = &json!("orla_demo");
    assert_eq!((&requests[0]["status"], requests[0].get("user")), (&json!(500), None), "it was not executed");
    assert_eq!((&requests[1]["status"], &requests[1]["user"]), (&json!(200), user));
    let nowhere = json!({ "seq": 4, "method": "GET", "path": "/nowhere", "query_keys": ["a", "b"], "status": 404 });
    assert_eq!(requests[3], nowhere);
    let counts = json!({ "POST /api/v1/statuses": 2, "GET /api/v1/statuses/{id}": 1, "GET /nowhere": 1 });
    assert_eq!(bench.look("counts").await, counts, "control requests do not count");

    let issued = json!({ "account": "second_account", "scopes": "profile" });
    let token = body(bench.control(Method::POST, "tokens", &issued).await, StatusCode::OK).await;
    let verify = || bench.http.get(bench.url("/api/v1/accounts/verify_credentials"));
    let me = sent(verify().bearer_auth(token.as_str().unwrap())).await;
    assert_eq!(body(me, StatusCode::OK).await["username"], "second_account");
    assert_eq!(bench.order("revoke", &token).await, StatusCode::NO_CONTENT);
    assert_eq!(sent(verify().bearer_auth(token.as_str().unwrap())).await.status(), StatusCode::UNAUTHORIZED);
}

impl Bench {
    async fn refused_by_fault(&self) {
        let response = sent(self.post(&json!({ "status": "x" }))).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}

#[tokio::test]
async fn settings_and_faults_are_closed() {
    let bench = Bench::start().await;
    assert_eq!(bench.order("settings", &json!({ "max_characters": 5 })).await, StatusCode::OK);
    assert_eq!((bench.sim.settings().max_characters, bench.sim.settings().max_media_attachments), (5, 4));
    for wrong in [json!({ "max_chars": 5 }), json!({ "max_characters": "5" }), json!([])] {
        assert_eq!(bench.order("settings", &wrong).await, StatusCode::BAD_REQUEST, "{wrong}");
    }
    for mode in [
        json!("explode"),
        json!({ "status": { "status": 99 } }),
        json!({ "redirect": { "status": 200, "location": "https://a.example" } }),
        json!({ "huge_body": { "bytes": -1 } }),
    ] {
        let fault = json!({ "method": "POST", "path": STATUSES, "mode": mode });
        assert_eq!(bench.order("faults", &fault).await, StatusCode::BAD_REQUEST, "{fault}");
    }
    let stranger = json!({ "account": "nobody", "scopes": "read" });
    assert_eq!(bench.order("tokens", &stranger).await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_reset_forgets_all_but_which_ids_were_given_out() {
    let bench = Bench::start().await;
    let id = bench.posted_words("x").await;
    bench.order("settings", &json!({ "read_lag_ms": 5 })).await;
    assert_eq!(bench.order("reset", &Value::Null).await, StatusCode::NO_CONTENT);
    assert!(bench.sim.statuses().is_empty() && bench.sim.requests().is_empty());
    assert_eq!(bench.sim.settings().read_lag_ms, 0);
    let next = bench.posted_words("x").await;
    assert!(next.parse::<u64>().unwrap() > id.parse().unwrap());
    assert_eq!(bench.sim.requests()[0].status, Answer::Status(200));
}
