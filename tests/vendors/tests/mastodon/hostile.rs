//! An instance that means harm: anybody can run one, and it may answer whatever it likes.

use std::time::Duration;

use futures_util::StreamExt;
use orla_vendors::mastodon::{Answer, Fault, Mode};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{ACCOUNT, Bench, STATUSES, body, sent};

#[tokio::test]
async fn it_gives_the_token_back_in_headers_and_body() {
    let bench = Bench::start().await;
    bench.sim.fault(Fault::always(Mode::EchoToken));
    for request in [bench.post(&json!({ "status": "x" })), bench.get("/api/v1/accounts/verify_credentials")] {
        let leak = sent(request.header("idempotency-key", "a-key")).await;
        assert_eq!(leak.headers()["x-echo-authorization"], format!("Bearer {}", bench.token));
        let leak = body(leak, StatusCode::OK).await;
        assert_eq!((&leak["username"], &leak["proofs"][0]), (&json!(bench.token), &json!("a-key")));
    }
    assert!(bench.sim.statuses().is_empty());
}

#[tokio::test]
async fn it_leads_elsewhere_by_redirects_and_links() {
    let bench = Bench::start().await;
    for status in [301, 302, 303, 307, 308] {
        bench.sim.fault(Fault::on("POST", STATUSES, Mode::redirect(status, "https://evil.example/steal")));
        let away = sent(bench.post(&json!({ "status": "x" }))).await;
        assert_eq!(away.status().as_u16(), status);
        assert_eq!(away.headers()["location"], "https://evil.example/steal");
    }
    let list = format!("/api/v1/accounts/{ACCOUNT}/statuses");
    let mode = || Mode::ForeignLink { origin: "https://evil.example".to_owned() };
    bench.sim.fault(Fault::on("GET", &list, mode()).times(2));
    let away = sent(bench.get(&list)).await;
    assert_eq!(away.headers()["link"], "<https://evil.example/next>; rel=\"next\"");
    let id = bench.posted_words("one").await;
    let away = sent(bench.get(&format!("{list}?limit=1"))).await;
    let link = away.headers()["link"].to_str().unwrap().to_owned();
    assert_eq!(
        link,
        format!(
            "<https://evil.example{list}?limit=1&max_id={id}>; rel=\"next\", \
             <https://evil.example{list}?limit=1&min_id={id}>; rel=\"prev\""
        )
    );
    assert_eq!(body(away, StatusCode::OK).await[0]["id"], id, "the page itself is genuine");
}

#[tokio::test]
async fn it_answers_too_much_too_slowly_without_end_or_something_else() {
    let bench = Bench::start().await;
    bench.sim.fault(Fault::on("GET", "/api/v2/instance", Mode::NotJson));
    let page = sent(bench.get("/api/v2/instance")).await;
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));

    bench.sim.fault(Fault::on("GET", "/api/v2/instance", Mode::HugeBody { bytes: 5_000_000 }));
    let huge = sent(bench.get("/api/v2/instance")).await;
    assert_eq!(huge.headers()["content-length"], "5000000");
    let huge: Value = huge.json().await.unwrap();
    assert_eq!(huge.as_str().map(str::len), Some(4_999_998));

    bench.sim.fault(Fault::on("GET", "/api/v1/media/1", Mode::SlowBody { pause_ms: 5 }));
    let slow = sent(bench.get("/api/v1/media/1")).await.bytes_stream();
    let pieces: Vec<_> = slow.map(Result::unwrap).collect().await;
    assert!(pieces.len() > 1, "it comes in pieces");
    assert_eq!(pieces.concat(), b"{\"error\":\"Record not found\"}");

    bench.sim.fault(Fault::on("GET", "/api/v2/instance", Mode::EndlessBody { pause_ms: 1 }));
    let mut endless = sent(bench.get("/api/v2/instance")).await.bytes_stream();
    let mut received = 0;
    while received < 100 {
        received += endless.next().await.expect("it has no end").unwrap().len();
    }
    bench.sim.clear_faults();
    let rest: Vec<_> = endless.collect().await;
    assert!(rest.last().is_some_and(Result::is_err), "the end is a cut");

    bench.sim.fault(Fault::on("GET", "/api/v2/instance", Mode::EndlessBody { pause_ms: 3_600_000 }));
    let stuck = bench.get("/api/v2/instance").timeout(Duration::from_millis(200)).send().await.unwrap();
    assert!(stuck.bytes().await.unwrap_err().is_timeout());
    assert_eq!(bench.sim.requests().last().unwrap().status, Answer::Status(200));
}
