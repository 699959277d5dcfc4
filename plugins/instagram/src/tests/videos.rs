//! Posting films.

use super::publishing::{ALLOWANCE, done, publish, state};
use super::{chosen, film, part, problem};
use orla_sdk::testing::{answer, variant};
use orla_sdk::{FaultKind, Progress, Variant};
use serde_json::json;

fn reel() -> &'static Variant {
    variant(vec![part("Watch", vec![film()])])
}

#[test]
fn a_reel_is_uploaded_and_waited_for() {
    let played = publish(reel(), |_| None);
    assert_eq!(
        played.lines,
        [
            ALLOWANCE,
            "prepare media/0/0/container POST /v26.0/178/media upload_type=resumable&media_type=REELS&caption=Watch",
            "prepare media/0/0/uploaded GET /v26.0/701?fields=video_status",
            "prepare media/0/0/upload POST /ig-api-upload/v26.0/701 [0..10]",
            "prepare media/0/0/ready GET /v26.0/701?fields=status_code,status",
            "commit part/0 POST /v26.0/178/media_publish creation_id=701",
            "read GET /v26.0/900?fields=permalink",
        ]
    );
    assert_eq!(played.result, Ok(done()));
    let working = publish(reel(), |line| line.contains("/ready").then(|| state("IN_PROGRESS", "")));
    assert_eq!(working.result, Ok(Progress::Pending(10_000)));
    let shared = chosen(vec![part("", vec![film()])], &[("share_to_feed", "false")], None);
    let made = &publish(shared, |_| None).lines[1];
    assert!(made.ends_with("upload_type=resumable&media_type=REELS&share_to_feed=false"), "{made}");
}

#[test]
fn an_upload_goes_on_where_it_broke_off() {
    let there = |bytes: u64| {
        let phase = json!({ "status": "in_progress", "bytes_transferred": bytes });
        json!({ "video_status": { "uploading_phase": phase }, "id": "701" })
    };
    let part = there(4);
    let played = publish(reel(), move |line| line.contains("/uploaded").then(|| answer(200, &part)));
    assert!(played.lines.contains(&"prepare media/0/0/upload POST /ig-api-upload/v26.0/701 [4..10]".to_owned()));
    let all = there(10);
    let played = publish(reel(), move |line| line.contains("/uploaded").then(|| answer(200, &all)));
    assert!(played.lines.iter().all(|line| !line.contains("ig-api-upload")));
    assert_eq!(played.result, Ok(done()));
}

#[test]
fn an_upload_that_fails_is_asked_about_before_the_next_try() {
    let told = |retriable: bool| {
        let info = json!({ "retriable": retriable, "type": "OffsetInvalidError", "message": "Elsewhere." });
        answer(400, &json!({ "debug_info": info }))
    };
    for (failure, kind) in [
        (told(true), FaultKind::VendorDown),
        (told(false), FaultKind::Invalid),
        (answer(200, &json!({ "success": false })), FaultKind::Vendor),
        (answer(200, &json!("sorry")), FaultKind::Vendor),
        (answer(503, &json!({})), FaultKind::VendorDown),
        (problem(400, 190, 463), FaultKind::AuthExpired),
    ] {
        let played = publish(reel(), move |line| line.contains("/upload POST").then(|| failure.clone()));
        let fault = played.result.unwrap_err();
        assert_eq!(fault.kind, kind, "{fault:?}");
        assert_eq!(played.lines.last().unwrap(), "forget media/0/0/uploaded");
        assert_eq!(fault.field.is_some(), kind == FaultKind::Invalid);
    }
}
