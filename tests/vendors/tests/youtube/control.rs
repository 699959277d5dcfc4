//! Control over HTTP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{ACCOUNT, Bench, SCOPES, body, film, sent, text};

#[tokio::test]
async fn another_process_can_look_on_and_change_things() {
    let bench = Bench::start().await;
    let at = |path: &str| bench.url(&format!("/_sim/youtube/{path}"));
    let look = async |path: &str| body(sent(bench.http.get(at(path))).await, StatusCode::OK).await;
    let tell = async |path: &str, json: Value| sent(bench.http.post(at(path)).json(&json)).await;
    let token = tell("tokens", json!({ "account": ACCOUNT, "scopes": SCOPES })).await;
    let caller = crate::Caller { bench: &bench, token: text(&body(token, StatusCode::OK).await) };
    let video = caller.uploaded(&film(9)).await;
    let comment = tell("comments", json!({ "below": video, "author": "Ann", "text": "Nice" })).await;
    assert_eq!(look("comments").await[0]["id"], body(comment, StatusCode::OK).await);
    assert_eq!((&look("videos").await[0]["id"], &look("uploads").await[0]["video_id"]), (&json!(video), &json!(video)));
    assert_eq!(look("made").await["videos"], 1);
    assert_eq!(look("counts").await["PUT /upload/youtube/v3/videos"], 1);
    assert_eq!(look("requests").await[0]["user"], ACCOUNT);
    assert_eq!(tell("settings", json!({ "force_private": true })).await.status(), StatusCode::OK);
    assert_eq!(tell("settings", json!({ "surprise": true })).await.status(), StatusCode::BAD_REQUEST);
    assert!(bench.sim.settings().force_private);
    for (path, json) in [
        ("redirect_uris", json!("http://127.0.0.1/back")),
        ("advance", json!(60)),
        ("revoke", json!(ACCOUNT)),
        ("expire_access_tokens", Value::Null),
        ("expire_uploads", Value::Null),
        ("faults", json!({ "method": "GET", "path": "**", "mode": { "cut_within": { "bytes": 5 } } })),
    ] {
        assert_eq!(tell(path, json).await.status(), StatusCode::NO_CONTENT, "{path}");
    }
    assert_eq!(look("faults").await.as_array().unwrap().len(), 1);
    assert_eq!(sent(bench.http.request(Method::DELETE, at("faults"))).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(tell("reset", Value::Null).await.status(), StatusCode::NO_CONTENT);
    assert_eq!((look("videos").await, look("tokens").await), (json!([]), json!([])));
    assert!(!bench.sim.settings().force_private);
    assert_eq!(bench.sim.settings().redirect_uris.len(), 2, "those that were registered stay");
}
