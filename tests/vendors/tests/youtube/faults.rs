//! Faults that tests order, where YouTube's door is its own.

use orla_vendors::youtube::{Answer, Canned, Fault, Mode};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{Bench, GRANULE, UPLOAD, arrived, body, film, refused, sent};

#[tokio::test]
async fn an_end_whose_answer_is_lost_is_an_end() {
    let bench = Bench::start().await;
    let caller = bench.caller();
    let content = film(GRANULE + 9);
    let address = caller.upload(content.len()).await;
    sent(caller.put(&address, &content, (0, GRANULE))).await;
    bench.sim.fault(Fault::on("PUT", UPLOAD, Mode::CutAfter));
    assert!(caller.put(&address, &content, (GRANULE, content.len())).send().await.is_err());
    let made = body(sent(caller.question(&address, content.len())).await, StatusCode::OK).await;
    assert_eq!(made["id"], bench.sim.videos()[0].id);
    assert_eq!(bench.sim.requests()[2].status, Answer::Cut);
}

#[tokio::test]
async fn a_stretch_that_never_was_leaves_nothing() {
    let bench = Bench::start().await;
    let caller = bench.caller();
    let content = film(2 * GRANULE);
    let address = caller.upload(content.len()).await;
    bench.sim.fault(Fault::on("PUT", UPLOAD, Mode::CutBefore));
    assert!(caller.put(&address, &content, (0, GRANULE)).send().await.is_err());
    bench.sim.fault(Fault::on("PUT", UPLOAD, Mode::status(503)));
    assert_eq!(refused(caller.put(&address, &content, (0, GRANULE))).await, (503, "backendError".to_owned()));
    assert_eq!(arrived(&sent(caller.question(&address, content.len())).await), 0);
}

#[tokio::test]
async fn an_answer_can_be_made_up() {
    let bench = Bench::start().await;
    let caller = bench.caller();
    let errors = json!([{ "reason": "quotaExceeded" }]);
    let canned = Canned {
        status: 403,
        body: Some(json!({ "error": { "code": 403, "message": "No.", "errors": errors } })),
        ..Canned::default()
    };
    bench.sim.fault(Fault::on("GET", "/youtube/v3/channels", Mode::Status(canned)));
    let mine = "/youtube/v3/channels?part=snippet&mine=true";
    assert_eq!(refused(caller.get(mine)).await, (403, "quotaExceeded".to_owned()));
    bench.sim.fault(Fault::on("GET", "/youtube/v3/channels", Mode::EchoToken));
    let echoed: Value = sent(caller.get(mine)).await.json().await.unwrap();
    assert!(echoed.to_string().contains(&caller.token));
    assert_eq!(refused(caller.get("/youtube/v3/search")).await, (404, "notFound".to_owned()));
}
