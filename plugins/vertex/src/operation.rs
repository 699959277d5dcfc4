//! The long running operation: begun once, then looked at.

use crate::answer::{Operation, Video, end};
use crate::place::Place;
use crate::{API, STORAGE};
use orla_sdk::{
    Blob, EmbeddedBlob, Fact, Fault, Result, VideoMade, VideoProgress, VideoWish, VideoWorking, path, setting,
};
use serde_json::{Map, Value, json};

/// The key of the one request that costs.
const START: &str = "start";
/// Where the video stands in an answer that has it.
const BYTES: &str = "/response/videos/0/bytesBase64Encoded";
const LOOK_EVERY_MS: u64 = 10_000;
const DEFAULT_DURATION_S: u32 = 8;
const DEFAULT_ASPECT_RATIO: &str = "16:9";

/// Begins a video, once, and gives the operation's name.
pub(crate) fn begin(place: &Place, wish: &VideoWish, settings: &[Fact]) -> Result<String> {
    let mut instance = json!({ "prompt": wish.prompt });
    let mut blobs = Vec::new();
    if let Some(image) = &wish.image {
        instance["image"] = json!({ "bytesBase64Encoded": "", "mimeType": image.content_type });
        let pointer = "/instances/0/image/bytesBase64Encoded".to_owned();
        blobs.push(EmbeddedBlob { pointer, slice: image.blob.slice(0, image.size) });
    }
    let body = json!({ "instances": [instance], "parameters": parameters(wish, settings) });
    let answer = place.post(&API, "predictLongRunning").json_with_blobs(&body, blobs).spend(START)?;
    let begun: Operation = answer.json()?;
    begun
        .name
        .filter(|name| !name.is_empty())
        .ok_or_else(|| Fault::vendor("Vertex began a video and does not name it."))
}

fn parameters(wish: &VideoWish, settings: &[Fact]) -> Map<String, Value> {
    let mut parameters = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            parameters.insert(name.to_owned(), value);
        }
    };
    set("sampleCount", Some(1.into()));
    set("durationSeconds", Some(wish.duration_s.unwrap_or(DEFAULT_DURATION_S).into()));
    set("aspectRatio", Some(wish.aspect_ratio.as_deref().unwrap_or(DEFAULT_ASPECT_RATIO).into()));
    set("generateAudio", Some(wish.audio.unwrap_or(true).into()));
    set("resolution", wish.resolution.as_deref().map(Value::from));
    set("negativePrompt", wish.negative_prompt.as_deref().filter(|text| !text.trim().is_empty()).map(Value::from));
    set("seed", wish.seed.map(Value::from));
    set("storageUri", setting(settings, "storage_uri").map(Value::from));
    parameters
}

/// Looks at how far an operation is, and takes the video where it is made. A GET of the operation, as elsewhere in Vertex, is not
/// answered for these models.
pub(crate) fn look(place: &Place, name: &str, settings: &[Fact]) -> Result<VideoProgress> {
    let request = place.post(&API, "fetchPredictOperation").json(&json!({ "operationName": name }));
    let (answer, blobs) = request.read_json_and_blobs(vec![BYTES.to_owned()])?;
    let operation: Operation = answer.json()?;
    if operation.name.as_deref() != Some(name) {
        return Err(Fault::vendor("Vertex was asked about one video, and its answer is about another."));
    }
    if !operation.done {
        return Ok(VideoProgress::Pending(VideoWorking {
            retry_after_ms: look_every_ms(settings),
            percent: operation.percent(),
            message: operation.words(),
        }));
    }
    let video = end(operation)?;
    let blob = fetched(&video, blobs)?;
    Ok(VideoProgress::Done(VideoMade { videos: vec![blob], model: place.model.clone() }))
}

fn look_every_ms(settings: &[Fact]) -> u64 {
    setting(settings, "look_every_ms").and_then(|text| text.parse().ok()).unwrap_or(LOOK_EVERY_MS)
}

/// The video: as it came with the answer, or from Cloud Storage.
fn fetched(video: &Video, blobs: Vec<Blob>) -> Result<Blob> {
    if let Some(blob) = blobs.into_iter().next() {
        return Ok(blob);
    }
    let uri = video.gcs_uri.as_deref().unwrap_or_default();
    let object = uri.strip_prefix("gs://").and_then(|uri| uri.split_once('/'));
    let Some((bucket, object)) = object.filter(|(bucket, object)| !bucket.is_empty() && !object.is_empty()) else {
        return Err(Fault::vendor("Vertex says that the video is made, and does not hand it out."));
    };
    // <https://cloud.google.com/storage/docs/json_api/v1/objects/get>
    STORAGE.get(path!("/storage/v1/b/{}/o/{}", bucket, object)).query("alt", "media").read_blob()
}
