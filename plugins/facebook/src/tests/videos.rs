//! Posting videos.

use super::{account, media, part, problem, variant};
use crate::Facebook;
use orla_sdk::testing::{Answer, Played, answer, play};
use orla_sdk::{Committed, Confirmed, FaultKind, PartOutcome, Progress, Publish, Receipt, Result};
use serde_json::{Value, json};

/// A video of ten bytes and its text, against a Facebook that answers as told, and else as one where everything works and
/// which takes four bytes at a time.
fn publish(mut special: impl FnMut(&str) -> Option<Answer> + 'static) -> Played<Result<Progress>> {
    let post = variant(vec![part("Watch", vec![media("video/mp4", 10, None)])]);
    let vendor = move |line: &str| special(line).unwrap_or_else(|| usual(line));
    play(vendor, move || Facebook::publish(&account(), post))
}

fn usual(line: &str) -> Answer {
    let offsets = |from: u64, to: u64| json!({ "start_offset": from.to_string(), "end_offset": to.to_string() });
    let step = line.split(' ').nth(1).unwrap_or_default();
    match step.trim_start_matches("media/0/0/") {
        "start" => {
            let mut begun = offsets(0, 4);
            begun["video_id"] = "88".into();
            begun["upload_session_id"] = "5".into();
            answer(200, &begun)
        }
        "transfer/0" => answer(200, &offsets(4, 8)),
        "transfer/4" => answer(200, &offsets(8, 10)),
        "transfer/8" => answer(200, &offsets(10, 10)),
        "88" => answer(200, &json!({ "success": true })),
        _ => answer(200, &told("ready")),
    }
}

/// What Facebook says of the video.
fn told(status: &str) -> Value {
    json!({ "status": { "video_status": status }, "permalink_url": "/615/videos/88/", "id": "88" })
}

const LINES: [&str; 6] = [
    "prepare media/0/0/start POST /v26.0/615/videos as page:615 upload_phase=start&file_size=10",
    "prepare media/0/0/transfer/0 POST /v26.0/615/videos as page:615 upload_phase=transfer upload_session_id=5 start_offset=0 video_file_chunk=[0..4]",
    "prepare media/0/0/transfer/4 POST /v26.0/615/videos as page:615 upload_phase=transfer upload_session_id=5 start_offset=4 video_file_chunk=[4..8]",
    "prepare media/0/0/transfer/8 POST /v26.0/615/videos as page:615 upload_phase=transfer upload_session_id=5 start_offset=8 video_file_chunk=[8..10]",
    "commit 88 POST /v26.0/615/videos as page:615 upload_phase=finish&upload_session_id=5&description=Watch",
    "read GET /v26.0/88?fields=status,permalink_url as page:615",
];

fn done() -> Progress {
    let committed = Committed { id: "88".to_owned(), url: Some("https://www.facebook.com/615/videos/88/".to_owned()) };
    let parts = vec![PartOutcome::Done(Confirmed { key: "88".to_owned(), committed })];
    Progress::Published(Receipt { parts, first_comment: None })
}

#[test]
fn a_video_goes_stretch_by_stretch_and_is_committed_by_its_id() {
    let played = publish(|_| None);
    assert_eq!(played.lines, LINES);
    assert_eq!(played.result, Ok(done()));
}

#[test]
fn a_stretch_that_is_there_already_is_passed_over() {
    for (from, to) in [(json!(4), json!(8)), (json!("4"), json!("8"))] {
        let data = json!({ "start_offset": from, "end_offset": to });
        let error = json!({ "code": 6000, "error_subcode": 1_363_037, "message": "It is here.", "error_data": data });
        let there = json!({ "error": error });
        let played = publish(move |line| line.contains("transfer/0").then(|| answer(400, &there)));
        assert_eq!(played.lines, LINES);
        assert_eq!(played.result, Ok(done()));
    }
}

#[test]
fn a_stretch_that_is_refused_ends_the_run() {
    let played = publish(|line| line.contains("transfer/4").then(|| problem(400, 6_000, "Upload problem")));
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Invalid, "Upload problem"));
    assert_eq!(fault.field.as_deref(), Some("parts/0/media/0"));
    let played = publish(|line| line.contains("transfer/4").then(|| problem(400, 190, "Expired")));
    assert_eq!(played.result.unwrap_err().kind, FaultKind::AuthExpired);
    let played = publish(|line| line.contains("transfer/4").then(|| answer(400, &json!({}))));
    let words = "Facebook answered 400 to POST /v26.0/615/videos.";
    assert_eq!(played.result.unwrap_err().message, words);
}

#[test]
fn an_upload_that_does_not_go_on_ends() {
    let stuck = json!({ "start_offset": "0", "end_offset": "4" });
    let empty = json!({ "start_offset": "4", "end_offset": "4" });
    let wordless = json!({ "start_offset": "four", "end_offset": "8" });
    for wanted in [stuck, empty, wordless] {
        let played = publish(move |line| line.contains("transfer/0").then(|| answer(200, &wanted)));
        assert_eq!(played.result.unwrap_err().kind, FaultKind::Vendor);
        assert_eq!(played.lines, LINES[..2]);
    }
    let nameless = json!({ "video_id": "", "upload_session_id": "5", "start_offset": "0", "end_offset": "4" });
    let played = publish(move |line| line.contains("start&").then(|| answer(200, &nameless)));
    assert_eq!(played.result.unwrap_err().kind, FaultKind::Vendor);
}

#[test]
fn a_video_that_is_worked_on_is_waited_for() {
    for status in ["processing", "upload_complete"] {
        let played = publish(move |line| line.starts_with("read").then(|| answer(200, &told(status))));
        assert_eq!(played.result, Ok(Progress::Pending(5_000)));
    }
}

#[test]
fn a_video_that_cannot_be_processed_is_a_fault() {
    let mut failed = told("error");
    failed["status"]["processing_phase"] = json!({ "errors": [{ "code": 1, "message": "Too short." }] });
    let played = publish(move |line| line.starts_with("read").then(|| answer(200, &failed)));
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some("parts/0/media/0")));
    assert_eq!(fault.message, "Facebook could not process the video: Too short.");
}

#[test]
fn what_is_published_stays_so_though_its_status_cannot_be_read() {
    let refusals = [problem(403, 10, "No"), problem(400, 190, "Expired"), answer(200, &json!({}))];
    for refusal in refusals {
        let played = publish(move |line| line.starts_with("read").then(|| refusal.clone()));
        assert_eq!(played.result, Ok(done()));
    }
    let played = publish(|line| line.starts_with("read").then(|| problem(500, 2, "Later")));
    assert_eq!(played.result.unwrap_err().kind, FaultKind::VendorDown);
}

#[test]
fn an_end_that_was_no_success_is_a_fault() {
    let played = publish(|line| line.starts_with("commit").then(|| answer(200, &json!({ "success": false }))));
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.sent), (FaultKind::Vendor, true));
}
