//! Comments and replies.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{Bench, Caller, body, film, refused, sent, text};

const INSERT: &str = "/youtube/v3/commentThreads?part=snippet";
const REPLY: &str = "/youtube/v3/comments?part=snippet";

fn said(video: &str, words: &str) -> Value {
    json!({ "snippet": { "videoId": video, "topLevelComment": { "snippet": { "textOriginal": words } } } })
}

fn reply(parent: &str, words: &str) -> Value {
    json!({ "snippet": { "parentId": parent, "textOriginal": words } })
}

async fn made(caller: &Caller<'_>, path: &str, json: &Value) -> Value {
    body(sent(caller.post(path, json)).await, StatusCode::OK).await
}

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().expect("a list").iter().map(|item| text(&item["id"])).collect()
}

#[tokio::test]
async fn comments_are_listed_with_some_of_their_replies() {
    let bench = Bench::start().await;
    let caller = bench.caller();
    let video = caller.uploaded(&film(9)).await;
    let own = text(&made(&caller, INSERT, &said(&video, "a < b")).await["id"]);
    let asked = bench.sim.comment(&video, "Ann", "When do you open?").unwrap();
    let mut replies = Vec::new();
    for number in 0..6 {
        replies.push(text(&made(&caller, REPLY, &reply(&asked, &format!("At {number}"))).await["id"]));
    }
    assert!(replies.iter().all(|id| id.starts_with(&format!("{asked}."))), "{replies:?}");
    let list = format!("/youtube/v3/commentThreads?part=snippet,replies&videoId={video}&order=time");
    let threads = caller.read(&format!("{list}&textFormat=plainText")).await;
    assert_eq!(ids(&threads), [asked.clone(), own.clone()]);
    let first = &threads["items"][0];
    assert_eq!(
        (&first["snippet"]["totalReplyCount"], first["replies"]["comments"].as_array().unwrap().len()),
        (&json!(6), 5)
    );
    let words = |threads: &Value| threads["items"][1]["snippet"]["topLevelComment"]["snippet"]["textDisplay"].clone();
    assert_eq!((words(&threads), words(&caller.read(&list).await)), (json!("a < b"), json!("a &lt; b")));
    // What was written is shown to whoever wrote it.
    assert_eq!(threads["items"][1]["snippet"]["topLevelComment"]["snippet"]["textOriginal"], "a < b");
    assert_eq!(first["snippet"]["topLevelComment"]["snippet"]["textOriginal"], Value::Null);
    let below = format!("/youtube/v3/comments?part=snippet&parentId={asked}&maxResults=4");
    let page = caller.read(&below).await;
    let rest = caller.read(&format!("{below}&pageToken={}", text(&page["nextPageToken"]))).await;
    assert_eq!([ids(&page), ids(&rest)].concat(), replies);
    assert_eq!(rest["items"][0]["snippet"]["parentId"], asked);
    assert_eq!(bench.sim.made().comments, 7);
}

#[tokio::test]
async fn what_cannot_be_said_is_refused() {
    let bench = Bench::start().await;
    let caller = bench.caller();
    let video = caller.uploaded(&film(9)).await;
    let asked = bench.sim.comment(&video, "Ann", "When?").unwrap();
    let answer = bench.sim.comment(&asked, "Ben", "Later").unwrap();
    for (path, json, expected) in [
        (INSERT, said("nothing", "x"), (404, "videoNotFound")),
        (INSERT, said(&video, " "), (400, "commentTextRequired")),
        (INSERT, said(&video, &"x".repeat(10_001)), (400, "commentTextTooLong")),
        (REPLY, reply("nothing", "x"), (404, "parentCommentNotFound")),
        (REPLY, reply(&answer, "x"), (404, "parentCommentNotFound")),
        (REPLY, json!({ "snippet": { "parentId": asked, "textOriginal": "x", "surprise": 1 } }), (400, "parseError")),
        ("/youtube/v3/comments?part=surprise", reply(&asked, "x"), (400, "unknownPart")),
    ] {
        assert_eq!(refused(caller.post(path, &json)).await, (expected.0, expected.1.to_owned()), "{path} {json}");
    }
    let list = format!("/youtube/v3/commentThreads?part=snippet&videoId={video}");
    for (query, reason) in
        [("&order=best", "invalidParameter"), ("&textFormat=rtf", "invalidParameter"), ("&x=1", "badRequest")]
    {
        assert_eq!(refused(caller.get(&format!("{list}{query}"))).await, (400, reason.to_owned()));
    }
    bench.sim.change(|settings| settings.comments_disabled = true);
    assert_eq!(refused(caller.post(INSERT, &said(&video, "x"))).await, (403, "commentsDisabled".to_owned()));
    assert_eq!(refused(caller.get(&list)).await, (403, "commentsDisabled".to_owned()));
    bench.sim.change(|settings| {
        settings.comments_disabled = false;
        settings.force_private = true;
    });
    let private = caller.uploaded(&film(10)).await;
    assert_eq!(refused(caller.post(INSERT, &said(&private, "x"))).await, (403, "forbidden".to_owned()));
    assert_eq!(bench.sim.made().comments, 0);
}
