//! Uploads, from `initialize` to an attachment.

use orla_vendors::x::{Attached, Settings};
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Bench, Caller, body, sent, text};

const PHOTO: &[u8] = include_bytes!("../../assets/photo.jpg");

impl Caller<'_> {
    async fn initialize(&self, media_type: &str, category: &str, total_bytes: usize) -> String {
        let request = json!({ "media_type": media_type, "media_category": category, "total_bytes": total_bytes });
        let response = sent(self.post("/2/media/upload/initialize").json(&request)).await;
        text(&body(response, StatusCode::OK).await["data"]["id"])
    }

    async fn append(&self, id: &str, index: &str, bytes: &[u8], status: StatusCode) {
        let form = Form::new().text("segment_index", index.to_owned()).part("media", Part::bytes(bytes.to_vec()));
        let request = self.post(&format!("/2/media/upload/{id}/append")).multipart(form);
        body(sent(request).await, status).await;
    }

    async fn finalize(&self, id: &str, status: StatusCode) -> Value {
        let request = self.post(&format!("/2/media/upload/{id}/finalize"));
        body(sent(request).await, status).await
    }

    async fn upload(&self, media_type: &str, category: &str, bytes: &[u8]) -> String {
        let id = self.initialize(media_type, category, bytes.len()).await;
        self.append(&id, "0", bytes, StatusCode::OK).await;
        self.finalize(&id, StatusCode::OK).await;
        id
    }

    async fn photo(&self) -> String {
        self.upload("image/jpeg", "tweet_image", PHOTO).await
    }
}

#[tokio::test]
async fn a_photo_is_uploaded_in_any_order_described_and_attached_once() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let id = caller.initialize("image/jpeg", "tweet_image", PHOTO.len()).await;
    let (first, second) = PHOTO.split_at(1_000);
    caller.append(&id, "1", second, StatusCode::OK).await;
    caller.finalize(&id, StatusCode::BAD_REQUEST).await;
    caller.append(&id, "0", &[0; 1_000], StatusCode::OK).await;
    caller.append(&id, "0", first, StatusCode::OK).await;
    let finalized = caller.finalize(&id, StatusCode::OK).await;
    assert_eq!(finalized["data"]["size"], PHOTO.len());
    assert!(finalized["data"].get("processing_info").is_none(), "a photo is ready at once");

    let words = json!({ "id": id, "metadata": { "alt_text": { "text": "Two hills under the sun" } } });
    let described = caller.post("/2/media/metadata").json(&words).send().await.unwrap();
    body(described, StatusCode::OK).await;

    let draft = json!({ "media": { "media_ids": [id] } });
    let post = caller.tweeted(&draft).await;
    let fields = "expansions=attachments.media_keys&media.fields=alt_text";
    let read = caller.read(&format!("/2/tweets/{post}?{fields}")).await;
    assert_eq!(read["data"]["attachments"]["media_keys"][0], format!("3_{id}"));
    assert_eq!(read["includes"]["media"][0]["alt_text"], "Two hills under the sun");
    assert!(text(&read["data"]["text"]).starts_with("https://t.co/"));
    let problem = caller.refused(&draft, StatusCode::BAD_REQUEST).await;
    assert_eq!(problem["errors"][0]["message"], "Your media IDs are invalid.");

    let attached = Attached {
        id,
        media_type: "image/jpeg".to_owned(),
        size: PHOTO.len() as u64,
        sha256: hex::encode(Sha256::digest(PHOTO)),
        alt_text: Some("Two hills under the sun".to_owned()),
        segments: vec![1, 0, 0],
    };
    assert_eq!(bench.sim.posts()[0].media, [attached]);
}

#[tokio::test]
async fn what_is_announced_is_what_must_come() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    for wrong in [
        json!({ "media_type": "image/png", "media_category": "tweet_image", "total_bytes": 5_242_881 }),
        json!({ "media_type": "image/gif", "media_category": "tweet_gif", "total_bytes": 15_728_641 }),
        json!({ "media_type": "video/mp4", "media_category": "tweet_video", "total_bytes": 536_870_913 }),
        json!({ "media_type": "video/mp4", "media_category": "tweet_image", "total_bytes": 9 }),
        json!({ "media_type": "image/svg+xml", "media_category": "tweet_image", "total_bytes": 9 }),
        json!({ "media_type": "image/png", "media_category": "tweet_image", "total_bytes": "9" }),
        json!({ "media_type": "image/png", "media_category": "tweet_image", "total_bytes": 0 }),
        json!({ "media_type": "image/png", "media_category": "tweet_image", "total_bytes": 9, "name": "a.png" }),
        json!({ "media_type": "image/png", "total_bytes": 9 }),
    ] {
        let response = caller.post("/2/media/upload/initialize").json(&wrong).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
    let id = caller.initialize("image/png", "tweet_image", PHOTO.len()).await;
    caller.append(&id, "0", &[PHOTO, b"!"].concat(), StatusCode::BAD_REQUEST).await;
    caller.append(&id, "1000", PHOTO, StatusCode::BAD_REQUEST).await;
    caller.append(&id, "zero", PHOTO, StatusCode::BAD_REQUEST).await;
    let extra = Form::new().text("segment_index", "0").part("media", Part::bytes(PHOTO)).text("command", "APPEND");
    let extra = caller.post(&format!("/2/media/upload/{id}/append")).multipart(extra).send().await.unwrap();
    body(extra, StatusCode::BAD_REQUEST).await;
    let plain = caller.post(&format!("/2/media/upload/{id}/append")).body(PHOTO).send().await.unwrap();
    body(plain, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    caller.append(&id, "0", PHOTO, StatusCode::OK).await;
    caller.finalize(&id, StatusCode::BAD_REQUEST).await;

    let large = caller.initialize("video/mp4", "tweet_video", 6_000_000).await;
    caller.append(&large, "0", &[0; 5_242_881], StatusCode::PAYLOAD_TOO_LARGE).await;
    caller.append(&large, "0", &[0; 5_242_880], StatusCode::OK).await;
}

#[tokio::test]
async fn a_video_is_processed_before_it_can_be_attached() {
    let bench = Bench::with(Settings { processing_ms: 60_000, ..Settings::default() }).await;
    let caller = bench.caller().await;
    let clip = bench.http.get(bench.url("/pictures/clip-5000.mp4")).send().await.unwrap().bytes().await.unwrap();
    let id = caller.upload("video/mp4", "tweet_video", &clip).await;
    let state = async || {
        let status = caller.read(&format!("/2/media/upload?command=STATUS&media_id={id}")).await;
        text(&status["data"]["processing_info"]["state"])
    };
    let draft = json!({ "text": "look", "media": { "media_ids": [id] } });
    assert_eq!(state().await, "pending");
    caller.refused(&draft, StatusCode::BAD_REQUEST).await;
    bench.sim.change(|settings| settings.processing_ms = 0);
    assert_eq!(state().await, "succeeded");
    bench.sim.change(|settings| settings.processing_fails = true);
    assert_eq!(state().await, "failed");
    bench.sim.change(|settings| settings.processing_fails = false);
    caller.tweeted(&draft).await;
}

#[tokio::test]
async fn four_photos_or_one_video() {
    let bench = Bench::with(Settings { processing_ms: 0, ..Settings::default() }).await;
    let caller = bench.caller().await;
    let mut photos = Vec::new();
    for _ in 0..5 {
        photos.push(caller.photo().await);
    }
    let gif = caller.upload("image/gif", "tweet_gif", include_bytes!("../../assets/anim.gif")).await;
    caller.refused(&json!({ "media": { "media_ids": photos } }), StatusCode::BAD_REQUEST).await;
    caller.refused(&json!({ "media": { "media_ids": [photos[0], gif] } }), StatusCode::BAD_REQUEST).await;
    caller.tweeted(&json!({ "media": { "media_ids": photos[..4] } })).await;
    caller.tweeted(&json!({ "media": { "media_ids": [gif] } })).await;
    caller.refused(&json!({ "media": { "media_ids": ["1"] } }), StatusCode::BAD_REQUEST).await;

    bench.sim.change(|settings| settings.media_lifetime_s = 0);
    let request = json!({ "media_type": "image/png", "media_category": "tweet_image", "total_bytes": 9 });
    let expired = caller.post("/2/media/upload/initialize").json(&request).send().await.unwrap();
    let expired = text(&body(expired, StatusCode::OK).await["data"]["id"]);
    caller.append(&expired, "0", b"\x89PNG\r\n\x1A\n!", StatusCode::NOT_FOUND).await;
}
