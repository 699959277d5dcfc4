//! Videos: what they are, how far they are processed, `GET` and `DELETE /youtube/v3/videos`.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::{Value, json};

use super::body::{NewVideo, VideoSnippet, VideoStatus};
use super::content::Content;
use super::gate::{Call, Method};
use super::problem::Problem;
use super::quota::Cost;
use super::state::{World, YouTube};
use super::{FORCE_SSL, READONLY};
use crate::clock::Moment;
use crate::door::Visitor;

/// The parts of a video that are simulated.
pub(super) const PARTS: &[&str] = &["id", "snippet", "status", "processingDetails"];

const LIST: Method =
    Method { scopes: &[READONLY, FORCE_SSL], cost: Cost::Read, parameters: &["part", "id"], parts: PARTS };
const DELETE: Method = Method { scopes: &[FORCE_SSL], cost: Cost::Write, parameters: &["id"], parts: &[] };

/// Limits of a video's words (documented with the resource).
const TITLE_CHARS: usize = 100;
const DESCRIPTION_BYTES: usize = 5_000;
const TAGS_CHARS: usize = 500;
/// Most ids of a list.
const MOST_IDS: usize = 50;
const DAY_MS: u64 = 86_400_000;

/// A video, as tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Video {
    /// The id.
    pub id: String,
    /// The channel's id.
    pub channel_id: String,
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
    /// The tags.
    pub tags: Vec<String>,
    /// The number of its category.
    pub category_id: String,
    /// Who sees it: `public`, `unlisted` or `private`.
    pub privacy: String,
    /// Whether it was declared to be made for kids.
    pub made_for_kids: Option<bool>,
    /// Whether it was declared to be made by AI.
    pub synthetic: bool,
    /// Whether other sites may show it.
    pub embeddable: bool,
    /// Its license.
    pub license: String,
    /// Whether subscribers were told.
    pub notified: bool,
    /// The bytes received.
    pub size_bytes: u64,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
    /// The SHA-256 of its thumbnail, in hexadecimal, if one was set.
    pub thumbnail_sha256: Option<String>,
    /// Why it is rejected in the end.
    pub rejection_reason: Option<String>,
    /// Why it cannot be processed.
    pub failure_reason: Option<String>,
    /// When the upload was finished, in milliseconds since 1970, on the simulator's clock.
    pub created_ms: u64,
    /// How often its status was read.
    pub reads: u32,
    /// Whether it was deleted.
    pub deleted: bool,
}

/// What a video is to be.
#[derive(Default)]
pub(super) struct Wish {
    snippet: Option<VideoSnippet>,
    status: VideoStatus,
    notified: bool,
}

impl Wish {
    /// Read and check what is wished for.
    pub(super) fn read(call: &Call, new: NewVideo, notified: bool) -> Result<Self, Problem> {
        let beyond = |part: &str| {
            let message = format!("The request body has {part}, which the parameter part does not name.");
            Problem::member("youtube.part", "unexpectedPart", message)
        };
        if new.snippet.is_some() && !call.has("snippet") {
            return Err(beyond("snippet"));
        }
        if new.status.is_some() && !call.has("status") {
            return Err(beyond("status"));
        }
        let wrong = |reason, message: &str| Err(Problem::member("youtube.video", reason, message));
        let Some(snippet) = new.snippet else {
            return wrong("invalidTitle", "The request metadata specifies an invalid or empty video title.");
        };
        let has_brackets = |text: &str| text.contains(['<', '>']);
        let VideoSnippet { title, description, tags, category_id } = &snippet;
        if !(1..=TITLE_CHARS).contains(&title.chars().count()) || title.trim().is_empty() || has_brackets(title) {
            return wrong("invalidTitle", "The request metadata specifies an invalid or empty video title.");
        }
        if description.len() > DESCRIPTION_BYTES || has_brackets(description) {
            return wrong("invalidDescription", "The request metadata specifies an invalid video description.");
        }
        if tags_chars(tags) > TAGS_CHARS || tags.iter().any(|tag| tag.trim().is_empty() || has_brackets(tag)) {
            return wrong("invalidTags", "The request metadata specifies invalid video keywords.");
        }
        if category_id.as_ref().is_some_and(|id| {
            !["1", "2", "10", "15", "17", "19", "20", "22", "23", "24", "25", "26", "27", "28", "29"]
                .contains(&id.as_str())
        }) {
            return wrong("invalidCategoryId", "The request metadata specifies an invalid category ID.");
        }
        let status = new.status.unwrap_or_default();
        let one_of =
            |given: &Option<String>, known: &[&str]| given.as_ref().is_none_or(|given| known.contains(&given.as_str()));
        if !one_of(&status.privacy_status, &["public", "unlisted", "private"])
            || !one_of(&status.license, &["youtube", "creativeCommon"])
        {
            return wrong("invalidVideoMetadata", "The request metadata is invalid.");
        }
        Ok(Self { snippet: Some(snippet), status, notified })
    }
}

/// As one text, separated by commas, in which quotation marks stand around a tag with a space (documented).
fn tags_chars(tags: &[String]) -> usize {
    let quoted: Vec<String> =
        tags.iter().map(|tag| if tag.contains(' ') { format!("\"{tag}\"") } else { tag.clone() }).collect();
    quoted.join(",").chars().count()
}

impl World {
    /// Keep a video whose content has come whole.
    pub(super) fn keep_video(&mut self, id: String, channel_id: String, wish: Wish, content: &Content) {
        let Wish { snippet, status, notified } = wish;
        let Some(snippet) = snippet else { return };
        let (settings, sha256) = (&self.settings, content.sha256());
        let is_repeated = || self.videos.iter().any(|video| video.channel_id == channel_id && video.sha256 == sha256);
        let reason = |reason: &String| Some(reason.clone()).filter(|reason| !reason.is_empty());
        let rejection_reason = match reason(&settings.rejection_reason) {
            None if settings.reject_duplicates && is_repeated() => Some("duplicate".to_owned()),
            reason => reason,
        };
        let failure_reason = match content.is_video() {
            true => reason(&settings.failure_reason),
            false => Some("invalidFile".to_owned()),
        };
        let wished = status.privacy_status.unwrap_or_else(|| "public".to_owned());
        let video = Video {
            id,
            channel_id,
            title: snippet.title,
            description: snippet.description,
            tags: snippet.tags,
            category_id: snippet.category_id.unwrap_or_else(|| "22".to_owned()),
            privacy: if settings.force_private { "private".to_owned() } else { wished },
            made_for_kids: status.self_declared_made_for_kids,
            synthetic: status.contains_synthetic_media.unwrap_or(false),
            embeddable: status.embeddable.unwrap_or(true),
            license: status.license.unwrap_or_else(|| "youtube".to_owned()),
            notified,
            size_bytes: content.kept_bytes(),
            sha256,
            thumbnail_sha256: None,
            rejection_reason,
            failure_reason,
            created_ms: self.now().unix_ms(),
            reads: 0,
            deleted: false,
        };
        self.videos.push(video);
        self.made.videos += 1;
    }

    /// Where the video of this id is, if it was not deleted.
    pub(super) fn video(&self, id: &str) -> Option<usize> {
        self.videos.iter().position(|video| video.id == id && !video.deleted)
    }
}

impl Video {
    pub(super) fn is_of_today(&self, now: Moment) -> bool {
        now.unix_ms().saturating_sub(self.created_ms) < DAY_MS
    }

    fn upload_status(&self, world: &World) -> &'static str {
        let settings = &world.settings;
        let done_ms = self.created_ms.saturating_add(settings.processing_s.saturating_mul(1_000));
        match world.now().unix_ms() < done_ms || self.reads < settings.processing_reads {
            true => "uploaded",
            false if self.rejection_reason.is_some() => "rejected",
            false if self.failure_reason.is_some() => "failed",
            false => "processed",
        }
    }
}

/// A time as the API writes it, in whole seconds.
pub(super) fn time(ms: u64) -> String {
    let text = Moment::EPOCH.after_ms(ms / 1_000 * 1_000).to_string();
    text.replace(".000Z", "Z")
}

/// The parts of a video that are asked for.
pub(super) fn resource(world: &World, video: &Video, parts: &[&str]) -> Value {
    let mut resource = json!({ "kind": "youtube#video", "etag": format!("e{}", video.reads), "id": video.id });
    let upload_status = video.upload_status(world);
    for part in parts {
        resource[*part] = match *part {
            "snippet" => json!({
                "publishedAt": time(video.created_ms), "channelId": video.channel_id, "title": video.title,
                "description": video.description, "tags": video.tags, "categoryId": video.category_id,
                "channelTitle": channel_title(world, &video.channel_id), "liveBroadcastContent": "none",
            }),
            "status" => {
                let mut status = json!({
                    "uploadStatus": upload_status, "privacyStatus": video.privacy, "license": video.license,
                    "embeddable": video.embeddable, "publicStatsViewable": true,
                    "madeForKids": video.made_for_kids.unwrap_or(false),
                });
                if let Some(declared) = video.made_for_kids {
                    status["selfDeclaredMadeForKids"] = declared.into();
                }
                match (upload_status, &video.rejection_reason, &video.failure_reason) {
                    ("rejected", Some(reason), _) => status["rejectionReason"] = reason.as_str().into(),
                    ("failed", _, Some(reason)) => status["failureReason"] = reason.as_str().into(),
                    _ => {}
                }
                status
            }
            "processingDetails" => {
                let status = match upload_status {
                    "uploaded" => "processing",
                    "processed" => "succeeded",
                    _ => "failed",
                };
                json!({ "processingStatus": status, "fileDetailsAvailability": "available" })
            }
            _ => continue,
        };
    }
    resource
}

fn channel_title<'world>(world: &'world World, id: &str) -> &'world str {
    let channels = world.settings.accounts.iter().filter_map(|account| account.channel.as_ref());
    channels.into_iter().find(|channel| channel.id == id).map_or("", |channel| channel.title.as_str())
}

/// `GET /youtube/v3/videos`: those of these ids that the caller may see.
pub(super) async fn list(
    State(youtube): State<YouTube>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let call = Call::admit(&youtube, &visitor, &headers, query, &LIST)?;
    let ids: Vec<&str> = call.required("id")?.split(',').collect();
    if ids.len() > MOST_IDS {
        return Err(Problem::parameter(
            "invalidParameter",
            format!("The parameter id names more than {MOST_IDS} videos."),
        ));
    }
    let own = call.channel.as_ref().map(|channel| channel.id.clone());
    let mut world = youtube.world();
    let mut items = Vec::new();
    for id in ids {
        let Some(at) = world.video(id) else { continue };
        let video = &world.videos[at];
        let is_own = Some(&video.channel_id) == own.as_ref();
        if video.privacy == "private" && !is_own {
            continue;
        }
        if call.has("processingDetails") && !is_own {
            return Err(Problem::forbidden("youtube.video", "forbidden", "The processing details are their owner's."));
        }
        items.push(resource(&world, video, &call.parts()));
        if call.has("status") {
            world.videos[at].reads += 1;
        }
    }
    let info = json!({ "totalResults": items.len(), "resultsPerPage": items.len() });
    Ok(Json(json!({ "kind": "youtube#videoListResponse", "etag": "e", "items": items, "pageInfo": info })))
}

/// `DELETE /youtube/v3/videos`
pub(super) async fn delete(
    State(youtube): State<YouTube>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let call = Call::admit(&youtube, &visitor, &headers, query, &DELETE)?;
    let (id, channel) = (call.required("id")?, call.own()?);
    let mut world = youtube.world();
    let not_found = || {
        Problem::not_found("youtube.video", "videoNotFound", "The video that you are trying to delete cannot be found.")
    };
    let at = world.video(id).ok_or_else(not_found)?;
    if world.videos[at].channel_id != channel.id {
        return Err(Problem::forbidden(
            "youtube.video",
            "forbidden",
            "The video that you are trying to delete cannot be deleted.",
        ));
    }
    world.videos[at].deleted = true;
    Ok(StatusCode::NO_CONTENT.into_response())
}
