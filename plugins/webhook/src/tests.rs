//! The connector against a receiver that the tests play.

use super::{MAX_MEDIA, MAX_PARTS, Webhook};
use orla_sdk::manifest::{FieldKind, Sign, commit_key};
use orla_sdk::testing::{Answer, answer, media, part, play, play_at, variant};
use orla_sdk::{
    Account, Committed, Confirmed, Connector, Fault, FaultKind, PartOutcome, Progress, Publish, Receipt, Response,
};
use serde_json::{Value, json};

fn account() -> Account {
    Account { vendor_id: "hooks.example".to_owned(), handle: "hooks.example".to_owned(), target: None }
}

const NOW_MS: u64 = 1_777_885_200_000;

fn done(index: usize) -> PartOutcome {
    let key = format!("part/{index}");
    PartOutcome::Done(Confirmed { key: key.clone(), committed: Committed { id: key, url: None } })
}

/// A receipt that confirms so many parts.
fn published(parts: usize) -> Progress {
    Progress::Published(Receipt { parts: (0..parts).map(done).collect(), first_comment: None })
}

/// The body of a line.
fn body(line: &str) -> Value {
    serde_json::from_str(line.split_once(" / ").unwrap().1).unwrap()
}

fn refused(status: u16, body: &str) -> Fault {
    let answered = Answer::Response(Response::new(status, &[], body));
    let hello = variant(vec![part("Hello", vec![])]);
    play(move |_line| answered.clone(), || Webhook::publish(&account(), hello)).result.unwrap_err()
}

#[test]
fn the_manifest_makes_sense() {
    let manifest = Webhook::manifest();
    assert_eq!(manifest.validate(), []);
    assert_eq!((manifest.id.as_str(), manifest.name.as_str()), ("webhook", "Webhook"));
    let orla_sdk::manifest::Auth::Fields(form) = &manifest.auth else { panic!("an account is connected by fields") };
    let kinds: Vec<_> = form.fields.iter().map(|field| (field.name.as_str(), field.kind)).collect();
    assert_eq!(kinds, [("url", FieldKind::Url), ("secret", FieldKind::Secret)]);
    assert_eq!(manifest.endpoints["hook"].sign, Sign::StandardWebhooks { secret: "secret".to_owned() });
    assert_eq!(manifest.publishing.unwrap().committed_id, [commit_key()]);
}

#[test]
fn a_post_is_one_request() {
    let hello = variant(vec![part("Hello", vec![])]);
    let played = play_at(NOW_MS, |_line| answer(200, &json!({})), || Webhook::publish(&account(), hello));
    assert!(played.lines[0].starts_with("commit part/0 POST / "), "{:?}", played.lines);
    let expected = json!({
        "type": "post.published",
        "data": { "started_at_ms": NOW_MS, "index": 0, "count": 1, "part": { "text": "Hello", "media": [] } },
    });
    assert_eq!((played.lines.len(), body(&played.lines[0])), (1, expected));
    assert_eq!(played.result, Ok(published(1)));
}

#[test]
fn each_part_of_a_thread_is_a_request_that_says_which_it_is() {
    let thread = variant(vec![part("one", vec![]), part("two", vec![]), part("three", vec![])]);
    let played = play_at(NOW_MS, |_line| answer(202, &json!({})), || Webhook::publish(&account(), thread));
    for (index, text) in ["one", "two", "three"].into_iter().enumerate() {
        assert!(played.lines[index].starts_with(&format!("commit part/{index} POST / ")), "{:?}", played.lines);
        let expected = json!({
            "started_at_ms": NOW_MS, "index": index, "count": 3, "part": { "text": text, "media": [] },
        });
        assert_eq!(body(&played.lines[index])["data"], expected);
    }
    assert_eq!((played.lines.len(), played.result), (3, Ok(published(3))));
}

#[test]
fn what_is_refused_later_is_missing() {
    let thread = variant(vec![part("one", vec![]), part("two", vec![]), part("three", vec![])]);
    let receiver = |line: &str| answer(if line.contains("two") { 422 } else { 200 }, &json!({}));
    let played = play(receiver, || Webhook::publish(&account(), thread));
    let Ok(Progress::Published(Receipt { parts, .. })) = played.result else { panic!("the first part is live") };
    assert_eq!((played.lines.len(), &parts[0]), (2, &done(0)));
    assert!(
        parts[1..].iter().all(|part| matches!(part, PartOutcome::Missing(fault) if fault.kind == FaultKind::Invalid))
    );
}

#[test]
fn media_are_announced_without_their_bytes() {
    let media = vec![media("image/png", 70_000, Some("A cup of tea.")), media("video/mp4", 9_000_000, None)];
    let tea = variant(vec![part("Tea", media)]);
    let played = play(|_line| answer(200, &json!({})), || Webhook::publish(&account(), tea));
    let expected = json!([
        { "content_type": "image/png", "size_bytes": 70_000, "alt_text": "A cup of tea." },
        { "content_type": "video/mp4", "size_bytes": 9_000_000, "alt_text": null },
    ]);
    assert_eq!(body(&played.lines[0])["data"]["part"]["media"], expected);
}

#[test]
fn any_answer_of_success_is_taken_whatever_its_body() {
    for (status, body) in [(200, ""), (201, "ok"), (202, "<html>"), (204, "")] {
        let taken = Answer::Response(Response::new(status, &[], body));
        let hello = variant(vec![part("Hello", vec![])]);
        let played = play(move |_line| taken.clone(), || Webhook::publish(&account(), hello));
        assert_eq!(played.result, Ok(published(1)), "{status}");
    }
}

#[test]
fn each_status_has_its_kind() {
    let expected = [
        (301, FaultKind::Vendor),
        (400, FaultKind::Invalid),
        (401, FaultKind::AuthExpired),
        (403, FaultKind::AuthExpired),
        (404, FaultKind::NotFound),
        (409, FaultKind::Conflict),
        (410, FaultKind::NotFound),
        (413, FaultKind::TooLarge),
        (422, FaultKind::Invalid),
        (429, FaultKind::RateLimited),
        (500, FaultKind::VendorDown),
        (503, FaultKind::VendorDown),
    ];
    for (status, kind) in expected {
        let fault = refused(status, "inner words");
        assert_eq!((fault.kind, fault.sent), (kind, true), "{status}");
        assert!(fault.message.contains(&status.to_string()), "{fault}");
        assert!(!fault.message.contains("inner"), "{fault}");
    }
}

#[test]
fn a_receiver_that_asks_to_wait_is_understood() {
    for status in [429, 503] {
        let slow_down = Answer::Response(Response::new(status, &[("retry-after", "7")], ""));
        let hello = variant(vec![part("Hello", vec![])]);
        let played = play(move |_line| slow_down.clone(), || Webhook::publish(&account(), hello));
        assert_eq!(played.result.unwrap_err().retry_after_ms, Some(7_000));
    }
}

#[test]
fn a_commit_that_is_known_to_stand_confirms_its_part() {
    let known = Committed { id: "part/0".to_owned(), url: None };
    let thread = variant(vec![part("one", vec![]), part("two", vec![])]);
    let receiver = move |line: &str| match line.contains("one") {
        true => Answer::Known(known.clone()),
        false => answer(200, &json!({})),
    };
    let played = play(receiver, || Webhook::publish(&account(), thread));
    assert_eq!(played.result, Ok(published(2)));
}

#[test]
fn an_answer_that_was_lost_is_uncertain() {
    let lost = Fault { sent: true, ..Fault::new(FaultKind::Uncertain, "The line went dead.") };
    let expected = lost.clone();
    let thread = variant(vec![part("one", vec![]), part("two", vec![])]);
    let played = play(move |_line| Answer::Fault(lost.clone()), || Webhook::publish(&account(), thread));
    assert_eq!((played.lines.len(), played.result), (1, Err(expected)));
}

#[test]
fn a_rerun_asks_for_the_same() {
    let thread = variant(vec![part("one", vec![]), part("two", vec![])]);
    let run = || play_at(NOW_MS, |_line| answer(200, &json!({})), || Webhook::publish(&account(), thread));
    let (first, second) = (run(), run());
    assert_eq!((first.lines, first.result), (second.lines, second.result));
}

#[test]
fn what_cannot_be_sent_is_named() {
    let odd = media("application/x-msdownload", 1, None);
    let many = (0..=MAX_MEDIA).map(|_| media("image/png", 1, None)).collect();
    let post = variant(vec![part("Fine", vec![]), part(" \n", vec![]), part("Odd", vec![odd]), part("", many)]);
    let found: Vec<_> = Webhook::check(post, &[]).into_iter().map(|found| (found.field, found.code)).collect();
    let expected = [("parts/1/text", "empty"), ("parts/2/media/0", "media_type"), ("parts/3/media", "too_many_media")];
    assert_eq!(found, expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
}

#[test]
fn too_many_parts_are_named() {
    let parts = |count: u32| variant((0..count).map(|_| part("Hello", vec![])).collect());
    assert_eq!(Webhook::check(parts(MAX_PARTS), &[]), []);
    assert_eq!(Webhook::check(parts(MAX_PARTS + 1), &[])[0].code, "too_many_parts");
}

#[test]
fn a_post_without_parts_is_refused() {
    let played = play(|_line| unreachable!("nothing is asked"), || Webhook::publish(&account(), variant(vec![])));
    assert_eq!(played.result.unwrap_err().kind, FaultKind::Invalid);
}
