//! Comments and replies.

use super::{account, problem};
use crate::Instagram;
use orla_sdk::testing::{Answer, answer, play};
use orla_sdk::{Comments, Committed, Confirmed, FaultKind, Reply, ReplyAttempt, Result, Verdict, time};
use serde_json::{Value, json};

const LIST: &str = "read GET /v26.0/900/comments?fields=id,text,timestamp,username,user{id},like_count,replies{id,text,timestamp,username,user{id},like_count}&limit=50";

#[test]
fn comments_come_with_the_replies_to_them() {
    let reply =
        json!({ "id": "8", "text": "At seven", "username": "coffee", "user": { "id": "178" }, "like_count": 1 });
    let list = json!({
        "data": [
            {
                "id": "7", "text": "When?", "timestamp": "2026-05-04T09:00:00+0000", "username": "ann", "like_count": 3,
                "replies": { "data": [reply] },
            },
            { "id": "6", "timestamp": "nonsense" },
        ],
        "paging": { "next": "orla-link:b3Js" },
    });
    let played = play(move |_| answer(200, &list), || Instagram::list(&account(), "900", None));
    assert_eq!(played.lines, [LIST]);
    let page = played.result.unwrap();
    assert_eq!(page.next.as_deref(), Some("orla-link:b3Js"));
    let told: Vec<_> = page.comments.iter().map(|one| (one.id.as_str(), one.parent.as_deref(), one.replies)).collect();
    assert_eq!(told, [("7", None, Some(1)), ("8", Some("7"), None), ("6", None, Some(0))]);
    assert_eq!(page.comments[0].created_ms, time::rfc3339_ms("2026-05-04T09:00:00Z"));
    let own = page.comments[1].author.clone().unwrap();
    assert_eq!((own.id.as_deref(), own.name.as_str()), (Some("178"), "coffee"));
    assert_eq!((page.comments[2].author.is_some(), page.comments[2].created_ms), (false, None));
    let next =
        play(|_| answer(200, &json!({ "data": [] })), || Instagram::list(&account(), "900", Some("orla-link:b3Js")));
    assert_eq!(next.lines, ["read GET orla-link:b3Js"]);
    assert_eq!(next.result.unwrap().next, None);
}

#[test]
fn a_reply_is_said_below_its_comment() {
    let played = play(|_| answer(200, &json!({ "id": "9" })), || Instagram::reply(&account(), "7", "At seven"));
    assert_eq!(played.lines, ["commit reply POST /v26.0/7/replies message=At seven"]);
    let committed = Committed { id: "9".to_owned(), url: None };
    assert_eq!(played.result, Ok(Confirmed { key: "reply".to_owned(), committed }));
    let long = play(|_| answer(500, &json!({})), || Instagram::reply(&account(), "7", &"x".repeat(2_201)));
    assert_eq!((long.result.unwrap_err().field.as_deref(), long.lines.len()), (Some("text"), 0));
    let gone = play(|_| problem(400, 100, 33), || Instagram::reply(&account(), "7", "At seven"));
    assert_eq!(gone.result.unwrap_err().kind, FaultKind::NotFound);
    let refused = play(|_| problem(400, 100, 1), || Instagram::reply(&account(), "7", "At seven"));
    assert_eq!(refused.result.unwrap_err().field.as_deref(), Some("text"));
}

/// The verdict where there are these replies.
fn find(replies: Value, others: &[&str]) -> (Result<Verdict>, Vec<String>) {
    let attempt = ReplyAttempt {
        sent_at_ms: time::rfc3339_ms("2026-05-04T09:00:00Z").unwrap(),
        others: others.iter().map(|id| (*id).to_owned()).collect(),
    };
    let vendor = move |line: &str| -> Answer {
        match line {
            "read GET /v26.0/8?fields=parent_id" => answer(200, &json!({ "id": "8", "parent_id": "7" })),
            "read GET /v26.0/178?fields=username" => answer(200, &json!({ "id": "178", "username": "coffee" })),
            _ => answer(200, &json!({ "data": replies })),
        }
    };
    let played = play(vendor, || Instagram::find(&account(), "8", "At seven", &attempt));
    (played.result, played.lines)
}

#[test]
fn a_lost_reply_is_found_where_instagram_hangs_it() {
    let reply = |id: &str, name: &str| json!({ "id": id, "text": "At  seven", "username": name, "timestamp": "2026-05-04T09:00:02+0000" });
    let (verdict, lines) = find(json!([reply("10", "ann"), reply("11", "coffee"), reply("12", "coffee")]), &["11"]);
    assert_eq!(verdict, Ok(Verdict::Done(Committed { id: "12".to_owned(), url: None })));
    assert_eq!(
        lines,
        [
            "read GET /v26.0/8?fields=parent_id",
            "read GET /v26.0/178?fields=username",
            "read GET /v26.0/7/replies?fields=id,text,timestamp,username,user{id},like_count&limit=50",
        ]
    );
    assert_eq!(find(json!([reply("10", "ann")]), &[]).0, Ok(Verdict::Absent));
    let anonymous = json!([{ "id": "13", "text": "At seven" }]);
    assert_eq!(find(anonymous, &[]).0, Ok(Verdict::Unknown));
}
