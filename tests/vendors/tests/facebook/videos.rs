//! Videos, whole, fetched and in pieces.

use orla_vendors::facebook::Settings;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{Bench, Caller, PAGE, body, code, sent, text};

const VIDEOS: &str = "615500000000001/videos";

/// The clip of the simulator, whole.
async fn clip(bench: &Bench, bytes: usize) -> Vec<u8> {
    let url = format!("{}/pictures/clip-{bytes}.mp4", bench.sim.origin());
    sent(bench.http.get(url)).await.bytes().await.expect("the clip arrives whole").to_vec()
}

async fn status(page: &Caller<'_>, id: &str) -> Value {
    page.read(&format!("{id}?fields=status,permalink_url")).await["status"].clone()
}

#[tokio::test]
async fn a_video_is_fetched_or_sent_and_ready_after_a_while() {
    let bench =
        Bench::with(Settings { video_processing_reads: 2, video_processing_s: 30, ..Settings::default() }).await;
    let page = bench.page().await;
    let url = format!("{}/pictures/clip-100000.mp4", bench.sim.origin());
    let fetched = page.posted(VIDEOS, &[("file_url", &url), ("title", "Clip"), ("description", "A clip")]).await;
    let id = text(&fetched["id"]);
    let whole = clip(&bench, 100_000).await;
    body(sent(page.upload(VIDEOS, ("source", whole), &[("published", "false")])).await, StatusCode::OK).await;
    let kept = bench.sim.videos();
    assert_eq!((&kept[0].sha256, kept[0].size_bytes), (&kept[1].sha256, 100_000));
    assert_eq!((kept[0].title.as_deref(), kept[0].description.as_deref()), (Some("Clip"), Some("A clip")));
    assert!(kept[0].post_id.is_some() && kept[1].post_id.is_none());
    assert_eq!((bench.sim.made().videos, bench.sim.made().posts), (2, 1));

    let list = format!("{PAGE}/published_posts?fields=id");
    for _ in 0..2 {
        let status = status(&page, &id).await;
        assert_eq!(
            (&status["video_status"], &status["processing_phase"]["status"]),
            (&json!("processing"), &json!("in_progress"))
        );
    }
    assert_eq!(status(&page, &id).await["video_status"], "processing", "it takes half a minute, too");
    assert_eq!(page.read(&list).await["data"], json!([]));
    bench.sim.advance(30);
    let ready = page.read(&format!("{id}?fields=status,permalink_url,post_id")).await;
    assert_eq!(
        (&ready["status"]["video_status"], &ready["status"]["publishing_phase"]["publish_status"]),
        (&json!("ready"), &json!("published"))
    );
    assert_eq!(ready["permalink_url"], format!("/{PAGE}/videos/{id}/"));
    assert_eq!(page.read(&list).await["data"], json!([{ "id": ready["post_id"] }]));
}

#[tokio::test]
async fn processing_can_fail() {
    let bench = Bench::with(Settings { video_processing_fails: true, ..Settings::default() }).await;
    let page = bench.page().await;
    let whole = clip(&bench, 1_000).await;
    let id = text(&body(sent(page.upload(VIDEOS, ("source", whole), &[])).await, StatusCode::OK).await["id"]);
    assert_eq!(status(&page, &id).await["video_status"], "processing");
    let failed = status(&page, &id).await;
    assert_eq!((&failed["video_status"], &failed["processing_phase"]["status"]), (&json!("error"), &json!("error")));
}

#[tokio::test]
async fn a_video_comes_in_pieces_each_in_its_place() {
    let bench = Bench::with(Settings { video_chunk_bytes: 40_000, ..Settings::default() }).await;
    let page = bench.page().await;
    let whole = clip(&bench, 100_000).await;
    let start = page.posted(VIDEOS, &[("upload_phase", "start"), ("file_size", "100000")]).await;
    assert_eq!((&start["start_offset"], &start["end_offset"]), (&json!("0"), &json!("40000")));
    let (session, video) = (text(&start["upload_session_id"]), text(&start["video_id"]));
    let transfer = |offset: &str, bytes: Vec<u8>| {
        let form = [("upload_phase", "transfer"), ("upload_session_id", session.as_str()), ("start_offset", offset)];
        page.upload(VIDEOS, ("video_file_chunk", bytes), &form)
    };
    let next = body(sent(transfer("0", whole[..40_000].to_vec())).await, StatusCode::OK).await;
    assert_eq!(next, json!({ "start_offset": "40000", "end_offset": "80000" }));
    for (offset, range) in [("0", 0..40_000), ("80000", 80_000..100_000), ("40000", 40_000..80_001), ("40000", 0..0)] {
        let refused = sent(transfer(offset, whole[range].to_vec())).await;
        let refused = body(refused, StatusCode::BAD_REQUEST).await;
        assert_eq!(refused["error"]["error_subcode"], 1_363_037);
        assert_eq!(refused["error"]["error_data"], json!({ "start_offset": 40_000, "end_offset": 80_000 }));
    }
    let finish = [("upload_phase", "finish"), ("upload_session_id", session.as_str()), ("description", "Whole")];
    assert_eq!(code(page.post(VIDEOS, &finish)).await, (6_000, 1_363_033), "it is not whole yet");
    assert_eq!(code(page.get(&video)).await, (100, 33));
    // Less than was asked for is fine.
    body(sent(transfer("40000", whole[40_000..50_000].to_vec())).await, StatusCode::OK).await;
    body(sent(transfer("50000", whole[50_000..90_000].to_vec())).await, StatusCode::OK).await;
    let end = body(sent(transfer("90000", whole[90_000..].to_vec())).await, StatusCode::OK).await;
    assert_eq!(end, json!({ "start_offset": "100000", "end_offset": "100000" }));
    assert_eq!(page.posted(VIDEOS, &finish).await, json!({ "success": true }));
    assert_eq!(code(page.post(VIDEOS, &finish)).await, (6_000, 1_363_026));

    page.posted(VIDEOS, &[("file_url", &format!("{}/pictures/clip-100000.mp4", bench.sim.origin()))]).await;
    let kept = bench.sim.videos();
    assert_eq!((&kept[0].id, &kept[0].sha256), (&video, &kept[1].sha256));
    assert_eq!(kept[0].description.as_deref(), Some("Whole"));
}

#[tokio::test]
async fn what_is_no_video_is_refused() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let at = |name: &str| format!("{}/pictures/{name}", bench.sim.origin());
    let (photo, missing) = (at("photo.jpg"), at("nothing.mp4"));
    let long = "x".repeat(256);
    for (form, expected) in [
        (&[("file_url", photo.as_str())][..], (352, 1_363_024)),
        (&[("file_url", &missing)], (389, 0)),
        (&[("file_url", "nonsense")], (389, 0)),
        (&[("description", "x")], (100, 1_363_041)),
        (&[("file_url", &photo), ("title", &long)], (100, 0)),
        (&[("file_url", &photo), ("caption", "x")], (100, 0)),
        (&[("upload_phase", "begin")], (100, 0)),
        (&[("upload_phase", "start")], (100, 0)),
        (&[("upload_phase", "start"), ("file_size", "0")], (6_000, 1_363_023)),
        (&[("upload_phase", "start"), ("file_size", "10737418241")], (6_000, 1_363_023)),
        (&[("upload_phase", "finish"), ("upload_session_id", "1")], (6_000, 1_363_026)),
    ] {
        assert_eq!(code(page.post(VIDEOS, form)).await, expected, "{form:?}");
    }
    assert_eq!((bench.sim.made().videos, bench.sim.made().posts), (0, 0));
}
