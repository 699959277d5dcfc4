//! Whatever can go wrong between two machines.

use orla_vendors::facebook::{Canned, Fault, Mode, Throttle};
use reqwest::StatusCode;
use serde_json::json;

use crate::{Bench, PAGE, SCOPES, body, refusal, sent};

const FEED: &str = "/v26.0/615500000000001/feed";

#[tokio::test]
async fn a_cut_leaves_nothing_or_a_post_by_when_it_comes() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let post = |words: &'static str| page.post(&format!("{PAGE}/feed"), &[("message", words)]);
    bench.sim.fault(Fault::on("POST", FEED, Mode::CutBefore));
    post("one").send().await.unwrap_err();
    assert_eq!(bench.sim.made().posts, 0);
    bench.sim.fault(Fault::on("POST", FEED, Mode::CutAfter));
    post("two").send().await.unwrap_err();
    assert_eq!(bench.sim.made().posts, 1);
    bench.sim.fault(Fault::on("POST", FEED, Mode::TruncatedBody));
    let short = sent(post("three")).await;
    short.bytes().await.unwrap_err();
    bench.sim.fault(Fault::on("POST", FEED, Mode::SlowBody { pause_ms: 1 }));
    body(sent(post("four")).await, StatusCode::OK).await;
    bench.sim.fault(Fault::on("POST", FEED, Mode::executed_then_status(500)));
    body(sent(post("five")).await, StatusCode::INTERNAL_SERVER_ERROR).await;
    assert_eq!(bench.sim.made().posts, 4);
    assert_eq!(bench.sim.counts()["POST /v26.0/{id}/feed"], 5);
    assert_eq!(bench.sim.requests().last().unwrap().user.as_deref(), Some(PAGE));
}

#[tokio::test]
async fn a_status_comes_in_facebooks_manner() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    for (status, code) in [(400, 100), (401, 190), (403, 200), (429, 4), (500, 1), (503, 2)] {
        bench.sim.fault(Fault::on("POST", FEED, Mode::status(status)));
        let response = sent(page.post(&format!("{PAGE}/feed"), &[("message", "x")])).await;
        assert_eq!(response.headers().contains_key("x-app-usage"), status == 429);
        let answer = body(response, StatusCode::from_u16(status).unwrap()).await;
        assert_eq!(
            (&answer["error"]["code"], answer["error"].get("is_transient").is_some()),
            (&json!(code), code == 2)
        );
    }
    let canned = Canned { status: 400, body: Some(json!({ "error": { "code": 368 } })), ..Canned::default() };
    bench.sim.fault(Fault::on("POST", FEED, Mode::Status(canned)));
    let blocked = sent(page.post(&format!("{PAGE}/feed"), &[("message", "x")])).await;
    assert_eq!(body(blocked, StatusCode::BAD_REQUEST).await["error"]["code"], 368);
    assert_eq!(bench.sim.made().posts, 0);
}

#[tokio::test]
async fn a_limit_can_be_reached_on_one_route() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let post = || page.post(&format!("{PAGE}/feed"), &[("message", "x")]);
    for (throttle, code, header) in [
        (Throttle::App, 4, "x-app-usage"),
        (Throttle::Person, 17, "x-app-usage"),
        (Throttle::Page, 32, "x-app-usage"),
        (Throttle::PageUseCase, 80_001, "x-business-use-case-usage"),
    ] {
        bench.sim.fault(Fault::on("POST", FEED, Mode::Status(throttle.canned(PAGE))));
        let response = sent(post()).await;
        let usage = response.headers()[header].to_str().unwrap().to_owned();
        assert!(usage.contains("\"call_count\":100"), "{usage}");
        assert_eq!(usage.contains(PAGE), throttle == Throttle::PageUseCase);
        assert_eq!(refusal(response).await.0, code);
    }
    body(sent(post()).await, StatusCode::OK).await;
}

#[tokio::test]
async fn it_can_mean_harm() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    bench.sim.fault(Fault::on("GET", "/v26.0/me/accounts", Mode::EchoToken));
    let leak = body(sent(person.get("me/accounts")).await, StatusCode::OK).await;
    assert_eq!(leak["username"], person.token);
    bench.sim.fault(Fault::on("GET", "/v26.0/me/accounts", Mode::redirect(307, "https://evil.example/")));
    assert_eq!(sent(person.get("me/accounts")).await.headers()["location"], "https://evil.example/");
    bench.sim.fault(Fault::on("GET", "/v26.0/oauth/access_token", Mode::NotJson));
    let page = bench.exchange_code("x").await;
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
}
