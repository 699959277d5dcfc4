//! Looking for what was lost.

use super::{account, chosen, film, part, photo, problem};
use crate::Instagram;
use orla_sdk::testing::{Answer, answer, play, variant};
use orla_sdk::{Attempt, Committed, FaultKind, Reconcile, Result, Variant, Verdict, time};
use serde_json::{Value, json};

const SENT_AT: &str = "2026-05-04T09:00:00Z";
const FIELDS: &str = "fields=id,caption,media_type,timestamp,permalink,children{id}&limit=50";

fn look(
    variant: &'static Variant,
    key: &str,
    vendor: impl FnMut(&str) -> Answer + 'static,
) -> (Result<Verdict>, Vec<String>) {
    let committed = Committed { id: "900".to_owned(), url: None };
    let attempt = Attempt {
        key: key.to_owned(),
        sent_at_ms: time::rfc3339_ms(SENT_AT).unwrap(),
        earlier: vec![("part/0".to_owned(), committed)],
    };
    let played = play(vendor, || Instagram::reconcile(&account(), variant, &attempt));
    (played.result, played.lines)
}

/// The verdict where the account shows these media.
fn among(variant: &'static Variant, media: &[Value]) -> Verdict {
    let list = json!({ "data": media });
    look(variant, "part/0", move |_| answer(200, &list)).0.unwrap()
}

fn medium(id: &str, caption: &str, kind: &str, second: u32) -> Value {
    let permalink = format!("https://www.instagram.com/p/{id}/");
    let timestamp = format!("2026-05-04T09:00:{second:02}+0000");
    json!({ "id": id, "caption": caption, "media_type": kind, "timestamp": timestamp, "permalink": permalink })
}

fn done(id: &str) -> Verdict {
    Verdict::Done(Committed { id: id.to_owned(), url: Some(format!("https://www.instagram.com/p/{id}/")) })
}

fn image() -> &'static Variant {
    variant(vec![part("Tea  at\nfive\u{301}", vec![photo(7)])])
}

#[test]
fn a_post_is_found_on_a_further_list() {
    let rest = json!({ "data": [medium("7", " Tea at fivé ", "IMAGE", 2)] });
    let (verdict, lines) = look(image(), "part/0", move |line| match line.contains("orla-link") {
        true => answer(200, &rest),
        false => answer(200, &json!({ "data": [], "paging": { "next": "orla-link:b3Js" } })),
    });
    assert_eq!(verdict, Ok(done("7")));
    assert_eq!(lines, [format!("read GET /v26.0/178/media?{FIELDS}"), "read GET orla-link:b3Js".to_owned()]);
}

#[test]
fn what_reads_otherwise_or_is_older_is_another_post() {
    assert_eq!(among(image(), &[]), Verdict::Absent);
    assert_eq!(among(image(), &[medium("1", "Coffee", "IMAGE", 1)]), Verdict::Absent);
    let mut older = medium("1", "Tea at fivé", "IMAGE", 1);
    older["timestamp"] = "2026-05-04T08:54:59+0000".into();
    assert_eq!(among(image(), &[older.clone()]), Verdict::Absent);
    let list = json!({ "data": [medium("2", "Coffee", "IMAGE", 1), older], "paging": { "next": "orla-link:b3Js" } });
    let (verdict, lines) = look(image(), "part/0", move |_| answer(200, &list));
    assert_eq!((verdict, lines.len()), (Ok(Verdict::Absent), 1), "what follows is older still");
}

#[test]
fn the_kind_of_a_post_tells_it_from_others_with_its_caption() {
    let caption = "Tea at fivé";
    assert_eq!(among(image(), &[medium("1", caption, "VIDEO", 1)]), Verdict::Unknown);
    assert_eq!(among(image(), &[medium("1", caption, "VIDEO", 2), medium("2", caption, "IMAGE", 1)]), done("2"));
    let reel = variant(vec![part(caption, vec![film()])]);
    assert_eq!(among(reel, &[medium("1", caption, "VIDEO", 1)]), done("1"));
    let both = variant(vec![part(caption, vec![photo(1), film()])]);
    let mut album = medium("1", caption, "CAROUSEL_ALBUM", 1);
    assert_eq!(among(both, &[album.clone()]), done("1"), "what is not told is not held against it");
    album["children"] = json!({ "data": [{ "id": "8" }, { "id": "9" }] });
    assert_eq!(among(both, &[album.clone()]), done("1"));
    album["children"] = json!({ "data": [{ "id": "8" }] });
    assert_eq!(among(both, &[album]), Verdict::Unknown);
}

#[test]
fn without_a_caption_nothing_is_told_apart() {
    let bare = variant(vec![part("", vec![photo(7)])]);
    assert_eq!(among(bare, &[medium("1", "", "IMAGE", 1)]), Verdict::Unknown);
    assert_eq!(among(bare, &[medium("1", "Words", "IMAGE", 1)]), Verdict::Absent);
    let story = chosen(vec![part("", vec![photo(7)])], &[("story", "true")], None);
    let (verdict, lines) = look(story, "part/0", |_| answer(200, &json!({ "data": [] })));
    assert_eq!((verdict, lines), (Ok(Verdict::Absent), vec![format!("read GET /v26.0/178/stories?{FIELDS}")]));
    assert_eq!(among(story, &[medium("1", "", "IMAGE", 1)]), Verdict::Unknown);
}

#[test]
fn a_first_comment_is_found_below_its_post() {
    let post = || chosen(vec![part("Tea", vec![photo(7)])], &[], Some("#tea #five"));
    let found = |comments: Value| {
        look(post(), "first-comment", move |line| match line.contains("fields=username") {
            true => answer(200, &json!({ "username": "coffee", "id": "178" })),
            false => answer(200, &json!({ "data": comments })),
        })
    };
    let comment = |id: &str, more: Value| {
        let mut comment = json!({ "id": id, "text": "#tea  #five", "timestamp": "2026-05-04T09:00:01+0000" });
        comment.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        comment
    };
    let (verdict, lines) =
        found(json!([comment("1", json!({ "username": "ann" })), comment("2", json!({ "user": { "id": "178" } })),]));
    assert_eq!(verdict, Ok(Verdict::Done(Committed { id: "2".to_owned(), url: None })));
    assert_eq!(
        lines,
        [
            "read GET /v26.0/178?fields=username",
            "read GET /v26.0/900/comments?fields=id,text,timestamp,username,user{id},like_count&limit=50",
        ]
    );
    let by_name = found(json!([comment("3", json!({ "username": "coffee" }))])).0;
    assert_eq!(by_name, Ok(Verdict::Done(Committed { id: "3".to_owned(), url: None })));
    assert_eq!(found(json!([comment("1", json!({ "username": "ann" }))])).0, Ok(Verdict::Absent));
    assert_eq!(found(json!([comment("1", json!({}))])).0, Ok(Verdict::Unknown));
    let older = json!({ "username": "coffee", "timestamp": "2026-05-04T08:00:00+0000" });
    assert_eq!(found(json!([comment("1", older)])).0, Ok(Verdict::Absent));
}

#[test]
fn a_list_that_cannot_be_read_gives_no_verdict() {
    let elsewhere = |_: &str| answer(200, &json!({ "data": [], "paging": { "next": Value::Null } }));
    let endless = |_: &str| answer(200, &json!({ "data": [], "paging": { "next": "orla-link:b3Js" } }));
    for fault in [look(image(), "part/0", elsewhere).0, look(image(), "part/0", endless).0] {
        assert_eq!(fault.unwrap_err().kind, FaultKind::Vendor);
    }
    assert_eq!(look(image(), "part/0", |_| problem(400, 190, 463)).0.unwrap_err().kind, FaultKind::AuthExpired);
}

#[test]
fn a_key_that_names_nothing_is_a_bug() {
    for key in ["part/1", "", "media/0/0/container", "first-comment"] {
        let (verdict, lines) = look(image(), key, |_| answer(200, &json!({})));
        assert_eq!(verdict.unwrap_err().kind, FaultKind::Bug, "{key}");
        assert!(lines.is_empty());
    }
}
