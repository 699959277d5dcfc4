//! The connector before a vendor that answers line by line.

mod people;
mod refusing;

use crate::Vertex;
use crate::place::project;
use orla_sdk::testing::{Answer, Played, answer, play, still, video_wish};
use orla_sdk::{
    Account, Connector, Fact, FaultKind, Response, Result, VideoModel, VideoProgress, VideoWish, VideoWorking,
};
use serde_json::{Value, json};

const NAME: &str = "projects/acme/locations/us-central1/publishers/google/models/veo-3.1-generate-001/operations/1";
const START: &str = "spend start POST /v1/projects/acme/locations/us-central1/publishers/google/models/\
    veo-3.1-generate-001:predictLongRunning";
const LOOK: &str = "read POST /v1/projects/acme/locations/us-central1/publishers/google/models/\
    veo-3.1-generate-001:fetchPredictOperation";

fn account() -> Account {
    let address = "maker@acme.iam.gserviceaccount.com".to_owned();
    Account { vendor_id: address.clone(), handle: address, target: None }
}

fn set(name: &str, value: &str) -> Fact {
    Fact { name: name.to_owned(), value: Value::from(value).to_string() }
}

/// A vendor that has begun a video, and says this of it.
fn saying(of_it: Value) -> impl FnMut(&str) -> Answer + 'static {
    move |line| {
        if line.starts_with("spend") { answer(200, &json!({ "name": NAME })) } else { answer(200, &of_it) }
    }
}

fn generate(vendor: impl FnMut(&str) -> Answer + 'static, settings: Vec<Fact>) -> Played<Result<VideoProgress>> {
    play(vendor, move || Vertex::generate(&account(), &video_wish("A lighthouse"), &settings))
}

#[test]
fn the_manifest_is_sound() {
    assert_eq!(Vertex::manifest().validate(), []);
}

#[test]
fn a_video_is_begun_and_looked_at() {
    let played = generate(saying(json!({ "name": NAME })), Vec::new());
    let parameters = r#""parameters":{"aspectRatio":"16:9","durationSeconds":8,"generateAudio":true,"sampleCount":1}"#;
    let begun = format!(r#"{START} {{"instances":[{{"prompt":"A lighthouse"}}],{parameters}}}"#);
    assert_eq!(played.lines, [begun, format!(r#"{LOOK} {{"operationName":"{NAME}"}}"#)]);
    let waiting = VideoWorking { retry_after_ms: 10_000, percent: None, message: None };
    assert!(matches!(played.result, Ok(VideoProgress::Pending(said)) if said == waiting));
}

#[test]
fn what_google_says_of_its_progress_is_told() {
    let metadata = json!({ "progressPercent": 45, "progressMessage": " Rendering " });
    let settings = vec![set("look_every_ms", "50")];
    let played = generate(saying(json!({ "name": NAME, "metadata": metadata })), settings);
    let told = VideoWorking { retry_after_ms: 50, percent: Some(45), message: Some("Rendering".to_owned()) };
    assert!(matches!(played.result, Ok(VideoProgress::Pending(said)) if said == told));
}

#[test]
fn a_whole_wish_goes_out_with_its_picture() {
    let wish: &VideoWish = Box::leak(Box::new(VideoWish {
        negative_prompt: Some("people".to_owned()),
        image: Some(still("image/png", 70_000)),
        duration_s: Some(4),
        aspect_ratio: Some("9:16".to_owned()),
        resolution: Some("1080p".to_owned()),
        seed: Some(7),
        audio: Some(false),
        model: Some("veo-3.1-fast-generate-001".to_owned()),
        ..video_wish("It begins to rain")
    }));
    assert_eq!(Vertex::check(wish, &[]), []);
    let settings = [set("location", "europe-west4"), set("storage_uri", "gs://films/orla/")];
    let vendor = |line: &str| {
        let name =
            "projects/acme/locations/europe-west4/publishers/google/models/veo-3.1-fast-generate-001/operations/2";
        if line.starts_with("spend") { answer(200, &json!({ "name": name })) } else { answer(500, &json!({})) }
    };
    let played = play(vendor, || Vertex::generate(&account(), wish, &settings).map(drop));
    let instance = r#"{"image":{"bytesBase64Encoded":"","mimeType":"image/png"},"prompt":"It begins to rain"}"#;
    let parameters = r#"{"aspectRatio":"9:16","durationSeconds":4,"generateAudio":false,"negativePrompt":"people","resolution":"1080p","sampleCount":1,"seed":7,"storageUri":"gs://films/orla/"}"#;
    let begun = "spend start POST /v1/projects/acme/locations/europe-west4/publishers/google/models/veo-3.1-fast-generate-001:predictLongRunning";
    assert_eq!(played.lines[0], format!(r#"{begun} {{"instances":[{instance}],"parameters":{parameters}}}"#));
}

#[test]
fn a_video_comes_with_the_answer() {
    let videos = json!([{ "bytesBase64Encoded": "", "mimeType": "video/mp4" }]);
    let done = json!({ "name": NAME, "done": true, "response": { "raiMediaFilteredCount": 0, "videos": videos } });
    let vendor = move |line: &str| {
        let made = || Answer::Stored(Response::new(200, &[], done.to_string()));
        if line.starts_with("spend") { answer(200, &json!({ "name": NAME })) } else { made() }
    };
    let played = generate(vendor, Vec::new());
    let Ok(VideoProgress::Done(made)) = Box::leak(Box::new(played.result)) else { panic!("a video") };
    assert_eq!((made.videos.len(), made.model.as_str()), (1, "veo-3.1-generate-001"));
}

#[test]
fn a_video_in_cloud_storage_is_fetched_from_there() {
    let videos = json!([{ "gcsUri": "gs://films/orla/1/sample 0.mp4", "mimeType": "video/mp4" }]);
    let done = json!({ "name": NAME, "done": true, "response": { "videos": videos } });
    let vendor = move |line: &str| {
        if line.starts_with("spend") {
            answer(200, &json!({ "name": NAME }))
        } else if line.starts_with("read GET") {
            Answer::Stored(Response::new(200, &[], ""))
        } else {
            answer(200, &done)
        }
    };
    let played = generate(vendor, Vec::new());
    assert_eq!(played.lines[2], "read GET /storage/v1/b/films/o/orla%2F1%2Fsample%200.mp4?alt=media");
    let made = Box::leak(Box::new(played.result));
    assert!(matches!(made, Ok(VideoProgress::Done(made)) if made.videos.len() == 1));
}

#[test]
fn the_project_stands_in_the_accounts_address() {
    for (address, wanted) in [
        ("maker@acme-7.iam.gserviceaccount.com", Some("acme-7")),
        ("acme@appspot.gserviceaccount.com", Some("acme")),
        ("4711-compute@developer.gserviceaccount.com", Some("4711")),
        ("ada@example.com", None),
        ("maker@.iam.gserviceaccount.com", None),
        ("maker@a/b.iam.gserviceaccount.com", None),
        ("maker", None),
    ] {
        assert_eq!(project(address).as_deref(), wanted, "{address}");
    }
    let ada = Account { vendor_id: "ada@example.com".to_owned(), ..account() };
    let played = play(
        |_line| unreachable!("nothing is asked"),
        || Vertex::generate(&ada, &video_wish("A lighthouse"), &[]).map(drop),
    );
    let fault = played.result.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Invalid, Some("no-project")));
}
