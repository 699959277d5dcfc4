//! `GET /storage/v1/b/{bucket}/o/{object}?alt=media`: a video that was put into Cloud Storage.

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::CLOUD_PLATFORM;
use super::models::video;
use super::problem::Problem;
use super::state::Vertex;

pub(super) async fn media(
    State(vertex): State<Vertex>,
    Path((bucket, object)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut world = vertex.world();
    world.admit(&headers, CLOUD_PLATFORM)?;
    if query.as_deref() != Some("alt=media") {
        return Err(Problem::strict("only alt=media is asked for here."));
    }
    let uri = format!("gs://{bucket}/{object}");
    let is_there = world.operations.iter().any(|operation| {
        let id = operation.name.rsplit('/').next().unwrap_or_default();
        operation.storage_uri.as_ref().is_some_and(|folder| uri == format!("{folder}{id}/sample_0.mp4"))
    });
    if !is_there {
        return Err(Problem::not_found(format!("No such object: {bucket}/{object}")));
    }
    world.made.videos += 1;
    Ok(([(CONTENT_TYPE, "video/mp4")], video(world.settings.video_bytes)).into_response())
}
