//! `POST /upload/youtube/v3/thumbnails/set`.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::gate::{Call, Method};
use super::problem::Problem;
use super::quota::Cost;
use super::state::YouTube;
use super::{FORCE_SSL, UPLOAD};
use crate::door::Visitor;

const SET: Method =
    Method { scopes: &[UPLOAD, FORCE_SSL], cost: Cost::Write, parameters: &["videoId", "uploadType"], parts: &[] };

/// The largest picture, in bytes (YouTube's help; the discovery document says 50 MB).
const LIMIT_BYTES: usize = 2 << 20;

/// Set a picture as the thumbnail of one's own video.
pub(super) async fn set(
    State(youtube): State<YouTube>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let call = Call::admit(&youtube, &visitor, &headers, query, &SET)?;
    if call.required("uploadType")? != "media" {
        return Err(Problem::strict("thumbnails are set with uploadType=media here."));
    }
    let (id, channel) = (call.required("videoId")?, call.own()?);
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_picture = match content_type {
        "image/jpeg" => body.starts_with(b"\xFF\xD8\xFF"),
        "image/png" => body.starts_with(b"\x89PNG\r\n\x1A\n"),
        _ => false,
    };
    if body.is_empty() {
        let message = "The request does not include the image content.";
        return Err(Problem::member("youtube.thumbnail", "mediaBodyRequired", message));
    }
    if !is_picture {
        let message = "The provided image content is invalid.";
        return Err(Problem::member("youtube.thumbnail", "invalidImage", message));
    }
    if body.len() > LIMIT_BYTES {
        return Err(Problem::of(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let mut world = youtube.world();
    let message = "The video that you are trying to set a thumbnail for cannot be found.";
    let at = world.video(id).ok_or_else(|| Problem::not_found("youtube.thumbnail", "videoNotFound", message))?;
    if world.videos[at].channel_id != channel.id || !channel.verified {
        let message = "The authenticated user doesn't have permissions to upload and set custom video thumbnails.";
        return Err(Problem::forbidden("youtube.thumbnail", "forbidden", message));
    }
    world.videos[at].thumbnail_sha256 = Some(hex::encode(Sha256::digest(&body)));
    world.made.thumbnails += 1;
    let default = json!({ "url": format!("https://i.ytimg.com/vi/{id}/default.jpg"), "width": 120, "height": 90 });
    Ok(Json(json!({ "kind": "youtube#thumbnailSetResponse", "etag": "e", "items": [{ "default": default }] })))
}
