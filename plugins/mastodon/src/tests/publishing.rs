//! Posts, threads and media.

use super::{account, address, status};
use crate::Mastodon;
use orla_sdk::testing::{Answer, Played, answer, media, part, play, play_at, variant};
use orla_sdk::{
    Committed, Confirmed, Fault, FaultKind, PartOutcome, Progress, Publish, Receipt, Response, Result, Variant,
};
use serde_json::json;

const NOW_MS: u64 = 1_777_885_200_000;

fn done(index: usize, id: &str) -> PartOutcome {
    let committed = Committed { id: id.to_owned(), url: Some(address(id)) };
    PartOutcome::Done(Confirmed { key: format!("part/{index}"), committed })
}

fn published(parts: Vec<PartOutcome>) -> Result<Progress> {
    Ok(Progress::Published(Receipt { parts, first_comment: None }))
}

/// Publishes at a server that makes the statuses 100, 101, … of whatever it gets, unless this answers otherwise.
fn publish(post: &'static Variant, other: impl Fn(&str) -> Option<Answer> + 'static) -> Played<Result<Progress>> {
    let mut next = 100;
    let server = move |line: &str| {
        other(line).unwrap_or_else(|| {
            next += 1;
            answer(200, &status(&(next - 1).to_string(), "", "2026-05-04T09:00:01.000Z", None, 0))
        })
    };
    play_at(NOW_MS, server, || Mastodon::publish(&account(), post))
}

/// What the server says of a medium, after this status.
fn medium(code: u16) -> Option<Answer> {
    Some(answer(code, &json!({ "id": "77", "type": "video", "url": null })))
}

fn tea() -> &'static Variant {
    variant(vec![part("Tea", vec![media("image/png", 70_000, Some("A cup of tea."))])])
}

#[test]
fn a_post_is_one_commit() {
    let played = publish(variant(vec![part("Hello", vec![])]), |_line| None);
    assert_eq!(played.lines, [r#"commit part/0 POST /api/v1/statuses {"status":"Hello"}"#]);
    assert_eq!(played.result, published(vec![done(0, "100")]));
}

#[test]
fn a_server_may_give_no_address() {
    let hello = variant(vec![part("Hello", vec![])]);
    let played = publish(hello, |_line| Some(answer(200, &json!({ "id": "9", "url": null }))));
    let committed = Committed { id: "9".to_owned(), url: None };
    assert_eq!(played.result, published(vec![PartOutcome::Done(Confirmed { key: "part/0".to_owned(), committed })]));
}

#[test]
fn each_post_of_a_thread_replies_to_the_one_before() {
    let thread = variant(vec![part("One", vec![]), part("Two", vec![]), part("Three", vec![])]);
    let played = publish(thread, |_line| None);
    assert_eq!(
        played.lines,
        [
            r#"commit part/0 POST /api/v1/statuses {"status":"One"}"#,
            r#"commit part/1 POST /api/v1/statuses {"in_reply_to_id":"100","status":"Two"}"#,
            r#"commit part/2 POST /api/v1/statuses {"in_reply_to_id":"101","status":"Three"}"#,
        ]
    );
    assert_eq!(played.result, published(vec![done(0, "100"), done(1, "101"), done(2, "102")]));
}

#[test]
fn a_medium_is_uploaded_with_its_description_and_attached() {
    let played = publish(tea(), |line| if line.contains("/media") { medium(200) } else { None });
    assert_eq!(
        played.lines,
        [
            "prepare media/0/0 POST /api/v2/media file=[0..70000] description=A cup of tea.",
            r#"commit part/0 POST /api/v1/statuses {"media_ids":["77"],"status":"Tea"}"#,
        ]
    );
    assert_eq!(played.result, published(vec![done(0, "100")]));
}

#[test]
fn all_media_of_a_thread_come_before_its_first_post() {
    let thread = variant(vec![part("One", vec![]), part("", vec![media("image/png", 5, None)])]);
    let played = publish(thread, |line| if line.contains("/media ") { medium(200) } else { None });
    assert_eq!(played.lines[0], "prepare media/1/0 POST /api/v2/media file=[0..5]");
    assert_eq!(
        played.lines[2],
        r#"commit part/1 POST /api/v1/statuses {"in_reply_to_id":"100","media_ids":["77"],"status":""}"#
    );
}

#[test]
fn a_medium_that_is_worked_on_pauses_the_run() {
    let played = publish(tea(), |line| match line {
        "read GET /api/v1/media/77" => medium(206),
        _ => medium(202),
    });
    assert_eq!((played.lines.len(), played.result), (2, Ok(Progress::Pending(5_000))));
}

#[test]
fn a_rerun_goes_on_once_the_medium_is_ready() {
    let played = publish(tea(), |line| match line {
        "read GET /api/v1/media/77" => medium(200),
        line if line.starts_with("prepare") => medium(202),
        _ => None,
    });
    assert_eq!((played.lines.len(), played.result), (3, published(vec![done(0, "100")])));
}

#[test]
fn a_rerun_after_the_post_no_longer_finds_the_medium_and_goes_on() {
    let played = publish(tea(), |line| match line {
        "read GET /api/v1/media/77" => Some(answer(404, &json!({ "error": "Record not found" }))),
        line if line.starts_with("prepare") => medium(202),
        _ => None,
    });
    assert_eq!(played.result, published(vec![done(0, "100")]));
}

#[test]
fn a_medium_that_cannot_be_worked_on_is_named_and_uploaded_anew_next_time() {
    let played = publish(tea(), |line| match line {
        "read GET /api/v1/media/77" => Some(answer(422, &json!({ "error": "File content type is invalid" }))),
        _ => medium(202),
    });
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some("parts/0/media/0")));
    assert_eq!(fault.message, "File content type is invalid");
    assert_eq!(played.lines[2], "forget media/0/0");
}

#[test]
fn a_medium_that_is_refused_leaves_nothing_behind() {
    let refusals = [(413, FaultKind::TooLarge), (422, FaultKind::Invalid), (500, FaultKind::VendorDown)];
    for (code, kind) in refusals {
        let played = publish(tea(), move |_line| Some(answer(code, &json!({ "error": "No." }))));
        let fault = played.result.unwrap_err();
        let field = (kind != FaultKind::VendorDown).then_some("parts/0/media/0");
        assert_eq!((played.lines.len(), fault.kind, fault.field.as_deref()), (1, kind, field));
    }
}

#[test]
fn a_first_post_that_is_refused_is_the_fault() {
    let words = "Validation failed: Text character limit of 300 exceeded";
    let hello = variant(vec![part("Hello", vec![]), part("You", vec![])]);
    let played = publish(hello, move |_line| Some(answer(422, &json!({ "error": words }))));
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Invalid, words));
    assert_eq!((fault.field.as_deref(), fault.sent), (Some("parts/0"), true));
}

#[test]
fn what_fails_later_is_missing() {
    let thread = variant(vec![part("One", vec![]), part("Two", vec![]), part("Three", vec![])]);
    let played =
        publish(thread, |line| line.contains("Two").then(|| answer(404, &json!({ "error": "Record not found" }))));
    let Ok(Progress::Published(Receipt { parts, .. })) = played.result else { panic!("the first post is live") };
    assert_eq!((played.lines.len(), &parts[0]), (2, &done(0, "100")));
    for missing in &parts[1..] {
        let PartOutcome::Missing(fault) = missing else { panic!("{missing:?}") };
        assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::NotFound, Some("parts/1")));
    }
}

#[test]
fn a_lost_answer_ends_the_run_wherever_it_happens() {
    let lost = Fault { sent: true, ..Fault::new(FaultKind::Uncertain, "The line went dead.") };
    let expected = lost.clone();
    let thread = variant(vec![part("One", vec![]), part("Two", vec![])]);
    let played = publish(thread, move |line| line.contains("Two").then(|| Answer::Fault(lost.clone())));
    assert_eq!(played.result, Err(expected));
}

#[test]
fn a_status_that_is_known_to_stand_is_the_one_to_reply_to() {
    let known = Committed { id: "55".to_owned(), url: Some(address("55")) };
    let thread = variant(vec![part("One", vec![]), part("Two", vec![])]);
    let played = publish(thread, move |line| line.contains("One").then(|| Answer::Known(known.clone())));
    assert!(played.lines[1].contains(r#""in_reply_to_id":"55""#), "{:?}", played.lines);
    assert_eq!(played.result, published(vec![done(0, "55"), done(1, "100")]));
}

#[test]
fn a_rerun_asks_for_the_same() {
    let server = |line: &str| if line.contains("/media ") { medium(200) } else { None };
    let (first, second) = (publish(tea(), server), publish(tea(), server));
    assert_eq!((first.lines, first.result), (second.lines, second.result));
}

#[test]
fn an_answer_that_names_nothing_is_the_servers_fault() {
    let hello = variant(vec![part("Hello", vec![])]);
    let page = Answer::Response(Response::new(200, &[], "<html>"));
    let played = play(move |_line| page.clone(), || Mastodon::publish(&account(), hello));
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.sent), (FaultKind::Vendor, true));
}
