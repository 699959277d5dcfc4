//! Comments on videos, and the channel's replies.

use super::{CHANNEL, account, answer, problem};
use crate::YouTube;
use orla_sdk::testing::{Answer, play};
use orla_sdk::{Comments, Committed, Confirmed, FaultKind, Reply, ReplyAttempt, Result, Verdict, time};
use serde_json::{Value, json};

fn said(id: &str, author: Option<&str>, text: &str, at: &str) -> Value {
    let mut snippet = json!({
        "textDisplay": text, "authorDisplayName": "@ann", "likeCount": 2, "publishedAt": at, "videoId": "vid1",
    });
    if let Some(author) = author {
        snippet["authorChannelId"] = json!({ "value": author });
    }
    json!({ "id": id, "snippet": snippet })
}

fn thread(id: &str, count: u32, replies: &[&str]) -> Value {
    let replies: Vec<Value> = replies
        .iter()
        .map(|reply| {
            let mut said = said(reply, Some(CHANNEL), "At seven", "2026-05-04T08:01:00Z");
            said["snippet"]["parentId"] = id.into();
            said
        })
        .collect();
    json!({
        "id": id,
        "snippet": {
            "topLevelComment": said(id, Some("UCann"), "When do you open?", "2026-05-04T08:00:00Z"),
            "canReply": true, "totalReplyCount": count,
        },
        "replies": { "comments": replies },
    })
}

const THREADS: &str = concat!(
    "read GET /youtube/v3/commentThreads?part=snippet,replies&videoId=vid1&order=time&maxResults=50",
    "&textFormat=plainText"
);
const REPLIES: &str = "read GET /youtube/v3/comments?part=snippet&parentId=B&maxResults=100&textFormat=plainText";

#[test]
fn a_list_has_threads_with_their_replies_and_goes_on_with_those_that_are_missing() {
    let first = json!({ "items": [thread("A", 1, &["A.1"]), thread("B", 7, &["B.1"])], "nextPageToken": "t2" });
    let played = play(move |_line| answer(200, &first), || YouTube::list(&account(), "vid1", None));
    assert_eq!(played.lines, [THREADS]);
    let page = played.result.unwrap();
    let told: Vec<(&str, Option<&str>, Option<u32>)> =
        page.comments.iter().map(|one| (one.id.as_str(), one.parent.as_deref(), one.replies)).collect();
    assert_eq!(told, [("A", None, Some(1)), ("A.1", Some("A"), None), ("B", None, Some(7))]);
    let asked = &page.comments[0];
    assert_eq!((asked.text.as_str(), asked.likes, asked.can_reply), ("When do you open?", Some(2), true));
    assert_eq!(asked.author.as_ref().unwrap().id.as_deref(), Some("UCann"));
    assert_eq!(asked.created_ms, time::rfc3339_ms("2026-05-04T08:00:00Z"));
    assert_eq!(asked.url.as_deref(), Some("https://www.youtube.com/watch?v=vid1&lc=A"));

    let replies = |next: Option<&str>| json!({ "items": [said("B.1", None, "x", "")], "nextPageToken": next });
    let at = |cursor: &str, answered: Value| {
        let cursor = cursor.to_owned();
        play(move |_line| answer(200, &answered), move || YouTube::list(&account(), "vid1", Some(&cursor)))
    };
    let played = at(&page.next.unwrap(), replies(Some("r2")));
    assert_eq!(played.lines, [REPLIES]);
    let played = at(&played.result.unwrap().next.unwrap(), replies(None));
    assert_eq!(played.lines, [format!("{REPLIES}&pageToken=r2")]);
    let played = at(&played.result.unwrap().next.unwrap(), json!({ "items": [] }));
    assert_eq!(played.lines, [format!("{THREADS}&pageToken=t2")]);
    assert_eq!(played.result.unwrap().next, None);
}

#[test]
fn a_list_that_cannot_be_had_is_a_fault() {
    let list =
        |answered: Answer| play(move |_line| answered.clone(), || YouTube::list(&account(), "vid1", None)).result;
    assert_eq!(list(problem(404, "videoNotFound")).unwrap_err().kind, FaultKind::NotFound);
    assert_eq!(list(problem(403, "commentsDisabled")).unwrap_err().kind, FaultKind::Conflict);
    let lost = play(|_line| unreachable!(), || YouTube::list(&account(), "vid1", Some("{")));
    assert_eq!(lost.result.unwrap_err().kind, FaultKind::Invalid);
}

#[test]
fn a_reply_hangs_on_the_comment_that_began_the_thread() {
    for comment in ["A", "A.1"] {
        let reply = move || YouTube::reply(&account(), comment, "At seven, Ann");
        let played = play(|_line| answer(200, &json!({ "id": "A.2" })), reply);
        let line = concat!(
            "commit reply POST /youtube/v3/comments?part=snippet ",
            r#"{"snippet":{"parentId":"A","textOriginal":"At seven, Ann"}}"#
        );
        assert_eq!(played.lines, [line]);
        let committed = Committed { id: "A.2".to_owned(), url: None };
        assert_eq!(played.result, Ok(Confirmed { key: "reply".to_owned(), committed }));
    }
    let long = "x".repeat(10_001);
    let played = play(|_line| unreachable!(), move || YouTube::reply(&account(), "A", &long));
    assert_eq!(played.result.unwrap_err().field.as_deref(), Some("text"));
    let refused = play(|_line| problem(400, "commentTextTooLong"), || YouTube::reply(&account(), "A", "x"));
    assert_eq!(refused.result.unwrap_err().field.as_deref(), Some("text"));
    let gone = play(|_line| problem(404, "parentCommentNotFound"), || YouTube::reply(&account(), "A", "x"));
    assert_eq!(gone.result.unwrap_err().kind, FaultKind::NotFound);
}

/// Looks for a reply of nine o'clock among these.
fn find(replies: &[Value]) -> Result<Verdict> {
    let page = json!({ "items": replies });
    let lost =
        ReplyAttempt { sent_at_ms: time::rfc3339_ms("2026-05-04T09:00:00Z").unwrap(), others: vec!["A.3".to_owned()] };
    play(move |_line| answer(200, &page), move || YouTube::find(&account(), "A.1", "At seven,\nAnn", &lost)).result
}

#[test]
fn a_lost_reply_is_known_by_author_words_and_time() {
    let (words, at) = ("At seven, Ann", "2026-05-04T09:00:01Z");
    let done = Verdict::Done(Committed { id: "A.4".to_owned(), url: None });
    assert_eq!(find(&[said("A.3", Some(CHANNEL), words, at), said("A.4", Some(CHANNEL), words, at)]), Ok(done));
    let others = [
        said("A.3", Some(CHANNEL), words, at),
        said("A.5", Some("UCann"), words, at),
        said("A.6", Some(CHANNEL), "At eight", at),
        said("A.7", Some(CHANNEL), words, "2026-05-04T08:50:00Z"),
    ];
    assert_eq!(find(&others), Ok(Verdict::Absent));
    assert_eq!(find(&[said("A.8", None, words, at)]), Ok(Verdict::Unknown));
}
