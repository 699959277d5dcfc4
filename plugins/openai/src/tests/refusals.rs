//! What refused requests mean.

use super::{complete, options, set};
use orla_sdk::testing::Answer;
use orla_sdk::{Delivery, Fault, FaultKind, Response};
use serde_json::{Value, json};

/// The fault of an answer with these headers and this error. The host hands refusals on inline, whatever was asked for.
fn refused(status: u16, headers: &[(&str, &str)], error: &Value) -> Fault {
    let answer = Answer::Response(Response::new(status, headers, json!({ "error": error }).to_string()));
    let faults = [Delivery::Whole, Delivery::Pieces]
        .map(|delivery| complete(&options(delivery), &[], answer.clone()).result.unwrap_err());
    let [whole, pieces] = faults;
    assert_eq!(whole, pieces);
    assert!(whole.sent);
    whole
}

fn error(kind: &str, code: &str) -> Value {
    json!({ "message": "No.", "type": kind, "param": null, "code": code })
}

#[test]
fn each_refusal_has_a_kind() {
    let expected = [
        (401, "invalid_request_error", "invalid_api_key", FaultKind::AuthExpired),
        (403, "request_forbidden", "unsupported_country_region_territory", FaultKind::ScopeMissing),
        (404, "invalid_request_error", "model_not_found", FaultKind::NotFound),
        (403, "invalid_request_error", "model_not_found", FaultKind::NotFound),
        (409, "conflict", "conflict", FaultKind::Conflict),
        (429, "insufficient_quota", "insufficient_quota", FaultKind::Quota),
        (429, "tokens", "rate_limit_exceeded", FaultKind::RateLimited),
        (429, "requests", "slow_down", FaultKind::RateLimited),
        (400, "invalid_request_error", "context_length_exceeded", FaultKind::TooLarge),
        (400, "invalid_request_error", "invalid_value", FaultKind::Invalid),
        (500, "server_error", "server_error", FaultKind::VendorDown),
        (503, "service_unavailable_error", "server_is_overloaded", FaultKind::VendorDown),
    ];
    for (status, kind, code, meaning) in expected {
        let fault = refused(status, &[], &error(kind, code));
        assert_eq!((fault.kind, fault.code.as_deref()), (meaning, Some(code)), "{status} {code}");
        assert!(fault.message.starts_with("No."), "{fault}");
    }
    let no_key =
        refused(401, &[], &json!({ "message": "You gave no key.", "type": "invalid_request_error", "code": null }));
    assert_eq!((no_key.kind, no_key.code.as_deref()), (FaultKind::AuthExpired, Some("invalid_request_error")));
}

#[test]
fn an_unknown_model_points_to_the_setting() {
    let message = "The model `gpt-9` does not exist or you do not have access to it.";
    let unknown =
        json!({ "message": message, "type": "invalid_request_error", "param": null, "code": "model_not_found" });
    let hint = "The connector's setting `model` names the model that is used by default.";
    assert_eq!(refused(404, &[], &unknown).message, format!("{message} {hint}"));
    // As other servers say it.
    let other = json!({ "message": "model \"llama9\" not found, try pulling it first", "code": null });
    assert!(refused(404, &[], &other).message.ends_with(hint));
}

#[test]
fn a_server_without_the_responses_api_points_to_the_setting() {
    let no_such_path = Answer::Response(Response::new(404, &[], "404 page not found"));
    let fault = complete(&options(Delivery::Whole), &[], no_such_path.clone()).result.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
    assert_eq!(
        fault.message,
        "The server does not know POST /v1/responses. \
         A server that only speaks Chat Completions needs the setting `api=chat_completions`."
    );
    let fault =
        complete(&options(Delivery::Whole), &[set("api", "chat_completions")], no_such_path).result.unwrap_err();
    assert_eq!(fault.message, "The vendor answered 404 to POST /v1/chat/completions.");
}

#[test]
fn a_member_that_is_refused_is_named() {
    let mut invalid = error("invalid_request_error", "integer_below_min_value");
    invalid["param"] = json!("max_output_tokens");
    let fault = refused(400, &[], &invalid);
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some("max_output_tokens")));
}

#[test]
fn a_prompt_that_the_filter_refuses() {
    for code in ["content_policy_violation", "content_filter", "invalid_prompt"] {
        let fault = refused(400, &[], &error("invalid_request_error", code));
        assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Invalid, Some("content-filter")));
    }
}

#[test]
fn the_wait_is_the_most_precise_that_is_told() {
    const RESETS: [(&str, &str); 2] = [("x-ratelimit-reset-requests", "6m0s"), ("x-ratelimit-reset-tokens", "120ms")];
    let wait = |kind: &str, headers: &[(&str, &str)]| {
        refused(429, &[&RESETS, headers].concat(), &error(kind, "rate_limit_exceeded")).retry_after_ms
    };
    assert_eq!(wait("requests", &[]), Some(360_000));
    assert_eq!(wait("tokens", &[]), Some(120));
    assert_eq!(wait("requests", &[("retry-after", "2")]), Some(2_000));
    assert_eq!(wait("requests", &[("retry-after", "2"), ("retry-after-ms", "1532.5")]), Some(1_533));
    assert_eq!(wait("requests", &[("retry-after-ms", "soon")]), Some(360_000));

    let quota = refused(429, &RESETS, &error("insufficient_quota", "insufficient_quota"));
    assert_eq!(quota.retry_after_ms, None);
    let overloaded = error("service_unavailable_error", "server_is_overloaded");
    assert_eq!(refused(503, &RESETS, &overloaded).retry_after_ms, None);
    assert_eq!(refused(503, &[("retry-after", "3")], &overloaded).retry_after_ms, Some(3_000));
}

#[test]
fn refusals_of_other_servers_are_read_as_far_as_they_go() {
    let said = |body: &str| {
        let answer = Answer::Response(Response::new(422, &[], body));
        let fault = complete(&options(Delivery::Whole), &[], answer).result.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Invalid);
        (fault.message, fault.code)
    };
    assert_eq!(said(r#"{"error":"too long"}"#), ("too long".to_owned(), None));
    assert_eq!(said(r#"{"object":"error","message":"bad","code":422}"#), ("bad".to_owned(), Some("422".to_owned())));
    assert_eq!(said(r#"{"detail":"bad"}"#).0, "bad");
    assert_eq!(said("<html>").0, "The vendor answered 422 to POST /v1/responses.");
}
