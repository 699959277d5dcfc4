//! Finding again what was lost.

use super::{CHANNEL, account, answer, film, kept, problem, told};
use crate::YouTube;
use orla_sdk::testing::{Answer, Played, play};
use orla_sdk::{Attempt, Committed, Fault, FaultKind, Reconcile, Result, Variant, Verdict, time};
use serde_json::{Value, json};

const SIZE: u64 = (1 << 20) + 5;
const ASK: &str = "read PUT orla-link:up";

fn at(text: &str) -> u64 {
    time::rfc3339_ms(text).unwrap()
}

fn look(
    key: &str,
    variant: Variant,
    mut special: impl FnMut(&str) -> Option<Answer> + 'static,
) -> Played<Result<Verdict>> {
    let variant = kept(variant);
    let earlier = match key {
        "part/0" => Vec::new(),
        _ => vec![("part/0".to_owned(), Committed { id: "vid1".to_owned(), url: None })],
    };
    let attempt = Attempt { key: key.to_owned(), sent_at_ms: at("2026-05-04T09:00:00Z"), earlier };
    let vendor = move |line: &str| special(line).unwrap_or_else(|| usual(line));
    play(vendor, move || YouTube::reconcile(&account(), variant, &attempt))
}

fn usual(line: &str) -> Answer {
    match line {
        line if line.contains("begun") => told(200, &[("location", "orla-link:up")], &Value::Null),
        line if line.contains("channels") => {
            answer(200, &json!({ "items": [{ "contentDetails": { "relatedPlaylists": { "uploads": "UUada" } } }] }))
        }
        _ => answer(200, &json!({ "items": [] })),
    }
}

fn done(id: &str) -> Verdict {
    Verdict::Done(Committed { id: id.to_owned(), url: Some(format!("https://youtu.be/{id}")) })
}

#[test]
fn an_upload_says_what_it_made() {
    let played = look("part/0", film(SIZE), |line| (line == ASK).then(|| told(200, &[], &json!({ "id": "vid1" }))));
    assert!(played.lines[0].starts_with("prepare media/0/0/begun POST "), "{:?}", played.lines);
    assert_eq!(played.lines[1..], [ASK]);
    assert_eq!(played.result, Ok(done("vid1")));
    for (range, verdict) in [("bytes=0-1048575", Verdict::Absent), ("bytes=0-1048580", Verdict::Unknown)] {
        let arrived = told(308, &[("range", range)], &Value::Null);
        let played = look("part/0", film(SIZE), move |line| (line == ASK).then(|| arrived.clone()));
        assert_eq!(played.result, Ok(verdict));
    }
    let down = look("part/0", film(SIZE), |line| (line == ASK).then(|| told(503, &[], &Value::Null)));
    assert_eq!(down.result.unwrap_err().kind, FaultKind::VendorDown);
}

/// A video among the channel's uploads.
fn uploaded(id: &str, title: &str, description: &str, published: &str) -> Value {
    let resource = json!({ "kind": "youtube#video", "videoId": id });
    let snippet = json!({
        "title": title, "description": description, "publishedAt": published, "resourceId": resource,
    });
    json!({ "snippet": snippet })
}

/// Looks among these uploads, the journal having no upload, or YouTube knowing it no more.
fn among(uploads: &[Value]) -> Result<Verdict> {
    let page = json!({ "items": uploads });
    let list = "read GET /youtube/v3/playlistItems?part=snippet&playlistId=UUada&maxResults=50";
    let mut verdicts = Vec::new();
    for is_gone in [true, false] {
        let page = page.clone();
        let played = look("part/0", film(SIZE), move |line| match line {
            ASK => Some(told(404, &[], &Value::Null)),
            line if line.contains("begun") && !is_gone => Some(Answer::Fault(Fault::new(FaultKind::NotFound, "none"))),
            line if line == list => Some(answer(200, &page)),
            _ => None,
        });
        assert_eq!(played.lines.last().unwrap(), list);
        verdicts.push(played.result);
    }
    assert_eq!(verdicts[0], verdicts[1]);
    verdicts.remove(0)
}

#[test]
fn without_the_upload_a_video_is_known_by_title_description_and_time() {
    let (title, words, then) = ("Bread", "How  we bake", "2026-05-04T08:56:00Z");
    let others = [
        uploaded("o1", "Cake", words, then),
        uploaded("o2", title, words, "2026-05-04T08:54:00Z"),
        uploaded("o3", "Cake", words, "2026-05-01T08:54:00Z"),
    ];
    assert_eq!(among(&others), Ok(Verdict::Absent));
    assert_eq!(among(&[]), Ok(Verdict::Absent));
    let found = [uploaded("vid1", title, words, then), others[0].clone(), others[1].clone()];
    assert_eq!(among(&found), Ok(done("vid1")));
    let twice = [uploaded("vid1", title, words, then), uploaded("vid2", title, words, then)];
    assert_eq!(among(&twice), Ok(Verdict::Unknown));
    assert_eq!(among(&[uploaded("vid1", title, "Other words", then)]), Ok(Verdict::Unknown));
}

#[test]
fn uploads_are_read_page_by_page_until_they_are_older() {
    let page = |item: Value, next: &str| json!({ "items": [item], "nextPageToken": next });
    let first = page(uploaded("o1", "Cake", "", "2026-05-04T09:10:00Z"), "p2");
    let second = page(uploaded("o2", "Bread", "How we bake", "2026-05-01T09:10:00Z"), "p3");
    let played = look("part/0", film(SIZE), move |line| match line {
        ASK => Some(told(410, &[], &Value::Null)),
        line if line.ends_with("pageToken=p2") => Some(answer(200, &second)),
        line if line.contains("playlistItems") => Some(answer(200, &first)),
        _ => None,
    });
    assert_eq!((played.lines.len(), played.result), (5, Ok(Verdict::Absent)));
}

#[test]
fn a_channel_without_videos_has_none_and_one_that_cannot_be_read_is_a_fault() {
    let gone = |line: &str| (line == ASK).then(|| told(404, &[], &Value::Null));
    let empty = look("part/0", film(SIZE), move |line| {
        gone(line).or_else(|| line.contains("playlistItems").then(|| problem(404, "playlistNotFound")))
    });
    assert_eq!(empty.result, Ok(Verdict::Absent));
    let refused = look("part/0", film(SIZE), move |line| {
        gone(line).or_else(|| line.contains("playlistItems").then(|| problem(403, "playlistItemsNotAccessible")))
    });
    assert!(refused.result.is_err());
    let no_channel = look("part/0", film(SIZE), move |line| {
        gone(line).or_else(|| line.contains("channels").then(|| answer(200, &json!({ "items": [] }))))
    });
    assert_eq!(no_channel.result.unwrap_err().kind, FaultKind::NotFound);
    let stray = look("part/1", film(SIZE), |_| None);
    assert_eq!(stray.result.unwrap_err().kind, FaultKind::Bug);
}

#[test]
fn a_lost_first_comment_is_looked_for_below_the_video() {
    let commented = || Variant { first_comment: Some("First!".to_owned()), ..film(SIZE) };
    let thread = |id: &str, author: Option<&str>, published: &str| {
        let mut snippet = json!({ "textDisplay": "First!", "publishedAt": published });
        if let Some(author) = author {
            snippet["authorChannelId"] = json!({ "value": author });
        }
        json!({ "id": id, "snippet": { "topLevelComment": { "id": id, "snippet": snippet } } })
    };
    let among = |threads: Vec<Value>| {
        let played = look("first-comment", commented(), move |_| Some(answer(200, &json!({ "items": threads }))));
        let list = concat!(
            "read GET /youtube/v3/commentThreads?part=snippet&videoId=vid1&order=time&maxResults=100",
            "&textFormat=plainText"
        );
        assert_eq!(played.lines, [list]);
        played.result
    };
    let then = "2026-05-04T09:00:02Z";
    let url = Some("https://www.youtube.com/watch?v=vid1&lc=Ug2".to_owned());
    let found = Verdict::Done(Committed { id: "Ug2".to_owned(), url });
    assert_eq!(among(vec![thread("Ug1", Some("UCann"), then), thread("Ug2", Some(CHANNEL), then)]), Ok(found));
    assert_eq!(among(vec![thread("Ug1", Some(CHANNEL), "2026-05-04T08:00:00Z")]), Ok(Verdict::Absent));
    assert_eq!(among(vec![thread("Ug1", None, then)]), Ok(Verdict::Unknown));
    let nobody = look("first-comment", film(SIZE), |_| None);
    assert_eq!(nobody.result.unwrap_err().kind, FaultKind::Bug);
}
