//! Whatever can go wrong between two machines.

use futures_util::StreamExt;
use orla_vendors::dropbox::{Answer, Fault, File, Mode, too_many_requests};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{Bench, Caller, body, sent, text};

const LIST: &str = "/2/files/list_folder";
const DOWNLOAD: &str = "/2/files/download";

impl Caller<'_> {
    async fn list(&self) -> reqwest::Response {
        sent(self.call("files/list_folder", &json!({ "path": "" }))).await
    }
}

#[tokio::test]
async fn a_limit_of_requests_says_how_long_to_wait() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    bench.sim.fault(Fault::on("POST", LIST, too_many_requests(7)));
    bench.sim.fault(Fault::on("POST", LIST, Mode::status(429)));
    for seconds in [7, 1] {
        let refusal = caller.list().await;
        assert_eq!(refusal.headers()["retry-after"], seconds.to_string());
        assert_eq!(refusal.headers()["content-type"], "application/json");
        let refusal = body(refusal, StatusCode::TOO_MANY_REQUESTS).await;
        let error = json!({ "reason": { ".tag": "too_many_requests" }, "retry_after": seconds });
        assert_eq!(refusal["error"], error);
    }
    assert_eq!((caller.list().await.status(), bench.sim.tally().lists), (StatusCode::OK, 1));
}

#[tokio::test]
async fn statuses_have_dropboxs_manner() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    for (status, summary) in
        [(401, "expired_access_token/.."), (403, "invalid_account_type/endpoint/.."), (409, "other/..")]
    {
        bench.sim.fault(Fault::on("POST", LIST, Mode::status(status)));
        let refusal = body(caller.list().await, StatusCode::from_u16(status).unwrap()).await;
        assert_eq!(text(&refusal["error_summary"]), summary);
    }
    for status in [400, 500, 503] {
        bench.sim.fault(Fault::on("POST", LIST, Mode::status(status)));
        let refusal = caller.list().await;
        assert_eq!(
            (refusal.status().as_u16(), &refusal.headers()["content-type"]),
            (status, &"text/plain; charset=utf-8".parse().unwrap())
        );
    }
}

#[tokio::test]
async fn a_download_can_be_cut_half_way_whatever_its_size() {
    const SIZE_BYTES: u64 = 64 << 20;
    let bench = Bench::of(vec![File::noise("/large.bin", SIZE_BYTES)]).await;
    let caller = bench.caller().await;
    bench.sim.fault(Fault::on("POST", DOWNLOAD, Mode::TruncatedBody));
    let response = sent(caller.download("/large.bin")).await;
    assert_eq!((response.status(), response.content_length()), (StatusCode::OK, Some(SIZE_BYTES)));
    let (mut pieces, mut received) = (response.bytes_stream(), 0);
    let end = loop {
        match pieces.next().await {
            Some(Ok(piece)) => received += piece.len() as u64,
            end => break end,
        }
    };
    assert!(end.is_some_and(|end| end.is_err()), "the end is a cut");
    assert!((1..=SIZE_BYTES / 2).contains(&received), "{received}");
    assert!(bench.sim.tally().bytes <= SIZE_BYTES / 2 + (64 << 10), "the rest was never made");

    let rest = sent(caller.download("/large.bin").header("range", format!("bytes={received}-"))).await;
    assert_eq!(rest.content_length(), Some(SIZE_BYTES - received));
}

#[tokio::test]
async fn answers_can_be_lost_slow_or_something_else() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let list = || caller.call("files/list_folder", &json!({ "path": "" }));
    bench.sim.fault(Fault::on("POST", LIST, Mode::CutBefore));
    list().send().await.unwrap_err();
    assert_eq!(bench.sim.tally().lists, 0);
    bench.sim.fault(Fault::on("POST", LIST, Mode::CutAfter));
    list().send().await.unwrap_err();
    assert_eq!(bench.sim.tally().lists, 1);
    assert_eq!(bench.sim.requests().last().map(|last| last.status), Some(Answer::Cut));

    bench.sim.fault(Fault::on("POST", DOWNLOAD, Mode::SlowBody { pause_ms: 1 }));
    let slow = sent(caller.download("/brand/logo.png")).await.bytes_stream();
    let pieces: Vec<_> = slow.map(Result::unwrap).collect().await;
    assert!(pieces.len() > 1 && pieces.concat().starts_with(b"\x89PNG"));

    bench.sim.fault(Fault::on("POST", LIST, Mode::NotJson));
    assert!(caller.list().await.text().await.unwrap().contains("nginx"));
    bench.sim.fault(Fault::on("POST", LIST, Mode::redirect(302, "https://evil.example/")));
    assert_eq!(caller.list().await.headers()["location"], "https://evil.example/");
}

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_was_made_all_the_same() {
    let bench = Bench::start().await;
    let refresh = text(&bench.tokens().await["refresh_token"]);
    bench.sim.fault(Fault::on("POST", "/oauth2/token", Mode::executed_then_status(500)));
    assert_eq!(bench.refresh(&refresh).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(bench.sim.tally().refreshes, 1);
    let refreshed: Value = body(bench.refresh(&refresh).await, StatusCode::OK).await;
    assert!(refreshed["access_token"].is_string(), "a lasting refresh token is as good as before");
}
