//! The connector against a vendor that the tests play, request by request.

use super::{MAX_CHARS, Vendor};
use orla_sdk::manifest::at_field;
use orla_sdk::testing::{Answer, answer, part, play, variant};
use orla_sdk::{
    Account, Committed, Confirmed, Connector, FaultKind, Identity, PartOutcome, Progress, Publish, Receipt, Response,
};
use serde_json::json;

fn account() -> Account {
    Account { vendor_id: "7".to_owned(), handle: "ada".to_owned(), target: None }
}

#[test]
fn the_manifest_makes_sense() {
    let manifest = Vendor::manifest();
    assert_eq!(manifest.validate(), []);
    assert_eq!(manifest.id, "acme");
    assert_eq!(manifest.endpoints["api"].origin, at_field("instance"), "requests go where the person said");
}

#[test]
fn whoami_names_the_account() {
    let played = play(|_line| answer(200, &json!({ "id": "7", "username": "ada" })), || Vendor::whoami(&account()));
    assert_eq!(played.lines, ["read GET /v1/me"]);
    let profile = played.result.unwrap();
    assert_eq!((profile.vendor_id.as_str(), profile.handle.as_str()), ("7", "ada"));
}

#[test]
fn a_text_that_is_too_long_is_named() {
    let fits = variant(vec![part(&"é".repeat(MAX_CHARS), vec![])]);
    assert_eq!(Vendor::check(fits, &[]), []);
    let too_long = variant(vec![part(&"é".repeat(MAX_CHARS + 1), vec![])]);
    let violations = Vendor::check(too_long, &[]);
    assert_eq!((violations[0].field.as_str(), violations[0].code.as_str()), ("parts/0/text", "text_too_long"));
}

#[test]
fn a_post_is_one_commit() {
    let hello = variant(vec![part("Hello", vec![])]);
    let url = Some("https://social.example/ada/10".to_owned());
    let post = json!({ "id": "10", "url": url });
    let played = play(move |_line| answer(201, &post), || Vendor::publish(&account(), hello));
    assert_eq!(played.lines, [r#"commit part/0 POST /v1/posts {"text":"Hello"}"#]);
    let committed = Committed { id: "10".to_owned(), url };
    let parts = vec![PartOutcome::Done(Confirmed { key: "part/0".to_owned(), committed })];
    assert_eq!(played.result, Ok(Progress::Published(Receipt { parts, first_comment: None })));
}

#[test]
fn a_refusal_carries_the_vendors_words() {
    let hello = variant(vec![part("Hello", vec![])]);
    let refusal = json!({ "code": "duplicate", "message": "You said that already." });
    let played = play(move |_line| answer(409, &refusal), || Vendor::publish(&account(), hello));
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Conflict, Some("duplicate")));
    assert_eq!(fault.message, "You said that already.");
}

#[test]
fn a_vendor_that_asks_to_wait_is_understood() {
    let slow_down = || Answer::Response(Response::new(429, &[("retry-after", "7")], ""));
    let played = play(move |_line| slow_down(), || Vendor::whoami(&account()));
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.retry_after_ms), (FaultKind::RateLimited, Some(7_000)));
}
