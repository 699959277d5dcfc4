//! Routes under `/ai/video`.

use super::body::{Body, Path, Query};
use super::caller::Caller;
use super::paging::Page;
use super::publications::idempotency_key;
use super::publications::waiting::{FIRST_LOOK, LONGEST_BETWEEN, patience};
use super::pulled;
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::blob::Blob;
use crate::connectors::fault::Fault;
use crate::db::Tx;
use crate::error::{Problem, Result};
use crate::generations::Receipt;
use crate::id::{BlobId, ConnectionId, VideoId};
use crate::videos::{self, NewVideo, State, Video, VideoWish};
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

type AppState = axum::extract::State<App>;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(generate))
        .routes(routes!(list))
        .routes(routes!(find))
        .routes(routes!(content))
        .routes(routes!(cancel))
}

/// A video as the API shows it.
#[derive(Serialize, ToSchema)]
struct VideoView {
    id: VideoId,
    state: State,
    connection_id: ConnectionId,
    /// The connector that has it made.
    connector: String,
    /// What it is made for, where the account has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// What was asked for.
    wish: VideoWish,
    /// The blob of the picture that it begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<BlobId>,
    progress: VideoProgress,
    /// The video; absent until it is completed.
    video: Option<VideoFile>,
    /// Why it failed, or waits.
    fault: Option<Fault>,
    /// Credits reserved, or charged once it is completed.
    price: i64,
    /// What it used and cost; absent until it has ended.
    receipt: Option<Receipt>,
    /// Calls of the connector so far.
    attempts: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    finished_at: Option<Timestamp>,
}

/// How far a video is, as the vendor last said.
#[derive(Serialize, ToSchema)]
struct VideoProgress {
    /// How much is done, from 0 to 100; absent where the vendor says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<i64>,
    /// The vendor's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// When the vendor was seen to have begun it; absent before. From then on it cannot be cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    begun_at: Option<Timestamp>,
}

/// A video that was made.
#[derive(Serialize, ToSchema)]
struct VideoFile {
    /// Its blob.
    blob_id: BlobId,
    /// Its media type, as found in its bytes.
    content_type: String,
    /// Its length in bytes.
    size_bytes: i64,
    /// SHA-256 of the bytes in lowercase hex.
    sha256: String,
    /// Pixels across.
    width: Option<i64>,
    /// Pixels from top to bottom.
    height: Option<i64>,
    /// How long it lasts.
    duration_ms: Option<i64>,
    /// Where it is to be had, by whoever is signed in to its workspace.
    url: String,
}

impl VideoView {
    async fn of(app: &App, tx: &mut Tx, video: Video) -> Result<Self> {
        let blob = videos::blob_of(tx, &video).await?;
        Ok(Self {
            state: video.state()?,
            wish: video.wish()?,
            progress: VideoProgress { percent: video.percent, message: video.words.clone(), begun_at: video.begun_at },
            video: blob.map(|blob| VideoFile::of(app, video.id, blob)),
            fault: video.fault()?,
            receipt: video.receipt()?,
            id: video.id,
            connection_id: video.connection_id,
            connector: video.connector,
            target: video.target,
            image: video.image_id,
            price: video.price,
            attempts: video.attempts,
            created_at: video.created_at,
            updated_at: video.updated_at,
            finished_at: video.finished_at,
        })
    }
}

impl VideoFile {
    fn of(app: &App, video: VideoId, blob: Blob) -> Self {
        Self {
            blob_id: blob.id,
            content_type: blob.content_type,
            size_bytes: blob.size_bytes,
            sha256: blob.sha256,
            width: blob.shape.width,
            height: blob.shape.height,
            duration_ms: blob.shape.duration_ms,
            url: format!("{}/ai/video/{video}/content", app.config().public()),
        }
    }
}

/// Have a video made, for credits. It is taken in and made by a vendor over minutes: ask with `Prefer: wait=60` to have its end, where
/// that takes no longer, or look at `/ai/video/{id}`. What is not made is not charged.
#[utoipa::path(post, path = "/ai/video", tag = "videos", security(("bearer" = [])), request_body = NewVideo,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Names this wish: a repetition makes and costs nothing more"),
        ("Prefer" = Option<String>, Header, description = "`wait=10` waits for the end, 60 seconds at most"),
    ),
    responses(
    (status = 200, description = "It has ended within the time that the client waits", body = VideoView),
    (status = 202, description = "Taken in, or taken in before under the same key", body = VideoView),
    (status = 400, description = "The body or a header cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 402, description = "Not enough credits", body = Problem),
    (status = 404, description = "No such connection", body = Problem),
    (status = 409, description = "No account, several accounts, a revoked one, or a key that was used for another video", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "It is nothing that the model takes", body = Problem),
    (status = 502, description = "The connector failed", body = Problem),
    (status = 503, description = "No price is set, no connector makes videos, or it is busy", body = Problem),
))]
async fn generate(
    axum::extract::State(app): AppState,
    caller: Caller,
    headers: HeaderMap,
    Body(new): Body<NewVideo>,
) -> Result<(StatusCode, Json<VideoView>)> {
    let patience = patience(&headers)?;
    let video = Box::pin(videos::ask(&app, caller, new, idempotency_key(&headers)?)).await?;
    let video = wait(&app, video, patience).await?;
    let ended = patience > Duration::ZERO && video.state()?.is_terminal();
    let status = if ended { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(VideoView::of(&app, &mut app.db().read().await?, video).await?)))
}

/// Looks until a video has ended, or patience has.
async fn wait(app: &App, video: Video, patience: Duration) -> Result<Video> {
    let (mut video, mut pause) = (video, FIRST_LOOK);
    let until = tokio::time::Instant::now() + patience;
    while !video.state()?.is_terminal() && tokio::time::Instant::now() < until {
        tokio::time::sleep_until((tokio::time::Instant::now() + pause).min(until)).await;
        pause = (pause * 2).min(LONGEST_BETWEEN);
        video = videos::find(&mut app.db().read().await?, video.workspace_id, video.id).await?;
    }
    Ok(video)
}

/// A page of videos.
#[derive(Serialize, ToSchema)]
struct Videos {
    /// Newest first.
    items: Vec<VideoView>,
    /// Gives the next page; absent on the last.
    next_cursor: Option<VideoId>,
}

/// List the videos, newest first, with those that failed.
#[utoipa::path(get, path = "/ai/video", tag = "videos", params(Page), security(("bearer" = [])), responses(
    (status = 200, description = "A page", body = Videos),
    (status = 400, description = "The cursor or the limit cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 422, description = "The limit is out of bounds", body = Problem),
))]
async fn list(axum::extract::State(app): AppState, caller: Caller, Query(page): Query<Page>) -> Result<Json<Videos>> {
    let mut tx = app.db().read().await?;
    let before = page.cursor.map(VideoId);
    let mut found = videos::list(&mut tx, caller.workspace, before, page.to_read()?).await?;
    let next_cursor = page.cut(&mut found).map(|last| last.id);
    let mut items = Vec::with_capacity(found.len());
    for video in found {
        items.push(VideoView::of(&app, &mut tx, video).await?);
    }
    Ok(Json(Videos { items, next_cursor }))
}

/// Show a video: how far it is, and its receipt.
#[utoipa::path(get, path = "/ai/video/{id}", tag = "videos", security(("bearer" = [])),
    params(("id" = VideoId, Path, description = "The video")), responses(
    (status = 200, description = "The video", body = VideoView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such video", body = Problem),
))]
async fn find(axum::extract::State(app): AppState, caller: Caller, Path(id): Path<VideoId>) -> Result<Json<VideoView>> {
    let mut tx = app.db().read().await?;
    let video = videos::find(&mut tx, caller.workspace, id).await?;
    Ok(Json(VideoView::of(&app, &mut tx, video).await?))
}

/// The bytes of a video that is completed. `Range` gives a stretch.
#[utoipa::path(get, path = "/ai/video/{id}/content", tag = "videos", security(("bearer" = [])),
    params(("id" = VideoId, Path, description = "The video")), responses(
    (status = 200, description = "The bytes", body = Vec<u8>, content_type = "video/mp4"),
    (status = 206, description = "A stretch of the bytes", body = Vec<u8>, content_type = "video/mp4"),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such video, or it is not completed", body = Problem),
    (status = 416, description = "The stretch lies behind the end", body = Problem),
    (status = 500, description = "The bytes cannot be read", body = Problem),
))]
async fn content(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<VideoId>,
    asked: HeaderMap,
) -> Result<Response> {
    let blob = videos::file(&mut app.db().read().await?, caller.workspace, id).await?;
    pulled::send(&app, &blob, &asked).await
}

/// Cancel a video that the vendor has not begun. Its credits are free again.
#[utoipa::path(post, path = "/ai/video/{id}/cancel", tag = "videos", security(("bearer" = [])),
    params(("id" = VideoId, Path, description = "The video")), responses(
    (status = 200, description = "It is not made", body = VideoView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such video", body = Problem),
    (status = 409, description = "The vendor is at it, or it has ended", body = Problem),
))]
async fn cancel(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<VideoId>,
) -> Result<Json<VideoView>> {
    let video = videos::cancel(&app, caller.workspace, id).await?;
    Ok(Json(VideoView::of(&app, &mut app.db().read().await?, video).await?))
}
