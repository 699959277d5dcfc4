//! Whatever can go wrong between two machines.

use std::time::{Duration, Instant};

use orla_vendors::openai::{Answer, Fault, Mode, Settings};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::streams::left;
use crate::{Bench, CHAT, KEY, RESPONSES, as_published, ask, body, events, parsed, refusal, sent, text};

impl Bench {
    /// Have the next request to this path go wrong.
    fn order(&self, path: &str, mode: Mode) {
        self.sim.fault(Fault::on("POST", path, mode));
    }

    async fn stream(&self, path: &str) -> Response {
        let response = sent(self.post(path, &ask(path, &json!({ "stream": true })))).await;
        assert_eq!(response.status(), StatusCode::OK);
        response
    }
}

/// The events of a stream that breaks.
async fn broken(mut response: Response) -> Vec<Value> {
    let mut text = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(piece)) => text.extend(piece),
            Ok(None) => panic!("the stream was to break, and ended"),
            Err(_) => return parsed(&events(&String::from_utf8_lossy(&text))),
        }
    }
}

fn pieces(events: &[Value]) -> usize {
    let content = |event: &&Value| event["delta"].is_string() || event["choices"][0]["delta"]["content"] == "xxxxx";
    events.iter().filter(content).count()
}

#[tokio::test]
async fn refusals_come_as_openai_words_them() {
    let bench = Bench::start().await;
    for (mode, status, code) in [
        (Mode::unauthorized(), 401, "invalid_api_key"),
        (Mode::forbidden(), 403, "unsupported_country_region_territory"),
        (Mode::not_found(), 404, "model_not_found"),
        (Mode::rate_limited(7), 429, "rate_limit_exceeded"),
        (Mode::insufficient_quota(), 429, "insufficient_quota"),
        (Mode::server_error(), 500, "server_error"),
        (Mode::overloaded(), 503, "server_is_overloaded"),
    ] {
        bench.order(RESPONSES, mode);
        let response = sent(bench.post(RESPONSES, &ask(RESPONSES, &json!({})))).await;
        let retry_after = response.headers().get("retry-after").cloned();
        assert_eq!(retry_after.is_some_and(|seconds| seconds == "7"), code == "rate_limit_exceeded");
        assert_eq!(refusal(response, StatusCode::from_u16(status).unwrap()).await["code"], code);
    }
    bench.order(RESPONSES, Mode::status(418));
    bench.refused(RESPONSES, &ask(RESPONSES, &json!({})), StatusCode::IM_A_TEAPOT).await;
    bench.order(RESPONSES, Mode::NotJson);
    let page = sent(bench.post(RESPONSES, &ask(RESPONSES, &json!({})))).await;
    assert!(
        page.status() == StatusCode::OK && page.headers()["content-type"].to_str().unwrap().starts_with("text/html")
    );
    assert_eq!(bench.sim.generations(), 0);
}

#[tokio::test]
async fn a_cut_before_costs_nothing_and_a_cut_after_is_billed() {
    let bench = Bench::start().await;
    let mut generations = 0;
    for stream in [false, true] {
        let request = ask(RESPONSES, &json!({ "stream": stream }));
        bench.order(RESPONSES, Mode::CutBefore);
        bench.post(RESPONSES, &request).send().await.unwrap_err();
        assert_eq!(bench.sim.generations(), generations);
        bench.order(RESPONSES, Mode::CutAfter);
        bench.post(RESPONSES, &request).send().await.unwrap_err();
        generations += 1;
        assert_eq!(bench.sim.generations(), generations);
    }
    assert!(bench.sim.requests().iter().all(|request| request.status == Answer::Cut));
    assert_eq!((bench.sim.hung_up(), bench.sim.open_streams()), (0, 0));
}

#[tokio::test]
async fn an_answer_can_be_late() {
    let bench = Bench::start().await;
    bench.order(CHAT, Mode::DelayMs(150));
    let began = Instant::now();
    bench.stream(CHAT).await.text().await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(150));
    assert_eq!(bench.sim.generations(), 1);

    bench.order(CHAT, Mode::DelayMs(60_000));
    let plain = bench.post(CHAT, &ask(CHAT, &json!({}))).timeout(Duration::from_millis(100));
    assert!(plain.send().await.unwrap_err().is_timeout());
    while bench.sim.requests()[1].status != Answer::Abandoned {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(bench.sim.generations(), 2);
}

#[tokio::test]
async fn a_stream_can_die_at_any_piece() {
    let bench = Bench::saying(&"x".repeat(50)).await;
    for path in [RESPONSES, CHAT] {
        for after_pieces in [0, 3, 10] {
            bench.order(path, Mode::TruncateStream { after_pieces });
            let events = broken(bench.stream(path).await).await;
            assert_eq!(pieces(&events), after_pieces as usize);
            assert!(events[0]["type"] == "response.created" || path == CHAT);
        }
        bench.order(path, Mode::TruncateStream { after_pieces: 0 });
        bench.answered(path, &ask(path, &json!({}))).await;
    }
    assert_eq!((bench.sim.hung_up(), bench.sim.open_streams()), (0, 0), "it was the simulator who hung up");
    assert_eq!(bench.sim.generations(), 8);
}

#[tokio::test]
async fn a_stream_can_fail_in_its_own_words() {
    let bench = Bench::saying(&"x".repeat(50)).await;
    bench.order(RESPONSES, Mode::FailStream { after_pieces: 2 });
    let told = parsed(&events(&bench.stream(RESPONSES).await.text().await.unwrap()));
    assert_eq!((pieces(&told), told.len()), (2, 7));
    as_published("ResponseFailedEvent", &told[6]);
    let failed = &told[6]["response"];
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!("server_error")));
    assert_eq!(told[6]["sequence_number"], 6);

    bench.order(CHAT, Mode::FailStream { after_pieces: 2 });
    let told = events(&bench.stream(CHAT).await.text().await.unwrap());
    let last = parsed(&told).pop().unwrap();
    as_published("ErrorResponse", &last);
    assert!(pieces(&parsed(&told)) == 2 && last["error"]["code"] == "server_error" && told.len() == 4);
}

#[tokio::test]
async fn a_stalled_stream_waits_for_the_caller_or_the_test() {
    let bench = Bench::saying(&"x".repeat(50)).await;
    bench.sim.fault(Fault::on("POST", RESPONSES, Mode::StallStream { after_pieces: 1 }).times(2));
    let mut stalled = bench.stream(RESPONSES).await;
    let mut text = String::new();
    while !text.contains("xxxxx") {
        text.push_str(std::str::from_utf8(&stalled.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert_eq!((bench.sim.open_streams(), bench.sim.hung_up()), (1, 0));
    drop(stalled);
    left(&bench).await;

    let stalled = bench.stream(RESPONSES).await;
    let (events, ()) = tokio::join!(broken(stalled), async { bench.sim.clear_faults() });
    assert_eq!(pieces(&events), 1);
    assert_eq!((bench.sim.open_streams(), bench.sim.hung_up()), (0, 1));
}

#[tokio::test]
async fn a_model_can_refuse_and_a_filter_can_stop_it() {
    let bench = Bench::saying(&"x".repeat(50)).await;
    bench.order(RESPONSES, Mode::Refusal);
    let whole = bench.answered(RESPONSES, &ask(RESPONSES, &json!({}))).await;
    let refusal = &whole["output"][0]["content"][0];
    assert!(refusal["type"] == "refusal" && text(&refusal["refusal"]).contains("sorry"));
    bench.order(RESPONSES, Mode::Refusal);
    let told = parsed(&events(&bench.stream(RESPONSES).await.text().await.unwrap()));
    as_published("ResponseRefusalDeltaEvent", &told[4]);
    let done = told.iter().find(|event| event["type"] == "response.refusal.done").unwrap();
    as_published("ResponseRefusalDoneEvent", done);
    assert_eq!(told.last().unwrap()["response"]["output"][0]["content"][0], *refusal);

    bench.order(CHAT, Mode::Refusal);
    let whole = bench.answered(CHAT, &ask(CHAT, &json!({}))).await;
    assert!(whole["choices"][0]["message"]["content"].is_null());
    bench.order(CHAT, Mode::Refusal);
    let told = parsed(&events(&bench.stream(CHAT).await.text().await.unwrap()));
    let said: String = told.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["refusal"].as_str()).collect();
    assert_eq!(whole["choices"][0]["message"]["refusal"], said);

    bench.sim.fault(Fault::on("POST", RESPONSES, Mode::ContentFilter).times(2));
    let whole = bench.answered(RESPONSES, &ask(RESPONSES, &json!({}))).await;
    assert_eq!(whole["incomplete_details"]["reason"], "content_filter");
    let told = parsed(&events(&bench.stream(RESPONSES).await.text().await.unwrap()));
    assert_eq!((&told.last().unwrap()["type"], pieces(&told)), (&json!("response.incomplete"), 5));
    bench.order(CHAT, Mode::ContentFilter);
    let whole = bench.answered(CHAT, &ask(CHAT, &json!({}))).await;
    assert_eq!(whole["choices"][0]["finish_reason"], "content_filter");
}

#[tokio::test]
async fn usage_can_be_missing() {
    let bench = Bench::start().await;
    for path in [RESPONSES, CHAT] {
        let mut request = ask(path, &json!({}));
        for stream in [false, true] {
            bench.order(path, Mode::UsageMissing);
            request["stream"] = stream.into();
            if stream && path == CHAT {
                request["stream_options"] = json!({ "include_usage": true });
            }
            let text = sent(bench.post(path, &request)).await.text().await.unwrap();
            assert!(!text.contains("\"usage\""), "{text}");
        }
    }
}

#[tokio::test]
async fn an_answer_can_give_the_key_away() {
    let bench = Bench::start().await;
    for path in [RESPONSES, CHAT] {
        bench.sim.fault(Fault::on("POST", path, Mode::EchoToken).times(2));
        for stream in [false, true] {
            let leak = sent(bench.post(path, &ask(path, &json!({ "stream": stream })))).await;
            assert_eq!(leak.headers()["x-echo-authorization"], format!("Bearer {KEY}"));
            let text = leak.text().await.unwrap();
            // In a chat that is streamed, it comes in pieces.
            assert!(text.contains(KEY) || (stream && path == CHAT), "{text}");
        }
    }
    bench.sim.fault(Fault::on("GET", "/v1/models", Mode::EchoToken));
    assert!(body(sent(bench.get("/v1/models")).await, StatusCode::OK).await.to_string().contains(KEY));
}

#[tokio::test]
async fn an_event_can_be_huge() {
    let bench = Bench::start().await;
    for path in [RESPONSES, CHAT] {
        bench.order(path, Mode::HugeEvent { bytes: 3 << 20 });
        let told = events(&bench.stream(path).await.text().await.unwrap());
        assert_eq!(told.iter().filter(|(_, data)| data.len() > 3 << 20).count(), 1);
        if path == RESPONSES {
            let numbers = parsed(&told).into_iter().map(|event| event["sequence_number"].as_u64().unwrap());
            assert!(numbers.eq(0..told.len() as u64));
        }
    }
}

#[tokio::test]
async fn faults_are_consumed_in_order() {
    let bench = Bench::start().await;
    bench.sim.fault(Fault::on("POST", "/v1/*", Mode::status(500)).skip(1).times(2));
    bench.sim.fault(Fault::on("get", "/v1/models", Mode::status(501)));
    for status in [200, 500, 500, 200] {
        assert_eq!(sent(bench.post(RESPONSES, &ask(RESPONSES, &json!({})))).await.status(), status);
    }
    assert_eq!(sent(bench.get("/v1/models")).await.status(), 501);
}

#[tokio::test]
async fn a_dropped_simulator_lets_go_of_everybody() {
    let bench = Bench::with(Settings::default()).await;
    bench.order(RESPONSES, Mode::StallStream { after_pieces: 0 });
    let stalled = bench.stream(RESPONSES).await;
    let (url, http) = (bench.url("/v1/models"), bench.http.clone());
    drop(bench);
    broken(stalled).await;
    assert!(http.get(url).send().await.unwrap_err().is_connect());
}
