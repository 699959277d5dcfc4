//! Whatever can go wrong between two machines, and receivers that mean harm.

use std::time::Duration;

use orla_vendors::webhook::{Answer, Canned, Fault, Mode};
use reqwest::StatusCode;
use serde_json::json;

use crate::{Bench, EVENT, body, sent};

const PATH: &str = "/hooks/orla";

#[tokio::test]
async fn a_cut_leaves_nothing_or_a_delivery_by_when_it_comes() {
    let bench = Bench::start().await;
    for (mode, accepted) in [(Mode::CutBefore, 0), (Mode::CutAfter, 1), (Mode::CutDuring { ms: 100 }, 2)] {
        bench.sim.fault(Fault::on("POST", PATH, mode));
        bench.delivery("msg_1", EVENT).send().await.unwrap_err();
        while bench.sim.accepted() < accepted {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(bench.sim.accepted(), accepted);
    }
    bench.sim.fault(Fault::on("POST", PATH, Mode::TruncatedBody));
    sent(bench.delivery("msg_1", EVENT)).await.bytes().await.unwrap_err();
    sent(bench.delivery("msg_1", EVENT)).await;
    assert_eq!((bench.sim.accepted(), bench.sim.duplicates()), (4, 3));
    let answers: Vec<Answer> = bench.sim.requests().into_iter().map(|request| request.status).collect();
    assert_eq!(answers, [Answer::Cut, Answer::Cut, Answer::Cut, Answer::Cut, Answer::Status(200)]);
}

#[tokio::test]
async fn a_status_can_stand_in_for_or_after_the_execution() {
    let bench = Bench::start().await;
    let canned = Canned { status: 503, retry_after_s: Some(7), ..Canned::default() };
    bench.sim.fault(Fault::on("POST", "/hooks/*", Mode::Status(canned)));
    let busy = sent(bench.delivery("msg_1", EVENT)).await;
    assert_eq!(busy.headers()["retry-after"], "7");
    assert_eq!(body(busy, StatusCode::SERVICE_UNAVAILABLE).await, json!({ "error": "Service Unavailable" }));
    assert!(bench.sim.deliveries().is_empty());
    bench.sim.fault(Fault::on("POST", PATH, Mode::executed_then_status(410)));
    assert_eq!(sent(bench.delivery("msg_1", EVENT)).await.status(), StatusCode::GONE);
    assert_eq!(bench.sim.accepted(), 1);
}

#[tokio::test]
async fn a_slow_or_hanging_receiver_takes_what_it_got() {
    let bench = Bench::start().await;
    bench.sim.fault(Fault::on("POST", PATH, Mode::DelayMs(300)));
    let impatient = bench.delivery("msg_1", EVENT).timeout(Duration::from_millis(100));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    while bench.sim.accepted() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bench.sim.fault(Fault::on("POST", PATH, Mode::Hang { execute: false }));
    let clear = async {
        while bench.sim.requests().last().unwrap().status != Answer::Hanging {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bench.sim.clear_faults();
    };
    let (lost, ()) = tokio::join!(bench.delivery("msg_2", EVENT).send(), clear);
    lost.unwrap_err();
    assert_eq!(bench.sim.accepted(), 1);
}

#[tokio::test]
async fn it_can_lead_elsewhere_answer_too_much_and_give_secrets_away() {
    let bench = Bench::start().await;
    bench.sim.fault(Fault::on("POST", PATH, Mode::redirect(307, "http://169.254.169.254/")));
    let away = sent(bench.delivery("msg_1", EVENT)).await;
    assert_eq!(
        (away.status().as_u16(), &away.headers()["location"]),
        (307, &"http://169.254.169.254/".parse().unwrap())
    );
    bench.sim.fault(Fault::on("POST", PATH, Mode::HugeBody { bytes: 3_000_000 }));
    let huge = sent(bench.delivery("msg_1", EVENT)).await;
    assert_eq!(huge.bytes().await.unwrap().len(), 3_000_000);
    bench.sim.fault(Fault::on("POST", PATH, Mode::EchoToken));
    let delivery = bench.delivery("msg_1", EVENT).bearer_auth("an-orla-token").build().unwrap();
    let signature = delivery.headers()["webhook-signature"].to_str().unwrap().to_owned();
    let leak = body(bench.http.execute(delivery).await.unwrap(), StatusCode::OK).await;
    assert_eq!((&leak["username"], &leak["proofs"][0]), (&json!("an-orla-token"), &json!(signature)));
    assert_eq!(bench.sim.accepted(), 0);
}
