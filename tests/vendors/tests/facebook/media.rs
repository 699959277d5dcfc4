//! Photos, alone and attached.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{Bench, OTHER_PAGE, PAGE, SCOPES, body, code, refused, sent, text};

const PHOTOS: &str = "615500000000001/photos";
const FEED: &str = "615500000000001/feed";

fn photo() -> Vec<u8> {
    include_bytes!("../../assets/photo.jpg").to_vec()
}

#[tokio::test]
async fn a_photo_is_fetched_or_sent_and_is_a_post() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let url = format!("{}/pictures/photo.jpg", bench.sim.origin());
    let by_url = page.posted(PHOTOS, &[("url", &url), ("caption", "Hills"), ("alt_text_custom", "Two hills")]).await;
    let by_file = page.upload(PHOTOS, ("source", photo()), &[("message", "Hills"), ("published", "true")]);
    let by_file = body(sent(by_file).await, StatusCode::OK).await;
    let kept = bench.sim.photos();
    assert_eq!((&kept[0].sha256, kept[0].mime_type), (&kept[1].sha256, "image/jpeg"));
    assert_eq!((kept[0].alt_text.as_deref(), kept[0].caption.as_deref()), (Some("Two hills"), Some("Hills")));
    assert_eq!(kept[1].post_id.as_deref(), by_file["post_id"].as_str());
    assert_eq!((bench.sim.made().photos, bench.sim.made().posts), (2, 2));

    let post = page.read(&format!("{}?fields=message,attachments", text(&by_url["post_id"]))).await;
    assert_eq!(post["message"], "Hills");
    assert_eq!(post["attachments"]["data"][0]["target"]["id"], by_url["id"]);
    let shown = page.read(&format!("{}?fields=alt_text,link,page_story_id", text(&by_url["id"]))).await;
    assert_eq!((&shown["alt_text"], &shown["page_story_id"]), (&json!("Two hills"), &by_url["post_id"]));
}

#[tokio::test]
async fn several_photos_are_uploaded_first_and_attached_then() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        let upload = page.upload(PHOTOS, ("source", photo()), &[("published", "false"), ("temporary", "true")]);
        let answer = body(sent(upload).await, StatusCode::OK).await;
        assert!(answer.get("post_id").is_none());
        ids.push(text(&answer["id"]));
    }
    assert_eq!(bench.sim.made().posts, 0);
    let list = json!([{ "media_fbid": ids[0] }, { "media_fbid": ids[1] }]).to_string();
    let post = text(&page.posted(FEED, &[("message", "Two"), ("attached_media", &list)]).await["id"]);
    assert_eq!(bench.sim.posts()[0].media, ids[..2]);
    let fields = page.read(&format!("{post}?fields=attachments{{media_type,target{{id}}}}")).await;
    assert_eq!(fields["attachments"]["data"][1], json!({ "media_type": "photo", "target": { "id": ids[1] } }));
    assert_eq!(code(page.post(FEED, &[("attached_media", &list)])).await, (100, 0), "a photo is attached once");

    let third = json!({ "media_fbid": ids[2] }).to_string();
    let fourth = json!({ "media_fbid": ids[3] }).to_string();
    let out_of_order = [("attached_media[1]", third.as_str()), ("attached_media[0]", &fourth)];
    assert_eq!(code(page.post(FEED, &out_of_order)).await, (100, 0));
    let with_link = [("attached_media[0]", third.as_str()), ("link", "https://example.com")];
    assert_eq!(code(page.post(FEED, &with_link)).await, (100, 0));
    let twice = [("attached_media[0]", third.as_str()), ("attached_media[1]", &third)];
    assert_eq!(code(page.post(FEED, &twice)).await, (100, 0));
    page.posted(FEED, &[("attached_media[0]", third.as_str()), ("attached_media[1]", &fourth)]).await;
    assert_eq!(bench.sim.posts()[1].media, ids[2..]);

    let other = bench.person(SCOPES).page(OTHER_PAGE).await;
    let upload = other.upload(&format!("{OTHER_PAGE}/photos"), ("source", photo()), &[("published", "false")]);
    let foreign = body(sent(upload).await, StatusCode::OK).await;
    let foreign = json!([{ "media_fbid": foreign["id"] }]).to_string();
    assert_eq!(code(page.post(FEED, &[("attached_media", &foreign)])).await, (100, 0));
}

#[tokio::test]
async fn what_is_no_photo_is_refused() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let at = |name: &str| format!("{}/pictures/{name}", bench.sim.origin());
    for (url, expected) in [
        (at("big-4194305.png"), (100, 1_366_046)),
        (at("not-an-image.txt"), (100, 1_366_046)),
        (at("clip-5000.mp4"), (100, 1_366_046)),
        (at("nothing.png"), (324, 2_069_019)),
        ("http://127.0.0.1:1/a.png".to_owned(), (324, 2_069_019)),
        ("nonsense".to_owned(), (100, 0)),
    ] {
        assert_eq!(code(page.post(PHOTOS, &[("url", &url)])).await, expected, "{url}");
    }
    assert_eq!(code(page.post(PHOTOS, &[("caption", "x")])).await, (324, 0));
    assert_eq!(code(page.post(PHOTOS, &[("source", "x")])).await, (324, 0), "a source is a file");
    let url = at("photo.jpg");
    assert_eq!(code(page.upload(PHOTOS, ("source", photo()), &[("url", &url)])).await, (100, 0));
    assert_eq!(code(page.upload(PHOTOS, ("file", photo()), &[])).await, (100, 0));
    assert_eq!(code(page.upload(PHOTOS, ("source", b"RIFF0000WEBP".to_vec()), &[])).await, (100, 1_366_046));
    assert_eq!(code(page.post(PHOTOS, &[("url", &url), ("temporary", "true")])).await, (100, 0));
    let (_, _, message) = refused(page.post(PHOTOS, &[("url", &url), ("caption", "x"), ("message", "x")])).await;
    assert!(message.contains("strict"), "{message}");
    assert_eq!((bench.sim.made().photos, bench.sim.photos().len()), (0, 0));
    page.posted(PHOTOS, &[("url", &at("big-4194304.png"))]).await;
}

#[tokio::test]
async fn a_photo_can_be_scheduled() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    page.posted_words("now").await;
    let time = (bench.sim.posts()[0].created_ms / 1_000 + 3_600).to_string();
    let form = [("published", "false"), ("scheduled_publish_time", time.as_str())];
    let answer = body(sent(page.upload(PHOTOS, ("source", photo()), &form)).await, StatusCode::OK).await;
    let list = async || {
        let list = page.read(&format!("{PAGE}/published_posts?fields=id")).await;
        list["data"].as_array().map_or(0, Vec::len)
    };
    assert!(matches!(answer["post_id"], Value::String(_)));
    assert_eq!(list().await, 1);
    bench.sim.advance(3_601);
    assert_eq!(list().await, 2);
}
