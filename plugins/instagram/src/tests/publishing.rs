//! Posting images, carousels and stories.

use super::{account, chosen, film, part, photo, problem};
use crate::Instagram;
use orla_sdk::testing::{Answer, Played, answer, media, play, variant};
use orla_sdk::{
    Account, Committed, Confirmed, Fault, FaultKind, PartOutcome, Progress, Publish, Receipt, Result, Variant,
};
use serde_json::json;

pub(super) const ALLOWANCE: &str =
    "prepare allowance GET /v26.0/178/content_publishing_limit?fields=config,quota_usage";
const PERMALINK: &str = "read GET /v26.0/900?fields=permalink";

/// Publishes against an Instagram that answers as told, and else as one where everything works: containers are numbered by
/// the size of their media.
pub(super) fn publish(
    variant: &'static Variant,
    mut special: impl FnMut(&str) -> Option<Answer> + 'static,
) -> Played<Result<Progress>> {
    let vendor = move |line: &str| special(line).unwrap_or_else(|| usual(line));
    play(vendor, move || Instagram::publish(&account(), variant))
}

fn usual(line: &str) -> Answer {
    let step = line.split(' ').nth(1).unwrap_or_default();
    let id = match step {
        "allowance" => {
            let config = json!({ "quota_total": 100, "quota_duration": 86_400 });
            return answer(200, &json!({ "data": [{ "quota_usage": 99, "config": config }] }));
        }
        "media/0/0/container" => "701",
        "media/0/1/container" => "702",
        "carousel/0/container" => "703",
        "part/0" => "900",
        "first-comment" => "950",
        _ if step.ends_with("/ready") => return answer(200, &json!({ "status_code": "FINISHED", "id": "1" })),
        _ if step.ends_with("/uploaded") => return answer(200, &json!({ "id": "701" })),
        _ if step.ends_with("/upload") => return answer(200, &json!({ "success": true })),
        _ => return answer(200, &json!({ "permalink": "https://www.instagram.com/p/Abc/", "id": "900" })),
    };
    answer(200, &json!({ "id": id }))
}

pub(super) fn confirmed(key: &str, id: &str, url: Option<&str>) -> PartOutcome {
    let committed = Committed { id: id.to_owned(), url: url.map(str::to_owned) };
    PartOutcome::Done(Confirmed { key: key.to_owned(), committed })
}

pub(super) fn done() -> Progress {
    let parts = vec![confirmed("part/0", "900", Some("https://www.instagram.com/p/Abc/"))];
    Progress::Published(Receipt { parts, first_comment: None })
}

fn image() -> &'static Variant {
    variant(vec![part("Look", vec![media("image/jpeg", 7, Some("A cup"))])])
}

/// The state of a container, in an answer.
pub(super) fn state(code: &str, words: &str) -> Answer {
    answer(200, &json!({ "status_code": code, "status": words, "id": "701" }))
}

#[test]
fn an_image_is_fetched_by_instagram_looked_at_and_published() {
    let played = publish(image(), |_| None);
    assert_eq!(
        played.lines,
        [
            ALLOWANCE,
            "prepare media/0/0/container POST /v26.0/178/media image_url=https://media.example/7&alt_text=A cup&caption=Look",
            "prepare media/0/0/ready GET /v26.0/701?fields=status_code,status",
            "commit part/0 POST /v26.0/178/media_publish creation_id=701",
            PERMALINK,
        ]
    );
    assert_eq!(played.result, Ok(done()));
}

#[test]
fn without_an_account_there_is_nothing_to_post_to() {
    for target in [None, Some(String::new())] {
        let account = Account { target, ..account() };
        let played = play(|_| answer(500, &json!({})), || Instagram::publish(&account, image()));
        let fault = played.result.unwrap_err();
        assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some("target")));
        assert!(played.lines.is_empty());
    }
}

#[test]
fn a_carousel_has_children_that_are_ready_before_it_is_made() {
    let post = || variant(vec![part("Both", vec![media("image/jpeg", 7, Some("A cup")), film()])]);
    let played = publish(post(), |_| None);
    assert_eq!(
        played.lines,
        [
            ALLOWANCE,
            "prepare media/0/0/container POST /v26.0/178/media image_url=https://media.example/7&is_carousel_item=true&alt_text=A cup",
            "prepare media/0/1/container POST /v26.0/178/media upload_type=resumable&is_carousel_item=true&media_type=VIDEO",
            "prepare media/0/1/uploaded GET /v26.0/702?fields=video_status",
            "prepare media/0/1/upload POST /ig-api-upload/v26.0/702 [0..10]",
            "prepare media/0/0/ready GET /v26.0/701?fields=status_code,status",
            "prepare media/0/1/ready GET /v26.0/702?fields=status_code,status",
            "prepare carousel/0/container POST /v26.0/178/media children=701,702&media_type=CAROUSEL&caption=Both",
            "prepare carousel/0/ready GET /v26.0/703?fields=status_code,status",
            "commit part/0 POST /v26.0/178/media_publish creation_id=703",
            PERMALINK,
        ]
    );
    assert_eq!(played.result, Ok(done()));
    let working = publish(post(), |line| line.contains("/702?fields=status_code").then(|| state("IN_PROGRESS", "")));
    assert_eq!(working.result, Ok(Progress::Pending(10_000)));
    assert_eq!(working.lines.last().unwrap(), "forget media/0/1/ready");
    let parent = publish(post(), |line| line.contains("carousel/0/ready").then(|| state("EXPIRED", "")));
    assert_eq!(parent.result.unwrap_err().kind, FaultKind::VendorDown);
    for step in ["carousel/0", "media/0/0", "media/0/1"] {
        assert!(parent.lines.contains(&format!("forget {step}/container")), "{step}: {:?}", parent.lines);
    }
}

#[test]
fn a_story_has_no_caption() {
    let played = publish(chosen(vec![part("", vec![photo(7)])], &[("story", "true")], None), |_| None);
    let made = "prepare media/0/0/container POST /v26.0/178/media image_url=https://media.example/7&media_type=STORIES";
    assert_eq!(played.lines[1], made);
    let played = publish(chosen(vec![part("", vec![film()])], &[("story", "true")], None), |_| None);
    let made = "prepare media/0/0/container POST /v26.0/178/media upload_type=resumable&media_type=STORIES";
    assert_eq!(played.lines[1], made);
}

#[test]
fn a_first_comment_is_said_below_what_was_published() {
    let post = || chosen(vec![part("Look", vec![photo(7)])], &[], Some("#tea"));
    let played = publish(post(), |_| None);
    assert_eq!(played.lines.last().unwrap(), "commit first-comment POST /v26.0/900/comments message=#tea");
    let Ok(Progress::Published(receipt)) = played.result else { panic!("it is published") };
    assert_eq!(receipt.first_comment, Some(confirmed("first-comment", "950", None)));
    let refused = publish(post(), |line| line.contains("first-comment").then(|| problem(400, 100, 1)));
    let Ok(Progress::Published(receipt)) = refused.result else { panic!("the post stays") };
    let Some(PartOutcome::Missing(fault)) = receipt.first_comment else { panic!("the comment is missing") };
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some("first_comment")));
}

#[test]
fn what_instagram_works_on_is_waited_for_and_asked_about_anew() {
    let played = publish(image(), |line| line.contains("/ready").then(|| state("IN_PROGRESS", "")));
    assert_eq!(played.result, Ok(Progress::Pending(2_000)));
    assert_eq!(played.lines.last().unwrap(), "forget media/0/0/ready");
    let early = publish(image(), |line| line.contains("part/0").then(|| problem(400, 9_007, 2_207_027)));
    assert_eq!(early.result, Ok(Progress::Pending(10_000)));
    assert_eq!(early.lines.last().unwrap(), "forget media/0/0/ready");
}

#[test]
fn a_container_that_is_too_old_is_made_anew() {
    let forgotten = ["container", "uploaded", "upload", "ready"].map(|what| format!("forget media/0/0/{what}"));
    let gone = || problem(400, 100, 33);
    for stale in [
        publish(image(), |line| line.contains("/ready").then(|| state("EXPIRED", "Expired"))),
        publish(image(), move |line| line.contains("/ready").then(gone)),
        publish(image(), |line| line.contains("part/0").then(|| problem(400, 24, 2_207_008))),
        publish(image(), |line| line.contains("part/0").then(|| problem(400, 24, 2_207_006))),
    ] {
        assert_eq!(stale.result.unwrap_err().kind, FaultKind::VendorDown);
        assert!(stale.lines.ends_with(&forgotten), "{:?}", stale.lines);
    }
}

#[test]
fn a_container_that_failed_tells_why_and_one_in_passing_is_made_anew() {
    for (words, kind, code) in [
        ("Error: Media upload has failed with error code 2207026", FaultKind::Invalid, Some("2207026")),
        ("Error: Media upload has failed with error code 2207053", FaultKind::VendorDown, Some("2207053")),
        ("Error: something else.", FaultKind::Invalid, None),
        ("", FaultKind::Invalid, None),
    ] {
        let played = publish(image(), move |line| line.contains("/ready").then(|| state("ERROR", words)));
        let fault = played.result.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_deref()), (kind, code), "{words}");
        let field = (kind == FaultKind::Invalid).then_some("parts/0/media/0");
        assert_eq!(fault.field.as_deref(), field);
        assert!(fault.message.starts_with("Instagram could not process the medium"), "{}", fault.message);
        assert!(played.lines.contains(&"forget media/0/0/container".to_owned()));
    }
}

#[test]
fn what_is_published_already_and_not_shown_is_not_published_again() {
    let played = publish(image(), |line| line.contains("/ready").then(|| state("PUBLISHED", "")));
    assert_eq!(played.result.unwrap_err().kind, FaultKind::Conflict);
    assert!(played.lines.iter().all(|line| !line.starts_with("commit")));
}

#[test]
fn an_account_that_has_published_its_fill_brings_nothing_to_instagram() {
    let full = json!({ "data": [{ "quota_usage": 50, "config": { "quota_total": 50, "quota_duration": 86_400 } }] });
    let played = publish(image(), move |line| line.contains("allowance").then(|| answer(200, &full)));
    let fault = played.result.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Quota);
    assert_eq!(fault.message, "Instagram takes 50 posts of an account in 24 hours, and has taken 50.");
    assert_eq!(played.lines, [ALLOWANCE, "forget allowance"]);
    let silent = publish(image(), |line| line.contains("allowance").then(|| answer(200, &json!({ "data": [] }))));
    assert_eq!(silent.result, Ok(done()));
    let late = publish(image(), |line| line.contains("part/0").then(|| problem(400, 9, 2_207_042)));
    assert_eq!(late.result.unwrap_err().kind, FaultKind::Quota);
}

#[test]
fn a_lost_answer_ends_the_run_and_a_known_post_is_taken() {
    let lost = Fault { sent: true, ..Fault::new(FaultKind::Uncertain, "no answer") };
    let expected = lost.clone();
    let played = publish(image(), move |line| line.contains("part/0").then(|| Answer::Fault(lost.clone())));
    assert_eq!(played.result, Err(expected));
    let known = Committed { id: "900".to_owned(), url: None };
    let played = publish(image(), move |line| line.contains("part/0").then(|| Answer::Known(known.clone())));
    assert_eq!(played.result, Ok(done()));
    let nowhere = publish(image(), |line| line.contains("permalink").then(|| answer(200, &json!({ "id": "900" }))));
    let Ok(Progress::Published(receipt)) = nowhere.result else { panic!("it is published") };
    assert_eq!(receipt.parts, [confirmed("part/0", "900", None)]);
}

#[test]
fn where_a_post_is_can_be_found_out_later() {
    for (refusal, kind) in [
        (problem(500, 2, 0), FaultKind::VendorDown),
        (problem(400, 100, 33), FaultKind::VendorDown),
        (answer(200, &json!("sorry")), FaultKind::VendorDown),
        (problem(400, 190, 463), FaultKind::AuthExpired),
    ] {
        let played = publish(image(), move |line| line.contains("permalink").then(|| refusal.clone()));
        assert_eq!(played.result.unwrap_err().kind, kind);
    }
}

#[test]
fn an_answer_that_makes_no_sense_is_not_kept() {
    for (step, id) in [("media/0/0/container", json!({ "id": "" })), ("media/0/0/container", json!({ "ok": 1 }))] {
        let played = publish(image(), move |line| line.contains(step).then(|| answer(200, &id)));
        assert_eq!(played.result.unwrap_err().kind, FaultKind::Vendor);
        assert_eq!(played.lines.last().unwrap(), "forget media/0/0/container");
    }
    let played = publish(image(), |line| line.contains("/ready").then(|| state("A NEW WORD", "")));
    assert_eq!(played.result.unwrap_err().kind, FaultKind::Vendor);
    let nameless = publish(image(), |line| line.contains("part/0").then(|| answer(200, &json!({ "ok": 1 }))));
    let fault = nameless.result.unwrap_err();
    assert_eq!((fault.kind, fault.sent), (FaultKind::Vendor, true));
}
