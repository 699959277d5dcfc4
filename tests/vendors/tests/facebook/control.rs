//! Control over HTTP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{Bench, PAGE, PERSON, SCOPES, body, code, sent};

impl Bench {
    async fn control(&self, method: Method, path: &str, content: &Value) -> reqwest::Response {
        let request = self.http.request(method, format!("{}/_sim/facebook/{path}", self.sim.origin()));
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
    let issue = json!({ "person": PERSON, "scopes": SCOPES });
    let token = body(bench.control(Method::POST, "tokens", &issue).await, StatusCode::OK).await;
    let person = bench.holding(token.as_str().unwrap());
    let page = person.page(PAGE).await;
    let path = format!("/v26.0/{PAGE}/feed");
    let fault = json!({ "method": "POST", "path": path, "mode": { "status": { "status": 500 } } });
    assert_eq!(bench.order("faults", &fault).await, StatusCode::NO_CONTENT);
    assert_eq!(bench.look("faults").await[0]["times"], 1);
    let failed = sent(page.post(&format!("{PAGE}/feed"), &[("message", "x")])).await;
    assert_eq!(failed.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let post = page.posted_words("x").await;
    let comment = json!({ "below": post, "author": "Ann", "message": "Nice" });
    let comment = body(bench.control(Method::POST, "comments", &comment).await, StatusCode::OK).await;

    assert_eq!(bench.look("posts").await[0]["id"], post);
    assert_eq!(bench.look("comments").await[0]["id"], comment);
    assert_eq!((bench.look("photos").await, bench.look("videos").await), (json!([]), json!([])));
    let made = json!({
        "posts": 1, "photos": 0, "videos": 0, "comments": 0, "code_exchanges": 0, "token_exchanges": 0,
    });
    assert_eq!(bench.look("made").await, made);
    let counts = json!({ "GET /v26.0/me/accounts": 1, "POST /v26.0/{id}/feed": 2 });
    assert_eq!(bench.look("counts").await, counts, "control requests do not count");
    let requests = bench.look("requests").await;
    assert_eq!((&requests[2]["user"], &requests[2]["status"]), (&json!(PAGE), &json!(200)));
    assert_eq!(bench.look("tokens").await[0]["kind"], "long_lived");

    assert_eq!(bench.order("advance", &json!(60 * 86_400)).await, StatusCode::NO_CONTENT);
    assert_eq!(code(person.get("me")).await, (190, 463));
    page.read("me").await;
    assert_eq!(bench.order("change_password", &json!(PERSON)).await, StatusCode::NO_CONTENT);
    assert_eq!(code(page.get("me")).await, (190, 460));
    body(bench.control(Method::POST, "tokens", &issue).await, StatusCode::OK).await;
    assert_eq!(bench.order("remove_app", &json!(PERSON)).await, StatusCode::NO_CONTENT);
    assert_eq!(bench.order("redirect_uris", &json!("https://a.example/b")).await, StatusCode::NO_CONTENT);
    assert!(bench.sim.settings().redirect_uris.contains(&"https://a.example/b".to_owned()));
}

#[tokio::test]
async fn settings_and_orders_are_closed() {
    let bench = Bench::start().await;
    let change = json!({ "require_proof": true, "throttle": "page_use_case" });
    assert_eq!(bench.order("settings", &change).await, StatusCode::OK);
    assert!(bench.sim.settings().require_proof && bench.sim.settings().throttle.is_some());
    for (path, wrong) in [
        ("settings", json!({ "require_proofs": true })),
        ("settings", json!({ "throttle": "everybody" })),
        ("faults", json!({ "method": "POST", "path": "/", "mode": "explode" })),
        ("tokens", json!({ "person": "nobody", "scopes": "email" })),
        ("comments", json!({ "below": "1_2", "author": "Ann", "message": "x" })),
        ("advance", json!("a day")),
    ] {
        assert_eq!(bench.order(path, &wrong).await, StatusCode::BAD_REQUEST, "{path} {wrong}");
    }
}

#[tokio::test]
async fn a_reset_forgets_all_but_which_ids_were_given_out() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let first = page.posted_words("x").await;
    bench.sim.change(|settings| settings.read_lag_ms = 5);
    bench.sim.advance(100);
    assert_eq!(bench.order("reset", &Value::Null).await, StatusCode::NO_CONTENT);
    assert!(bench.sim.posts().is_empty() && bench.sim.requests().is_empty() && bench.sim.tokens().is_empty());
    assert_eq!((bench.sim.settings().read_lag_ms, bench.sim.made().posts), (0, 0));
    assert_eq!(code(page.get("me")).await, (190, 0));
    assert_ne!(bench.page().await.posted_words("x").await, first);
}
