//! What follows once a video exists: thumbnail, verdict, first comment.

use super::{account, done, film, kept, live, problem, told};
use crate::YouTube;
use orla_sdk::testing::{Answer, Played, media, play, play_at};
use orla_sdk::{Committed, Fault, FaultKind, PartOutcome, Progress, Publish, Receipt, Result, Variant, time};
use serde_json::{Value, json};

/// A video with a picture after it.
fn with_picture() -> Variant {
    let mut variant = film(5);
    variant.parts[0].media.push(media("image/jpeg", 900, None));
    variant
}

fn publish(variant: Variant, mut special: impl FnMut(&str) -> Option<Answer> + 'static) -> Played<Result<Progress>> {
    let variant = kept(variant);
    let vendor = move |line: &str| special(line).unwrap_or_else(|| usual(line));
    play(vendor, move || YouTube::publish(&account(), variant))
}

fn usual(line: &str) -> Answer {
    match line.split(' ').nth(1).unwrap_or_default() {
        "media/0/0/begun" => told(200, &[("location", "orla-link:up")], &Value::Null),
        "part/0" => told(200, &[], &json!({ "id": "vid1" })),
        "media/0/1/thumbnail" => told(200, &[], &json!({ "items": [{}] })),
        "first-comment" => told(200, &[], &json!({ "id": "Ug1" })),
        _ => video(&json!({ "uploadStatus": "processed", "privacyStatus": "public" })),
    }
}

/// What YouTube tells of the video, so many seconds after its end.
fn later(seconds: u64, status: &Value) -> Answer {
    let date = ["Mon, 04 May 2026 09:00:00 GMT", "Mon, 04 May 2026 09:00:45 GMT", "Mon, 04 May 2026 09:30:00 GMT"];
    let date = match seconds {
        0 => date[0],
        45 => date[1],
        1_800 => date[2],
        _ => "Mon, 04 May 2026 10:00:00 GMT",
    };
    let body = json!({ "items": [{ "snippet": { "publishedAt": "2026-05-04T09:00:00Z" }, "status": status }] });
    Answer::Response(orla_sdk::Response::new(200, &[("date", date)], body.to_string()))
}

fn video(status: &Value) -> Answer {
    later(0, status)
}

const THUMBNAIL: &str =
    "prepare media/0/1/thumbnail POST /upload/youtube/v3/thumbnails/set?videoId=vid1&uploadType=media [0..900]";

#[test]
fn a_picture_after_the_video_becomes_its_thumbnail() {
    let played = publish(with_picture(), |_| None);
    assert_eq!(played.lines[2], THUMBNAIL);
    assert_eq!((played.lines.len(), played.result), (4, Ok(live())));
}

#[test]
fn a_refused_thumbnail_is_told_once_all_else_is_done() {
    let wished = Variant { first_comment: Some("First!".to_owned()), ..with_picture() };
    let played = publish(wished, |line| (line == THUMBNAIL).then(|| problem(403, "forbidden")));
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some("parts/0/media/1")));
    assert!(fault.message.starts_with("The video is live, but YouTube refuses its thumbnail: "), "{fault}");
    assert!(played.lines.last().unwrap().starts_with("commit first-comment"), "{:?}", played.lines);
    let played = publish(with_picture(), |line| (line == THUMBNAIL).then(|| told(503, &[], &Value::Null)));
    assert_eq!(played.result.unwrap_err().kind, FaultKind::VendorDown, "that may be over soon");
}

#[test]
fn a_video_is_waited_for_less_and_less_often_and_not_for_ever() {
    let uploaded = || json!({ "uploadStatus": "uploaded", "privacyStatus": "public" });
    for (seconds, wait) in [(0, 3_000), (45, 20_000), (1_800, 60_000)] {
        let played = publish(film(5), move |line| line.starts_with("read").then(|| later(seconds, &uploaded())));
        assert_eq!(played.result, Ok(Progress::Pending(wait)), "{seconds}");
    }
    let played = publish(film(5), move |line| line.starts_with("read").then(|| later(3_600, &uploaded())));
    assert_eq!(played.result, Ok(live()));
    // Of a video that was found, YouTube says itself since when it is there.
    let known = Committed { id: "vid1".to_owned(), url: Some("https://youtu.be/vid1".to_owned()) };
    let played = publish(film(5), move |line| match line {
        line if line.starts_with("commit") => Some(Answer::Known(known.clone())),
        line if line.starts_with("read") => Some(later(45, &uploaded())),
        _ => None,
    });
    assert_eq!(played.result, Ok(Progress::Pending(20_000)));
    // Where nobody can tell, it counts as live.
    let played = publish(film(5), move |line| match line {
        line if line.starts_with("read") => {
            let body = json!({ "items": [{ "status": uploaded() }] });
            Some(Answer::Response(orla_sdk::Response::new(200, &[], body.to_string())))
        }
        _ => None,
    });
    assert_eq!(played.result, Ok(live()));
}

#[test]
fn a_video_that_is_rejected_is_a_fault_in_words() {
    let cases = [
        (
            json!({ "uploadStatus": "rejected", "rejectionReason": "duplicate" }),
            "duplicate",
            "duplicate of another video",
        ),
        (
            json!({ "uploadStatus": "failed", "failureReason": "codec" }),
            "codec",
            "could not process the video: its codec",
        ),
        (json!({ "uploadStatus": "rejected", "rejectionReason": "newReason" }), "newReason", "newReason"),
    ];
    for (status, code, words) in cases {
        let played = publish(film(5), move |line| line.starts_with("read").then(|| video(&status)));
        let fault = played.result.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Invalid, Some(code)));
        assert!(fault.message.contains(words), "{fault}");
    }
    let deleted =
        publish(film(5), |line| line.starts_with("read").then(|| video(&json!({ "uploadStatus": "deleted" }))));
    assert!(deleted.result.unwrap_err().message.contains("has deleted the video: it does not say why"));
}

#[test]
fn a_video_that_nobody_sees_though_people_were_to_is_a_fault() {
    let private = || json!({ "uploadStatus": "processed", "privacyStatus": "private" });
    let played = publish(film(5), move |line| line.starts_with("read").then(|| video(&private())));
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Conflict, Some("forcedPrivate")));
    assert!(fault.message.contains("audit"), "{fault}");
    let wished = Variant { privacy: Some("private".to_owned()), ..film(5) };
    let played = publish(wished, move |line| line.starts_with("read").then(|| video(&private())));
    assert_eq!(played.result, Ok(live()));
}

#[test]
fn a_verdict_that_cannot_be_read_is_asked_for_again() {
    let spent = publish(film(5), |line| line.starts_with("read").then(|| problem(403, "quotaExceeded")));
    assert_eq!(spent.result, Ok(Progress::Pending(3_600_000)), "nobody learns it while the allowance is used up");
    let garbled = publish(film(5), |line| line.starts_with("read").then(|| told(200, &[], &json!([]))));
    assert_eq!(garbled.result.unwrap_err().kind, FaultKind::VendorDown);
    let nothing = publish(film(5), |line| line.starts_with("read").then(|| told(200, &[], &json!({ "items": [] }))));
    assert_eq!(nothing.result, Ok(Progress::Pending(3_000)), "it may show a moment later");
    let down = publish(film(5), |line| line.starts_with("read").then(|| told(500, &[], &Value::Null)));
    assert_eq!(down.result.unwrap_err().kind, FaultKind::VendorDown);
}

#[test]
fn the_channel_says_a_first_comment_once_the_video_is_live() {
    let wished = || Variant { first_comment: Some("First!".to_owned()), ..film(5) };
    let said = concat!(
        "commit first-comment POST /youtube/v3/commentThreads?part=snippet ",
        r#"{"snippet":{"topLevelComment":{"snippet":{"textOriginal":"First!"}},"videoId":"vid1"}}"#
    );
    let played = publish(wished(), |_| None);
    assert_eq!(played.lines.last().unwrap(), said);
    let parts = vec![PartOutcome::Done(done("part/0", "vid1", "https://youtu.be/vid1"))];
    let comment = done("first-comment", "Ug1", "https://www.youtube.com/watch?v=vid1&lc=Ug1");
    let receipt = Receipt { parts: parts.clone(), first_comment: Some(PartOutcome::Done(comment)) };
    assert_eq!(played.result, Ok(Progress::Published(receipt)));
    let off = publish(wished(), move |line| (line == said).then(|| problem(403, "commentsDisabled")));
    let Ok(Progress::Published(Receipt { first_comment: Some(PartOutcome::Missing(fault)), .. })) = off.result else {
        panic!("the video stays live")
    };
    assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Conflict, Some("commentsDisabled")));
    let lost = Fault { sent: true, ..Fault::new(FaultKind::Uncertain, "?") };
    let lost = publish(wished(), move |line| (line == said).then(|| Answer::Fault(lost.clone())));
    assert_eq!(lost.result.unwrap_err().kind, FaultKind::Uncertain);
}

#[test]
fn a_used_up_allowance_is_back_at_midnight_in_california() {
    let began_ms = time::rfc3339_ms("2026-05-04T09:00:00Z").unwrap();
    let variant = kept(film(5));
    let played =
        play_at(began_ms, |_line| problem(403, "quotaExceeded"), move || YouTube::publish(&account(), variant));
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.retry_after_ms), (FaultKind::Quota, Some(23 * 3_600_000)));
    assert!(fault.message.contains("midnight"), "{fault}");
}
