//! What Instagram's refusals mean.

use super::{photo, problem};
use crate::tests::publishing::publish;
use orla_sdk::testing::{Answer, answer, part, variant};
use orla_sdk::{FaultKind, Response};
use serde_json::json;

/// What a container that is refused so comes to.
fn refused(refusal: Answer) -> orla_sdk::Fault {
    let post = variant(vec![part("Look", vec![photo(7)])]);
    publish(post, move |line| line.contains("/container").then(|| refusal.clone())).result.unwrap_err()
}

#[test]
fn codes_and_subcodes_have_kinds() {
    for (code, subcode, kind) in [
        (190, 463, FaultKind::AuthExpired),
        (10, 0, FaultKind::ScopeMissing),
        (200, 0, FaultKind::ScopeMissing),
        (4, 0, FaultKind::RateLimited),
        (80_002, 0, FaultKind::RateLimited),
        (2, 0, FaultKind::VendorDown),
        (9, 2_207_042, FaultKind::Quota),
        (368, 0, FaultKind::Quota),
        (9_004, 2_207_052, FaultKind::VendorDown),
        (36_000, 2_207_004, FaultKind::TooLarge),
        (36_001, 2_207_005, FaultKind::Invalid),
        (36_003, 2_207_009, FaultKind::Invalid),
        (36_004, 2_207_010, FaultKind::Invalid),
        (25, 2_207_050, FaultKind::ScopeMissing),
        (100, 33, FaultKind::NotFound),
        (100, 7, FaultKind::Invalid),
        (12_345, 7, FaultKind::Invalid),
    ] {
        assert_eq!(refused(problem(400, code, subcode)).kind, kind, "{code}/{subcode}");
    }
}

#[test]
fn a_refusal_is_told_in_words_for_people_and_names_its_medium() {
    let error = json!({
        "message": "Application request failed", "code": 36_003, "error_subcode": 2_207_009,
        "error_user_msg": "The submitted image has an aspect ratio that is not supported.",
    });
    let fault = refused(answer(400, &json!({ "error": error })));
    assert_eq!(fault.message, "The submitted image has an aspect ratio that is not supported.");
    assert_eq!((fault.code.as_deref(), fault.field.as_deref()), (Some("36003/2207009"), Some("parts/0/media/0")));
    let silent = refused(answer(418, &json!({})));
    assert_eq!(silent.message, "The vendor answered 418 to POST /v26.0/178/media.");
}

#[test]
fn a_limit_says_how_long_it_lasts() {
    let body = json!({ "error": { "message": "Too many calls", "code": 80_002 } }).to_string();
    let usage = r#"{"178":[{"type":"instagram","call_count":100,"estimated_time_to_regain_access":19}]}"#;
    let told = Answer::Response(Response::new(400, &[("x-business-use-case-usage", usage)], body.clone()));
    assert_eq!(refused(told).retry_after_ms, Some(19 * 60_000));
    assert_eq!(refused(Answer::Response(Response::new(400, &[], body))).retry_after_ms, Some(5 * 60_000));
}
