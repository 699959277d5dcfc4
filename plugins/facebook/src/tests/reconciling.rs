//! Looking for what was lost.

use super::{account, media, part, photo, problem, variant};
use crate::Facebook;
use orla_sdk::testing::{Answer, answer, play};
use orla_sdk::{Attempt, Committed, FaultKind, Reconcile, Result, Variant, Verdict, time};
use serde_json::{Value, json};

/// 2026-05-04T09:00:00Z.
const SENT_AT: &str = "2026-05-04T09:00:00Z";

fn look(
    variant: &'static Variant,
    key: &str,
    vendor: impl FnMut(&str) -> Answer + 'static,
) -> (Result<Verdict>, Vec<String>) {
    let attempt = Attempt { key: key.to_owned(), sent_at_ms: time::rfc3339_ms(SENT_AT).unwrap(), earlier: Vec::new() };
    let played = play(vendor, || Facebook::reconcile(&account(), variant, &attempt));
    (played.result, played.lines)
}

/// The verdict where the page shows these posts.
fn among(variant: &'static Variant, posts: &[Value]) -> Verdict {
    let list = json!({ "data": posts });
    look(variant, "part/0", move |_| answer(200, &list)).0.unwrap()
}

fn post(id: &str, message: &str, created_time: &str, attachments: &Value) -> Value {
    json!({ "id": id, "message": message, "created_time": created_time, "attachments": { "data": attachments } })
}

fn done(id: &str) -> Verdict {
    let url = Some(format!("https://www.facebook.com/{}", id.replacen('_', "/posts/", 1)));
    Verdict::Done(Committed { id: id.to_owned(), url })
}

fn text() -> &'static Variant {
    variant(vec![part("Tea  at\nfive\u{301}", vec![])])
}

#[test]
fn a_text_is_found_on_a_further_list() {
    let rest = json!({ "data": [post("615_7", " Tea at fivé ", "2026-05-04T09:00:02+0000", &json!([]))] });
    let (verdict, lines) = look(text(), "part/0", move |line| match line.contains("orla-link") {
        true => answer(200, &rest),
        false => answer(200, &json!({ "data": [], "paging": { "next": "orla-link:b3Js" } })),
    });
    assert_eq!(verdict, Ok(done("615_7")));
    // Five minutes before the attempt, for clocks differ.
    let first = "read GET /v26.0/615/published_posts?fields=id,message,created_time,attachments&since=1777884900&limit=100 as page:615";
    assert_eq!(lines, [first, "read GET orla-link:b3Js as page:615"]);
}

#[test]
fn what_is_older_or_reads_otherwise_is_another_post() {
    let older = post("615_1", "Tea at fivé", "2026-05-04T08:54:59+0000", &json!([]));
    let other = json!({ "id": "615_2", "message": "Coffee", "created_time": "2026-05-04T09:00:02+0000" });
    let silent = json!({ "id": "615_3", "created_time": "2026-05-04T09:00:02+0000" });
    assert_eq!(among(text(), &[]), Verdict::Absent);
    assert_eq!(among(text(), &[other, silent, older]), Verdict::Absent);
    let undated = json!({ "id": "615_4", "message": "Tea at fivé" });
    assert_eq!(among(text(), &[undated]), done("615_4"));
}

#[test]
fn a_preview_of_a_link_is_no_photo_and_photos_are_counted() {
    let shared = json!([{ "media_type": "link", "type": "share", "url": "https://a.example" }]);
    let at = "2026-05-04T09:00:02+0000";
    assert_eq!(among(text(), &[post("615_1", "Tea at fivé", at, &shared)]), done("615_1"));
    let look = variant(vec![part("Look", vec![photo(), photo()])]);
    let one = json!({ "media_type": "photo", "type": "photo" });
    let album = json!([{ "media_type": "album", "type": "album", "subattachments": { "data": [one, one] } }]);
    assert_eq!(among(look, &[post("615_2", "Look", at, &album)]), done("615_2"));
    assert_eq!(among(look, &[post("615_2", "Look", at, &json!([one, one]))]), done("615_2"));
    // The text alone does not tell.
    assert_eq!(among(look, &[post("615_3", "Look", at, &json!([one]))]), Verdict::Unknown);
}

#[test]
fn photos_without_a_text_are_not_told_apart() {
    let bare = variant(vec![part("", vec![photo()])]);
    let one = json!([{ "media_type": "photo", "type": "photo" }]);
    assert_eq!(among(bare, &[post("615_1", "", "2026-05-04T09:00:02+0000", &one)]), Verdict::Unknown);
    assert_eq!(among(bare, &[post("615_1", "Words", "2026-05-04T09:00:02+0000", &one)]), Verdict::Absent);
}

#[test]
fn a_list_that_cannot_be_read_to_its_end_gives_no_verdict() {
    let endless = |_: &str| answer(200, &json!({ "data": [], "paging": { "next": "orla-link:b3Js" } }));
    let elsewhere = |_: &str| answer(200, &json!({ "data": [], "paging": { "next": Value::Null } }));
    for fault in [look(text(), "part/0", endless).0, look(text(), "part/0", elsewhere).0] {
        assert_eq!(fault.unwrap_err().kind, FaultKind::Vendor);
    }
}

#[test]
fn a_video_is_found_by_its_id() {
    let watch = || variant(vec![part("Watch", vec![media("video/mp4", 10, None)])]);
    let told = |status: &str| {
        let told = json!({ "status": { "video_status": status }, "permalink_url": "/615/videos/88/", "id": "88" });
        look(watch(), "88", move |_| answer(200, &told))
    };
    let url = Some("https://www.facebook.com/615/videos/88/".to_owned());
    for status in ["ready", "processing", "error"] {
        let (verdict, lines) = told(status);
        assert_eq!(verdict, Ok(Verdict::Done(Committed { id: "88".to_owned(), url: url.clone() })));
        assert_eq!(lines, ["read GET /v26.0/88?fields=status,permalink_url as page:615"]);
    }
    assert_eq!(told("uploading").0, Ok(Verdict::Absent));
    assert_eq!(told("a new word").0, Ok(Verdict::Unknown));
    let gone = json!({ "error": { "message": "Unsupported get request.", "code": 100, "error_subcode": 33 } });
    assert_eq!(look(watch(), "88", move |_| answer(400, &gone)).0, Ok(Verdict::Absent));
    assert_eq!(look(watch(), "88", |_| answer(404, &json!({}))).0.unwrap_err().kind, FaultKind::NotFound);
    assert_eq!(look(watch(), "88", |_| problem(500, 1, "Later")).0.unwrap_err().kind, FaultKind::VendorDown);
}

#[test]
fn a_key_that_names_nothing_is_a_bug() {
    for key in ["part/1", "88", "", "media/0/0"] {
        let (verdict, lines) = look(text(), key, |_| answer(200, &json!({})));
        assert_eq!(verdict.unwrap_err().kind, FaultKind::Bug, "{key}");
        assert!(lines.is_empty());
    }
}
