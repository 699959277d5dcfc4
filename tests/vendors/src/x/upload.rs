//! The media endpoints: `initialize`, `append`, `finalize`, `STATUS` and `metadata` (documented under "Media").

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Path, RawQuery, Request, State};
use axum::{Extension, Json};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{Closed, media_type};
use super::clock::Moment;
use super::gate::Caller;
use super::media::Initialize;
use super::pairs::Pairs;
use super::problem::Problem;
use super::snowflake::id;
use super::state::{World, X};

/// Open an upload.
pub(super) async fn initialize(
    State(x): State<X>,
    Extension(caller): Extension<Caller>,
    Closed(body): Closed<Initialize>,
) -> Result<Json<Value>, Problem> {
    let now = Moment::now();
    let mut world = x.world();
    let World { settings, shelf, ids, .. } = &mut *world;
    let expires = now.after_s(settings.media_lifetime_s);
    let media = shelf.open(ids.next(now), &caller.account.id, body, expires)?;
    Ok(Json(json!({ "data": media.data(settings, now) })))
}

/// Store a segment.
pub(super) async fn append(
    State(x): State<X>,
    Extension(caller): Extension<Caller>,
    Path(media_id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let media_id = id("id", &media_id)?;
    let Segment { index, bytes } = Segment::read(request).await?;
    let mut world = x.world();
    let media = world.shelf.owned(media_id, &caller.account.id, Moment::now())?;
    media.append(index, bytes)?;
    Ok(Json(json!({ "data": { "expires_at": media.expires_at() } })))
}

/// Assemble an upload. There is no body to send, but an empty JSON object does no harm; clients that sent anything
/// else report "Request body must be a JSON object." (observed).
pub(super) async fn finalize(
    State(x): State<X>,
    Extension(caller): Extension<Caller>,
    Path(media_id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let media_id = id("id", &media_id)?;
    if !body.trim_ascii().is_empty() && body.trim_ascii() != b"{}" {
        return Err(Problem::invalid("body", "", "Request body must be a JSON object."));
    }
    let now = Moment::now();
    let mut world = x.world();
    let World { settings, shelf, .. } = &mut *world;
    let media = shelf.owned(media_id, &caller.account.id, now)?;
    media.finalize(now)?;
    Ok(Json(json!({ "data": media.data(settings, now) })))
}

/// Tell how far the processing is.
pub(super) async fn status(
    State(x): State<X>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let query = Pairs::query(query.as_deref(), &["media_id", "command"])?;
    if let Some(other) = query.get("command").filter(|command| *command != "STATUS") {
        return Err(Problem::invalid("command", other, "The `command` query parameter must be STATUS"));
    }
    let media_id = id("media_id", query.get("media_id").unwrap_or_default())?;
    let now = Moment::now();
    let mut world = x.world();
    let World { settings, shelf, .. } = &mut *world;
    let media = shelf.owned(media_id, &caller.account.id, now)?;
    if media.finished.is_none() {
        return Err(Problem::malformed("The upload is not finalized yet."));
    }
    Ok(Json(json!({ "data": media.data(settings, now) })))
}

/// The body of `metadata`, of which only the alternative text is simulated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Describe {
    id: String,
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    alt_text: AltText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AltText {
    text: String,
}

/// Describe media for people who cannot see it.
pub(super) async fn metadata(
    State(x): State<X>,
    Extension(caller): Extension<Caller>,
    Closed(body): Closed<Describe>,
) -> Result<Json<Value>, Problem> {
    let text = body.metadata.alt_text.text;
    let mut world = x.world();
    let media = world.shelf.owned(id("id", &body.id)?, &caller.account.id, Moment::now())?;
    media.describe(text.clone())?;
    let associated = json!({ "alt_text": { "text": text } });
    Ok(Json(json!({ "data": { "id": body.id, "associated_metadata": associated } })))
}

struct Segment {
    index: u16,
    bytes: Bytes,
}

impl Segment {
    /// From multipart, or from JSON with the bytes in base64 (both documented).
    async fn read(request: Request) -> Result<Self, Problem> {
        match media_type(request.headers()).as_str() {
            "multipart/form-data" => Self::from_parts(request).await,
            "application/json" => Self::from_json(request).await,
            _ => Err(Problem::content_type("multipart/form-data or application/json")),
        }
    }

    async fn from_parts(request: Request) -> Result<Self, Problem> {
        let malformed = |_| Problem::malformed("The multipart body cannot be read.");
        let mut parts = Multipart::from_request(request, &()).await.map_err(|_| malformed(()))?;
        let (mut index, mut bytes) = (None, None);
        while let Some(part) = parts.next_field().await.map_err(|_| malformed(()))? {
            let name = part.name().unwrap_or_default().to_owned();
            let content = part.bytes().await.map_err(|_| malformed(()))?;
            match name.as_str() {
                "media" if bytes.is_none() => bytes = Some(content),
                "segment_index" if index.is_none() => {
                    let text = String::from_utf8_lossy(&content);
                    let parsed = text.parse().map_err(|_| {
                        Problem::invalid("segment_index", &text, "segment_index must be an integer from 0 to 999")
                    })?;
                    index = Some(parsed);
                }
                _ => return Err(Problem::invalid(&name, "", format!("The part [{name}] is unknown or repeated."))),
            }
        }
        match (index, bytes) {
            (Some(index), Some(bytes)) => Ok(Self { index, bytes }),
            _ => Err(Problem::malformed("The parts media and segment_index are required.")),
        }
    }

    async fn from_json(request: Request) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Body {
            media: String,
            segment_index: u16,
        }

        let Closed(Body { media, segment_index: index }) = Closed::from_request(request, &()).await?;
        match BASE64_STANDARD.decode(media) {
            Ok(bytes) => Ok(Self { index, bytes: bytes.into() }),
            Err(_) => Err(Problem::invalid("media", "", "media must be base64")),
        }
    }
}
