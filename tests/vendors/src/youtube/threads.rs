//! `/youtube/v3/commentThreads`: comments on a video with some of the replies to them.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::FORCE_SSL;
use super::body::{self, NewThread};
use super::comments::{Comment, Format, page};
use super::gate::{Call, Method};
use super::problem::Problem;
use super::quota::Cost;
use super::state::{World, YouTube};
use crate::door::Visitor;

const PARTS: &[&str] = &["id", "snippet", "replies"];
const LIST: Method = Method {
    scopes: &[FORCE_SSL],
    cost: Cost::Read,
    parameters: &["part", "videoId", "order", "maxResults", "pageToken", "textFormat"],
    parts: PARTS,
};
const INSERT: Method =
    Method { scopes: &[FORCE_SSL], cost: Cost::Write, parameters: &["part"], parts: &["id", "snippet"] };

/// Most replies that come along with a comment (documented).
const MOST_REPLIES: usize = 5;

/// The comments on a video: the newest first, or those that the simulator finds relevant, which are the oldest.
pub(super) async fn list(
    State(youtube): State<YouTube>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let call = Call::admit(&youtube, &visitor, &headers, query, &LIST)?;
    let (video, format, range) = (call.required("videoId")?, Format::read(&call)?, call.page(20, 100)?);
    let world = youtube.world();
    let message = "The video identified by the videoId parameter could not be found.";
    world.video(video).ok_or_else(|| Problem::not_found("youtube.commentThread", "videoNotFound", message))?;
    world.check_commenting()?;
    let first = |comment: &&Comment| comment.video_id == video && comment.parent_id.is_none();
    let mut threads: Vec<&Comment> = world.comments.iter().filter(first).collect();
    match call.query.get("order") {
        None | Some("time") => threads.reverse(),
        Some("relevance") => {}
        Some(_) => return Err(Problem::parameter("invalidParameter", "Invalid value for order.")),
    }
    let all: Vec<Value> = threads.into_iter().map(|comment| world.thread(comment, &call, format)).collect();
    Ok(Json(page("youtube#commentThreadListResponse", &all, range)))
}

/// Comment on a video.
pub(super) async fn insert(
    State(youtube): State<YouTube>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let call = Call::admit(&youtube, &visitor, &headers, query, &INSERT)?;
    let NewThread { snippet } = body::read(&headers, &body)?;
    let mut world = youtube.world();
    let message = "The video identified by the videoId parameter could not be found.";
    let at = world.video(&snippet.video_id);
    let at = at.ok_or_else(|| Problem::not_found("youtube.commentThread", "videoNotFound", message))?;
    if world.videos[at].privacy == "private" || world.videos[at].made_for_kids == Some(true) {
        let message = "The comment thread could not be created due to insufficient permissions.";
        return Err(Problem::forbidden("youtube.commentThread", "forbidden", message));
    }
    let id = world.say(&call, &snippet.video_id, &snippet.top_level_comment.snippet.text_original)?;
    let made = world.comments.iter().find(|comment| comment.id == id);
    Ok(Json(made.map_or(Value::Null, |comment| world.thread(comment, &call, Format::Html))))
}

impl World {
    fn thread(&self, comment: &Comment, call: &Call, format: Format) -> Value {
        let viewer = call.channel.as_ref().map(|channel| channel.id.as_str());
        let replies: Vec<&Comment> =
            self.comments.iter().filter(|reply| reply.parent_id.as_ref() == Some(&comment.id)).collect();
        let mut thread = json!({ "kind": "youtube#commentThread", "etag": "e", "id": comment.id });
        if call.has("snippet") {
            let channel = self.videos.iter().find(|video| video.id == comment.video_id);
            thread["snippet"] = json!({
                "channelId": channel.map(|video| &video.channel_id), "videoId": comment.video_id,
                "topLevelComment": self.shown(comment, viewer, format), "canReply": true,
                "totalReplyCount": replies.len(), "isPublic": true,
            });
        }
        if call.has("replies") && !replies.is_empty() {
            let latest = replies.iter().rev().take(MOST_REPLIES);
            let shown: Vec<Value> = latest.map(|reply| self.shown(reply, viewer, format)).collect();
            thread["replies"] = json!({ "comments": shown });
        }
        thread
    }
}
