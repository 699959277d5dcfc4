//! Who may do what, and how often.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{ACCOUNT, Bench, STATUSES, body, refusal, sent};

#[tokio::test]
async fn without_a_right_token_nothing_happens() {
    let bench = Bench::start().await;
    let post = || bench.http.post(bench.url(STATUSES)).json(&json!({ "status": "x" }));
    let twice = post().bearer_auth(&bench.token).header("authorization", "Bearer nobody");
    for request in [post(), post().bearer_auth("nobody"), post().basic_auth(&bench.token, Some("")), twice] {
        let response = sent(request).await;
        let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
        assert!(challenge.starts_with("Bearer ") && challenge.contains("invalid_token"), "{challenge}");
        let answer = body(response, StatusCode::UNAUTHORIZED).await;
        assert_eq!(answer, json!({ "error": "The access token is invalid" }));
    }
    bench.sim.revoke(&bench.token);
    assert_eq!(
        bench.refused(&json!({ "status": "x" }), StatusCode::UNAUTHORIZED).await,
        "The access token was revoked"
    );
    assert!(bench.sim.statuses().is_empty());
    assert!(bench.sim.requests().iter().all(|request| request.user.is_none()));
}

#[tokio::test]
async fn a_scope_grants_itself_and_what_is_below() {
    let bench = Bench::start().await;
    let status = bench.posted_words("public").await;
    let status = format!("{STATUSES}/{status}");
    let verify = "/api/v1/accounts/verify_credentials";
    for (scopes, method, path, expected) in [
        ("profile", Method::GET, verify, 200),
        ("read:accounts", Method::GET, verify, 200),
        ("read", Method::GET, verify, 200),
        ("read:statuses write", Method::GET, verify, 403),
        ("read:statuses", Method::GET, &status, 200),
        ("profile", Method::GET, &status, 403),
        ("write:statuses", Method::GET, &status, 403),
        ("profile", Method::GET, "/api/v2/instance", 200),
        ("write:statuses", Method::POST, "/api/v2/media", 403),
        ("write:media", Method::POST, "/api/v2/media", 422),
        ("write", Method::POST, "/api/v2/media", 422),
        ("read write:media", Method::DELETE, &status, 403),
        ("write:statuses", Method::DELETE, &status, 200),
    ] {
        let token = bench.sim.issue_token("orla_demo", scopes);
        let response = sent(bench.http.request(method.clone(), bench.url(path)).bearer_auth(token)).await;
        assert_eq!(response.status().as_u16(), expected, "{scopes} for {method} {path}");
        if expected == 403 {
            let answer = body(response, StatusCode::FORBIDDEN).await;
            assert_eq!(answer["error"], "This action is outside the authorized scopes");
        }
    }
}

#[tokio::test]
async fn strangers_read_what_is_public_and_the_instance() {
    let bench = Bench::start().await;
    let open = bench.posted_words("for all").await;
    let hidden = bench.posted(&json!({ "status": "for me", "visibility": "private" })).await;
    let hidden = hidden["id"].as_str().unwrap();
    let list = format!("/api/v1/accounts/{ACCOUNT}/statuses");
    let anonymous = |path: &str| bench.http.get(bench.url(path));
    let shown = body(sent(anonymous(&list)).await, StatusCode::OK).await;
    assert_eq!((shown.as_array().unwrap().len(), &shown[0]["id"]), (1, &json!(open)));
    assert!(shown[0].get("favourited").is_none() && shown[0].get("pinned").is_none());
    assert_eq!(sent(anonymous("/api/v2/instance")).await.status(), StatusCode::OK);
    let hidden = format!("{STATUSES}/{hidden}");
    assert_eq!(refusal(anonymous(&hidden), StatusCode::NOT_FOUND).await, "Record not found");
    assert_eq!(bench.read(&hidden).await["visibility"], "private");
    let other = bench.sim.issue_token("second_account", "read");
    let other = anonymous(&hidden).bearer_auth(other);
    assert_eq!(refusal(other, StatusCode::NOT_FOUND).await, "Record not found");
    let wrong = anonymous(&list).bearer_auth("nobody");
    assert_eq!(sent(wrong).await.status(), StatusCode::UNAUTHORIZED, "stricter than Mastodon");
}

#[tokio::test]
async fn requests_are_counted_and_the_one_too_many_is_refused() {
    let bench = Bench::start().await;
    bench.sim.change(|settings| {
        settings.rate_limits.insert("statuses".to_owned(), 2);
    });
    for (words, remaining, status) in [("one", "1", 200), ("", "0", 422), ("two", "0", 429), ("three", "0", 429)] {
        let response = sent(bench.post(&json!({ "status": words }))).await;
        assert_eq!(response.status().as_u16(), status, "{words}");
        assert_eq!(response.headers()["x-ratelimit-limit"], "2");
        assert_eq!(response.headers()["x-ratelimit-remaining"], remaining);
        let reset = response.headers()["x-ratelimit-reset"].to_str().unwrap();
        assert_eq!((reset.len(), &reset[10..11], &reset[26..]), (27, "T", "Z"), "{reset}");
        assert!(response.headers().get("retry-after").is_none());
    }
    assert_eq!(bench.refused(&json!({ "status": "x" }), StatusCode::TOO_MANY_REQUESTS).await, "Too many requests");
    let list = format!("/api/v1/accounts/{ACCOUNT}/statuses");
    let read = sent(bench.get(&list)).await;
    assert_eq!(read.headers()["x-ratelimit-limit"], "300", "the account's own limit is another");
    assert_eq!(read.headers()["x-ratelimit-remaining"], "294");

    bench.sim.change(|settings| {
        settings.rate_limits.insert("account".to_owned(), 7);
    });
    assert_eq!(sent(bench.get(&list)).await.status(), StatusCode::OK);
    assert_eq!(sent(bench.get(&list)).await.status(), StatusCode::TOO_MANY_REQUESTS);
    let other = bench.sim.issue_token("second_account", "read");
    let other = sent(bench.http.get(bench.url(&list)).bearer_auth(other)).await;
    assert_eq!(other.headers()["x-ratelimit-remaining"], "6", "each account has its own");
}

#[tokio::test]
async fn instances_know_nothing_of_each_other() {
    let (one, two) = (Bench::start().await, Bench::start().await);
    two.sim.change(|settings| {
        settings.tokens[0].token = "of-the-other".to_owned();
        settings.max_characters = 3;
    });
    one.posted_words("four").await;
    let elsewhere = two.http.post(two.url(STATUSES)).bearer_auth(&one.token).json(&json!({ "status": "x" }));
    assert_eq!(sent(elsewhere).await.status(), StatusCode::UNAUTHORIZED);
    let long = two.http.post(two.url(STATUSES)).bearer_auth("of-the-other").json(&json!({ "status": "four" }));
    let words = refusal(long, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(words, "Validation failed: Text character limit of 3 exceeded");
    let instance = body(sent(two.http.get(two.url("/api/v2/instance"))).await, StatusCode::OK).await;
    assert_eq!(instance["configuration"]["statuses"]["max_characters"], 3);
    assert_eq!(format!("http://{}", instance["domain"].as_str().unwrap()), two.sim.origin());
    assert!(two.sim.statuses().is_empty());
}
