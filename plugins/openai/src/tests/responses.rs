//! The Responses API.

use super::{all_options, body, complete, completion, lost, options};
use crate::OpenAi;
use orla_sdk::testing::{Answer, answer, broken_events, events, play};
use orla_sdk::{Completion, Delivery, Ending, Fault, FaultKind, Message, Prompt, Result, Role, TextModel};
use serde_json::{Value, json};

/// A response as OpenAI documents it, with a reasoning item first.
fn response(status: &str, content: &Value, more: &Value) -> Value {
    let mut response = json!({
        "id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": "gpt-5.4-mini-2026-03-01",
        "output": [
            { "type": "reasoning", "id": "rs_1", "summary": [], "content": "hidden" },
            { "type": "message", "id": "msg_1", "role": "assistant", "status": status, "content": content },
        ],
        "usage": { "input_tokens": 10, "output_tokens": 5, "total_tokens": 15 },
        "error": null, "incomplete_details": null,
    });
    for (name, value) in more.as_object().unwrap() {
        response[name] = value.clone();
    }
    response
}

fn text(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [] })
}

fn whole(response: &Value) -> Result<Completion> {
    let played = complete(&options(Delivery::Whole), &[], answer(200, response));
    assert_eq!(played.lines.len(), 1, "one request, nothing written: {:?}", played.lines);
    played.result
}

/// An event as OpenAI sends it: its type is its name and stands in its data.
fn event(kind: &str, data: &Value) -> (String, String) {
    let mut data = data.clone();
    data["type"] = Value::from(kind);
    data["sequence_number"] = Value::from(7);
    (kind.to_owned(), data.to_string())
}

fn delta(piece: &str) -> (String, String) {
    let place = json!({ "item_id": "msg_1", "output_index": 1, "content_index": 0, "logprobs": [], "delta": piece });
    event("response.output_text.delta", &place)
}

fn end(kind: &str, response: &Value) -> (String, String) {
    event(kind, &json!({ "response": response }))
}

fn completed(said: &str) -> (String, String) {
    end("response.completed", &response("completed", &json!([text(said)]), &json!({})))
}

fn pieces(vendor: Answer) -> (Result<Completion>, Vec<String>) {
    let played = complete(&options(Delivery::Pieces), &[], vendor);
    (played.result, played.lines[1..].to_vec())
}

#[test]
fn a_plain_answer_is_asked_for_as_documented() {
    let said = response("completed", &json!([text("Tea, "), text("twice.")]), &json!({}));
    let played = complete(&options(Delivery::Whole), &[], answer(200, &said));
    let expected = json!({
        "model": "gpt-5.4-mini",
        "instructions": "You write posts.",
        "input": [
            { "role": "user", "content": "Hi" },
            { "role": "assistant", "content": "Hello." },
            { "role": "user", "content": "A post on \"tea\", please." },
        ],
        "store": false,
        "stream": false,
    });
    assert_eq!(body(&played, "/v1/responses"), expected);
    assert_eq!(played.result, Ok(completion("Tea, twice.", "gpt-5.4-mini-2026-03-01", Ending::Complete)));
}

#[test]
fn every_option_has_its_place() {
    let played = complete(&all_options(Delivery::Pieces), &[], events([delta("{}"), completed("{}")]));
    let asked = body(&played, "/v1/responses");
    assert_eq!((&asked["model"], &asked["max_output_tokens"]), (&json!("gpt-4.1-mini"), &json!(800)));
    assert_eq!((&asked["stream"], &asked["store"]), (&json!(true), &json!(false)));
    let schema = json!({ "type": "object", "properties": {}, "required": [], "additionalProperties": false });
    let format = json!({ "type": "json_schema", "name": "post", "schema": schema, "strict": true });
    assert_eq!(asked["text"], json!({ "format": format }));
    assert_eq!(played.result.unwrap().text, "{}");
}

#[test]
fn a_bare_prompt_is_a_bare_request() {
    let messages = vec![Message { role: Role::User, text: "Hi".to_owned() }];
    for instructions in [None, Some(String::new())] {
        let prompt = Prompt { instructions, messages: messages.clone() };
        let played = play(|_| answer(500, &json!({})), || OpenAi::complete(&prompt, &options(Delivery::Whole), &[]));
        let body = r#"{"model":"gpt-5.4-mini","input":[{"role":"user","content":"Hi"}],"store":false,"stream":false}"#;
        assert_eq!(played.lines, [format!("spend complete POST /v1/responses {body}")]);
    }
}

#[test]
fn pieces_are_handed_on_as_they_come() {
    let (result, written) = pieces(events([
        event("response.created", &json!({ "response": response("in_progress", &json!([]), &json!({})) })),
        event("response.in_progress", &json!({ "response": {} })),
        event("response.output_item.added", &json!({ "item": { "type": "message" } })),
        event("response.content_part.added", &json!({ "part": text("") })),
        delta("Tea"),
        delta(" \"für\"\n"),
        delta(""),
        delta("🍵"),
        event("response.output_text.done", &json!({ "text": "Tea \"für\"\n🍵" })),
        event("response.content_part.done", &json!({ "part": text("Tea \"für\"\n🍵") })),
        event("response.output_item.done", &json!({ "item": {} })),
        event("response.something.new", &json!({ "delta": 1 })),
        completed("Tea \"für\"\n🍵"),
    ]));
    assert_eq!(result, Ok(completion("Tea \"für\"\n🍵", "gpt-5.4-mini-2026-03-01", Ending::Complete)));
    assert_eq!(written, [r#"write "Tea""#, r#"write " \"für\"\n""#, r#"write "🍵""#]);
}

#[test]
fn a_stream_is_drained_past_its_last_word() {
    let after = event("response.rate_limits", &json!({}));
    let done = ("message".to_owned(), "[DONE]".to_owned());
    let (result, written) = pieces(events([delta("Tea"), completed("Tea"), after, done]));
    assert_eq!(result.unwrap().text, "Tea");
    assert_eq!(written, [r#"write "Tea""#], "no `stop`");
}

#[test]
fn servers_that_leave_things_away() {
    let bare = |(_, data): (String, String)| ("message".to_owned(), data);
    let (result, written) =
        pieces(events([bare(delta("Tea")), bare(event("response.completed", &json!({ "response": {} })))]));
    assert_eq!(result, Ok(completion("Tea", "gpt-5.4-mini", Ending::Complete)));
    assert_eq!(written, [r#"write "Tea""#]);

    let (result, written) = pieces(events([completed("Tea")]));
    assert_eq!(result.unwrap().text, "Tea", "a text that came in no pieces");
    assert_eq!(written, [r#"write "Tea""#]);

    let output = json!([{ "type": "message", "content": [{ "type": "output_text", "text": "Tea" }] }]);
    assert_eq!(whole(&json!({ "output": output })), Ok(completion("Tea", "gpt-5.4-mini", Ending::Complete)));
}

#[test]
fn an_answer_that_is_cut_off() {
    let limit = json!({ "incomplete_details": { "reason": "max_output_tokens" } });
    let expected = Ok(completion("Te", "gpt-5.4-mini-2026-03-01", Ending::CutOff));
    let cut = response("incomplete", &json!([text("Te")]), &limit);
    assert_eq!(whole(&cut), expected);
    assert_eq!(pieces(events([delta("Te"), end("response.incomplete", &cut)])).0, expected);

    let fault = whole(&response("incomplete", &json!([]), &limit)).unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some("max_output_tokens")));
}

#[test]
fn an_answer_that_the_filter_withholds() {
    let filter = json!({ "incomplete_details": { "reason": "content_filter" } });
    let withheld = response("incomplete", &json!([text("Te")]), &filter);
    for fault in [whole(&withheld), pieces(events([delta("Te"), end("response.incomplete", &withheld)])).0] {
        let fault = fault.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Invalid, Some("content-filter")));
    }
    let unknown = response("incomplete", &json!([]), &json!({ "incomplete_details": { "reason": "boredom" } }));
    assert_eq!(whole(&unknown).unwrap_err().message, "The model stopped before its end: boredom.");
}

#[test]
fn a_model_that_declines_is_quoted() {
    let said = response("completed", &json!([{ "type": "refusal", "refusal": "I can't help with that." }]), &json!({}));
    let refusal = |piece: &str| event("response.refusal.delta", &json!({ "delta": piece }));
    let ended = end("response.completed", &response("completed", &json!([]), &json!({})));
    let streamed = pieces(events([refusal("I can't help "), refusal("with that."), ended]));
    assert_eq!(streamed.1, [""; 0], "a refusal is no text");
    for result in [whole(&said), streamed.0, pieces(events([end("response.completed", &said)])).0] {
        let fault = result.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Invalid, Some("refused")));
        assert_eq!(fault.message, "I can't help with that.");
    }
}

#[test]
fn an_answer_that_failed() {
    let failed = |code: &str| {
        let error = json!({ "error": { "code": code, "message": "It failed." } });
        response("failed", &json!([]), &error)
    };
    let kinds = [
        ("server_error", FaultKind::VendorDown, "server_error"),
        ("rate_limit_exceeded", FaultKind::RateLimited, "rate_limit_exceeded"),
        ("invalid_prompt", FaultKind::Invalid, "content-filter"),
        ("something_new", FaultKind::Vendor, "something_new"),
    ];
    for (word, kind, code) in kinds {
        for result in [whole(&failed(word)), pieces(events([end("response.failed", &failed(word))])).0] {
            let fault = result.unwrap_err();
            assert_eq!((fault.kind, fault.code.as_deref()), (kind, Some(code)));
            assert_eq!(fault.message, "It failed.");
        }
    }
    assert_eq!(whole(&json!({ "error": { "message": "No." } })).unwrap_err().message, "No.");
    let queued = whole(&response("queued", &json!([]), &json!({}))).unwrap_err();
    assert_eq!(
        (queued.kind, queued.message.as_str()),
        (FaultKind::Vendor, "OpenAI answered with a response that is queued.")
    );
}

#[test]
fn an_error_within_a_stream() {
    let documented = event("error", &json!({ "code": "server_error", "message": "Oops.", "param": null }));
    let overloaded = json!({ "type": "service_unavailable_error", "code": "server_is_overloaded", "message": "Oops." });
    let nested = event("error", &json!({ "error": overloaded }));
    let told_again =
        end("response.failed", &response("failed", &json!([]), &json!({ "error": { "message": "Later." } })));
    for error in [documented, nested] {
        let (result, written) = pieces(events([delta("Te"), error, told_again.clone()]));
        let fault = result.unwrap_err();
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::VendorDown, "Oops."));
        assert_eq!(written, [r#"write "Te""#], "drained");
    }
}

#[test]
fn a_stream_that_ends_too_soon() {
    let (result, _) = pieces(events([delta("Te")]));
    let fault = result.unwrap_err();
    assert_eq!(
        (fault.kind, fault.message.as_str()),
        (FaultKind::VendorDown, "The vendor's answer broke off before its end.")
    );
    assert_eq!(pieces(broken_events([delta("Te")], lost())).0, Err(lost()));
    // What breaks after the last word breaks nothing.
    assert_eq!(pieces(broken_events([delta("Te"), completed("Te")], lost())).0.unwrap().text, "Te");
}

#[test]
fn an_answer_that_says_nothing_is_the_vendors_fault() {
    for result in [
        whole(&response("completed", &json!([]), &json!({}))),
        whole(&json!({ "output": null })),
        pieces(events([end("response.completed", &json!({}))])).0,
    ] {
        assert_eq!(result.unwrap_err(), Fault::vendor("The model answered without a text."));
    }
}

#[test]
fn what_cannot_be_read_is_the_vendors_fault() {
    let broken = |name: &str| pieces(events([(name, "{\"delta\":")])).0.unwrap_err().kind;
    assert_eq!(broken("response.output_text.delta"), FaultKind::Vendor);
    assert_eq!(broken("response.completed"), FaultKind::Vendor);
    assert_eq!(whole(&json!([])).unwrap_err().kind, FaultKind::Vendor);
}
