//! Posting texts and photos.

use super::{PAGE, account, media, part, photo, problem, variant};
use crate::Facebook;
use orla_sdk::testing::{Answer, Played, answer, play};
use orla_sdk::{
    Account, Committed, Confirmed, Fault, FaultKind, PartOutcome, Progress, Publish, Receipt, Result, Variant,
};
use serde_json::json;

fn publish(variant: &'static Variant, vendor: impl FnMut(&str) -> Answer + 'static) -> Played<Result<Progress>> {
    play(vendor, move || Facebook::publish(&account(), variant))
}

fn done(key: &str, id: &str, url: &str) -> Progress {
    let committed = Committed { id: id.to_owned(), url: Some(url.to_owned()) };
    let parts = vec![PartOutcome::Done(Confirmed { key: key.to_owned(), committed })];
    Progress::Published(Receipt { parts, first_comment: None })
}

#[test]
fn a_text_goes_to_the_pages_feed() {
    let played = publish(variant(vec![part("Good day", vec![])]), |_| answer(200, &json!({ "id": "615_9" })));
    assert_eq!(played.lines, ["commit part/0 POST /v26.0/615/feed as page:615 message=Good day"]);
    assert_eq!(played.result, Ok(done("part/0", "615_9", "https://www.facebook.com/615/posts/9")));
}

#[test]
fn without_a_page_there_is_nothing_to_post_to() {
    for target in [None, Some(String::new())] {
        let account = Account { target, ..account() };
        let post = variant(vec![part("Good day", vec![])]);
        let played = play(|_| answer(500, &json!({})), || Facebook::publish(&account, post));
        let fault = played.result.unwrap_err();
        assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some("target")));
        assert!(played.lines.is_empty());
    }
}

#[test]
fn a_photo_is_a_post_of_its_own() {
    let post = variant(vec![part("Look", vec![media("image/png", 70_000, Some("A cup"))])]);
    let played = publish(post, |_| answer(200, &json!({ "id": "77", "post_id": "615_9" })));
    let line = "commit part/0 POST /v26.0/615/photos as page:615 source=[0..70000] alt_text_custom=A cup message=Look";
    assert_eq!(played.lines, [line]);
    assert_eq!(played.result, Ok(done("part/0", "615_9", "https://www.facebook.com/615/posts/9")));
    let bare = publish(variant(vec![part("", vec![photo()])]), |_| answer(200, &json!({ "id": "77" })));
    assert_eq!(bare.lines, ["commit part/0 POST /v26.0/615/photos as page:615 source=[0..70000]"]);
    assert_eq!(bare.result, Ok(done("part/0", "77", "https://www.facebook.com/77")));
}

#[test]
fn several_photos_are_uploaded_first_and_shown_by_one_post() {
    let post = variant(vec![part("Look", vec![photo(), media("image/jpeg", 9, Some("Tea"))])]);
    let played = publish(post, |line| match line.split(' ').nth(1) {
        Some("media/0/0") => answer(200, &json!({ "id": "70" })),
        Some("media/0/1") => answer(200, &json!({ "id": "71" })),
        _ => answer(200, &json!({ "id": "615_9" })),
    });
    assert_eq!(
        played.lines,
        [
            "prepare media/0/0 POST /v26.0/615/photos as page:615 source=[0..70000] published=false",
            "prepare media/0/1 POST /v26.0/615/photos as page:615 source=[0..9] alt_text_custom=Tea published=false",
            r#"commit part/0 POST /v26.0/615/feed as page:615 attached_media=[{"media_fbid":"70"},{"media_fbid":"71"}]&message=Look"#,
        ]
    );
    assert_eq!(played.result, Ok(done("part/0", "615_9", "https://www.facebook.com/615/posts/9")));
}

#[test]
fn a_refusal_names_the_member() {
    let photos = || variant(vec![part("Look", vec![photo(), photo()])]);
    let unreadable = |_: &str| problem(400, 100, "Invalid parameter");
    let field = |played: Played<Result<Progress>>| played.result.unwrap_err().field;
    assert_eq!(field(publish(photos(), unreadable)).as_deref(), Some("parts/0/media/0"));
    let second = |line: &str| match line.contains("media/0/1") {
        true => problem(400, 324, "Requires upload file"),
        false => answer(200, &json!({ "id": "70" })),
    };
    assert_eq!(field(publish(photos(), second)).as_deref(), Some("parts/0/media/1"));
    let last = |line: &str| match line.starts_with("commit") {
        true => problem(400, 100, "Param attached_media"),
        false => answer(200, &json!({ "id": "70" })),
    };
    assert_eq!(field(publish(photos(), last)).as_deref(), Some("parts/0"));
    let text = variant(vec![part("Look", vec![])]);
    assert_eq!(field(publish(text, unreadable)).as_deref(), Some("parts/0/text"));
    let one = variant(vec![part("Look", vec![photo()])]);
    assert_eq!(field(publish(one, unreadable)).as_deref(), Some("parts/0/media/0"));
}

#[test]
fn a_lost_answer_ends_the_run_and_a_known_post_is_taken() {
    let lost = Fault { sent: true, ..Fault::new(FaultKind::Uncertain, "no answer") };
    let expected = lost.clone();
    let text = || variant(vec![part("Good day", vec![])]);
    let played = publish(text(), move |_| Answer::Fault(lost.clone()));
    assert_eq!(played.result, Err(expected));
    let known = Committed { id: format!("{PAGE}_9"), url: None };
    let played = publish(text(), move |_| Answer::Known(known.clone()));
    assert!(matches!(played.result, Ok(Progress::Published(_))));
}

#[test]
fn an_answer_without_an_id_is_no_post() {
    let played = publish(variant(vec![part("Good day", vec![])]), |_| answer(200, &json!({ "ok": 1 })));
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.sent), (FaultKind::Vendor, true));
}
