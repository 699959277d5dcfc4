//! What is refused, and how.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{Bench, CHAT, KEY, RESPONSES, ask, refusal, sent, text};

#[tokio::test]
async fn only_the_key_opens() {
    let bench = Bench::start().await;
    let request = ask(RESPONSES, &json!({}));
    let wrong = bench.http.post(bench.url(RESPONSES)).bearer_auth("sk-proj-0123456789abcd").json(&request);
    let error = refusal(sent(wrong).await, StatusCode::UNAUTHORIZED).await;
    assert_eq!((&error["code"], &error["type"]), (&json!("invalid_api_key"), &json!("invalid_request_error")));
    let message = text(&error["message"]);
    assert!(message.starts_with("Incorrect API key provided: sk-proj-**********abcd."), "{message}");

    let basic = bench.http.post(bench.url(RESPONSES)).basic_auth(KEY, None::<&str>).json(&request);
    refusal(sent(basic).await, StatusCode::UNAUTHORIZED).await;
    refusal(sent(bench.http.get(bench.url("/v1/models"))).await, StatusCode::UNAUTHORIZED).await;
    assert_eq!(bench.sim.generations(), 0);
}

#[tokio::test]
async fn a_body_is_a_json_object_and_says_so() {
    let bench = Bench::start().await;
    let post = |kind: &str, text: &str| {
        let request = bench.http.post(bench.url(RESPONSES)).bearer_auth(KEY);
        sent(request.header("content-type", kind).body(text.to_owned()))
    };
    let json_text = ask(RESPONSES, &json!({})).to_string();
    let error = refusal(post("text/plain", &json_text).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(error["code"], "unsupported_content_type");
    for wrong in ["", "{", "[]", "\"text\""] {
        refusal(post("application/json", wrong).await, StatusCode::BAD_REQUEST).await;
    }
    assert_eq!(post("application/json; charset=utf-8", &json_text).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn other_paths_and_methods_are_not_there() {
    let bench = Bench::start().await;
    for path in ["/v1/completions", "/v1/responses/resp_1", "/responses", "/"] {
        let error = bench.refused(path, &json!({}), StatusCode::NOT_FOUND).await;
        assert_eq!(error["message"], format!("Invalid URL (POST {path})"));
    }
    refusal(sent(bench.get(RESPONSES)).await, StatusCode::NOT_FOUND).await;
}

/// Refused with 400: the members that make the request wrong, the code, and the parameter that is blamed.
async fn refuses(bench: &Bench, path: &str, cases: &[(Value, &str, &str)]) {
    for (more, code, param) in cases {
        let status = if *code == "model_not_found" { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
        let error = bench.refused(path, &ask(path, more), status).await;
        assert_eq!((&error["code"], &error["param"]), (&json!(code), &json!(param)), "{more}: {error}");
        let message = text(&error["message"]);
        assert!(message.len() < 400, "a message does not repeat the body: {message}");
    }
    assert_eq!(bench.sim.generations(), 0);
}

#[tokio::test]
async fn responses_are_held_against_the_document() {
    let bench = Bench::start().await;
    let part = |kind: &str| json!({ "type": kind, "text": "x" });
    let said = |part: Value| json!([{ "role": "user", "content": [part] }]);
    let cases = [
        (json!({ "foo": 1 }), "unknown_parameter", "foo"),
        (json!({ "max_tokens": 100 }), "unknown_parameter", "max_tokens"),
        (json!({ "messages": [] }), "unknown_parameter", "messages"),
        (json!({ "text": { "formats": {} } }), "unknown_parameter", "text.formats"),
        (json!({ "input": [{ "role": "user", "content": "x", "mood": 1 }] }), "unknown_parameter", "input[0].mood"),
        (json!({ "input": null }), "invalid_type", "input"),
        (json!({ "input": said(part("text")) }), "invalid_value", "input[0].content[0].type"),
        (json!({ "input": [{ "role": "user", "content": 5 }] }), "invalid_type", "input[0].content"),
        (json!({ "store": "no" }), "invalid_type", "store"),
        (json!({ "metadata": { "a": 1 } }), "invalid_type", "metadata.a"),
        (json!({ "model": "gpt-4.1", "temperature": 3 }), "integer_above_max_value", "temperature"),
        (json!({ "max_output_tokens": 15 }), "integer_below_min_value", "max_output_tokens"),
        (json!({ "max_output_tokens": -1 }), "integer_below_min_value", "max_output_tokens"),
    ];
    refuses(&bench, RESPONSES, &cases).await;
    let nobody = ask(RESPONSES, &json!({ "input": [{ "role": "boss", "content": "x" }] }));
    bench.refused(RESPONSES, &nobody, StatusCode::BAD_REQUEST).await;
    let error = bench.refused(RESPONSES, &json!({ "model": "gpt-4.1" }), StatusCode::BAD_REQUEST).await;
    assert_eq!((&error["code"], &error["param"]), (&json!("missing_required_parameter"), &json!("input")));
    let error = bench.refused(RESPONSES, &json!({ "input": "x" }), StatusCode::BAD_REQUEST).await;
    assert_eq!((&error["code"], &error["param"]), (&json!("missing_required_parameter"), &json!("model")));
}

#[tokio::test]
async fn chats_are_held_against_the_document() {
    let bench = Bench::start().await;
    let said = |content: Value| json!([{ "role": "user", "content": content }]);
    let cases = [
        (json!({ "input": "x" }), "unknown_parameter", "input"),
        (json!({ "messages": [] }), "empty_array", "messages"),
        (json!({ "messages": [{ "role": "boss", "content": "x" }] }), "invalid_value", "messages[0].role"),
        (json!({ "messages": [{ "role": "user" }] }), "missing_required_parameter", "messages[0].content"),
        (
            json!({ "messages": said(json!([{ "type": "image_url", "image_url": "https://example.com/" }])) }),
            "invalid_type",
            "messages[0].content[0].image_url",
        ),
        (json!({ "max_completion_tokens": 0 }), "integer_below_min_value", "max_completion_tokens"),
        (json!({ "response_format": { "type": "yaml" } }), "invalid_value", "response_format.type"),
    ];
    refuses(&bench, CHAT, &cases).await;
}

#[tokio::test]
async fn models_refuse_what_they_do_not_have() {
    let bench = Bench::start().await;
    let unsupported = "unsupported_parameter";
    let cases = [
        (json!({ "model": "gpt-9" }), "model_not_found", "model"),
        (json!({ "temperature": 1 }), unsupported, "temperature"),
        (json!({ "model": "o3", "top_p": 0.5 }), unsupported, "top_p"),
        (json!({ "model": "gpt-4.1", "reasoning": { "effort": "low" } }), unsupported, "reasoning"),
        (json!({ "previous_response_id": "resp_1" }), unsupported, "previous_response_id"),
        (json!({ "background": true }), unsupported, "background"),
        (json!({ "tools": [{ "type": "web_search" }], "tool_choice": "required" }), unsupported, "tool_choice"),
        (json!({ "stream_options": { "include_obfuscation": false } }), "invalid_value", "stream_options"),
    ];
    refuses(&bench, RESPONSES, &cases).await;
    let cases = [
        (json!({ "model": "gpt-9" }), "model_not_found", "model"),
        (json!({ "max_tokens": 100 }), unsupported, "max_tokens"),
        (json!({ "model": "o4-mini", "temperature": 0.5 }), unsupported, "temperature"),
        (json!({ "model": "gpt-4.1", "reasoning_effort": "low" }), unsupported, "reasoning_effort"),
        (json!({ "n": 2 }), unsupported, "n"),
        (json!({ "stream": false, "stream_options": { "include_usage": true } }), "invalid_value", "stream_options"),
    ];
    refuses(&bench, CHAT, &cases).await;
}
