//! Control over HTTP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{Bench, body, sent, text};

impl Bench {
    async fn control(&self, method: Method, path: &str, content: &Value) -> reqwest::Response {
        let request = self.http.request(method, self.url(&format!("/_sim/dropbox/{path}")));
        sent(if content.is_null() { request } else { request.json(content) }).await
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
    assert_eq!(bench.order("redirect_uris", &json!("http://127.0.0.1:9/back")).await, StatusCode::NO_CONTENT);
    assert!(bench.sim.settings().redirect_uris.contains(&"http://127.0.0.1:9/back".to_owned()));
    let caller = bench.caller().await;
    let fault = json!({ "method": "POST", "path": "/2/files/list_folder", "mode": { "status": { "status": 500 } } });
    assert_eq!(bench.order("faults", &fault).await, StatusCode::NO_CONTENT);
    assert_eq!(bench.look("faults").await[0]["times"], 1);
    let list = || caller.call("files/list_folder", &json!({ "path": "" }));
    assert_eq!(sent(list()).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(sent(list()).await.status(), StatusCode::OK);

    assert_eq!(bench.look("counts").await, json!({ "POST /oauth2/token": 1, "POST /2/files/list_folder": 2 }));
    let tally = bench.look("tally").await;
    assert_eq!((&tally["lists"], &tally["exchanges"]), (&json!(1), &json!(1)));
    let requests = bench.look("requests").await;
    assert_eq!((&requests[2]["user"], &requests[2]["status"]), (&json!("orla_demo"), &json!(200)));
    assert_eq!(bench.look("tokens").await[1]["value"], caller.token);

    assert_eq!(bench.order("advance", &json!(14_400)).await, StatusCode::NO_CONTENT);
    assert_eq!(sent(list()).await.status(), StatusCode::UNAUTHORIZED);
    let refresh = text(&bench.look("tokens").await[2]["value"]);
    for (order, status) in [("expire_access_tokens", 200), ("revoke_all", 400)] {
        assert_eq!(bench.order(order, &Value::Null).await, StatusCode::NO_CONTENT);
        assert_eq!(bench.refresh(&refresh).await.status().as_u16(), status);
    }
}

#[tokio::test]
async fn settings_are_closed_and_describe_files() {
    let bench = Bench::start().await;
    let mut accounts = bench.look("settings").await["accounts"].take();
    accounts[0]["files"] = json!([{
        "path": "/x.bin", "content": { "noise": { "size_bytes": 5 } }, "modified": "2026-01-01T00:00:00Z",
    }]);
    let changed = json!({ "accounts": accounts, "refresh_tokens": "rotating", "token_failures": ["server_error"] });
    assert_eq!(bench.order("settings", &changed).await, StatusCode::OK);
    assert_eq!(bench.refresh("x").await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let metadata = bench.caller().await.read("files/get_metadata", &json!({ "path": "/x.bin" })).await;
    assert_eq!(metadata["size"], 5);
    for wrong in [json!({ "page_size": 5 }), json!({ "resets": -1 }), json!({ "consent": "maybe" }), json!([])] {
        assert_eq!(bench.order("settings", &wrong).await, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let fault = json!({ "method": "POST", "path": "/", "mode": { "status": { "status": 99 } } });
    assert_eq!(bench.order("faults", &fault).await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_reset_forgets_all_but_redirect_uris() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    bench.order("settings", &json!({ "resets": 3 })).await;
    bench.sim.advance(60);
    assert_eq!(bench.order("reset", &Value::Null).await, StatusCode::NO_CONTENT);
    assert_eq!((bench.sim.settings().resets, bench.sim.tally().exchanges), (0, 0));
    assert!(bench.sim.tokens().is_empty() && bench.sim.requests().is_empty());
    assert_eq!(sent(caller.post("users/get_current_account")).await.status(), StatusCode::UNAUTHORIZED);
    bench.tokens().await;
}
