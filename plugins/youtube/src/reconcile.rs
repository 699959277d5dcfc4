//! Finding a video again whose last answer was lost: by its upload, which says what it made, else among the channel's
//! uploads (<https://developers.google.com/youtube/v3/docs/playlistItems/list>).

use crate::comments::{CLOCKS_DIFFER_MS, bare};
use crate::upload::{self, Reached};
use crate::{API, List, YouTube, committed, first_comment, no_channel};
use orla_sdk::{Account, Attempt, Fault, FaultKind, Part, Reconcile, Result, Variant, Verdict, cursor, pages, time};
use serde::Deserialize;

/// Most pages of videos to read, each of 50.
const MAX_LISTS: usize = 10;

impl Reconcile for YouTube {
    fn reconcile(account: &Account, variant: &Variant, attempt: &Attempt) -> Result<Verdict> {
        match (attempt.key.as_str(), variant.parts.first()) {
            (upload::COMMIT, Some(part)) => find(variant, part, attempt),
            (first_comment::COMMIT, _) => first_comment::find(account, variant, attempt),
            (key, _) => Err(Fault::bug(format!("Nothing of this post is committed with the key `{key}`."))),
        }
    }
}

fn find(variant: &Variant, part: &Part, attempt: &Attempt) -> Result<Verdict> {
    let Some(video) = part.media.first() else {
        return Err(Fault::bug("A video is looked for that there was none of."));
    };
    match upload::recall(variant, part, video)? {
        Some(Reached::Ended(made)) => Ok(Verdict::Done(made)),
        // What was not ended has made nothing.
        Some(Reached::At(at)) if at < video.size => Ok(Verdict::Absent),
        Some(Reached::At(_)) => Ok(Verdict::Unknown),
        Some(Reached::Gone) | None => among_uploads(variant, part, attempt),
    }
}

#[derive(Deserialize)]
struct Item {
    snippet: Snippet,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snippet {
    published_at: Option<String>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
    resource_id: Resource,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    video_id: String,
}

/// Looks for the one video that is no older than the attempt, and has the title and the description.
///
/// Where that leaves a doubt the verdict is `Unknown`: several such videos, or one with the title and other words.
fn among_uploads(variant: &Variant, part: &Part, attempt: &Attempt) -> Result<Verdict> {
    let uploads = uploads()?;
    let since_ms = attempt.sent_at_ms.saturating_sub(CLOCKS_DIFFER_MS);
    let title = bare(variant.title.as_deref().unwrap_or_default());
    let ask = |token: Option<&str>| {
        let list = API.get("/youtube/v3/playlistItems").query("part", "snippet").query("playlistId", &uploads);
        let list = list.query("maxResults", "50");
        token.into_iter().fold(list, |list, token| list.query("pageToken", token))
    };
    let (mut found, mut doubt) = (Vec::new(), false);
    for list in pages(MAX_LISTS, ask, cursor("/nextPageToken")) {
        let list = match list {
            Ok(list) => list.json::<List<Item>>()?,
            // A channel without a single video.
            Err(fault) if fault.code.as_deref() == Some("playlistNotFound") => break,
            Err(fault) => return Err(fault),
        };
        // The newest come first.
        let is_older = |item: &Item| {
            item.snippet.published_at.as_deref().and_then(time::rfc3339_ms).is_some_and(|at_ms| at_ms < since_ms)
        };
        let reached_the_attempt = list.items.last().is_some_and(is_older);
        for Item { snippet } in list.items.into_iter().filter(|item| !is_older(item)) {
            let is_titled = bare(&snippet.title) == title;
            if is_titled && bare(&snippet.description) == bare(&part.text) {
                found.push(snippet.resource_id.video_id);
            } else {
                doubt |= is_titled;
            }
        }
        if reached_the_attempt {
            break;
        }
    }
    Ok(match found.as_slice() {
        [video] if !doubt => Verdict::Done(committed(video)),
        [] if !doubt => Verdict::Absent,
        _ => Verdict::Unknown,
    })
}

/// The list of all that the channel has uploaded.
fn uploads() -> Result<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Channel {
        content_details: Details,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Details {
        related_playlists: Related,
    }
    #[derive(Deserialize)]
    struct Related {
        uploads: String,
    }
    let list = API.get("/youtube/v3/channels").query("part", "contentDetails").query("mine", "true").read()?;
    let List { items, .. } = list.json::<List<Channel>>()?;
    let uploads = items.into_iter().next().map(|channel| channel.content_details.related_playlists.uploads);
    match uploads {
        Some(uploads) if !uploads.is_empty() => Ok(uploads),
        Some(_) => Err(Fault::new(FaultKind::Vendor, "YouTube does not name the list of the channel's videos.")),
        None => Err(no_channel()),
    }
}
