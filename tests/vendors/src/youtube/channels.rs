//! `GET /youtube/v3/channels` and `/youtube/v3/playlistItems`: the caller's channel, and what it has uploaded.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::gate::{Call, Method};
use super::problem::Problem;
use super::quota::Cost;
use super::state::YouTube;
use super::videos::{Video, time};
use super::{FORCE_SSL, READONLY};
use crate::door::Visitor;

const CHANNELS: Method = Method {
    scopes: &[READONLY, FORCE_SSL],
    cost: Cost::Read,
    parameters: &["part", "mine"],
    parts: &["id", "snippet", "contentDetails", "statistics"],
};
const UPLOADS: Method = Method {
    scopes: &[READONLY, FORCE_SSL],
    cost: Cost::Read,
    parameters: &["part", "playlistId", "maxResults", "pageToken"],
    parts: &["id", "snippet", "contentDetails", "status"],
};

/// The caller's own channel; an empty list for whoever has none.
pub(super) async fn list(
    State(youtube): State<YouTube>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let call = Call::admit(&youtube, &visitor, &headers, query, &CHANNELS)?;
    if call.required("mine")? != "true" {
        return Err(Problem::strict("only one's own channel is listed here, with mine=true."));
    }
    let count = youtube.world().videos.iter().filter(|video| !video.deleted).count();
    let item = call.channel.as_ref().map(|channel| {
        let mut item = json!({ "kind": "youtube#channel", "etag": "e", "id": channel.id });
        for part in call.parts() {
            item[part] = match part {
                "snippet" => json!({
                    "title": channel.title, "description": "", "customUrl": channel.handle,
                    "publishedAt": "2020-01-01T00:00:00Z",
                }),
                "contentDetails" => json!({ "relatedPlaylists": { "likes": "LL", "uploads": channel.uploads() } }),
                "statistics" => json!({
                    "viewCount": "0", "subscriberCount": "0", "hiddenSubscriberCount": false,
                    "videoCount": count.to_string(),
                }),
                _ => continue,
            };
        }
        item
    });
    let mut answer = json!({ "kind": "youtube#channelListResponse", "etag": "e" });
    answer["pageInfo"] = json!({ "totalResults": usize::from(item.is_some()), "resultsPerPage": 5 });
    if let Some(item) = item {
        answer["items"] = json!([item]);
    }
    Ok(Json(answer))
}

/// The videos of the caller's channel, the newest first.
pub(super) async fn uploads(
    State(youtube): State<YouTube>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let call = Call::admit(&youtube, &visitor, &headers, query, &UPLOADS)?;
    let id = call.required("playlistId")?;
    let (begin, count) = call.page(5, 50)?;
    let world = youtube.world();
    let lag_ms = world.settings.list_lag_ms;
    let shown = |video: &&Video| {
        let is_own =
            call.channel.as_ref().is_some_and(|channel| channel.id == video.channel_id && channel.uploads() == id);
        is_own && !video.deleted && call.now.unix_ms() >= video.created_ms.saturating_add(lag_ms)
    };
    let videos: Vec<&Video> = world.videos.iter().rev().filter(shown).collect();
    if videos.is_empty() {
        let message = "The playlist identified with the request's playlistId parameter cannot be found.";
        return Err(Problem::not_found("youtube.playlistItem", "playlistNotFound", message));
    }
    let items: Vec<Value> = videos
        .iter()
        .skip(begin)
        .take(count)
        .enumerate()
        .map(|(at, video)| {
            let mut item = json!({ "kind": "youtube#playlistItem", "etag": "e", "id": format!("PL{}", video.id) });
            for part in call.parts() {
                item[part] = match part {
                    "snippet" => json!({
                        "publishedAt": time(video.created_ms), "channelId": video.channel_id, "title": video.title,
                        "description": video.description, "playlistId": id, "position": begin + at,
                        "resourceId": { "kind": "youtube#video", "videoId": video.id },
                    }),
                    "contentDetails" => json!({ "videoId": video.id, "videoPublishedAt": time(video.created_ms) }),
                    "status" => json!({ "privacyStatus": video.privacy }),
                    _ => continue,
                };
            }
            item
        })
        .collect();
    let mut answer = json!({
        "kind": "youtube#playlistItemListResponse", "etag": "e", "items": items,
        "pageInfo": { "totalResults": videos.len(), "resultsPerPage": count },
    });
    if begin + count < videos.len() {
        answer["nextPageToken"] = Call::token(begin + count).into();
    }
    Ok(Json(answer))
}
