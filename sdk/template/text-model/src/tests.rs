//! The connector against a vendor that the tests play, request by request.

use super::Vendor;
use orla_sdk::testing::{Answer, Played, answer, events, play};
use orla_sdk::{
    Completion, Connector, Delivery, Ending, Fact, FaultKind, Message, Prompt, Result, Role, TextModel, TextOptions,
};
use serde_json::json;

fn complete(delivery: Delivery, settings: &[Fact], vendor: Answer) -> Played<Result<Completion>> {
    let messages = vec![Message { role: Role::User, text: "A post on tea, please.".to_owned() }];
    let prompt = Prompt { instructions: None, messages };
    let options = TextOptions { model: None, max_output_tokens: Some(80), form: None, delivery };
    play(move |_line| vendor.clone(), || Vendor::complete(&prompt, &options, settings))
}

/// The words of an answer, and how it ends.
fn says(pieces: &[&str], stop: &str) -> Answer {
    let pieces = pieces.iter().map(|piece| json!({ "text": piece }));
    let end = json!({ "stop": stop, "usage": { "input": 9, "output": 2 } });
    events(pieces.chain([end]).map(|event| ("message", event.to_string())))
}

#[test]
fn the_manifest_makes_sense() {
    let manifest = Vendor::manifest();
    assert_eq!(manifest.validate(), []);
    assert_eq!(manifest.id, "acme");
}

#[test]
fn the_pieces_are_the_text() {
    let played = complete(Delivery::Pieces, &[], says(&["Tea ", "time"], "end"));
    let asked = r#"{"instructions":null,"max_tokens":80,"messages":["A post on tea, please."],"model":"small"}"#;
    let expected = [&format!("spend complete POST /v1/write {asked}"), r#"write "Tea ""#, r#"write "time""#];
    assert_eq!(played.lines, expected);
    let whole = Completion { text: "Tea time".to_owned(), model: "small".to_owned(), ending: Ending::Complete };
    assert_eq!(played.result, Ok(whole));
}

#[test]
fn the_operator_chooses_the_model_and_the_caller_the_length() {
    let settings = [Fact { name: "model".to_owned(), value: r#""large""#.to_owned() }];
    let completion = complete(Delivery::Whole, &settings, says(&["Tea"], "length")).result.unwrap();
    assert_eq!((completion.model.as_str(), completion.ending), ("large", Ending::CutOff));
}

#[test]
fn an_answer_without_its_end_is_a_fault() {
    let played = complete(Delivery::Whole, &[], events([("message", r#"{"text":"Tea"}"#)]));
    assert_eq!(played.result.unwrap_err().kind, FaultKind::Vendor);
}

#[test]
fn a_refusal_carries_the_vendors_words() {
    let refusal = json!({ "code": "refused", "message": "Not about that." });
    let fault = complete(Delivery::Whole, &[], answer(422, &refusal)).result.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Invalid, Some("refused")));
    assert_eq!(fault.message, "Not about that.");
}
