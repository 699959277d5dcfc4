//! Bringing videos: stretch by stretch, and on from where it stopped.

use super::{account, film, kept, live, problem, told};
use crate::YouTube;
use orla_sdk::testing::{Answer, Played, part, play, post};
use orla_sdk::{Committed, Fact, Fault, FaultKind, Progress, Publish, Result, Variant};
use serde_json::{Value, json};

const MIB: u64 = 1 << 20;
/// More than one stretch, and a last one of 5 bytes.
const SIZE: u64 = 17 * MIB + 5;

/// A publication before a YouTube that answers as told, and else as one where everything works.
fn publish(variant: Variant, mut special: impl FnMut(&str) -> Option<Answer> + 'static) -> Played<Result<Progress>> {
    let variant = kept(variant);
    let vendor = move |line: &str| special(line).unwrap_or_else(|| usual(line));
    play(vendor, move || YouTube::publish(&account(), variant))
}

fn usual(line: &str) -> Answer {
    let mut words = line.split(' ');
    let (effect, key) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match (effect, key) {
        ("prepare", "media/0/0/begun") => told(200, &[("location", "orla-link:up")], &Value::Null),
        ("prepare", "media/0/0/reached") => arrived(0),
        ("prepare", _) if line.contains("[0..16777216]") => arrived(16 * MIB),
        ("prepare", _) => arrived(17 * MIB),
        ("commit", _) => told(200, &[], &json!({ "id": "vid1", "status": { "uploadStatus": "uploaded" } })),
        _ => {
            let video = json!({ "status": { "uploadStatus": "processed", "privacyStatus": "public" } });
            told(200, &[], &json!({ "items": [video] }))
        }
    }
}

/// So many bytes are there, and more are to come.
fn arrived(bytes: u64) -> Answer {
    if bytes == 0 {
        return told(308, &[], &Value::Null);
    }
    told(308, &[("range", &format!("bytes=0-{}", bytes - 1))], &Value::Null)
}

const BEGIN: &str = concat!(
    "prepare media/0/0/begun POST /upload/youtube/v3/videos?uploadType=resumable&part=snippet,status ",
    r#"{"snippet":{"categoryId":"22","description":"How we bake","title":"Bread"},"#,
    r#""status":{"privacyStatus":"public","selfDeclaredMadeForKids":false}}"#
);
const ASK: &str = "prepare media/0/0/reached PUT orla-link:up";
const END: &str = "commit part/0 PUT orla-link:up [17825792..17825797]";
const LOOK: &str = "read GET /youtube/v3/videos?part=snippet,status&id=vid1";

#[test]
fn a_video_goes_stretch_by_stretch_and_the_short_last_one_is_the_commit() {
    let played = publish(film(SIZE), |_| None);
    let lines = [
        BEGIN,
        ASK,
        "prepare media/0/0/from/0 PUT orla-link:up [0..16777216]",
        "prepare media/0/0/from/16777216 PUT orla-link:up [16777216..17825792]",
        END,
        LOOK,
    ];
    assert_eq!(played.lines, lines);
    assert_eq!(played.result, Ok(live()));
}

#[test]
fn a_small_video_is_all_commit() {
    let played = publish(film(256 << 10), |_| None);
    assert_eq!(played.lines[1..], ["commit part/0 PUT orla-link:up [0..262144]", LOOK]);
    assert_eq!(played.result, Ok(live()));
}

#[test]
fn what_a_person_wishes_goes_along() {
    let extra = |name: &str, value: Value| Fact { name: name.to_owned(), value: value.to_string() };
    let wished = Variant {
        privacy: Some("unlisted".to_owned()),
        extras: vec![
            extra("tags", json!(["bread", "sour dough"])),
            extra("category", json!("26")),
            extra("made_for_kids", json!(true)),
            extra("synthetic_media", json!(true)),
            extra("license", json!("creativeCommon")),
            extra("embeddable", json!(false)),
            extra("notify_subscribers", json!(false)),
        ],
        ..film(1)
    };
    let played = publish(wished, |_| None);
    let (line, body) = played.lines[0].split_once(" {").unwrap();
    assert!(line.ends_with("part=snippet,status&notifySubscribers=false"), "{line}");
    let body: Value = serde_json::from_str(&format!("{{{body}")).unwrap();
    assert_eq!(
        (&body["snippet"]["tags"], &body["snippet"]["categoryId"]),
        (&json!(["bread", "sour dough"]), &json!("26"))
    );
    let status = json!({
        "privacyStatus": "unlisted", "selfDeclaredMadeForKids": true, "containsSyntheticMedia": true, "embeddable": false,
        "license": "creativeCommon",
    });
    assert_eq!(body["status"], status);
}

#[test]
fn an_upload_goes_on_where_youtube_has_come_to() {
    let played = publish(film(SIZE), |line| (line == ASK).then(|| arrived(10 * MIB)));
    assert_eq!(played.lines[2..], ["prepare media/0/0/from/10485760 PUT orla-link:up [10485760..17825792]", END, LOOK]);
    let played = publish(film(SIZE), |line| (line == ASK).then(|| arrived(17 * MIB)));
    assert_eq!(played.lines[2..], [END, LOOK]);
    let ended = publish(film(SIZE), |line| (line == ASK).then(|| told(200, &[], &json!({ "id": "vid1" }))));
    assert_eq!(ended.lines[2..], [END, LOOK]);
}

#[test]
fn a_stretch_that_is_cut_goes_on_at_once_with_what_is_missing() {
    let mut asked = 0;
    let played = publish(film(SIZE), move |line| match line {
        ASK => {
            asked += 1;
            Some(arrived(if asked == 1 { 0 } else { 3 * MIB }))
        }
        line if line.contains("from/0 ") => Some(Answer::Fault(Fault::new(FaultKind::VendorDown, "cut"))),
        _ => None,
    });
    assert_eq!(
        played.lines[2..],
        [
            "prepare media/0/0/from/0 PUT orla-link:up [0..16777216]",
            ASK,
            "prepare media/0/0/from/3145728 PUT orla-link:up [3145728..17825792]",
            END,
            LOOK
        ]
    );
    assert_eq!(played.result, Ok(live()));
}

#[test]
fn a_stretch_of_which_nothing_arrives_ends_the_execution() {
    for lost in [told(503, &[], &Value::Null), arrived(0)] {
        let played = publish(film(SIZE), move |line| line.contains("from/0 ").then(|| lost.clone()));
        assert_eq!(played.result.unwrap_err().kind, FaultKind::VendorDown);
        assert!(!played.lines.iter().any(|line| line.starts_with("commit")));
    }
}

#[test]
fn an_upload_that_is_gone_is_begun_anew_once_its_end_was_asked_for() {
    for gone in [404, 410] {
        let mut begun = 0;
        let played = publish(film(SIZE), move |line| match line {
            BEGIN => {
                begun += 1;
                Some(told(200, &[("location", &format!("orla-link:up{begun}"))], &Value::Null))
            }
            line if line.contains("orla-link:up1") => Some(told(gone, &[], &Value::Null)),
            _ => None,
        });
        let puts: Vec<&str> = played.lines.iter().map(String::as_str).collect();
        assert_eq!(
            puts,
            [
                BEGIN,
                "prepare media/0/0/reached PUT orla-link:up1",
                "commit part/0 PUT orla-link:up1 [17825792..17825797]",
                "forget media/0/0/begun",
                BEGIN,
                "prepare media/0/0/reached PUT orla-link:up2",
                "prepare media/0/0/from/0 PUT orla-link:up2 [0..16777216]",
                "prepare media/0/0/from/16777216 PUT orla-link:up2 [16777216..17825792]",
                "commit part/0 PUT orla-link:up2 [17825792..17825797]",
                LOOK
            ]
        );
        assert_eq!(played.result, Ok(live()));
    }
    // A second one is not given up.
    let played = publish(film(SIZE), |line| line.contains("PUT").then(|| told(404, &[], &Value::Null)));
    assert_eq!(played.result.unwrap_err().kind, FaultKind::NotFound);
    assert_eq!(played.lines.iter().filter(|line| *line == BEGIN).count(), 2);
}

#[test]
fn an_end_of_which_nobody_knows_is_never_the_reason_to_begin_anew() {
    let uncertain = || Answer::Fault(Fault { sent: true, ..Fault::new(FaultKind::Uncertain, "?") });
    let played = publish(film(SIZE), move |line| match line {
        ASK => Some(told(404, &[], &Value::Null)),
        line if line.starts_with("commit") => Some(uncertain()),
        _ => None,
    });
    assert_eq!(played.lines.len(), 3);
    assert_eq!(played.result.unwrap_err().kind, FaultKind::Uncertain);
}

#[test]
fn an_end_that_was_not_the_end_goes_on_later() {
    let played = publish(film(SIZE), |line| line.starts_with("commit").then(|| arrived(17 * MIB)));
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.sent), (FaultKind::VendorDown, true));
}

#[test]
fn a_video_that_was_found_is_not_sent_again() {
    let known = Committed { id: "vid1".to_owned(), url: Some("https://youtu.be/vid1".to_owned()) };
    let played = publish(film(5), move |line| line.starts_with("commit").then(|| Answer::Known(known.clone())));
    assert_eq!(played.result, Ok(live()));
}

#[test]
fn what_youtube_leaves_unsaid_is_a_fault() {
    let no_address = publish(film(5), |line| line.contains("begun").then(|| told(200, &[], &Value::Null)));
    assert_eq!(no_address.lines[1..], ["forget media/0/0/begun"]);
    assert_eq!(no_address.result.unwrap_err().kind, FaultKind::Vendor);
    for nameless in [json!({ "id": "" }), json!({}), Value::Null] {
        let played = publish(film(5), move |line| line.starts_with("commit").then(|| told(200, &[], &nameless)));
        let fault = played.result.unwrap_err();
        assert_eq!((fault.kind, fault.sent), (FaultKind::Vendor, true));
    }
    let played = publish(film(SIZE), |line| (line == ASK).then(|| told(308, &[("range", "bytes=5-9")], &Value::Null)));
    assert_eq!(played.result.unwrap_err().kind, FaultKind::Vendor);
}

#[test]
fn a_refused_beginning_is_told_with_the_member_that_it_is_about() {
    for (reason, field) in [("invalidTitle", "title"), ("invalidVideoMetadata", "parts/0/media/0")] {
        let played = publish(film(5), move |line| line.contains("begun").then(|| problem(400, reason)));
        let fault = played.result.unwrap_err();
        assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some(field)));
        assert_eq!(played.lines.len(), 1);
    }
}

#[test]
fn a_post_without_a_video_is_none() {
    let played = publish(Variant { parts: vec![part("Words", vec![])], ..post(&[]) }, |_| None);
    assert_eq!(played.lines, [""; 0]);
    assert_eq!(played.result.unwrap_err().kind, FaultKind::Invalid);
}
