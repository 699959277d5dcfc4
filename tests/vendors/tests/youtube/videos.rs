//! Videos: their processing, lists of them, thumbnails, deletion.

use orla_vendors::youtube::{Account, Channel, Settings};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{Bench, Caller, SCOPES, body, film, refused, sent, text};

async fn status(caller: &Caller<'_>, id: &str) -> Value {
    caller.read(&format!("/youtube/v3/videos?part=status,processingDetails&id={id}")).await["items"][0]["status"]
        .clone()
}

#[tokio::test]
async fn a_video_is_processed_after_a_while() {
    let bench = Bench::with(Settings { processing_s: 60, processing_reads: 1, ..Settings::default() }).await;
    let caller = bench.caller();
    let id = caller.uploaded(&film(9)).await;
    for _ in 0..2 {
        assert_eq!(status(&caller, &id).await["uploadStatus"], "uploaded");
    }
    bench.sim.advance(60);
    let caller = bench.caller();
    assert_eq!(status(&caller, &id).await["uploadStatus"], "processed");
    assert_eq!(bench.sim.videos()[0].reads, 3);
}

#[tokio::test]
async fn a_video_may_be_rejected_or_fail_or_be_hidden() {
    let bench = Bench::with(Settings { reject_duplicates: true, ..Settings::default() }).await;
    let caller = bench.caller();
    let first = caller.uploaded(&film(9)).await;
    let second = caller.uploaded(&film(9)).await;
    assert_eq!(status(&caller, &first).await["uploadStatus"], "processed");
    let told = status(&caller, &second).await;
    assert_eq!((&told["uploadStatus"], &told["rejectionReason"]), (&json!("rejected"), &json!("duplicate")));
    let text = caller.uploaded(b"No video at all.").await;
    let told = status(&caller, &text).await;
    assert_eq!((&told["uploadStatus"], &told["failureReason"]), (&json!("failed"), &json!("invalidFile")));
    bench.sim.change(|settings| {
        settings.rejection_reason = "termsOfUse".to_owned();
        settings.force_private = true;
    });
    let hidden = caller.uploaded(&film(10)).await;
    let told = status(&caller, &hidden).await;
    assert_eq!((&told["rejectionReason"], &told["privacyStatus"]), (&json!("termsOfUse"), &json!("private")));
}

#[tokio::test]
async fn a_channels_uploads_are_listed_the_newest_first() {
    let bench = Bench::start().await;
    let caller = bench.caller();
    let list = |page: &str| {
        format!("/youtube/v3/playlistItems?part=snippet&playlistId=UUorlacoffee0000000000001&maxResults=2{page}")
    };
    assert_eq!(refused(caller.get(&list(""))).await, (404, "playlistNotFound".to_owned()));
    let mut ids = Vec::new();
    for size in 9..12 {
        ids.push(caller.uploaded(&film(size)).await);
    }
    ids.reverse();
    let first = caller.read(&list("")).await;
    let second = caller.read(&list(&format!("&pageToken={}", text(&first["nextPageToken"])))).await;
    let items = [first["items"].as_array().unwrap().clone(), second["items"].as_array().unwrap().clone()].concat();
    let listed: Vec<String> = items.iter().map(|item| text(&item["snippet"]["resourceId"]["videoId"])).collect();
    assert_eq!((listed, &second["nextPageToken"]), (ids, &Value::Null));
    assert_eq!(
        (&items[0]["snippet"]["title"], &items[0]["snippet"]["description"]),
        (&json!("Bread"), &json!("How we bake"))
    );
    bench.sim.change(|settings| settings.list_lag_ms = 60_000);
    assert_eq!(refused(caller.get(&list(""))).await.0, 404);
    for (query, reason) in [("&maxResults=2", "badRequest"), ("&pageToken=x", "invalidPageToken")] {
        assert_eq!(refused(caller.get(&list(query))).await, (400, reason.to_owned()));
    }
    let too_many = list("").replace("maxResults=2", "maxResults=51");
    assert_eq!(refused(caller.get(&too_many)).await, (400, "invalidParameter".to_owned()));
}

#[tokio::test]
async fn a_private_video_is_its_owners() {
    let other = Account::new("other@example.com", Some(Channel::new("UCother00000000000000001", "Other", "@other")));
    let mut settings = Settings { force_private: true, ..Settings::default() };
    settings.accounts.push(other);
    let bench = Bench::with(settings).await;
    let (owner, other) = (bench.caller(), bench.caller_with("other@example.com", SCOPES));
    let id = owner.uploaded(&film(9)).await;
    let path = format!("/youtube/v3/videos?part=status&id={id}");
    assert_eq!(owner.read(&path).await["items"].as_array().unwrap().len(), 1);
    assert_eq!(other.read(&path).await["items"], json!([]));
    let delete = |caller: &Caller<'_>| caller.request(Method::DELETE, &format!("/youtube/v3/videos?id={id}"));
    assert_eq!(refused(delete(&other)).await, (403, "forbidden".to_owned()));
    assert_eq!(sent(delete(&owner)).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(refused(delete(&owner)).await, (404, "videoNotFound".to_owned()));
    assert!(bench.sim.videos()[0].deleted);
}

#[tokio::test]
async fn thumbnails_are_pictures_of_two_mebibytes() {
    let bench = Bench::start().await;
    let caller = bench.caller();
    let id = caller.uploaded(&film(9)).await;
    let picture = sent(bench.http.get(bench.url("/pictures/square.png"))).await.bytes().await.unwrap().to_vec();
    let set = |id: &str, content_type: &str, bytes: Vec<u8>| {
        let path = format!("/upload/youtube/v3/thumbnails/set?videoId={id}&uploadType=media");
        caller.request(Method::POST, &path).header("content-type", content_type.to_owned()).body(bytes)
    };
    let answer = body(sent(set(&id, "image/png", picture.clone())).await, StatusCode::OK).await;
    assert!(answer["items"][0]["default"]["url"].is_string());
    assert!(bench.sim.videos()[0].thumbnail_sha256.is_some());
    let mut large = picture.clone();
    large.resize((2 << 20) + 1, 0);
    for (wrong, expected) in [
        (set(&id, "image/jpeg", picture.clone()), (400, "invalidImage")),
        (set(&id, "image/gif", b"GIF89a".to_vec()), (400, "invalidImage")),
        (set(&id, "image/png", Vec::new()), (400, "mediaBodyRequired")),
        (set(&id, "image/png", large), (413, "uploadTooLarge")),
        (set("nothing", "image/png", picture.clone()), (404, "videoNotFound")),
    ] {
        assert_eq!(refused(wrong).await, (expected.0, expected.1.to_owned()));
    }
    bench.sim.change(|settings| {
        if let Some(channel) = &mut settings.accounts[0].channel {
            channel.verified = false;
        }
    });
    assert_eq!(refused(set(&id, "image/png", picture)).await, (403, "forbidden".to_owned()));
    assert_eq!(bench.sim.made().thumbnails, 1);
}
