//! Whatever can go wrong between two machines.

use std::time::Duration;

use orla_vendors::mastodon::{Answer, Canned, Fault, Mode};
use reqwest::StatusCode;
use serde_json::json;

use crate::{Bench, STATUSES, body, refusal, sent};

#[tokio::test]
async fn a_cut_leaves_nothing_or_a_status_by_when_it_comes() {
    let bench = Bench::start().await;
    bench.sim.fault(Fault::on("POST", STATUSES, Mode::CutBefore));
    let lost = bench.post(&json!({ "status": "one" })).send().await.unwrap_err();
    assert!(!lost.is_timeout() && lost.status().is_none(), "{lost:?}");
    assert_eq!(bench.sim.statuses().len(), 0);

    bench.sim.fault(Fault::on("POST", STATUSES, Mode::CutAfter));
    bench.post(&json!({ "status": "two" })).send().await.unwrap_err();
    assert_eq!(bench.sim.statuses().len(), 1);

    bench.sim.fault(Fault::on("POST", STATUSES, Mode::CutDuring { ms: 200 }));
    bench.post(&json!({ "status": "three" })).send().await.unwrap_err();
    while bench.sim.statuses().len() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    bench.sim.fault(Fault::on("POST", STATUSES, Mode::TruncatedBody));
    let short = bench.post(&json!({ "status": "four" })).send().await.unwrap();
    assert_eq!(short.status(), StatusCode::OK);
    short.bytes().await.unwrap_err();
    assert_eq!(bench.sim.statuses().len(), 3);
    let answers: Vec<Answer> = bench.sim.requests().into_iter().map(|request| request.status).collect();
    assert_eq!(answers, [Answer::Cut; 4]);
    assert_eq!(bench.sim.counts()["POST /api/v1/statuses"], 4);
}

#[tokio::test]
async fn a_body_that_is_still_being_sent_can_be_cut_too() {
    let bench = Bench::start().await;
    bench.sim.fault(Fault::on("POST", "/api/v2/media", Mode::CutBefore));
    let large = bench.request(reqwest::Method::POST, "/api/v2/media").body(vec![0; 12 << 20]);
    large.send().await.unwrap_err();
}

#[tokio::test]
async fn a_status_can_stand_in_for_or_after_the_execution() {
    let bench = Bench::start().await;
    for (status, words) in [
        (401, "The access token is invalid"),
        (403, "This action is not allowed"),
        (404, "Record not found"),
        (422, "Validation failed: The simulator was told to."),
        (429, "Too many requests"),
        (500, "Internal Server Error"),
        (503, "There was a temporary problem serving your request, please try again"),
    ] {
        for (mode, made) in [(Mode::status(status), 0), (Mode::executed_then_status(status), 1)] {
            let before = bench.sim.statuses().len();
            bench.sim.fault(Fault::on("POST", STATUSES, mode));
            let response = sent(bench.post(&json!({ "status": "one" }))).await;
            assert_eq!(response.headers().contains_key("x-ratelimit-reset"), status == 429);
            let answer = body(response, StatusCode::from_u16(status).unwrap()).await;
            assert_eq!((answer, bench.sim.statuses().len()), (json!({ "error": words }), before + made));
        }
    }
    let canned = Canned { status: 503, retry_after_s: Some(7), body: Some(json!({ "a": 1 })), ..Canned::default() };
    bench.sim.fault(Fault::on("GET", "/api/v1/media/*", Mode::Status(canned)).skip(1));
    refusal(bench.get("/api/v1/media/1"), StatusCode::NOT_FOUND).await;
    let response = sent(bench.get("/api/v1/media/2")).await;
    assert_eq!(response.headers()["retry-after"], "7");
    assert_eq!(body(response, StatusCode::SERVICE_UNAVAILABLE).await, json!({ "a": 1 }));
}

#[tokio::test]
async fn who_hangs_up_does_not_take_back_what_he_sent() {
    let bench = Bench::start().await;
    bench.sim.fault(Fault::on("POST", STATUSES, Mode::DelayMs(300)));
    let impatient = bench.post(&json!({ "status": "late" })).timeout(Duration::from_millis(100));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    while bench.sim.statuses().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(bench.sim.statuses()[0].text, "late");
}

#[tokio::test]
async fn a_hanging_request_is_let_go_when_faults_are_cleared_or_the_instance_is_gone() {
    let bench = Bench::start().await;
    let hanging = async || {
        while bench.sim.requests().last().is_none_or(|request| request.status != Answer::Hanging) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    for (execute, statuses) in [(false, 0), (true, 1)] {
        bench.sim.fault(Fault::on("POST", STATUSES, Mode::Hang { execute }));
        let clear = async {
            hanging().await;
            bench.sim.clear_faults();
        };
        let (lost, ()) = tokio::join!(bench.post(&json!({ "status": "hello?" })).send(), clear);
        lost.unwrap_err();
        assert_eq!(bench.sim.statuses().len(), statuses);
        assert_eq!(bench.sim.requests().last().unwrap().status, Answer::Cut);
    }
    bench.sim.fault(Fault::on("POST", STATUSES, Mode::Hang { execute: true }));
    let lost = tokio::spawn(bench.post(&json!({ "status": "one" })).send());
    hanging().await;
    let (url, http) = (bench.url("/api/v2/instance"), bench.http.clone());
    drop(bench);
    lost.await.unwrap().unwrap_err();
    assert!(http.get(url).send().await.unwrap_err().is_connect());
}
