//! The connector against a pretended OpenAI, request by request.

mod chat;
mod refusals;
mod responses;

use super::OpenAi;
use orla_sdk::testing::{Answer, Played, answer, play};
use orla_sdk::{
    Completion, Connector, Delivery, Ending, Fact, Fault, FaultKind, JsonForm, Message, Prompt, Result, Role,
    TextModel, TextOptions,
};
use serde_json::{Value, json};

/// A conversation that is under way.
fn prompt() -> Prompt {
    let message = |role, text: &str| Message { role, text: text.to_owned() };
    Prompt {
        instructions: Some("You write posts.".to_owned()),
        messages: vec![
            message(Role::User, "Hi"),
            message(Role::Assistant, "Hello."),
            message(Role::User, "A post on \"tea\", please."),
        ],
    }
}

fn options(delivery: Delivery) -> TextOptions {
    TextOptions { model: None, max_output_tokens: None, form: None, delivery }
}

fn all_options(delivery: Delivery) -> TextOptions {
    let schema = r#"{ "type": "object", "properties": {}, "required": [], "additionalProperties": false }"#;
    TextOptions {
        model: Some("gpt-4.1-mini".to_owned()),
        max_output_tokens: Some(800),
        form: Some(JsonForm { name: "post".to_owned(), schema: schema.to_owned() }),
        delivery,
    }
}

fn set(name: &str, value: &str) -> Fact {
    Fact { name: name.to_owned(), value: Value::from(value).to_string() }
}

/// Asks a vendor that answers so.
fn complete(options: &TextOptions, settings: &[Fact], vendor: Answer) -> Played<Result<Completion>> {
    play(move |_line| vendor.clone(), || OpenAi::complete(&prompt(), options, settings))
}

/// What was asked, without the beginning of its line.
fn body(played: &Played<Result<Completion>>, path: &str) -> Value {
    let start = format!("spend complete POST {path} ");
    serde_json::from_str(played.lines[0].strip_prefix(&start).expect(path)).unwrap()
}

fn completion(text: &str, model: &str, ending: Ending) -> Completion {
    Completion { text: text.to_owned(), model: model.to_owned(), ending }
}

fn lost() -> Fault {
    Fault { sent: true, ..Fault::new(FaultKind::VendorDown, "the vendor's answer broke off") }
}

#[test]
fn the_manifest_makes_sense() {
    let manifest = OpenAi::manifest();
    assert_eq!(manifest.validate(), []);
    assert_eq!((manifest.id.as_str(), manifest.platform()), ("openai", "openai"));
}

/// What both APIs say of their price, in answers and at the end of streams, is where the manifest says.
#[test]
fn each_unit_is_found_in_every_form_of_answer() {
    let responses = json!({
        "input_tokens": 10, "input_tokens_details": { "cached_tokens": 4 },
        "output_tokens": 5, "output_tokens_details": { "reasoning_tokens": 2 },
    });
    let chat = json!({
        "prompt_tokens": 10, "prompt_tokens_details": { "cached_tokens": 4 },
        "completion_tokens": 5, "completion_tokens_details": { "reasoning_tokens": 2 },
    });
    let forms = [
        json!({ "usage": responses }),
        json!({ "type": "response.completed", "response": { "usage": responses } }),
        json!({ "choices": [], "usage": chat }),
    ];
    let usage = OpenAi::manifest().usage;
    for form in forms {
        let counted: Vec<_> = usage
            .iter()
            .map(|usage| (usage.unit.as_str(), usage.at.iter().find_map(|at| form.pointer(at)?.as_u64())))
            .collect();
        let expected =
            [("input_tokens", 10), ("cached_input_tokens", 4), ("output_tokens", 5), ("reasoning_tokens", 2)];
        assert_eq!(counted, expected.map(|(unit, count)| (unit, Some(count))), "{form}");
    }
}

#[test]
fn the_caller_names_the_model_before_the_operator_does() {
    let model = |options: TextOptions, settings: &[Fact]| {
        let played = complete(&options, settings, answer(500, &json!({})));
        body(&played, "/v1/responses")["model"].clone()
    };
    let whole = || options(Delivery::Whole);
    assert_eq!(model(whole(), &[]), "gpt-5.4-mini");
    assert_eq!(model(whole(), &[set("model", ""), set("api", "")]), "gpt-5.4-mini");
    assert_eq!(model(whole(), &[set("model", "gpt-5.5")]), "gpt-5.5");
    let named = TextOptions { model: Some("o3".to_owned()), ..whole() };
    assert_eq!(model(named, &[set("model", "gpt-5.5"), set("api", "responses")]), "o3");
}

#[test]
fn settings_and_forms_that_make_no_sense_send_nothing() {
    let played = complete(&options(Delivery::Whole), &[set("api", "completions")], answer(200, &json!({})));
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some("settings/api")));
    assert!(played.lines.is_empty());

    let form = Some(JsonForm { name: "post".to_owned(), schema: "{".to_owned() });
    let played = complete(&TextOptions { form, ..options(Delivery::Whole) }, &[], answer(200, &json!({})));
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some("form/schema")));
    assert!(played.lines.is_empty());
}
