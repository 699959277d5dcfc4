//! What YouTube's refusals come to.

use super::{account, problem, told};
use crate::YouTube;
use orla_sdk::testing::{Answer, play};
use orla_sdk::{Fault, FaultKind, Identity};
use serde_json::{Value, json};

fn refused(answered: Answer) -> Fault {
    play(move |_line| answered.clone(), || YouTube::whoami(&account())).result.unwrap_err()
}

#[test]
fn the_reason_says_more_than_the_status() {
    let cases = [
        (401, "authError", FaultKind::AuthExpired, None),
        (401, "youtubeSignupRequired", FaultKind::NotFound, None),
        (403, "insufficientPermissions", FaultKind::ScopeMissing, None),
        (403, "quotaExceeded", FaultKind::Quota, Some(82_800_000)),
        (403, "dailyLimitExceeded", FaultKind::Quota, Some(82_800_000)),
        (400, "uploadLimitExceeded", FaultKind::Quota, None),
        (403, "rateLimitExceeded", FaultKind::RateLimited, Some(60_000)),
        (403, "commentsDisabled", FaultKind::Conflict, None),
        (403, "forbidden", FaultKind::Invalid, None),
        (403, "accessNotConfigured", FaultKind::Vendor, None),
        (404, "videoNotFound", FaultKind::NotFound, None),
        (400, "parentCommentNotFound", FaultKind::NotFound, None),
        (400, "commentTextTooLong", FaultKind::Invalid, None),
        (403, "somethingNew", FaultKind::ScopeMissing, None),
        (503, "backendError", FaultKind::VendorDown, None),
    ];
    for (status, reason, kind, wait) in cases {
        let fault = refused(problem(status, reason));
        assert_eq!((fault.kind, fault.retry_after_ms, fault.code.as_deref()), (kind, wait, Some(reason)), "{reason}");
    }
    assert!(refused(problem(401, "youtubeSignupRequired")).message.contains("no YouTube channel"));
}

#[test]
fn without_a_reason_the_status_decides() {
    let fault = refused(told(429, &[("retry-after", "7")], &json!({})));
    assert_eq!((fault.kind, fault.retry_after_ms), (FaultKind::RateLimited, Some(7_000)));
    assert_eq!(refused(told(403, &[], &Value::Null)).kind, FaultKind::ScopeMissing);
    let text = json!({ "error": "invalid_request", "error_description": "No." });
    assert_eq!(refused(told(400, &[], &text)).kind, FaultKind::Invalid);
    let html = json!({ "error": { "message": "Use <a href=\"x\">this</a>.", "errors": [] } });
    assert_eq!(refused(told(400, &[], &html)).message, "Use this.");
}
