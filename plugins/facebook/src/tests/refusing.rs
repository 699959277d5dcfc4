//! What refusals mean.

use super::{Answer, Facebook, Fault, FaultKind, Identity, account, json, play};
use orla_sdk::Response;

/// The fault of asking whose account it is, where Facebook answers this.
fn refused(response: Response) -> Fault {
    let answered = Answer::Response(response);
    play(move |_line| answered.clone(), || Facebook::whoami(&account())).result.unwrap_err()
}

fn coded(status: u16, code: u32, subcode: Option<u32>) -> Fault {
    let mut body = json!({ "error": { "message": "In Facebook's words.", "type": "OAuthException", "code": code } });
    if let Some(subcode) = subcode {
        body["error"]["error_subcode"] = subcode.into();
    }
    refused(Response::new(status, &[], body.to_string()))
}

#[test]
fn each_code_has_its_kind_whatever_the_status() {
    let expected = [
        (400, 190, Some(463), FaultKind::AuthExpired),
        (401, 190, None, FaultKind::AuthExpired),
        (403, 10, None, FaultKind::ScopeMissing),
        (400, 200, None, FaultKind::ScopeMissing),
        (403, 299, None, FaultKind::ScopeMissing),
        (403, 4, None, FaultKind::RateLimited),
        (400, 17, None, FaultKind::RateLimited),
        (403, 32, None, FaultKind::RateLimited),
        (400, 613, None, FaultKind::RateLimited),
        (400, 80_001, None, FaultKind::RateLimited),
        (500, 1, None, FaultKind::VendorDown),
        (503, 2, None, FaultKind::VendorDown),
        (400, 2, None, FaultKind::VendorDown),
        (400, 368, None, FaultKind::Quota),
        (400, 506, Some(1_455_006), FaultKind::Conflict),
        (400, 100, None, FaultKind::Invalid),
        (400, 100, Some(33), FaultKind::NotFound),
        (400, 2_635, None, FaultKind::Vendor),
        (400, 99_999, None, FaultKind::Invalid),
        (503, 99_999, None, FaultKind::VendorDown),
    ];
    for (status, code, subcode, kind) in expected {
        let fault = coded(status, code, subcode);
        assert_eq!((fault.kind, fault.message.as_str()), (kind, "In Facebook's words."), "{status} {code}");
        let name = subcode.map_or_else(|| code.to_string(), |subcode| format!("{code}/{subcode}"));
        assert_eq!(fault.code, Some(name));
    }
}

#[test]
fn words_for_a_person_come_first_and_a_page_says_nothing() {
    let error = json!({ "message": "(#506) Duplicate", "code": 506, "error_user_msg": "You said that already." });
    let fault = refused(Response::new(400, &[], json!({ "error": error }).to_string()));
    assert_eq!(fault.message, "You said that already.");
    let fault = refused(Response::new(502, &[], "<html>Bad gateway</html>"));
    assert_eq!((fault.kind, fault.code), (FaultKind::VendorDown, None));
    assert_eq!(fault.message, "The vendor answered 502 to GET /v26.0/me.");
}

#[test]
fn what_is_called_transient_may_go_better_later() {
    let error = json!({ "message": "Later.", "code": 99_999, "is_transient": true });
    assert_eq!(refused(Response::new(400, &[], json!({ "error": error }).to_string())).kind, FaultKind::VendorDown);
}

#[test]
fn a_limit_ends_when_facebook_says() {
    let limited = |headers: &[(&str, &str)]| {
        let body = json!({ "error": { "message": "Too many calls", "code": 80_001 } });
        refused(Response::new(400, headers, body.to_string())).retry_after_ms
    };
    let usage = |minutes: u64| {
        let one = json!({ "type": "pages", "call_count": 100, "estimated_time_to_regain_access": minutes });
        json!({ "615": [{ "type": "pages", "call_count": 3 }], "616": [one] }).to_string()
    };
    assert_eq!(limited(&[("x-business-use-case-usage", &usage(7))]), Some(420_000));
    assert_eq!(limited(&[("x-business-use-case-usage", &usage(0)), ("retry-after", "9")]), Some(9_000));
    for silent in [usage(0), "{".to_owned()] {
        assert_eq!(limited(&[("x-business-use-case-usage", &silent)]), Some(300_000));
    }
    let bare = refused(Response::new(429, &[("retry-after", "9")], ""));
    assert_eq!((bare.kind, bare.retry_after_ms), (FaultKind::RateLimited, Some(9_000)));
}
