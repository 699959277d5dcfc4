//! Comments: what they are, and `/youtube/v3/comments`, which lists the replies to one and makes them.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::{Value, json};

use super::FORCE_SSL;
use super::body::{self, NewReply};
use super::gate::{Call, Method};
use super::problem::Problem;
use super::quota::Cost;
use super::state::{World, YouTube};
use super::videos::time;
use crate::door::Visitor;

const LIST: Method = Method {
    scopes: &[FORCE_SSL],
    cost: Cost::Read,
    parameters: &["part", "parentId", "maxResults", "pageToken", "textFormat"],
    parts: &["id", "snippet"],
};
const INSERT: Method =
    Method { scopes: &[FORCE_SSL], cost: Cost::Write, parameters: &["part"], parts: &["id", "snippet"] };

/// The longest comment, in characters (observed).
const LONGEST: usize = 10_000;

/// A comment, as tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// The id; of a reply, its thread's, a dot and its own.
    pub id: String,
    /// The id of the video.
    pub video_id: String,
    /// The id of the comment that it replies to.
    pub parent_id: Option<String>,
    /// The id of the channel that wrote it.
    pub author_id: String,
    /// And its name.
    pub author: String,
    /// Its words.
    pub text: String,
    /// When it was written, in milliseconds since 1970, on the simulator's clock.
    pub created_ms: u64,
}

impl World {
    /// Write a comment below a video or a comment; nothing if there is no such thing. Below a reply it hangs on its thread.
    pub(super) fn comment(&mut self, below: &str, (author_id, author): (&str, &str), text: &str) -> Option<String> {
        let known = self.comments.iter().find(|comment| comment.id == below);
        let (video_id, parent_id) = match known {
            Some(known) => (known.video_id.clone(), Some(known.parent_id.clone().unwrap_or_else(|| known.id.clone()))),
            None => (self.videos[self.video(below)?].id.clone(), None),
        };
        let id = match &parent_id {
            Some(thread) => format!("{thread}.{}", self.id(22)),
            None => format!("Ug{}", self.id(24)),
        };
        let created_ms = self.now().unix_ms();
        let (author_id, author, text) = (author_id.to_owned(), author.to_owned(), text.to_owned());
        self.comments.push(Comment { id: id.clone(), video_id, parent_id, author_id, author, text, created_ms });
        Some(id)
    }

    /// The comment as the API shows it to a channel.
    pub(super) fn shown(&self, comment: &Comment, viewer: Option<&str>, format: Format) -> Value {
        let channel =
            self.videos.iter().find(|video| video.id == comment.video_id).map(|video| video.channel_id.as_str());
        let display = match format {
            Format::Plain => comment.text.clone(),
            Format::Html => {
                comment.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>")
            }
        };
        let mut snippet = json!({
            "channelId": channel, "videoId": comment.video_id, "textDisplay": display,
            "authorDisplayName": comment.author, "authorChannelId": { "value": comment.author_id }, "canRate": true,
            "viewerRating": "none", "likeCount": 0, "publishedAt": time(comment.created_ms),
            "updatedAt": time(comment.created_ms),
        });
        if viewer == Some(&comment.author_id) {
            snippet["textOriginal"] = comment.text.as_str().into();
        }
        if let Some(parent) = &comment.parent_id {
            snippet["parentId"] = parent.as_str().into();
        }
        json!({ "kind": "youtube#comment", "etag": "e", "id": comment.id, "snippet": snippet })
    }

    /// Write a caller's words, if there may be comments.
    pub(super) fn say(&mut self, call: &Call, below: &str, text: &str) -> Result<String, Problem> {
        let wrong = |reason, message: &str| Err(Problem::member("youtube.comment", reason, message));
        if text.trim().is_empty() {
            return wrong("commentTextRequired", "The comment resource that is being inserted must specify a value.");
        }
        if text.chars().count() > LONGEST {
            return wrong("commentTextTooLong", "The comment text exceeds the maximum length.");
        }
        let channel = call.own()?.clone();
        self.check_commenting()?;
        let made = self.comment(below, (&channel.id, &channel.handle), text);
        let made =
            made.ok_or_else(|| Problem::not_found("youtube.comment", "videoNotFound", "There is no such video."))?;
        self.made.comments += 1;
        Ok(made)
    }

    pub(super) fn check_commenting(&self) -> Result<(), Problem> {
        let message = "The video identified by the <code><a href=\"/youtube/v3/docs\">videoId</a></code> parameter has \
                       disabled comments.";
        match self.settings.comments_disabled {
            true => Err(Problem::forbidden("youtube.commentThread", "commentsDisabled", message)),
            false => Ok(()),
        }
    }
}

/// How words are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Html,
    Plain,
}

impl Format {
    pub(super) fn read(call: &Call) -> Result<Self, Problem> {
        match call.query.get("textFormat") {
            None | Some("html") => Ok(Self::Html),
            Some("plainText") => Ok(Self::Plain),
            Some(_) => Err(Problem::parameter("invalidParameter", "Invalid value for textFormat.")),
        }
    }
}

/// A page of a list of this kind.
pub(super) fn page(kind: &str, all: &[Value], (begin, count): (usize, usize)) -> Value {
    let items: Vec<&Value> = all.iter().skip(begin).take(count).collect();
    let info = json!({ "totalResults": items.len(), "resultsPerPage": count });
    let mut page = json!({ "kind": kind, "etag": "e", "pageInfo": info, "items": items });
    if begin + count < all.len() {
        page["nextPageToken"] = Call::token(begin + count).into();
    }
    page
}

/// The replies to a comment, oldest first.
pub(super) async fn list(
    State(youtube): State<YouTube>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let call = Call::admit(&youtube, &visitor, &headers, query, &LIST)?;
    let (parent, format, range) = (call.required("parentId")?, Format::read(&call)?, call.page(20, 100)?);
    let world = youtube.world();
    if !world.comments.iter().any(|comment| comment.id == parent && comment.parent_id.is_none()) {
        return Err(Problem::not_found("youtube.comment", "commentNotFound", "The comment cannot be found."));
    }
    let viewer = call.channel.as_ref().map(|channel| channel.id.as_str());
    let replies = world.comments.iter().filter(|comment| comment.parent_id.as_deref() == Some(parent));
    let all: Vec<Value> = replies.map(|comment| world.shown(comment, viewer, format)).collect();
    Ok(Json(page("youtube#commentListResponse", &all, range)))
}

/// Reply to a comment that began a thread.
pub(super) async fn insert(
    State(youtube): State<YouTube>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let call = Call::admit(&youtube, &visitor, &headers, query, &INSERT)?;
    let NewReply { snippet } = body::read(&headers, &body)?;
    let mut world = youtube.world();
    let is_thread = world.comments.iter().any(|known| known.id == snippet.parent_id && known.parent_id.is_none());
    if !is_thread {
        let message = "The specified parent comment could not be found.";
        return Err(Problem::not_found("youtube.comment", "parentCommentNotFound", message));
    }
    let id = world.say(&call, &snippet.parent_id, &snippet.text_original)?;
    let viewer = call.channel.as_ref().map(|channel| channel.id.as_str());
    let made = world.comments.iter().find(|comment| comment.id == id);
    Ok(Json(made.map_or(Value::Null, |comment| world.shown(comment, viewer, Format::Html))))
}
