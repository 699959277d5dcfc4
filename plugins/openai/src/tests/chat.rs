//! Chat Completions.

use super::{all_options, body, complete, completion, lost, options, set};
use orla_sdk::testing::{Answer, answer, broken_events, events};
use orla_sdk::{Completion, Delivery, Ending, Fact, FaultKind, Result, TextOptions};
use serde_json::{Value, json};

const PATH: &str = "/v1/chat/completions";

fn chat() -> Vec<Fact> {
    vec![set("api", "chat_completions")]
}

fn message(message: &Value, finish_reason: &Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4.1-mini-2025-04-14",
        "choices": [{ "index": 0, "message": message, "finish_reason": finish_reason, "logprobs": null }],
        "usage": { "prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12 }, "service_tier": "default",
    })
}

fn text(text: &str) -> Value {
    json!({ "role": "assistant", "content": text, "refusal": null })
}

fn whole(reply: &Value) -> Result<Completion> {
    complete(&options(Delivery::Whole), &chat(), answer(200, reply)).result
}

fn chunk(delta: &Value, finish_reason: &Value) -> (String, String) {
    let chunk = json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4.1-mini-2025-04-14",
        "choices": [{ "index": 0, "delta": delta, "finish_reason": finish_reason }], "obfuscation": "aB",
    });
    unnamed(&chunk)
}

fn unnamed(data: &Value) -> (String, String) {
    ("message".to_owned(), data.to_string())
}

fn piece(piece: &str) -> (String, String) {
    chunk(&json!({ "content": piece }), &Value::Null)
}

fn stop(reason: &str) -> (String, String) {
    chunk(&json!({}), &json!(reason))
}

fn done() -> (String, String) {
    ("message".to_owned(), "[DONE]".to_owned())
}

fn pieces(vendor: Answer) -> (Result<Completion>, Vec<String>) {
    let played = complete(&options(Delivery::Pieces), &chat(), vendor);
    (played.result, played.lines[1..].to_vec())
}

#[test]
fn a_plain_answer_is_asked_for_as_documented() {
    let played = complete(&options(Delivery::Whole), &chat(), answer(200, &message(&text("Tea."), &json!("stop"))));
    let expected = json!({
        "model": "gpt-5.4-mini",
        "messages": [
            { "role": "developer", "content": "You write posts." },
            { "role": "user", "content": "Hi" },
            { "role": "assistant", "content": "Hello." },
            { "role": "user", "content": "A post on \"tea\", please." },
        ],
        "stream": false,
    });
    assert_eq!(body(&played, PATH), expected);
    assert_eq!(played.result, Ok(completion("Tea.", "gpt-4.1-mini-2025-04-14", Ending::Complete)));
}

#[test]
fn every_option_has_its_place() {
    let played = complete(&all_options(Delivery::Pieces), &chat(), events([piece("{}"), stop("stop"), done()]));
    let asked = body(&played, PATH);
    let schema = json!({ "type": "object", "properties": {}, "required": [], "additionalProperties": false });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "post", "schema": schema, "strict": true } });
    assert_eq!(asked["response_format"], format);
    assert_eq!((&asked["model"], &asked["max_completion_tokens"]), (&json!("gpt-4.1-mini"), &json!(800)));
    assert_eq!((&asked["stream"], &asked["stream_options"]), (&json!(true), &json!({ "include_usage": true })));
    assert_eq!(asked["messages"][0]["role"], "system");
    assert_eq!(played.result.unwrap().text, "{}");
}

#[test]
fn reasoning_models_hear_the_developer() {
    let roles = [
        ("gpt-5.4-mini", "developer"),
        ("o3", "developer"),
        ("o4-mini", "developer"),
        ("gpt-4.1", "system"),
        ("olmo-2", "system"),
        ("llama3.3", "system"),
    ];
    for (model, role) in roles {
        let options = TextOptions { model: Some(model.to_owned()), ..options(Delivery::Whole) };
        let played = complete(&options, &chat(), answer(500, &json!({})));
        assert_eq!(body(&played, PATH)["messages"][0]["role"], role, "{model}");
    }
}

#[test]
fn pieces_are_handed_on_as_they_come() {
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 9, "completion_tokens": 3 } });
    let (result, written) = pieces(events([
        chunk(&json!({ "role": "assistant", "content": "", "refusal": null }), &Value::Null),
        piece("Tea"),
        chunk(&json!({ "reasoning_content": "hm" }), &Value::Null),
        piece(" \"für\"\n"),
        piece("🍵"),
        stop("stop"),
        unnamed(&usage),
        done(),
    ]));
    assert_eq!(result, Ok(completion("Tea \"für\"\n🍵", "gpt-4.1-mini-2025-04-14", Ending::Complete)));
    assert_eq!(written, [r#"write "Tea""#, r#"write " \"für\"\n""#, r#"write "🍵""#]);
}

#[test]
fn servers_that_leave_things_away() {
    let bare = |delta: Value| unnamed(&json!({ "choices": [{ "delta": delta }] }));
    let last = unnamed(&json!({ "choices": [{ "finish_reason": "eos" }], "error": null, "usage": null }));
    let (result, _) = pieces(events([bare(json!({ "content": "Te" })), bare(json!({ "content": "a" })), last]));
    assert_eq!(result, Ok(completion("Tea", "gpt-5.4-mini", Ending::Complete)));

    let reply = json!({ "choices": [{ "message": { "content": "Tea" } }] });
    assert_eq!(whole(&reply), Ok(completion("Tea", "gpt-5.4-mini", Ending::Complete)));
}

#[test]
fn an_answer_that_is_cut_off() {
    let expected = Ok(completion("Te", "gpt-4.1-mini-2025-04-14", Ending::CutOff));
    assert_eq!(whole(&message(&text("Te"), &json!("length"))), expected);
    assert_eq!(pieces(events([piece("Te"), stop("length"), done()])).0, expected);
    let fault = whole(&message(&text(""), &json!("length"))).unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some("max_output_tokens")));
}

#[test]
fn an_answer_that_the_filter_withholds() {
    let withheld = message(&text("Te"), &json!("content_filter"));
    for result in [whole(&withheld), pieces(events([piece("Te"), stop("content_filter"), done()])).0] {
        let fault = result.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Invalid, Some("content-filter")));
    }
}

#[test]
fn a_model_that_declines_is_quoted() {
    let declined = json!({ "role": "assistant", "content": null, "refusal": "I can't help with that." });
    let refusal = |piece: &str| chunk(&json!({ "refusal": piece }), &Value::Null);
    let streamed = events([refusal("I can't help "), refusal("with that."), stop("stop"), done()]);
    for result in [whole(&message(&declined, &json!("stop"))), pieces(streamed).0] {
        let fault = result.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Invalid, Some("refused")));
        assert_eq!(fault.message, "I can't help with that.");
    }
}

#[test]
fn an_error_in_the_place_of_an_answer() {
    let error = json!({ "error": { "message": "Slow down.", "type": "requests", "code": "rate_limit_exceeded" } });
    for result in [whole(&error), pieces(events([piece("Te"), unnamed(&error)])).0] {
        let fault = result.unwrap_err();
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::RateLimited, "Slow down."));
    }
    let words = whole(&json!({ "error": "out of memory" })).unwrap_err();
    assert_eq!((words.kind, words.message.as_str()), (FaultKind::Vendor, "out of memory"));
}

#[test]
fn a_stream_that_ends_too_soon() {
    for answer in [events([piece("Te")]), events([piece("Te"), done()])] {
        let (result, written) = pieces(answer);
        assert_eq!(result.unwrap_err().kind, FaultKind::VendorDown);
        assert_eq!(written, [r#"write "Te""#]);
    }
    assert_eq!(pieces(broken_events([piece("Te")], lost())).0, Err(lost()));
    // What breaks after the last word breaks nothing.
    assert_eq!(pieces(broken_events([piece("Te"), stop("stop")], lost())).0.unwrap().text, "Te");
}

#[test]
fn answers_that_are_no_text() {
    let calls = message(&json!({ "content": null, "tool_calls": [] }), &json!("tool_calls"));
    let nothing = message(&text(""), &json!("stop"));
    for reply in [calls, nothing, json!({ "choices": [] }), json!({}), json!("Tea")] {
        assert_eq!(whole(&reply).unwrap_err().kind, FaultKind::Vendor, "{reply}");
    }
}
