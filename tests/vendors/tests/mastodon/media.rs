//! Attachments, from the upload to the status.

use orla_vendors::mastodon::Settings;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Bench, body, refusal, sent, text};

const PHOTO: &[u8] = include_bytes!("../../assets/photo.jpg");
const ANIMATION: &[u8] = include_bytes!("../../assets/anim.gif");
const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

impl Bench {
    fn upload(&self, mime_type: &str, bytes: &[u8], more: &[(&'static str, &str)]) -> RequestBuilder {
        let part = Part::bytes(bytes.to_vec()).file_name("a-file").mime_str(mime_type).expect("it is a type");
        let form = Form::new().part("file", part);
        let form = more.iter().fold(form, |form, (name, value)| form.text(*name, (*value).to_owned()));
        self.request(Method::POST, "/api/v2/media").multipart(form)
    }

    async fn photo(&self) -> String {
        text(&body(sent(self.upload("image/jpeg", PHOTO, &[])).await, StatusCode::OK).await["id"])
    }

    async fn clip(&self) -> Vec<u8> {
        let clip = sent(self.http.get(self.url("/pictures/clip-5000.mp4"))).await;
        clip.bytes().await.expect("it arrives whole").to_vec()
    }

    fn put(&self, id: &str, changes: &Value) -> RequestBuilder {
        self.request(Method::PUT, &format!("/api/v1/media/{id}")).json(changes)
    }
}

#[tokio::test]
async fn a_photo_is_ready_at_once_described_and_attached_once() {
    let bench = Bench::start().await;
    let upload = bench.upload("image/jpeg", PHOTO, &[("description", "Two hills"), ("focus", "-0.5,0.25")]);
    let medium = body(sent(upload).await, StatusCode::OK).await;
    let id = text(&medium["id"]);
    assert_eq!((&medium["type"], &medium["description"]), (&json!("image"), &json!("Two hills")));
    assert_eq!(medium["meta"]["focus"], json!({ "x": -0.5, "y": 0.25 }));
    assert!(text(&medium["url"]).starts_with(&bench.sim.origin()));
    let described = body(sent(bench.put(&id, &json!({ "description": "Three hills" }))).await, StatusCode::OK).await;
    assert_eq!((&described["description"], &described["meta"]), (&json!("Three hills"), &medium["meta"]));
    let path = format!("/api/v1/media/{id}");
    assert_eq!(bench.read(&path).await, described);

    let other = bench.sim.issue_token("second_account", "write");
    let stranger = bench.http.get(bench.url(&path)).bearer_auth(other);
    assert_eq!(refusal(stranger, StatusCode::NOT_FOUND).await, "Record not found");

    let second = bench.photo().await;
    let draft = json!({ "media_ids": [second, id] });
    let status = bench.posted(&draft).await;
    assert_eq!((&status["media_attachments"][0]["id"], &status["media_attachments"][1]), (&json!(second), &described));
    assert_eq!((&status["content"], &status["sensitive"]), (&json!(""), &json!(false)));
    let words = format!("Media {second}, {id} not found or already attached to another post");
    assert_eq!(bench.refused(&draft, REFUSED).await, words);
    assert_eq!(refusal(bench.get(&path), StatusCode::NOT_FOUND).await, "Record not found");

    let kept = &bench.sim.statuses()[0];
    assert_eq!((kept.media.len(), &kept.media[1].description), (2, &Some("Three hills".to_owned())));
    assert_eq!(kept.media[0].sha256, hex::encode(Sha256::digest(PHOTO)));
    assert_eq!(kept.media[0].attached_to.as_ref(), Some(&kept.id));
    let status = format!("/api/v1/statuses/{}", text(&status["id"]));
    body(sent(bench.request(Method::DELETE, &status)).await, StatusCode::OK).await;
    bench.posted(&draft).await;
}

#[tokio::test]
async fn a_video_is_processed_before_it_can_be_attached() {
    let bench = Bench::with(Settings { processing_ms: 60_000, ..Settings::default() }).await;
    let upload = bench.upload("video/mp4", &bench.clip().await, &[]);
    let medium = body(sent(upload).await, StatusCode::ACCEPTED).await;
    assert_eq!((&medium["type"], &medium["url"]), (&json!("video"), &Value::Null));
    let id = text(&medium["id"]);
    let path = format!("/api/v1/media/{id}");
    let draft = json!({ "status": "look", "media_ids": [id] });
    assert!(body(sent(bench.get(&path)).await, StatusCode::PARTIAL_CONTENT).await["url"].is_null());
    let described = sent(bench.put(&id, &json!({ "description": "A clip" }))).await;
    assert_eq!(body(described, StatusCode::PARTIAL_CONTENT).await["description"], "A clip");
    let not_ready = "Cannot attach files that have not finished processing. Try again in a moment!";
    assert_eq!(bench.refused(&draft, REFUSED).await, not_ready);

    bench.sim.change(|settings| (settings.processing_ms, settings.processing_fails) = (0, true));
    let failed = "Error processing thumbnail for uploaded media";
    assert_eq!(refusal(bench.get(&path), REFUSED).await, failed);
    assert_eq!(bench.refused(&draft, REFUSED).await, not_ready);
    bench.sim.change(|settings| settings.processing_fails = false);
    assert!(text(&bench.read(&path).await["url"]).ends_with(".mp4"));
    bench.posted(&draft).await;
}

#[tokio::test]
async fn four_photos_or_one_video() {
    let bench = Bench::with(Settings { processing_ms: 0, ..Settings::default() }).await;
    let mut photos = Vec::new();
    for _ in 0..5 {
        photos.push(bench.photo().await);
    }
    let upload = bench.upload("video/mp4", &bench.clip().await, &[]);
    let clip = text(&body(sent(upload).await, StatusCode::OK).await["id"]);
    let animation = body(sent(bench.upload("image/gif", ANIMATION, &[])).await, StatusCode::OK).await;
    assert_eq!(animation["type"], "gifv");
    let animation = text(&animation["id"]);
    assert_eq!(bench.refused(&json!({ "media_ids": photos }), REFUSED).await, "Cannot attach more than 4 files");
    let mixed = bench.refused(&json!({ "media_ids": [photos[0], clip] }), REFUSED).await;
    assert_eq!(mixed, "Cannot attach a video to a post that already contains images");
    bench.posted(&json!({ "media_ids": [photos[0], animation, photos[1], photos[2]] })).await;
    bench.posted(&json!({ "media_ids": [clip] })).await;
    bench.sim.change(|settings| settings.max_media_attachments = 1);
    let two = json!({ "media_ids": [photos[3], photos[4]] });
    assert_eq!(bench.refused(&two, REFUSED).await, "Cannot attach more than 1 files");
    assert_eq!(bench.sim.media().iter().filter(|medium| medium.attached_to.is_none()).count(), 2);
}

#[tokio::test]
async fn what_is_uploaded_is_what_it_says_and_small_enough() {
    let bench = Bench::start().await;
    let invalid = "Validation failed: File content type is invalid, File is invalid";
    for (mime_type, bytes) in [
        ("image/png", PHOTO),
        ("image/svg+xml", b"<svg/>"),
        ("application/octet-stream", PHOTO),
        ("video/mp4", ANIMATION),
    ] {
        assert_eq!(refusal(bench.upload(mime_type, bytes, &[]), REFUSED).await, invalid, "{mime_type}");
    }
    let blank = "Validation failed: File can't be blank";
    assert_eq!(refusal(bench.upload("image/png", b"", &[]), REFUSED).await, blank);
    let nothing = bench.request(Method::POST, "/api/v2/media").json(&json!({ "description": "none" }));
    assert_eq!(refusal(nothing, REFUSED).await, blank);

    let long = "x".repeat(1_501);
    for (name, value, words) in [
        ("description", long.as_str(), "Validation failed: Description is too long (maximum is 1500 characters)"),
        ("focus", "0.5", "The simulator is strict: focus must be two numbers from -1.0 to 1.0, such as 0.5,-0.25."),
        ("focus", "0,2", "The simulator is strict: focus must be two numbers from -1.0 to 1.0, such as 0.5,-0.25."),
        ("alt", "x", "The simulator is strict: there is no parameter alt."),
        ("thumbnail", "x", "The simulator is strict: it does not know thumbnail, which Mastodon does."),
    ] {
        assert_eq!(refusal(bench.upload("image/jpeg", PHOTO, &[(name, value)]), REFUSED).await, words, "{name}");
    }
    bench.sim.change(|settings| settings.image_size_limit = 1 << 20);
    let large = [PHOTO, &vec![0; 1 << 20]].concat();
    let words = "Validation failed: File file size must be less than 1 MB, File must be less than 1 MB";
    assert_eq!(refusal(bench.upload("image/jpeg", &large, &[]), REFUSED).await, words);
    assert!(bench.sim.media().is_empty());
    assert_eq!(refusal(bench.put("1", &json!({})), StatusCode::NOT_FOUND).await, "Record not found");
}
