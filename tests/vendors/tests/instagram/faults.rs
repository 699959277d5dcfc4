//! Whatever can go wrong between two machines, and the control surface.

use orla_vendors::instagram::{Fault, Mode};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{ACCOUNT, Bench, PUBLISH, SCOPES, body, sent};

#[tokio::test]
async fn a_cut_leaves_nothing_or_a_medium_by_when_it_comes() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let publish = format!("/v26.0/{PUBLISH}");
    let (first, second) = (person.image(&[]).await, person.image(&[]).await);
    bench.sim.fault(Fault::on("POST", &publish, Mode::CutBefore));
    person.post(PUBLISH, &[("creation_id", &first)]).send().await.unwrap_err();
    assert_eq!(bench.sim.instagram_made().media, 0);
    bench.sim.fault(Fault::on("POST", &publish, Mode::CutAfter));
    person.post(PUBLISH, &[("creation_id", &first)]).send().await.unwrap_err();
    bench.sim.fault(Fault::on("POST", &publish, Mode::executed_then_status(500)));
    let answer = sent(person.post(PUBLISH, &[("creation_id", &second)])).await;
    assert_eq!(body(answer, StatusCode::INTERNAL_SERVER_ERROR).await["error"]["code"], 1);
    assert_eq!(bench.sim.instagram_made().media, 2);
    assert_eq!(bench.sim.counts()["POST /v26.0/{id}/media_publish"], 3);
}

#[tokio::test]
async fn it_is_controlled_over_http() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let at = |path: &str| format!("{}/_sim/{path}", bench.sim.origin());
    let instagram = json!({ "media_a_day": 7 });
    let changed = json!({ "instagram": instagram });
    body(sent(bench.http.post(at("facebook/settings")).json(&changed)).await, StatusCode::OK).await;
    let limit = person.read(&format!("{ACCOUNT}/content_publishing_limit?fields=config")).await;
    assert_eq!(limit["data"][0]["config"]["quota_total"], 7);
    let container = person.image(&[]).await;
    let medium = person.published(&container).await;
    let new = json!({ "below": medium, "author": "ann", "text": "Nice" });
    let comment = body(sent(bench.http.post(at("instagram/comments")).json(&new)).await, StatusCode::OK).await;
    for (path, id) in [("containers", &json!(container)), ("media", &json!(medium)), ("comments", &comment)] {
        let list: Value = body(sent(bench.http.get(at(&format!("instagram/{path}")))).await, StatusCode::OK).await;
        assert_eq!(&list[0]["id"], id, "{path}");
    }
    let made = body(sent(bench.http.get(at("instagram/made"))).await, StatusCode::OK).await;
    assert_eq!(made, json!({ "containers": 1, "media": 1, "comments": 0, "fetched": 1 }));
    bench.sim.reset();
    assert!(bench.sim.instagram_media().is_empty());
}

#[tokio::test]
async fn settings_can_change_while_it_runs() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    bench.change(|instagram| instagram.read_lag_ms = 60_000);
    let container = person.image(&[]).await;
    person.published(&container).await;
    assert_eq!(person.read(&format!("{ACCOUNT}/media")).await["data"], json!([]), "it lags");
    bench.sim.advance(60);
    assert_eq!(person.read(&format!("{ACCOUNT}/media")).await["data"].as_array().map(Vec::len), Some(1));
}
