//! What Veo does not take, and what Google refuses, withholds or does not finish.

use super::{NAME, generate, saying};
use crate::Vertex;
use orla_sdk::testing::{answer, still, video_wish};
use orla_sdk::{Fault, FaultKind, VideoModel, VideoWish};
use serde_json::{Value, json};

/// The fault of an operation that ended so.
fn ended(of_it: &Value) -> Fault {
    let mut whole = json!({ "name": NAME, "done": true });
    whole.as_object_mut().unwrap().extend(of_it.as_object().unwrap().clone());
    generate(saying(whole), Vec::new()).result.map(drop).unwrap_err()
}

#[test]
fn what_veo_does_not_take_is_told_by_its_member() {
    let fields = |wish: VideoWish| -> Vec<String> {
        let wish = Box::leak(Box::new(wish));
        Vertex::check(wish, &[]).into_iter().map(|violation| violation.field).collect()
    };
    let usual = || video_wish("A lighthouse");
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(fields(usual()), [""; 0]);
    for (wish, field) in [
        (video_wish(" "), "prompt"),
        (video_wish(&"a".repeat(4_001)), "prompt"),
        (VideoWish { negative_prompt: Some("a".repeat(1_001)), ..usual() }, "negative_prompt"),
        (VideoWish { image: Some(still("image/gif", 10)), ..usual() }, "image"),
        (VideoWish { image: Some(still("image/png", 20_000_001)), ..usual() }, "image"),
        (VideoWish { image: Some(still("image/png", 0)), ..usual() }, "image"),
        (VideoWish { duration_s: Some(5), ..usual() }, "duration_seconds"),
        (VideoWish { aspect_ratio: text("1:1"), ..usual() }, "aspect_ratio"),
        (VideoWish { resolution: text("4k"), ..usual() }, "resolution"),
        (VideoWish { seed: Some(1 << 32), ..usual() }, "seed"),
        (VideoWish { model: text("veo/../x"), ..usual() }, "model"),
        (VideoWish { model: text(""), ..usual() }, "model"),
    ] {
        assert_eq!(fields(wish), [field]);
    }
}

#[test]
fn a_video_that_is_withheld_is_told_in_googles_words() {
    let reasons = json!(["The video was filtered: support code 58061214."]);
    let fault = ended(&json!({ "response": { "raiMediaFilteredCount": 1, "raiMediaFilteredReasons": reasons } }));
    assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Invalid, Some("content-filter")));
    assert!(fault.message.contains("support code 58061214"), "{fault}");
    let fault = ended(&json!({ "response": { "raiMediaFilteredCount": 1 } }));
    assert!(fault.message.ends_with("it does not say why."), "{fault}");
}

#[test]
fn a_video_that_failed_is_told_in_googles_words() {
    for (code, message, kind, told) in [
        (3, "Unsupported.", FaultKind::Invalid, "rpc-3"),
        (3, "It violates our Usage Guidelines.", FaultKind::Invalid, "content-filter"),
        (7, "No.", FaultKind::ScopeMissing, "rpc-7"),
        (8, "Too many.", FaultKind::Quota, "rpc-8"),
        (13, "Internal error.", FaultKind::Vendor, "rpc-13"),
        (14, "Unavailable.", FaultKind::Vendor, "rpc-14"),
    ] {
        let fault = ended(&json!({ "error": { "code": code, "message": message } }));
        assert_eq!((fault.kind, fault.code.as_deref()), (kind, Some(told)));
        assert!(fault.message.ends_with(message), "{fault}");
    }
    for nothing in [json!({}), json!({ "response": {} }), json!({ "response": { "videos": [{}] } })] {
        assert_eq!(ended(&nothing).kind, FaultKind::Vendor, "{nothing}");
    }
}

#[test]
fn a_refusal_says_what_to_do() {
    let refused = |status: u16, error: Value| {
        let vendor = move |_: &str| answer(status, &json!({ "error": error }));
        generate(vendor, Vec::new()).result.map(drop).unwrap_err()
    };
    let fault = refused(404, json!({ "message": "Publisher Model was not found.", "status": "NOT_FOUND" }));
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some("model")));
    assert!(fault.message.contains("retires models"), "{fault}");
    let details = json!([{ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "33s" }]);
    let limit = json!({ "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED", "details": details });
    let fault = refused(429, limit);
    assert_eq!((fault.kind, fault.retry_after_ms), (FaultKind::RateLimited, Some(33_000)));
    let fault = refused(403, json!({ "message": "Permission denied.", "status": "PERMISSION_DENIED" }));
    assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::ScopeMissing, Some("PERMISSION_DENIED")));
}

#[test]
fn a_video_that_google_no_longer_knows_is_not_found() {
    let vendor = |line: &str| {
        let gone =
            json!({ "error": { "code": 404, "message": "The operation was not found.", "status": "NOT_FOUND" } });
        if line.starts_with("spend") { answer(200, &json!({ "name": NAME })) } else { answer(404, &gone) }
    };
    let fault = generate(vendor, Vec::new()).result.map(drop).unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::NotFound, None));
    assert!(fault.message.contains("no longer knows"), "{fault}");
}

#[test]
fn an_answer_about_another_video_is_no_answer() {
    let played = generate(saying(json!({ "name": "projects/other/operations/9" })), Vec::new());
    assert_eq!(played.result.map(drop).unwrap_err().kind, FaultKind::Vendor);
    let played = generate(|_line: &str| answer(200, &json!({})), Vec::new());
    assert_eq!(played.result.map(drop).unwrap_err().kind, FaultKind::Vendor);
}
