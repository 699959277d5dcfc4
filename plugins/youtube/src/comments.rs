//! Comments on videos, and the channel's replies: <https://developers.google.com/youtube/v3/docs/commentThreads/list>,
//! <https://developers.google.com/youtube/v3/docs/comments/list> and
//! <https://developers.google.com/youtube/v3/docs/comments/insert>.

use crate::check::COMMENT_CHARS;
use crate::{API, List, YouTube};
use orla_sdk::{
    Account, Comment, CommentAuthor, CommentPage, Comments, Committed, Confirmed, Fault, FaultKind, Reply,
    ReplyAttempt, Response, Result, Verdict, cursor, pages, path, time,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use unicode_normalization::UnicodeNormalization;

/// How far YouTube's clock may be behind ours.
pub(crate) const CLOCKS_DIFFER_MS: u64 = 5 * 60 * 1_000;

/// Most pages of replies to one comment to read, each of 100.
const MAX_LISTS: usize = 10;

/// A comment and some of the replies to it.
#[derive(Deserialize)]
pub(crate) struct Thread {
    pub(crate) snippet: ThreadSnippet,
    #[serde(default)]
    replies: Replies,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThreadSnippet {
    pub(crate) top_level_comment: Listed,
    #[serde(default = "yes")]
    can_reply: bool,
    #[serde(default)]
    total_reply_count: u32,
}

fn yes() -> bool {
    true
}

/// Not all where there are several.
#[derive(Deserialize, Default)]
struct Replies {
    #[serde(default)]
    comments: Vec<Listed>,
}

/// A comment, in the members that are read.
#[derive(Deserialize)]
pub(crate) struct Listed {
    pub(crate) id: String,
    snippet: Snippet,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snippet {
    #[serde(default)]
    text_display: String,
    /// What was written, which only its author is shown.
    text_original: Option<String>,
    author_display_name: Option<String>,
    author_channel_id: Option<Channel>,
    parent_id: Option<String>,
    like_count: Option<u32>,
    published_at: Option<String>,
}

#[derive(Deserialize)]
struct Channel {
    value: Option<String>,
}

/// Whether a comment is the one that is looked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Yes,
    /// It has the words, and does not tell whose it is.
    Maybe,
    No,
}

impl Listed {
    fn author(&self) -> Option<&str> {
        self.snippet.author_channel_id.as_ref()?.value.as_deref()
    }

    fn text(&self) -> &str {
        self.snippet.text_original.as_deref().unwrap_or(&self.snippet.text_display)
    }

    /// Whether the account said this, no earlier. What does not tell when it was said may be new.
    pub(crate) fn is_ours(&self, account: &Account, words: &str, since_ms: u64) -> Found {
        let is_older =
            self.snippet.published_at.as_deref().and_then(time::rfc3339_ms).is_some_and(|at_ms| at_ms < since_ms);
        if is_older || bare(self.text()) != bare(words) {
            return Found::No;
        }
        match self.author() {
            Some(author) if author == account.vendor_id => Found::Yes,
            Some(_) => Found::No,
            None => Found::Maybe,
        }
    }

    fn comment(self, video: &str, can_reply: bool, replies: Option<u32>) -> Comment {
        let Self { id, snippet } = self;
        let author_id = snippet.author_channel_id.and_then(|channel| channel.value);
        let author = snippet.author_display_name.map(|name| CommentAuthor { id: author_id, name });
        Comment {
            url: Some(url(video, &id)),
            id,
            author,
            text: snippet.text_original.unwrap_or(snippet.text_display),
            created_ms: snippet.published_at.as_deref().and_then(time::rfc3339_ms),
            parent: snippet.parent_id,
            can_reply,
            likes: snippet.like_count,
            replies,
        }
    }
}

/// A text without what YouTube may change as it keeps it: white space, and how letters are composed.
pub(crate) fn bare(text: &str) -> String {
    text.nfc().filter(|character| !character.is_whitespace()).collect()
}

/// Where a person finds a comment.
pub(crate) fn url(video: &str, comment: &str) -> String {
    let (video, comment) = (path!("{}", video), path!("{}", comment));
    format!("https://www.youtube.com/watch?v={video}&lc={comment}")
}

/// Where a list of comments goes on: with the replies that its threads did not have with them, then with further threads.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Place {
    /// YouTube's token of the threads after these.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// Threads whose replies are to come.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    of: Vec<String>,
    /// YouTube's token of the replies to the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

impl Place {
    fn read(cursor: Option<&str>) -> Result<Self> {
        let Some(cursor) = cursor else { return Ok(Self::default()) };
        serde_json::from_str(cursor).map_err(|_| Fault::invalid("cursor", "This is no place in a list of comments."))
    }

    fn cursor(&self) -> Option<String> {
        let has_more = self.after.is_some() || !self.of.is_empty();
        has_more.then(|| json!(self).to_string())
    }
}

impl Comments for YouTube {
    fn list(_account: &Account, post: &str, cursor: Option<&str>) -> Result<CommentPage> {
        let place = Place::read(cursor)?;
        match place.of.first().cloned() {
            Some(thread) => replies(post, &thread, place),
            None => threads(post, place.after.as_deref()),
        }
    }
}

/// Threads, the newest first, with the replies that come along. Where not all do, they are listed later, all of them.
fn threads(post: &str, token: Option<&str>) -> Result<CommentPage> {
    let list = API.get("/youtube/v3/commentThreads").query("part", "snippet,replies").query("videoId", post);
    let list = list.query("order", "time").query("maxResults", "50").query("textFormat", "plainText");
    let list = token.into_iter().fold(list, |list, token| list.query("pageToken", token));
    let List { items, next_page_token } = list.read()?.json::<List<Thread>>()?;
    let (mut comments, mut of) = (Vec::new(), Vec::new());
    for Thread { snippet, replies } in items {
        let ThreadSnippet { top_level_comment, can_reply, total_reply_count } = snippet;
        let id = top_level_comment.id.clone();
        comments.push(top_level_comment.comment(post, can_reply, Some(total_reply_count)));
        if (replies.comments.len() as u64) < u64::from(total_reply_count) {
            of.push(id);
        } else {
            comments.extend(replies.comments.into_iter().map(|reply| reply.comment(post, can_reply, None)));
        }
    }
    Ok(CommentPage { comments, next: Place { after: next_page_token, of, at: None }.cursor() })
}

/// The replies to one comment.
fn replies(post: &str, thread: &str, mut place: Place) -> Result<CommentPage> {
    let List { items, next_page_token } = below(thread, place.at.as_deref()).read()?.json::<List<Listed>>()?;
    place.at = next_page_token;
    if place.at.is_none() {
        place.of.remove(0);
    }
    let comments = items.into_iter().map(|reply| reply.comment(post, true, None)).collect();
    Ok(CommentPage { comments, next: place.cursor() })
}

/// The request of a page of the replies to a comment.
fn below<'a>(thread: &str, token: Option<&str>) -> orla_sdk::Request<'a> {
    let list = API.get("/youtube/v3/comments").query("part", "snippet").query("parentId", thread);
    let list = list.query("maxResults", "100").query("textFormat", "plainText");
    token.into_iter().fold(list, |list, token| list.query("pageToken", token))
}

/// The id of what an answer says was made.
pub(crate) fn made(answer: &Response) -> Result<String> {
    #[derive(Deserialize)]
    struct Made {
        id: String,
    }
    match answer.json()? {
        Made { id } if !id.is_empty() => Ok(id),
        Made { .. } => Err(Fault::vendor("YouTube took the comment, and does not name it.")),
    }
}

/// The comment below which a reply to this one hangs: the id of a reply is that of its thread, a dot, and its own.
fn above(comment: &str) -> &str {
    comment.split_once('.').map_or(comment, |(thread, _)| thread)
}

impl Reply for YouTube {
    fn reply(_account: &Account, comment: &str, text: &str) -> Result<Confirmed> {
        let count = text.chars().count();
        if count > COMMENT_CHARS {
            let message = format!("A comment may have {COMMENT_CHARS} characters; this one has {count}.");
            return Err(Fault::invalid("text", message));
        }
        let body = json!({ "snippet": { "parentId": above(comment), "textOriginal": text } });
        let made = |answer: &Response| Ok(Committed { id: made(answer)?, url: None });
        let request = API.post("/youtube/v3/comments").query("part", "snippet").json(&body);
        request.commit("reply", made).map_err(|fault| match fault.kind {
            FaultKind::Invalid | FaultKind::TooLarge if fault.field.is_none() => fault.with_field("text"),
            _ => fault,
        })
    }

    /// Looks among the replies to the comment for one of the channel's with these words. YouTube knows no idempotency key.
    fn find(account: &Account, comment: &str, text: &str, attempt: &ReplyAttempt) -> Result<Verdict> {
        let since_ms = attempt.sent_at_ms.saturating_sub(CLOCKS_DIFFER_MS);
        let mut doubt = false;
        for list in pages(MAX_LISTS, |token| below(above(comment), token), cursor("/nextPageToken")) {
            let List { items, .. } = list?.json::<List<Listed>>()?;
            for reply in items.iter().filter(|reply| !attempt.others.contains(&reply.id)) {
                match reply.is_ours(account, text, since_ms) {
                    Found::No => {}
                    Found::Maybe => doubt = true,
                    Found::Yes => return Ok(Verdict::Done(Committed { id: reply.id.clone(), url: None })),
                }
            }
        }
        Ok(if doubt { Verdict::Unknown } else { Verdict::Absent })
    }
}
