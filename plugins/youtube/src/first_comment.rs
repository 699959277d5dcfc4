//! What the channel says below its video: <https://developers.google.com/youtube/v3/docs/commentThreads/insert>.

use crate::comments::{self, CLOCKS_DIFFER_MS, Found, Thread, url};
use crate::{API, List, upload};
use orla_sdk::{Account, Attempt, Committed, Confirmed, Fault, Response, Result, Variant, Verdict, cursor, pages};
use serde_json::json;

/// The key of the commit.
pub(crate) const COMMIT: &str = "first-comment";

/// Most pages of comments to read, each of 100.
const MAX_LISTS: usize = 10;

/// Says it.
pub(crate) fn say(words: &str, video: &str) -> Result<Confirmed> {
    let body = json!({ "snippet": { "videoId": video, "topLevelComment": { "snippet": { "textOriginal": words } } } });
    let made = |answer: &Response| {
        let id = comments::made(answer)?;
        Ok(Committed { url: Some(url(video, &id)), id })
    };
    API.post("/youtube/v3/commentThreads").query("part", "snippet").json(&body).commit(COMMIT, made)
}

/// Looks for it among the comments on the video, the newest first.
pub(crate) fn find(account: &Account, variant: &Variant, attempt: &Attempt) -> Result<Verdict> {
    let video = attempt.earlier.iter().find(|(key, _)| key == upload::COMMIT).map(|(_, video)| &video.id);
    let (Some(video), Some(words)) = (video, &variant.first_comment) else {
        return Err(Fault::bug("A first comment is looked for that nobody said."));
    };
    let since_ms = attempt.sent_at_ms.saturating_sub(CLOCKS_DIFFER_MS);
    let ask = |token: Option<&str>| {
        let list = API.get("/youtube/v3/commentThreads").query("part", "snippet").query("videoId", video);
        let list = list.query("order", "time").query("maxResults", "100").query("textFormat", "plainText");
        token.into_iter().fold(list, |list, token| list.query("pageToken", token))
    };
    let mut doubt = false;
    for list in pages(MAX_LISTS, ask, cursor("/nextPageToken")) {
        let List { items, .. } = list?.json::<List<Thread>>()?;
        for comment in items.iter().map(|thread| &thread.snippet.top_level_comment) {
            match comment.is_ours(account, words, since_ms) {
                Found::No => {}
                Found::Maybe => doubt = true,
                Found::Yes => {
                    let id = comment.id.clone();
                    return Ok(Verdict::Done(Committed { url: Some(url(video, &id)), id }));
                }
            }
        }
    }
    Ok(if doubt { Verdict::Unknown } else { Verdict::Absent })
}
