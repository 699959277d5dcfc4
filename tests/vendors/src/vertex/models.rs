//! The methods of a model: `predictLongRunning` and `fetchPredictOperation`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::CLOUD_PLATFORM;
use super::body::{Begin, Look};
use super::gate::read;
use super::problem::Problem;
use super::state::{Operation, Vertex, World};
use crate::videos;

const RESPONSE: &str = "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse";

pub(super) async fn call(
    State(vertex): State<Vertex>,
    Path((project, location, call)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let mut world = vertex.world();
    let caller = world.admit(&headers, CLOUD_PLATFORM)?;
    world.enter(&caller, &headers, &project)?;
    let (model, method) = call.rsplit_once(':').unwrap_or((call.as_str(), ""));
    let parent = format!("projects/{project}/locations/{location}/publishers/google/models/{model}");
    let is_known = location == world.settings.location && world.settings.models.iter().any(|known| known == model);
    if !is_known {
        let words = format!("Publisher Model `{parent}` was not found or your project does not have access to it.");
        return Err(Problem::not_found(words));
    }
    match method {
        "predictLongRunning" => begin(&mut world, &parent, model, &read(&headers, &body)?).map(Json),
        "fetchPredictOperation" => look(&mut world, &parent, &read(&headers, &body)?).map(Json),
        _ => Err(Problem::not_found("The method was not found.")),
    }
}

/// Begins a video. Whoever asks twice has two.
fn begin(world: &mut World, parent: &str, model: &str, asked: &Begin) -> Result<Value, Problem> {
    let (instance, image_sha256) = asked.check()?;
    world.made.operations += 1;
    let name = format!("{parent}/operations/{:032x}", rand::random::<u128>());
    world.operations.push(Operation {
        name: name.clone(),
        model: model.to_owned(),
        prompt: instance.prompt.clone(),
        negative_prompt: asked.parameters.negative_prompt.clone(),
        image_sha256,
        duration_s: asked.parameters.duration_seconds,
        aspect_ratio: asked.parameters.aspect_ratio.clone(),
        seed: asked.parameters.seed,
        storage_uri: asked.parameters.storage_uri.clone(),
        looks: 0,
    });
    Ok(json!({ "name": name }))
}

/// How far a video is.
fn look(world: &mut World, parent: &str, asked: &Look) -> Result<Value, Problem> {
    let settings = world.settings.clone();
    let name = &asked.operation_name;
    if !name.starts_with(&format!("{parent}/operations/")) {
        return Err(Problem::invalid("The operation is not one of this model."));
    }
    let found = world.operations.iter_mut().find(|operation| operation.name == *name);
    let Some(operation) = found.filter(|_| !settings.forgets) else {
        return Err(Problem::not_found("The operation was not found."));
    };
    operation.looks += 1;
    if operation.looks <= settings.looks {
        let percent = 90 * operation.looks / settings.looks;
        let mut answer = json!({ "name": name });
        if settings.tells_progress {
            let words = format!("Rendering, {percent} %");
            answer["metadata"] = json!({ "progressPercent": percent, "progressMessage": words });
        }
        return Ok(answer);
    }
    if let Some((code, message)) = settings.fails_with {
        return Ok(json!({ "name": name, "done": true, "error": { "code": code, "message": message } }));
    }
    if !settings.withheld.is_empty() {
        let (count, reasons) = (settings.withheld.len(), settings.withheld);
        let response = json!({ "@type": RESPONSE, "raiMediaFilteredCount": count, "raiMediaFilteredReasons": reasons });
        return Ok(json!({ "name": name, "done": true, "response": response }));
    }
    let video = match &operation.storage_uri {
        Some(folder) => {
            let id = name.rsplit('/').next().unwrap_or_default();
            json!({ "gcsUri": format!("{folder}{id}/sample_0.mp4"), "mimeType": "video/mp4" })
        }
        None => {
            world.made.videos += 1;
            json!({ "bytesBase64Encoded": STANDARD.encode(video(settings.video_bytes)), "mimeType": "video/mp4" })
        }
    };
    let response = json!({ "@type": RESPONSE, "raiMediaFilteredCount": 0, "videos": [video] });
    Ok(json!({ "name": name, "done": true, "response": response }))
}

/// The bytes of every video of this length.
pub(super) fn video(bytes: u64) -> Vec<u8> {
    videos::blocks(0..bytes, bytes).collect::<Vec<_>>().concat()
}
