//! Comments and replies.

use super::{account, problem};
use crate::Facebook;
use orla_sdk::testing::{Answer, answer, play};
use orla_sdk::{Account, CommentAuthor, Comments, Committed, FaultKind, Reply, ReplyAttempt, Result, Verdict, time};
use serde_json::{Value, json};

const LIST: &str = "read GET /v26.0/615_1/comments?fields=id,from,message,created_time,parent{id},permalink_url,can_comment,like_count,comment_count&filter=stream&order=reverse_chronological&limit=100 as page:615";

#[test]
fn comments_are_listed_page_by_page_as_the_page() {
    let newest = json!({
        "data": [
            {
                "id": "1_8", "from": { "id": "615", "name": "Coffee" }, "message": "At seven",
                "created_time": "2026-05-04T09:00:02+0000", "parent": { "id": "1_7" }, "can_comment": false,
                "permalink_url": "https://www.facebook.com/615_1?comment_id=1_8", "like_count": 2, "comment_count": 0,
            },
            { "id": "1_7" },
        ],
        "paging": { "cursors": { "before": "a", "after": "b" }, "next": "orla-link:b3Js" },
    });
    let vendor = move |line: &str| match line.contains("orla-link") {
        true => answer(200, &json!({ "data": [] })),
        false => answer(200, &newest),
    };
    let played = play(vendor, || {
        let first = Facebook::list(&account(), "615_1", None)?;
        let second = Facebook::list(&account(), "615_1", first.next.as_deref())?;
        Ok::<_, orla_sdk::Fault>((first, second))
    });
    assert_eq!(played.lines, [LIST, "read GET orla-link:b3Js as page:615"]);
    let (first, second) = played.result.expect("both pages come");
    let [reply, bare] = first.comments.as_slice() else { panic!("two comments") };
    let coffee = CommentAuthor { id: Some("615".to_owned()), name: "Coffee".to_owned() };
    assert_eq!((reply.id.as_str(), reply.author.as_ref(), reply.text.as_str()), ("1_8", Some(&coffee), "At seven"));
    assert_eq!(
        (reply.parent.as_deref(), reply.can_reply, reply.likes, reply.replies),
        (Some("1_7"), false, Some(2), Some(0))
    );
    assert_eq!(reply.created_ms, time::rfc3339_ms("2026-05-04T09:00:02Z"));
    assert_eq!(reply.url.as_deref(), Some("https://www.facebook.com/615_1?comment_id=1_8"));
    assert_eq!((bare.author.as_ref(), bare.text.as_str(), bare.can_reply, bare.likes), (None, "", true, None));
    assert_eq!((second.comments.len(), second.next), (0, None));
}

#[test]
fn who_may_not_moderate_is_told_so() {
    let played = play(
        |_line| answer(200, &json!({ "data": [{ "message": "Nice" }] })),
        || Facebook::list(&account(), "615_1", None),
    );
    assert_eq!(played.result.unwrap_err().kind, FaultKind::ScopeMissing);
    let nowhere = Account { target: None, ..account() };
    let played = play(|_line| unreachable!("nothing is asked"), || Facebook::list(&nowhere, "615_1", None));
    assert_eq!(played.result.unwrap_err().field.as_deref(), Some("target"));
}

#[test]
fn a_reply_is_one_commit_as_the_page() {
    let played = play(|_line| answer(200, &json!({ "id": "1_9" })), || Facebook::reply(&account(), "1_7", "At seven"));
    assert_eq!(played.lines, ["commit reply POST /v26.0/1_7/comments as page:615 message=At seven"]);
    let confirmed = played.result.unwrap();
    assert_eq!((confirmed.key.as_str(), confirmed.committed), ("reply", committed("1_9")));
}

#[test]
fn what_facebook_refuses_names_the_words_or_the_comment() {
    let refused = |answered: fn() -> Answer, text: &'static str| {
        let played = play(move |_line| answered(), move || Facebook::reply(&account(), "1_7", text));
        played.result.unwrap_err()
    };
    let words = refused(|| problem(400, 100, "(#100) Bad words"), "x");
    assert_eq!((words.kind, words.field.as_deref()), (FaultKind::Invalid, Some("text")));
    let gone = refused(
        || {
            answer(
                400,
                &json!({ "error": { "message": "Unsupported post request.", "code": 100, "error_subcode": 33 } }),
            )
        },
        "x",
    );
    assert_eq!((gone.kind, gone.field), (FaultKind::NotFound, None));
    assert_eq!(refused(|| problem(403, 200, "(#200) Permissions error"), "x").kind, FaultKind::ScopeMissing);
    let long: &'static str = Box::leak("é".repeat(8_001).into_boxed_str());
    let long = refused(|| unreachable!("nothing is asked"), long);
    assert_eq!((long.kind, long.field.as_deref(), long.sent), (FaultKind::Invalid, Some("text"), false));
}

fn committed(id: &str) -> Committed {
    Committed { id: id.to_owned(), url: None }
}

/// Looks for a lost reply to a comment, below which these are shown.
fn among(parent: &Value, replies: &[Value], others: &[&str]) -> (Result<Verdict>, Vec<String>) {
    let (told, list) = (json!({ "id": "1_7", "parent": parent }), json!({ "data": replies }));
    let attempt = ReplyAttempt {
        sent_at_ms: time::rfc3339_ms("2026-05-04T09:00:00Z").unwrap(),
        others: others.iter().map(|&id| id.to_owned()).collect(),
    };
    let vendor = move |line: &str| answer(200, if line.contains("/comments?") { &list } else { &told });
    let played = play(vendor, || Facebook::find(&account(), "1_7", "At seven", &attempt));
    (played.result, played.lines)
}

fn reply(id: &str, from: &Value, message: &str, created_time: &str) -> Value {
    json!({ "id": id, "from": from, "message": message, "created_time": created_time })
}

#[test]
fn a_lost_reply_is_found_among_those_to_the_comment() {
    let (own, ann) = (json!({ "id": "615", "name": "Coffee" }), json!({ "id": "31", "name": "Ann" }));
    let at = "2026-05-04T09:00:02+0000";
    let (verdict, lines) = among(&Value::Null, &[reply("1_9", &own, " At  seven", at)], &[]);
    assert_eq!(verdict, Ok(Verdict::Done(committed("1_9"))));
    let list = "/comments?fields=id,from,message,created_time&limit=100 as page:615";
    let first = "read GET /v26.0/1_7?fields=parent{id} as page:615".to_owned();
    assert_eq!(lines, [first, format!("read GET /v26.0/1_7{list}")]);
    let older = reply("1_6", &own, "At seven", "2026-05-04T08:54:59+0000");
    let others = [reply("1_8", &own, "At eight", at), reply("1_10", &ann, "At seven", at), older];
    assert_eq!(among(&Value::Null, &others, &[]).0, Ok(Verdict::Absent));
    // One of ours that is known to be another does not count, a second one does.
    let (first, second) = (reply("1_9", &own, "At seven", at), reply("1_11", &own, "At seven", at));
    assert_eq!(among(&Value::Null, std::slice::from_ref(&first), &["1_9"]).0, Ok(Verdict::Absent));
    assert_eq!(among(&Value::Null, &[first, second], &["1_9"]).0, Ok(Verdict::Done(committed("1_11"))));
    // Whose it is cannot be told.
    assert_eq!(among(&Value::Null, &[reply("1_9", &Value::Null, "At seven", at)], &[]).0, Ok(Verdict::Unknown));
}

#[test]
fn a_reply_to_a_reply_hangs_on_what_that_one_replies_to() {
    let (verdict, lines) = among(&json!({ "id": "1_2" }), &[], &[]);
    assert_eq!(verdict, Ok(Verdict::Absent));
    assert!(lines[1].starts_with("read GET /v26.0/1_2/comments?"), "{lines:?}");
}

#[test]
fn where_the_comment_is_gone_nothing_can_be_said() {
    let gone = json!({ "error": { "message": "Unsupported get request.", "code": 100, "error_subcode": 33 } });
    let attempt = ReplyAttempt { sent_at_ms: 0, others: Vec::new() };
    let played = play(move |_line| answer(400, &gone), || Facebook::find(&account(), "1_7", "At seven", &attempt));
    assert_eq!(played.result.unwrap_err().kind, FaultKind::NotFound);
}
