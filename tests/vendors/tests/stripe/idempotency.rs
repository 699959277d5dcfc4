//! Idempotency keys.

use reqwest::StatusCode;

use crate::{Bench, DAY_S, body, id, sent};

#[tokio::test]
async fn the_same_key_does_the_same_once() {
    let bench = Bench::start().await;
    let create = |email: &'static str| {
        let form = [("email", email), ("name", "Ada")];
        bench.posting("/v1/customers", &form).header("idempotency-key", "a-key")
    };
    let first = sent(create("a@example.com")).await;
    assert!(!first.headers().contains_key("idempotent-replayed") && first.headers()["idempotency-key"] == "a-key");
    let first = body(first, StatusCode::OK).await;
    let again = sent(create("a@example.com")).await;
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(body(again, StatusCode::OK).await, first);
    let reordered = [("name", "Ada"), ("email", "a@example.com")];
    let reordered = bench.posting("/v1/customers", &reordered).header("idempotency-key", "a-key");
    assert_eq!(body(sent(reordered).await, StatusCode::OK).await, first, "the order does not matter");
    assert_eq!(bench.sim.events().len(), 1);
    let event = &bench.sim.events()[0];
    assert_eq!(event.request.idempotency_key.as_deref(), Some("a-key"));
    assert!(event.request.id.as_ref().unwrap().starts_with("req_"));

    let other = body(sent(create("b@example.com")).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(other["error"]["type"], "idempotency_error");
    let elsewhere = bench.posting("/v1/products", &[("name", "x")]).header("idempotency-key", "a-key");
    assert_eq!(sent(elsewhere).await.status(), StatusCode::BAD_REQUEST);

    bench.sim.advance(DAY_S);
    let later = body(sent(create("a@example.com")).await, StatusCode::OK).await;
    assert_ne!(id(&later), id(&first), "a key is kept for a day");
}

#[tokio::test]
async fn what_was_refused_may_be_asked_again_with_the_same_key() {
    let bench = Bench::start().await;
    let create = |form: &[(&str, &str)]| bench.posting("/v1/customers", form).header("idempotency-key", "a-key");
    assert_eq!(sent(create(&[("email", "nobody")])).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(sent(create(&[("email", "a@example.com")])).await.status(), StatusCode::OK);
    let long = bench.posting("/v1/customers", &[]).header("idempotency-key", "x".repeat(256));
    assert_eq!(sent(long).await.status(), StatusCode::BAD_REQUEST);
}
