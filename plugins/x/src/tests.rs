//! The connector against a pretended X, request by request.

use super::{X, explain};
use orla_sdk::testing::{Answer, Played, answer, media, part, play, variant};
use orla_sdk::{
    Account, Attempt, Committed, Confirmed, Connector, Fault, FaultKind, Identity, Media, PartOutcome, Progress,
    Publish, Receipt, Reconcile, Remove, Response, Result, Variant, Verdict,
};
use serde_json::{Value, json};

fn account() -> Account {
    Account { vendor_id: "42".to_owned(), handle: "ada".to_owned(), target: None }
}

fn post(id: &str) -> Committed {
    Committed { id: id.to_owned(), url: Some(format!("https://x.com/ada/status/{id}")) }
}

fn done(key: &str, id: &str) -> PartOutcome {
    PartOutcome::Done(Confirmed { key: key.to_owned(), committed: post(id) })
}

/// Publishes texts against an X that answers as told, and else takes every post.
fn publish(
    variant: &'static Variant,
    mut special: impl FnMut(&str) -> Option<Answer> + 'static,
) -> Played<Result<Progress>> {
    play(move |line| special(line).unwrap_or_else(|| usual(line)), move || X::publish(&account(), variant))
}

/// An X where everything works: part n becomes post 10n, medium j of it gets the id 10nj.
fn usual(line: &str) -> Answer {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["commit", key, "POST", "/2/tweets", ..] => {
            let index = key.trim_start_matches("part/");
            answer(201, &json!({ "data": { "id": format!("10{index}"), "text": "…" } }))
        }
        ["prepare", key, ..] => {
            let id: String = key.chars().filter(char::is_ascii_digit).take(2).collect();
            answer(200, &json!({ "data": { "id": format!("10{id}") } }))
        }
        _ => answer(404, &json!({})),
    }
}

fn problem(status: u16, detail: &str) -> Answer {
    answer(status, &json!({ "title": "Problem", "detail": detail, "type": "about:blank", "status": status }))
}

#[test]
fn the_manifest_makes_sense() {
    let manifest = X::manifest();
    assert_eq!(manifest.validate(), []);
    assert_eq!((manifest.id.as_str(), manifest.platform()), ("x", "twitter"));
}

#[test]
fn whoami_names_the_account() {
    let line = "read GET /2/users/me?user.fields=username,name,profile_image_url";
    let me = json!({ "data": { "id": "42", "username": "ada", "name": "Ada" } });
    let played = play(move |_| answer(200, &me), || X::whoami(&account()));
    let profile = played.result.unwrap();
    assert_eq!((profile.vendor_id.as_str(), profile.handle.as_str()), ("42", "ada"));
    assert_eq!(played.lines, [line]);
}

#[test]
fn a_thread_is_a_post_and_replies() {
    let thread = variant(vec![part("one", vec![]), part("two", vec![]), part("three", vec![])]);
    let played = publish(thread, |_| None);
    assert_eq!(
        played.lines,
        [
            r#"commit part/0 POST /2/tweets {"text":"one"}"#,
            r#"commit part/1 POST /2/tweets {"text":"two","reply":{"in_reply_to_tweet_id":"100"}}"#,
            r#"commit part/2 POST /2/tweets {"text":"three","reply":{"in_reply_to_tweet_id":"101"}}"#,
        ]
    );
    let parts = vec![done("part/0", "100"), done("part/1", "101"), done("part/2", "102")];
    assert_eq!(played.result, Ok(Progress::Published(Receipt { parts, first_comment: None })));
}

#[test]
fn a_reconciled_part_is_the_next_ones_parent() {
    let thread = variant(vec![part("one", vec![]), part("two", vec![])]);
    let played = publish(thread, |line| line.starts_with("commit part/0").then(|| Answer::Known(post("7"))));
    assert!(played.lines[1].contains(r#""in_reply_to_tweet_id":"7""#), "{:?}", played.lines);
}

#[test]
fn a_refused_reply_leaves_the_thread_published() {
    let thread = variant(vec![part("one", vec![]), part("two", vec![]), part("three", vec![])]);
    let words = "Reply to this conversation is not allowed.";
    let played = publish(thread, move |line| line.starts_with("commit part/1").then(|| problem(403, words)));
    let Ok(Progress::Published(Receipt { parts, .. })) = played.result else { panic!("published") };
    assert_eq!(parts[0], done("part/0", "100"));
    for missing in &parts[1..] {
        let PartOutcome::Missing(fault) = missing else { panic!("missing") };
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Invalid, words));
    }
    assert_eq!(played.lines.len(), 2);
}

#[test]
fn a_lost_answer_ends_the_run() {
    let thread = variant(vec![part("one", vec![]), part("two", vec![])]);
    let lost = Fault { sent: true, ..Fault::new(FaultKind::Uncertain, "no answer") };
    let expected = lost.clone();
    let played = publish(thread, move |line| line.starts_with("commit part/1").then(|| Answer::Fault(lost.clone())));
    assert_eq!(played.result, Err(expected));
}

#[test]
fn an_answer_without_an_id_is_no_post() {
    let errors = json!({ "errors": [{ "message": "Something broke." }] });
    let played = publish(variant(vec![part("one", vec![])]), move |_| Some(answer(200, &errors)));
    let fault = played.result.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Vendor);
    assert_eq!(fault.message, "X took the post but names none. Something broke.");
}

#[test]
fn media_come_right_before_their_post() {
    let photo = || media("image/png", 9 << 20, Some("A cat."));
    let thread = variant(vec![part("one", vec![]), part("two", vec![photo()])]);
    let played = publish(thread, |_| None);
    assert_eq!(
        played.lines[1..],
        [
            r#"prepare media/1/0/init POST /2/media/upload/initialize {"media_category":"tweet_image","media_type":"image/png","total_bytes":9437184}"#,
            "prepare media/1/0/append/0 POST /2/media/upload/1010/append segment_index=0 media=[0..4194304]",
            "prepare media/1/0/append/1 POST /2/media/upload/1010/append segment_index=1 media=[4194304..8388608]",
            "prepare media/1/0/append/2 POST /2/media/upload/1010/append segment_index=2 media=[8388608..9437184]",
            "prepare media/1/0/finalize POST /2/media/upload/1010/finalize",
            r#"prepare media/1/0/alt POST /2/media/metadata {"id":"1010","metadata":{"alt_text":{"text":"A cat."}}}"#,
            r#"commit part/1 POST /2/tweets {"text":"two","media":{"media_ids":["1010"]},"reply":{"in_reply_to_tweet_id":"100"}}"#,
        ]
    );
}

/// Finalise says that X is processing; `STATUS` answers as told.
fn processing(status: Answer) -> impl FnMut(&str) -> Option<Answer> {
    move |line| {
        let pending =
            json!({ "data": { "id": "1000", "processing_info": { "state": "pending", "check_after_secs": 1 } } });
        if line.contains("/finalize") {
            Some(answer(200, &pending))
        } else {
            (line == "read GET /2/media/upload?command=STATUS&media_id=1000").then(|| status.clone())
        }
    }
}

fn video() -> &'static Variant {
    variant(vec![part("look", vec![media("video/mp4", 1_000, None)])])
}

fn status(info: &Value) -> Answer {
    answer(200, &json!({ "data": { "id": "1000", "processing_info": info } }))
}

#[test]
fn a_video_in_the_works_pauses_the_run() {
    let working = status(&json!({ "state": "in_progress", "check_after_secs": 7, "progress_percent": 12 }));
    assert_eq!(publish(video(), processing(working)).result, Ok(Progress::Pending(7_000)));
}

#[test]
fn a_video_that_is_ready_or_long_forgotten_is_posted() {
    for status in [status(&json!({ "state": "succeeded" })), problem(404, "gone")] {
        let played = publish(video(), processing(status));
        let parts = vec![done("part/0", "100")];
        assert_eq!(played.result, Ok(Progress::Published(Receipt { parts, first_comment: None })));
    }
}

#[test]
fn a_video_that_x_cannot_process_is_refused() {
    let error = json!({ "code": 1, "name": "InvalidMedia", "message": "Unsupported codec" });
    let failed = status(&json!({ "state": "failed", "error": error }));
    let fault = publish(video(), processing(failed)).result.unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some("parts/0/media/0")));
    assert_eq!(fault.message, "X could not process the file: Unsupported codec.");
}

#[test]
fn expired_media_are_brought_again_once() {
    let mut refusals = 0;
    let refuse_once = move |line: &str| {
        refusals += usize::from(line.starts_with("commit"));
        (line.starts_with("commit") && refusals == 1).then(|| problem(400, "Your media IDs are invalid."))
    };
    let photo = variant(vec![part("one", vec![media("image/png", 10, None)])]);
    let played = publish(photo, refuse_once);
    assert!(played.result.is_ok());
    let forgotten: Vec<&String> = played.lines.iter().filter(|line| line.starts_with("forget")).collect();
    assert_eq!(
        forgotten,
        ["forget media/0/0/init", "forget media/0/0/append/0", "forget media/0/0/finalize", "forget media/0/0/alt"]
    );

    let played = publish(photo, |line| line.starts_with("commit").then(|| problem(400, "Your media IDs are invalid.")));
    assert_eq!(played.result.unwrap_err().kind, FaultKind::Invalid);
    assert_eq!(played.lines.iter().filter(|line| line.starts_with("commit")).count(), 2);
}

#[test]
fn removing_what_is_gone_is_no_fault() {
    let played = play(|_| problem(404, "gone"), || X::remove(&account(), "9/1"));
    assert_eq!(played.result, Ok(()));
    assert_eq!(played.lines, ["prepare remove/9/1 DELETE /2/tweets/9%2F1"]);
}

#[test]
fn refusals_in_xs_own_words() {
    let explained = |status, body: Value| explain(&Response::new(status, &[], body.to_string()));
    let duplicate =
        json!({ "detail": "You are not allowed to create a Tweet with duplicate content.", "type": "about:blank" });
    assert_eq!(explained(403, duplicate).kind, Some(FaultKind::Conflict));
    let kind =
        |detail: &str| explained(403, json!({ "title": "Forbidden", "detail": detail, "type": "about:blank" })).kind;
    assert_eq!(kind("You are not permitted to perform this action."), Some(FaultKind::Invalid));
    assert_eq!(kind("Forbidden"), None);
    let capped = json!({ "title": "UsageCapExceeded", "type": "https://api.x.com/2/problems/usage-capped" });
    assert_eq!(explained(429, capped).kind, Some(FaultKind::Quota));
    let invalid = json!({ "errors": [{ "message": "No." }], "detail": "…", "type": "https://api.x.com/2/problems/invalid-request" });
    let invalid = explained(400, invalid);
    assert_eq!(
        (invalid.kind, invalid.code.as_deref(), invalid.message.as_deref()),
        (None, Some("invalid-request"), Some("No."))
    );
}

#[test]
fn a_rate_limit_says_when_it_ends() {
    let headers = [("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("x-rate-limit-reset", "784111837")];
    assert_eq!(explain(&Response::new(429, &headers, "")).retry_after_ms, Some(60_000));
    assert_eq!(explain(&Response::new(403, &headers, "")).retry_after_ms, None);
    assert_eq!(explain(&Response::new(429, &headers[1..], "")).retry_after_ms, None);
}

fn codes(variant: &Variant) -> Vec<String> {
    X::check(variant, &[]).into_iter().map(|violation| format!("{} {}", violation.field, violation.code)).collect()
}

#[test]
fn rules_of_text() {
    assert_eq!(codes(variant(vec![part("fine", vec![])])), [""; 0]);
    assert_eq!(codes(variant(vec![])), ["parts empty"]);
    assert_eq!(codes(variant(vec![part(" \n", vec![])])), ["parts/0 empty"]);
    assert_eq!(codes(variant((0..26).map(|_| part("a", vec![])).collect())), ["parts too_many_parts"]);
    let long = variant(vec![part("fine", vec![]), part(&"語".repeat(141), vec![])]);
    let violations = X::check(long, &[]);
    assert_eq!(violations[0].field, "parts/1/text");
    let message = "A post may have 280 characters as X counts them; this one has 282, 2 too many.";
    assert_eq!(violations[0].message, message);
}

#[test]
fn rules_of_media() {
    let with = |media: Vec<Media>| codes(variant(vec![part("", media)]));
    let of = |content_type: &str| media(content_type, 10, None);
    assert_eq!(with(vec![of("image/png"), of("image/jpeg"), of("image/webp"), of("image/png")]), [""; 0]);
    assert_eq!(with((0..5).map(|_| of("image/png")).collect()), ["parts/0/media too_many_media"]);
    assert_eq!(with(vec![of("image/gif"), of("image/png")]), ["parts/0/media mixed_media"]);
    assert_eq!(with(vec![of("video/mp4"), of("video/mp4")]), ["parts/0/media mixed_media"]);
    assert_eq!(with(vec![of("application/pdf")]), ["parts/0/media/0 media_type"]);
    assert_eq!(with(vec![media("image/png", (5 << 20) + 1, None)]), ["parts/0/media/0 media_too_large"]);
    let alt = "a".repeat(1_001);
    assert_eq!(with(vec![media("image/png", 10, Some(&alt))]), ["parts/0/media/0/alt_text alt_too_long"]);
}

/// Reconciles part `index` of a variant, sent at 10:00, against a timeline of one page a list.
fn reconcile(variant: &'static Variant, index: usize, pages: Vec<Vec<Value>>) -> Result<Verdict> {
    let mut pages = pages.into_iter().enumerate();
    let count = pages.len();
    let vendor = move |line: &str| {
        let Some((page, posts)) = pages.next() else { panic!("asked for one page too many: {line}") };
        assert_eq!(line.contains(&format!("pagination_token=page{page}")), page > 0, "{line}");
        let meta = if page + 1 < count { json!({ "next_token": format!("page{}", page + 1) }) } else { json!({}) };
        answer(200, &json!({ "data": posts, "meta": meta }))
    };
    let earlier = (0..index).map(|part| (format!("part/{part}"), post(&format!("10{part}")))).collect();
    let attempt = Attempt { key: format!("part/{index}"), sent_at_ms: 1_787_392_800_000, earlier };
    play(vendor, move || X::reconcile(&account(), variant, &attempt)).result
}

fn posted_with_link(text: &str, expanded: &str) -> Value {
    let mut post = posted("7", "10:00:01", text, None);
    let media = json!({ "url": "https://t.co/Cd2", "expanded_url": "https://x.com/ada/status/7/photo/1" });
    post["entities"] = json!({ "urls": [{ "url": "https://t.co/Ab1", "expanded_url": expanded }, media] });
    post
}

fn posted(id: &str, at: &str, text: &str, parent: Option<&str>) -> Value {
    let references: Vec<Value> = parent.iter().map(|id| json!({ "type": "replied_to", "id": id })).collect();
    json!({ "id": id, "created_at": format!("2026-08-22T{at}.000Z"), "text": text, "referenced_tweets": references })
}

#[test]
fn a_post_is_found_by_time_text_and_parent() {
    let thread = variant(vec![part("one", vec![]), part("two", vec![])]);
    let one = posted("7", "10:00:01", "one", None);
    let two = posted("8", "10:00:02", "two", Some("100"));
    assert_eq!(reconcile(thread, 0, vec![vec![two.clone(), one.clone()]]), Ok(Verdict::Done(post("7"))));
    assert_eq!(reconcile(thread, 1, vec![vec![two, one]]), Ok(Verdict::Done(post("8"))));
}

#[test]
fn what_is_older_or_elsewhere_is_not_ours() {
    let single = variant(vec![part("one", vec![])]);
    let page = vec![
        posted("9", "10:00:05", "other", None),
        posted("8", "10:00:03", "one", Some("5")),
        posted("7", "09:54:59", "one", None),
    ];
    assert_eq!(reconcile(single, 0, vec![page]), Ok(Verdict::Absent));
    assert_eq!(reconcile(single, 0, vec![vec![]]), Ok(Verdict::Absent));
    let twice = variant(vec![part("one", vec![]), part("one", vec![])]);
    assert_eq!(reconcile(twice, 1, vec![vec![posted("100", "10:00:00", "one", None)]]), Ok(Verdict::Absent));
}

#[test]
fn pages_are_turned_until_the_attempts_time() {
    let single = variant(vec![part("one", vec![])]);
    let newer = |id: &str| vec![posted(id, "12:00:00", "other", None)];
    let found = vec![newer("9"), newer("8"), vec![posted("7", "09:55:00", "one", None)]];
    assert_eq!(reconcile(single, 0, found), Ok(Verdict::Done(post("7"))));
    let older = vec![newer("9"), vec![posted("7", "09:00:00", "other", None)]];
    assert_eq!(reconcile(single, 0, older), Ok(Verdict::Absent));
    let endless = (0..6).map(|_| newer("9")).collect();
    assert_eq!(reconcile(single, 0, endless), Ok(Verdict::Unknown));
}

#[test]
fn a_doubt_is_left_to_a_person() {
    let thread = variant(vec![part("one", vec![]), part("two", vec![])]);
    let other_reply = posted("8", "10:00:02", "two, rewritten", Some("100"));
    assert_eq!(reconcile(thread, 1, vec![vec![other_reply]]), Ok(Verdict::Unknown));
    let picture = variant(vec![part("", vec![media("image/png", 10, None)])]);
    let some_picture = posted("7", "10:00:01", "https://t.co/abc", None);
    assert_eq!(reconcile(picture, 0, vec![vec![some_picture]]), Ok(Verdict::Unknown));
}

#[test]
fn links_must_be_the_same() {
    let find = |text: &str, expanded: &str| {
        let page = vec![posted_with_link("see https://t.co/Ab1", expanded)];
        reconcile(variant(vec![part(text, vec![])]), 0, vec![page])
    };
    for (text, expanded) in [("see https://a.example/B", "https://a.example/B"), ("see a.example", "http://a.example/")]
    {
        assert_eq!(find(text, expanded), Ok(Verdict::Done(post("7"))), "{text}");
    }
    assert_eq!(find("see https://a.example", "https://b.example"), Ok(Verdict::Unknown));
}

#[test]
fn posted_text_is_recognised_as_x_rewrites_it() {
    let with_photo = vec![media("image/png", 10, None)];
    let rewritten = [
        (part("R&D <3", vec![]), "R&amp;D &lt;3"),
        (part("&lt;b&gt;", vec![]), "&amp;lt;b&amp;gt;"),
        (part("see example.com, (https://a.example/b?c=d)!", vec![]), "see https://t.co/Ab1, (https://t.co/Cd2)!"),
        (part("look https://a.example", with_photo), "look https://t.co/Ab1 https://t.co/Cd2"),
        (part("  a\r\n\r\nb ", vec![]), "a\n\nb"),
        (part("e\u{301}", vec![]), "é"),
    ];
    for (part, text) in rewritten {
        let verdict = reconcile(variant(vec![part]), 0, vec![vec![posted("7", "10:00:01", text, None)]]);
        assert_eq!(verdict, Ok(Verdict::Done(post("7"))), "{text}");
    }
    let other = [
        ("see example.com today", "see https://t.co/Ab1 tomorrow"),
        ("a b", "https://t.co/Ab1"),
        ("", "https://t.co/Ab1"),
    ];
    for (text, posted_text) in other {
        let page = vec![posted("7", "10:00:01", posted_text, None)];
        assert_eq!(reconcile(variant(vec![part(text, vec![])]), 0, vec![page]), Ok(Verdict::Absent), "{posted_text}");
    }
}
