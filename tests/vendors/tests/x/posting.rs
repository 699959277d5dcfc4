//! `POST` and `DELETE /2/tweets`.

use reqwest::StatusCode;
use serde_json::json;

use crate::{ALL_SCOPES, Bench, Caller, VERIFIER, body, parameter, text};

#[tokio::test]
async fn a_post_is_created_and_deleted_once() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let created = caller.tweet(&json!({ "text": "hello" })).await.unwrap();
    let created = body(created, StatusCode::CREATED).await["data"].clone();
    let id = text(&created["id"]);
    assert_eq!(id.len(), 19);
    assert_eq!(created, json!({ "id": id, "text": "hello", "edit_history_tweet_ids": [id] }));

    let path = format!("/2/tweets/{id}");
    let deleted = caller.delete(&path).send().await.unwrap();
    assert_eq!(body(deleted, StatusCode::OK).await, json!({ "data": { "deleted": true } }));
    body(caller.delete(&path).send().await.unwrap(), StatusCode::NOT_FOUND).await;
    assert!(bench.sim.posts()[0].deleted);
}

#[tokio::test]
async fn the_body_is_closed_at_every_depth() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    for wrong in [
        json!({ "text": "x", "surprise": 1 }),
        json!({ "text": "x", "reply": { "in_reply_to_tweet_id": "1", "surprise": 1 } }),
        json!({ "media": { "media_ids": ["1"], "surprise": 1 } }),
        json!({ "text": "x", "reply": null }),
        json!({ "text": "x", "reply_settings": "everyone" }),
        json!({ "text": "x", "reply": { "in_reply_to_tweet_id": 1 } }),
        json!({ "text": "x", "reply": { "in_reply_to_tweet_id": "one" } }),
        json!({ "text": "x", "poll": { "options": ["one"], "duration_minutes": 5 } }),
        json!({ "text": "x", "poll": { "options": ["a", "b"], "duration_minutes": 5 }, "media": { "media_ids": ["1"] } }),
        json!({ "media": { "media_ids": [] } }),
        json!({ "media": { "media_ids": ["1", "1"] } }),
        json!({ "text": " \n" }),
        json!({}),
        json!([]),
    ] {
        let problem = caller.refused(&wrong, StatusCode::BAD_REQUEST).await;
        assert_eq!(problem["type"], "https://api.x.com/2/problems/invalid-request", "{wrong}");
    }
    let plain = caller.post("/2/tweets").body(r#"{"text":"x"}"#).send().await.unwrap();
    body(plain, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    let broken = caller.post("/2/tweets").header("content-type", "application/json").body("{").send().await.unwrap();
    body(broken, StatusCode::BAD_REQUEST).await;
    assert!(bench.sim.posts().is_empty());
}

#[tokio::test]
async fn the_length_is_weighted() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let link = format!("https://example.com/{}", "x".repeat(300));
    for (unit, count) in [("x", 280), ("漢", 140), ("👨‍👩‍👧‍👦", 140)] {
        caller.tweet_text(&unit.repeat(count)).await;
        caller.refused(&json!({ "text": unit.repeat(count + 1) }), StatusCode::FORBIDDEN).await;
    }
    caller.tweet_text(&format!("{link} {}", "y".repeat(256))).await;
    caller.refused(&json!({ "text": format!("{link} {}", "y".repeat(257)) }), StatusCode::FORBIDDEN).await;
    caller.refused(&json!({ "text": format!("http://{}", "aa.".repeat(4_000_000)) }), StatusCode::FORBIDDEN).await;
    caller.refused(&json!({ "text": format!("http://{}", "aa.".repeat(20_000)) }), StatusCode::FORBIDDEN).await;
    assert_eq!(bench.sim.posts().len(), 4);
}

#[tokio::test]
async fn the_same_text_is_refused_unless_it_replies_to_something_else() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let first = caller.tweet_text("Café").await;
    let problem = caller.refused(&json!({ "text": "Cafe\u{301}" }), StatusCode::FORBIDDEN).await;
    assert_eq!(problem["detail"], "You are not allowed to create a Tweet with duplicate content.");
    let reply = json!({ "text": "Café", "reply": { "in_reply_to_tweet_id": first } });
    caller.tweeted(&reply).await;
    caller.refused(&reply, StatusCode::FORBIDDEN).await;

    bench.sim.change(|settings| settings.duplicate_window_s = 0);
    caller.tweet_text("Café").await;
}

#[tokio::test]
async fn a_reply_needs_a_post_that_is_there_and_wants_it() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let back = bench.sim.authorize(&bench.authorize_url(ALL_SCOPES), "second_account");
    let tokens = body(bench.exchange(&parameter(&back, "code"), VERIFIER).await, StatusCode::OK).await;
    let other = Caller { bench: &bench, token: text(&tokens["access_token"]) };
    let reply = |to: &str| json!({ "text": "indeed", "reply": { "in_reply_to_tweet_id": to } });

    caller.refused(&reply("1"), StatusCode::FORBIDDEN).await;
    let unsummoned = other.tweet_text("talking to myself").await;
    caller.refused(&reply(&unsummoned), StatusCode::FORBIDDEN).await;
    let summoned = other.tweet_text("what says @Orla_Demo?").await;
    caller.tweeted(&reply(&summoned)).await;

    let problem = caller.delete(&format!("/2/tweets/{summoned}")).send().await.unwrap();
    let problem = body(problem, StatusCode::FORBIDDEN).await;
    assert_eq!(problem["detail"], "You are not authorized to delete this Tweet.");
    other.delete(&format!("/2/tweets/{summoned}")).send().await.unwrap();
    caller
        .refused(&json!({ "text": "gone", "reply": { "in_reply_to_tweet_id": summoned } }), StatusCode::FORBIDDEN)
        .await;
}

#[tokio::test]
async fn what_self_serve_access_may_not_do_is_refused() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    caller.refused(&json!({ "text": "see", "quote_tweet_id": "1" }), StatusCode::FORBIDDEN).await;
    caller.refused(&json!({ "text": "buy $AAPL, not $GOOG!" }), StatusCode::FORBIDDEN).await;
    caller.tweet_text("buy $AAPL for $20").await;
}

#[tokio::test]
async fn the_gate_wants_a_token_with_the_scopes() {
    let bench = Bench::start().await;
    let post = || bench.http.post(bench.url("/2/tweets")).json(&json!({ "text": "x" }));
    for request in [post(), post().bearer_auth("nobody"), post().basic_auth("orla-demo", Some("orla-demo-secret"))] {
        let problem = body(request.send().await.unwrap(), StatusCode::UNAUTHORIZED).await;
        assert_eq!(problem["title"], "Unauthorized");
    }
    let reader = bench.caller_with("tweet.read users.read").await;
    let problem = reader.refused(&json!({ "text": "x" }), StatusCode::FORBIDDEN).await;
    assert_eq!(problem["type"], "https://api.x.com/2/problems/client-forbidden");

    let caller = bench.caller().await;
    bench.sim.expire_access_tokens();
    caller.refused(&json!({ "text": "x" }), StatusCode::UNAUTHORIZED).await;
}

#[tokio::test]
async fn requests_are_counted_and_the_one_too_many_is_refused() {
    let bench = Bench::start().await;
    bench.sim.change(|settings| {
        settings.rate_limits.insert("POST /2/tweets".to_owned(), 2);
    });
    let caller = bench.caller().await;
    for (text, remaining, status) in [("one", "1", 201), ("one", "0", 403), ("two", "0", 429)] {
        let response = caller.tweet(&json!({ "text": text })).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers()["x-rate-limit-limit"], "2");
        assert_eq!(response.headers()["x-rate-limit-remaining"], remaining);
        assert!(response.headers().contains_key("x-rate-limit-reset"));
    }
    let me = caller.get("/2/users/me").send().await.unwrap();
    assert_eq!(me.headers()["x-rate-limit-remaining"], "74", "each route has its own limit");
}
