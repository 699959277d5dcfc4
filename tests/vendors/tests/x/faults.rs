//! Whatever can go wrong between two machines.

use std::time::Duration;

use orla_vendors::x::{Answer, Canned, Fault, Mode, reject_in_body};
use reqwest::StatusCode;
use serde_json::json;

use crate::{Bench, body};

const TWEETS: &str = "/2/tweets";

#[tokio::test]
async fn a_cut_before_leaves_nothing_and_a_cut_after_leaves_a_post() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    bench.sim.fault(Fault::on("POST", TWEETS, Mode::CutBefore));
    let lost = caller.tweet(&json!({ "text": "one" })).await.unwrap_err();
    assert!(!lost.is_timeout() && lost.status().is_none(), "{lost:?}");
    assert_eq!(bench.sim.posts().len(), 0);

    bench.sim.fault(Fault::on("POST", TWEETS, Mode::CutAfter));
    caller.tweet(&json!({ "text": "two" })).await.unwrap_err();
    assert_eq!(bench.sim.posts().len(), 1);

    caller.tweet_text("three").await;
    let answers: Vec<Answer> = bench.sim.requests().into_iter().skip(1).map(|request| request.status).collect();
    assert_eq!(answers, [Answer::Cut, Answer::Cut, Answer::Status(201)]);
    assert_eq!(bench.sim.counts()["POST /2/tweets"], 3);
}

#[tokio::test]
async fn a_body_that_is_still_being_sent_can_be_cut_too() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    bench.sim.fault(Fault::on("POST", "/2/media/upload/*/append", Mode::CutBefore));
    let large = caller.post("/2/media/upload/1/append").body(vec![0; 12 << 20]);
    large.send().await.unwrap_err();
}

#[tokio::test]
async fn a_status_can_stand_in_for_or_after_the_execution() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let canned = Canned { status: 503, retry_after_s: Some(7), body: Some(json!({ "a": 1 })), ..Canned::default() };
    bench.sim.fault(Fault::on("POST", TWEETS, Mode::Status(canned)));
    let refused = caller.tweet(&json!({ "text": "one" })).await.unwrap();
    assert_eq!(refused.headers()["retry-after"], "7");
    assert_eq!(body(refused, StatusCode::SERVICE_UNAVAILABLE).await, json!({ "a": 1 }));
    assert_eq!(bench.sim.posts().len(), 0);

    bench.sim.fault(Fault::on("POST", TWEETS, Mode::executed_then_status(502)).skip(1).times(2));
    for (text, status) in [("one", 201), ("two", 502), ("three", 502), ("four", 201)] {
        assert_eq!(caller.tweet(&json!({ "text": text })).await.unwrap().status().as_u16(), status);
    }
    assert_eq!(bench.sim.posts().len(), 4);
}

#[tokio::test]
async fn who_hangs_up_does_not_take_back_what_he_sent() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    bench.sim.fault(Fault::on("POST", TWEETS, Mode::DelayMs(300)));
    let impatient = caller.post(TWEETS).json(&json!({ "text": "late" })).timeout(Duration::from_millis(100));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    assert_eq!(bench.sim.posts().len(), 0);
    while bench.sim.posts().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(bench.sim.posts()[0].text, "late");
}

#[tokio::test]
async fn a_hanging_request_is_let_go_when_faults_are_cleared() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    for (execute, posts) in [(false, 0), (true, 1)] {
        bench.sim.fault(Fault::on("POST", TWEETS, Mode::Hang { execute }));
        let draft = json!({ "text": "hello?" });
        let control = async {
            while bench.sim.requests().last().unwrap().status != Answer::Hanging {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            bench.sim.clear_faults();
        };
        let (sent, ()) = tokio::join!(caller.tweet(&draft), control);
        sent.unwrap_err();
        assert_eq!(bench.sim.posts().len(), posts);
        assert_eq!(bench.sim.requests().last().unwrap().status, Answer::Cut);
    }
}

#[tokio::test]
async fn answers_can_lie_leak_and_end_early() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    bench.sim.fault(Fault::on("POST", TWEETS, Mode::EchoToken));
    let leak = caller.tweet(&json!({ "text": "one" })).await.unwrap();
    assert_eq!(leak.headers()["x-echo-authorization"], format!("Bearer {}", caller.token));
    assert!(leak.text().await.unwrap().contains(&caller.token));

    bench.sim.fault(Fault::on("POST", TWEETS, reject_in_body()));
    let rejected = body(caller.tweet(&json!({ "text": "one" })).await.unwrap(), StatusCode::OK).await;
    assert!(rejected.get("errors").is_some() && rejected.get("data").is_none(), "{rejected}");
    assert_eq!(bench.sim.posts().len(), 0);

    bench.sim.fault(Fault::on("POST", TWEETS, Mode::TruncatedBody));
    let short = caller.tweet(&json!({ "text": "one" })).await.unwrap();
    assert_eq!(short.status(), StatusCode::CREATED);
    short.bytes().await.unwrap_err();
    assert_eq!(bench.sim.posts().len(), 1);
}

#[tokio::test]
async fn a_dropped_simulator_lets_go_of_everybody() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    bench.sim.fault(Fault::on("POST", TWEETS, Mode::Hang { execute: true }));
    let hanging = tokio::spawn(caller.post(TWEETS).json(&json!({ "text": "one" })).send());
    while bench.sim.requests().last().unwrap().status != Answer::Hanging {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (url, http) = (bench.url("/2/users/me"), bench.http.clone());
    drop(bench);
    hanging.await.unwrap().unwrap_err();
    assert!(http.get(url).send().await.unwrap_err().is_connect());
}
