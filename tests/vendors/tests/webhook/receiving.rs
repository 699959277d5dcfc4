//! What is taken, what is refused, and what is remembered of both.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{Bench, EVENT, HOOK, body, now_s, sent, signature};

const OTHER_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test]
async fn a_delivery_is_taken_and_a_second_one_is_a_duplicate() {
    let bench = Bench::start().await;
    let first = body(sent(bench.delivery("msg_1", EVENT)).await, StatusCode::OK).await;
    assert_eq!(first, json!({ "received": "msg_1", "duplicate": false }));
    let again = body(sent(bench.delivery("msg_1", EVENT)).await, StatusCode::OK).await;
    assert_eq!(again, json!({ "received": "msg_1", "duplicate": true }));
    sent(bench.delivery("msg_1", "{}")).await;
    sent(bench.delivery("msg_2", "{}")).await;
    assert_eq!((bench.sim.accepted(), bench.sim.duplicates(), bench.sim.refused()), (4, 2, 0));
    assert_eq!(bench.sim.messages().into_iter().collect::<Vec<_>>(), [("msg_1".into(), 3), ("msg_2".into(), 1)]);
    let kept = bench.sim.deliveries();
    assert_eq!(kept.iter().map(|delivery| delivery.differs).collect::<Vec<_>>(), [false, false, true, false]);
    assert_eq!((kept[0].body.as_str(), kept[0].path.as_str(), kept[0].signatures), (EVENT, "/hooks/orla", 1));
    assert_eq!(bench.sim.counts()["POST /hooks/orla"], 4);
}

#[tokio::test]
async fn one_right_signature_among_several_is_enough() {
    let bench = Bench::start().await;
    bench.sim.change(|settings| settings.secrets.push(OTHER_SECRET.to_owned()));
    let (timestamp, secrets) = (now_s().to_string(), bench.sim.settings().secrets);
    let sign = |secret: &str, id: &str| signature(secret, id, &timestamp, EVENT);
    let wrong = sign("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "msg_1");
    for header in [
        sign(&secrets[1], "msg_1"),
        format!("{wrong} {}", sign(&secrets[0], "msg_1")),
        format!("v1a,YWJj {} {}", sign(&secrets[0], "msg_1"), sign(&secrets[1], "msg_1")),
    ] {
        let delivery = bench.unsigned("msg_1", &timestamp, EVENT).header("webhook-signature", &header);
        assert_eq!(sent(delivery).await.status(), StatusCode::OK, "{header}");
    }
    bench.sim.change(|settings| drop(settings.secrets.remove(1)));
    let old = bench.unsigned("msg_1", &timestamp, EVENT).header("webhook-signature", sign(OTHER_SECRET, "msg_1"));
    assert_eq!(sent(old).await.status(), StatusCode::UNAUTHORIZED, "the old secret is gone");
}

#[tokio::test]
async fn what_is_not_proven_is_refused_with_401_and_why() {
    let bench = Bench::start().await;
    let secret = bench.sim.settings().secrets[0].clone();
    let now = now_s();
    for (timestamp, id, body_signed, header, reason) in [
        (now, "msg_1", "{} ", None, "No signature is right."),
        (now, "msg_2", "{}", None, "No signature is right."),
        (now, "msg_1", "{}", Some("v1a,YWJj"), "There is no signature of the version v1."),
        (now - 310, "msg_1", "{}", None, "webhook-timestamp is too old"),
        (now + 310, "msg_1", "{}", None, "webhook-timestamp is too new"),
    ] {
        let timestamp = timestamp.to_string();
        let signed = signature(&secret, id, &timestamp, body_signed);
        let header = header.unwrap_or(&signed);
        let delivery = bench.unsigned("msg_1", &timestamp, "{}").header("webhook-signature", header);
        let error = body(sent(delivery).await, StatusCode::UNAUTHORIZED).await["error"].to_string();
        assert!(error.contains(reason), "{error} is not {reason}");
        let refusal = bench.sim.deliveries().pop().unwrap().refusal.unwrap();
        assert!(refusal.status == 401 && refusal.reason.contains(reason), "{refusal:?}");
    }
    assert_eq!((bench.sim.accepted(), bench.sim.refused()), (0, 5));
    for (timestamp, status) in [(now - 290, StatusCode::OK), (now + 290, StatusCode::OK)] {
        let timestamp = timestamp.to_string();
        let signed = signature(&secret, "msg_1", &timestamp, "{}");
        let delivery = bench.unsigned("msg_1", &timestamp, "{}").header("webhook-signature", signed);
        assert_eq!(sent(delivery).await.status(), status);
    }
}

#[tokio::test]
async fn what_is_no_webhook_is_refused_with_400_and_why() {
    let bench = Bench::start().await;
    let secret = bench.sim.settings().secrets[0].clone();
    let timestamp = now_s().to_string();
    for left_out in ["content-type", "webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut delivery = bench.delivery("msg_1", "{}").build().unwrap();
        delivery.headers_mut().remove(left_out);
        let answer = body(bench.http.execute(delivery).await.unwrap(), StatusCode::BAD_REQUEST).await;
        assert_eq!(answer["error"], format!("The header {left_out} is missing."));
        let mut delivery = bench.delivery("msg_1", "{}").build().unwrap();
        let value = delivery.headers()[left_out].clone();
        delivery.headers_mut().append(reqwest::header::HeaderName::from_static(left_out), value);
        let answer = body(bench.http.execute(delivery).await.unwrap(), StatusCode::BAD_REQUEST).await;
        assert_eq!(answer["error"], format!("The header {left_out} came twice."));
    }
    let long = "x".repeat(257);
    for (id, timestamp, content) in [
        ("", timestamp.as_str(), "{}"),
        ("msg.1", &timestamp, "{}"),
        (&long, &timestamp, "{}"),
        ("msg_1", "1.5", "{}"),
        ("msg_1", "+1", "{}"),
        ("msg_1", "2026-01-31T12:00:00Z", "{}"),
        ("msg_1", &timestamp, "{"),
        ("msg_1", &timestamp, ""),
    ] {
        let signed = signature(&secret, id, timestamp, content);
        let delivery = bench.unsigned(id, timestamp, content).header("webhook-signature", signed);
        assert_eq!(sent(delivery).await.status(), StatusCode::BAD_REQUEST, "{id} {timestamp} {content}");
    }
    for malformed in ["", "v1", "v1,%", "v1,YWJj,", "v1,YWJj  v1,YWJj"] {
        let delivery = bench.unsigned("msg_1", &timestamp, "{}").header("webhook-signature", malformed);
        assert_eq!(sent(delivery).await.status(), StatusCode::BAD_REQUEST, "{malformed}");
    }
    let mut text = bench.delivery("msg_1", "{}").build().unwrap();
    text.headers_mut().insert("content-type", reqwest::header::HeaderValue::from_static("text/plain"));
    let answer = body(bench.http.execute(text).await.unwrap(), StatusCode::BAD_REQUEST).await;
    assert_eq!(answer["error"], "The content type is text/plain and not application/json.");
    let get = bench.http.request(Method::GET, bench.url(HOOK));
    assert_eq!(sent(get).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(bench.sim.accepted(), 0);
    assert!(bench.sim.deliveries().iter().all(|delivery| delivery.refusal.is_some() && !delivery.duplicate));
}

#[tokio::test]
async fn it_answers_as_it_was_told() {
    let bench = Bench::start().await;
    for status in [204, 410, 429, 500] {
        bench.sim.change(|settings| settings.status = status);
        assert_eq!(sent(bench.delivery("msg_1", "{}")).await.status().as_u16(), status);
    }
    assert_eq!((bench.sim.accepted(), bench.sim.duplicates()), (4, 3), "a status is no refusal");
    let mut utf8 = bench.delivery("msg_2", "{}").build().unwrap();
    let value = reqwest::header::HeaderValue::from_static("Application/JSON; charset=UTF-8");
    utf8.headers_mut().insert("content-type", value);
    bench.sim.change(|settings| settings.status = 200);
    assert_eq!(bench.http.execute(utf8).await.unwrap().status(), StatusCode::OK);
}
