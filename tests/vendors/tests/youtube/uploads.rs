//! Resumable uploads: how strict they are, and how they go on.

use orla_vendors::youtube::{Fault, Mode, Settings};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{Bench, GRANULE, UPLOAD, arrived, body, bread, film, location, refused, sent, text};

#[tokio::test]
async fn a_video_comes_stretch_by_stretch_and_exists_with_the_last() {
    let bench = Bench::start().await;
    let caller = bench.caller();
    let content = film(3 * GRANULE + 5);
    let address = caller.upload(content.len()).await;
    assert!(address.starts_with(&bench.url(&format!("{UPLOAD}?uploadType=resumable&"))), "{address}");
    assert_eq!(arrived(&sent(caller.question(&address, content.len())).await), 0);
    assert_eq!(arrived(&sent(caller.put(&address, &content, (0, GRANULE))).await), GRANULE);
    assert_eq!(arrived(&sent(caller.put(&address, &content, (GRANULE, 3 * GRANULE))).await), 3 * GRANULE);
    assert_eq!(bench.sim.made().videos, 0, "it does not exist before its end");
    let last = || caller.put(&address, &content, (3 * GRANULE, content.len()));
    let made = body(sent(last()).await, StatusCode::OK).await;
    assert_eq!((&made["snippet"]["title"], &made["status"]["uploadStatus"]), (&json!("Bread"), &json!("processed")));
    // It says so again, whether it is asked or sent anything.
    for again in [caller.question(&address, content.len()), last()] {
        assert_eq!(body(sent(again).await, StatusCode::OK).await["id"], made["id"]);
    }
    let (videos, uploads) = (bench.sim.videos(), bench.sim.uploads());
    assert_eq!((videos.len(), videos[0].size_bytes), (1, content.len() as u64));
    assert_eq!(videos[0].sha256, hex::encode(Sha256::digest(&content)));
    let granule = GRANULE as u64;
    assert_eq!(uploads[0].stretches, [(0, granule), (granule, 3 * granule), (3 * granule, 3 * granule + 5)]);
    assert_eq!((uploads[0].questions, uploads[0].video_id.clone()), (2, Some(text(&made["id"]))));
    assert_eq!((bench.sim.made().uploads, bench.sim.made().upload_bytes), (1, content.len() as u64));
}

#[tokio::test]
async fn a_stretch_has_to_be_in_its_place() {
    let bench = Bench::start().await;
    let caller = bench.caller();
    let content = film(3 * GRANULE);
    let address = caller.upload(content.len()).await;
    sent(caller.put(&address, &content, (0, GRANULE))).await;
    let longer = film(3 * GRANULE + 1);
    let no_range = caller.bench.http.put(&address).bearer_auth(&caller.token).body("x");
    let ranged = |range: &str, bytes: usize| {
        let request = caller.bench.http.put(&address).bearer_auth(&caller.token).header("content-range", range);
        request.body(vec![7; bytes])
    };
    for (what, wrong) in [
        ("again", caller.put(&address, &content, (0, GRANULE))),
        ("too far", caller.put(&address, &content, (2 * GRANULE, 3 * GRANULE))),
        ("no granules", caller.put(&address, &content, (GRANULE, GRANULE + 1_000))),
        ("another total", caller.put(&address, &longer, (GRANULE, 2 * GRANULE))),
        ("no range", no_range),
        ("a range of another length", ranged("bytes 262144-524287/786432", 9)),
        ("no numbers", ranged("bytes a-b/786432", 9)),
        ("backwards", ranged("bytes 9-5/786432", 9)),
        ("a question with a body", ranged("bytes */786432", 9)),
        ("a question for another total", caller.question(&address, 9)),
    ] {
        assert_eq!(refused(wrong).await, (400, "badRequest".to_owned()), "{what}");
    }
    let chunked = reqwest::Body::wrap_stream(futures_util::stream::iter([Ok::<_, std::io::Error>(vec![7; GRANULE])]));
    let unsized_ = ranged("bytes 262144-524287/786432", 0).body(chunked);
    assert_eq!(refused(unsized_).await, (411, "lengthRequired".to_owned()));
    assert_eq!(arrived(&sent(caller.question(&address, content.len())).await), GRANULE, "nothing of it counts");
}

#[tokio::test]
async fn of_a_stretch_that_breaks_off_whole_granules_stay() {
    let bench = Bench::start().await;
    let caller = bench.caller();
    let content = film(5 * GRANULE);
    let address = caller.upload(content.len()).await;
    bench.sim.fault(Fault::on("PUT", UPLOAD, Mode::CutWithin { bytes: 2 * GRANULE as u64 + 9 }));
    assert!(caller.put(&address, &content, (0, 4 * GRANULE)).send().await.is_err());
    // The simulator may still be at it.
    for _ in 0..500 {
        if bench.sim.uploads()[0].kept_bytes > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    assert_eq!(arrived(&sent(caller.question(&address, content.len())).await), 2 * GRANULE);
    let rest = sent(caller.put(&address, &content, (2 * GRANULE, content.len()))).await;
    body(rest, StatusCode::OK).await;
    assert_eq!(bench.sim.videos()[0].sha256, hex::encode(Sha256::digest(&content)));
    assert_eq!(bench.sim.made().upload_bytes, (5 * GRANULE + 9) as u64);
}

#[tokio::test]
async fn an_upload_lasts_a_week_and_is_its_accounts_own() {
    let bench = Bench::start().await;
    let caller = bench.caller();
    let content = film(9);
    let address = caller.upload(9).await;
    let stranger = bench.caller_with("empty@example.com", crate::SCOPES);
    assert_eq!(refused(stranger.question(&address, 9)).await, (404, "notFound".to_owned()));
    // The address alone is proof enough, but a token that does not work is refused.
    let bare = bench.http.put(&address).header("content-length", "0").header("content-range", "bytes */9");
    assert_eq!(arrived(&sent(bare).await), 0);
    bench.sim.expire_access_tokens();
    assert_eq!(refused(caller.question(&address, 9)).await, (401, "authError".to_owned()));
    let caller = bench.caller();
    bench.sim.advance(7 * 86_400);
    let caller_later = bench.caller();
    assert_eq!(refused(caller_later.put(&address, &content, (0, 9))).await, (404, "notFound".to_owned()));
    drop(caller);
    let address = caller_later.upload(9).await;
    bench.sim.expire_uploads();
    assert_eq!(refused(caller_later.question(&address, 9)).await.0, 404);
    assert_eq!(refused(caller_later.question(&bench.url(UPLOAD), 9)).await.0, 400);
    assert_eq!(bench.sim.made().videos, 0);
}

#[tokio::test]
async fn what_a_video_is_to_be_is_read_strictly() {
    let bench = Bench::start().await;
    let caller = bench.caller();
    let snippet = |snippet: Value| json!({ "snippet": snippet });
    for (video, reason) in [
        (json!({}), "invalidTitle"),
        (snippet(json!({ "title": "" })), "invalidTitle"),
        (snippet(json!({ "title": "é".repeat(101) })), "invalidTitle"),
        (snippet(json!({ "title": "a > b" })), "invalidTitle"),
        (snippet(json!({ "title": "a", "description": "é".repeat(2_501) })), "invalidDescription"),
        (snippet(json!({ "title": "a", "description": "<b>" })), "invalidDescription"),
        (snippet(json!({ "title": "a", "tags": ["x".repeat(501)] })), "invalidTags"),
        (snippet(json!({ "title": "a", "tags": vec!["sour bred"; 42] })), "invalidTags"),
        (snippet(json!({ "title": "a", "categoryId": "99" })), "invalidCategoryId"),
        (json!({ "snippet": { "title": "a" }, "status": { "privacyStatus": "friends" } }), "invalidVideoMetadata"),
        (json!({ "snippet": { "title": "a" }, "status": { "license": "mine" } }), "invalidVideoMetadata"),
        (snippet(json!({ "title": "a", "surprise": 1 })), "parseError"),
        (json!({ "snippet": { "title": "a" }, "player": {} }), "parseError"),
    ] {
        assert_eq!(refused(caller.beginning(9, &video)).await, (400, reason.to_owned()), "{video}");
    }
    let at = |query: &str| caller.post(&format!("{UPLOAD}?{query}"), &bread()).header("x-upload-content-length", 9);
    let typed = |query: &str| at(query).header("x-upload-content-type", "video/mp4");
    for (wrong, reason) in [
        (typed("uploadType=resumable&part=snippet,status&surprise=1"), "badRequest"),
        (typed("uploadType=resumable&part=snippet,surprise"), "unknownPart"),
        (typed("uploadType=resumable&part=snippet"), "unexpectedPart"),
        (typed("uploadType=resumable"), "missingRequiredParameter"),
        (typed("uploadType=multipart&part=snippet,status"), "badRequest"),
        (at("uploadType=resumable&part=snippet,status").header("x-upload-content-type", "image/png"), "badContent"),
        (caller.post(&format!("{UPLOAD}?uploadType=resumable&part=snippet,status"), &bread()), "badRequest"),
    ] {
        assert_eq!(refused(wrong).await, (400, reason.to_owned()));
    }
    assert_eq!(bench.sim.made().uploads, 0);
    let tags = snippet(json!({ "title": "a", "tags": vec!["sour bred"; 41] }));
    location(&sent(caller.beginning(9, &tags)).await);
}

#[tokio::test]
async fn allowances_are_counted_by_the_day() {
    let bench = Bench::with(Settings { uploads_a_day: 2, units_a_day: 60, ..Settings::default() }).await;
    let caller = bench.caller();
    // One that was wrong costs as well.
    refused(caller.beginning(9, &json!({}))).await;
    let id = caller.uploaded(&film(9)).await;
    assert_eq!(refused(caller.beginning(9, &bread())).await, (403, "quotaExceeded".to_owned()));
    let status = format!("/youtube/v3/videos?part=status&id={id}");
    caller.read(&status).await;
    let comment =
        json!({ "snippet": { "videoId": id, "topLevelComment": { "snippet": { "textOriginal": "First!" } } } });
    let comment = || caller.post("/youtube/v3/commentThreads?part=snippet", &comment);
    assert_eq!(sent(comment()).await.status(), StatusCode::OK);
    assert_eq!(bench.sim.made().units, 51);
    assert_eq!(refused(comment()).await, (403, "quotaExceeded".to_owned()), "it would cost 50 more");
    bench.sim.advance(86_400);
    let tomorrow = bench.caller();
    location(&sent(tomorrow.beginning(9, &bread())).await);
    bench.sim.change(|settings| settings.uploads_a_channel = 0);
    assert_eq!(refused(tomorrow.beginning(9, &bread())).await, (400, "uploadLimitExceeded".to_owned()));
}
