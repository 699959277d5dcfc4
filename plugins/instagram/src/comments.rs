//! Comments on the account's media, and its own:
//! <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-media/comments> and
//! <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-comment>.

use crate::check::MAX_CHARS;
use crate::reconcile::{CLOCKS_DIFFER_MS, bare, written_ms};
use crate::{API, Instagram, List, Professional, VERSION, next};
use orla_sdk::{
    Account, Comment, CommentAuthor, CommentPage, Comments, Committed, Confirmed, Fault, FaultKind, Reply,
    ReplyAttempt, Request, Response, Result, Verdict, pages, path,
};
use serde::Deserialize;

/// The key of the commit that says a post's first comment.
pub(crate) const FIRST: &str = "first-comment";

/// Most pages of comments to read, each of 50.
const MAX_LISTS: usize = 20;

/// What is asked of each comment, and of each reply to it.
const FIELDS: &str = "id,text,timestamp,username,user{id},like_count";

/// A comment, in the members that are asked for.
#[derive(Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    text: String,
    timestamp: Option<String>,
    username: Option<String>,
    /// Of the account's own alone.
    user: Option<User>,
    like_count: Option<u32>,
    replies: Option<List<Listed>>,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

impl Comments for Instagram {
    /// A list has comments on the medium itself; the replies to each come with it, and are listed behind it.
    fn list(_account: &Account, post: &str, cursor: Option<&str>) -> Result<CommentPage> {
        let first = || {
            let list = API.get(path!("/{}/{}/comments", VERSION, post));
            list.query("fields", format!("{FIELDS},replies{{{FIELDS}}}")).query("limit", "50")
        };
        let answer = cursor.map_or_else(first, |link| API.follow(link)).read()?;
        let List { data } = answer.json::<List<Listed>>()?;
        let mut comments = Vec::with_capacity(data.len());
        for mut comment in data {
            let replies = comment.replies.take().map(|replies| replies.data).unwrap_or_default();
            let parent = comment.id.clone();
            let count = u32::try_from(replies.len()).ok();
            comments.push(Comment { replies: count, ..comment.told(None) });
            comments.extend(replies.into_iter().map(|reply| reply.told(Some(parent.clone()))));
        }
        Ok(CommentPage { comments, next: next(&answer)? })
    }
}

impl Listed {
    fn told(self, parent: Option<String>) -> Comment {
        let author = self.username.map(|name| CommentAuthor { id: self.user.map(|user| user.id), name });
        Comment {
            id: self.id,
            author,
            text: self.text,
            created_ms: self.timestamp.as_deref().and_then(written_ms),
            parent,
            url: None,
            can_reply: true,
            likes: self.like_count,
            replies: None,
        }
    }

    /// Whether it says this, and is no older. What does not say when it was made may be new.
    fn may_be(&self, text: &str, since_ms: u64) -> bool {
        !self.is_before(since_ms) && bare(&self.text) == bare(text)
    }

    fn is_before(&self, since_ms: u64) -> bool {
        self.timestamp.as_deref().and_then(written_ms).is_some_and(|at_ms| at_ms < since_ms)
    }

    /// Whether the account wrote it; nothing where Instagram does not tell.
    fn is_own(&self, own: &Own<'_>) -> Option<bool> {
        let by_id = self.user.as_ref().map(|user| user.id == own.id);
        let by_name = self.username.as_ref().map(|name| *name == own.username);
        by_id.filter(|is_own| *is_own).or(by_name).or(by_id)
    }
}

/// The account by which its own comments are known.
struct Own<'a> {
    id: &'a str,
    username: String,
}

/// Says a post's first comment.
pub(crate) fn say_first(words: &str, post: &Committed) -> Result<Confirmed> {
    say(API.post(path!("/{}/{}/comments", VERSION, post.id)), FIRST, words, "first_comment")
}

fn say(request: Request<'_>, key: &str, words: &str, field: &str) -> Result<Confirmed> {
    #[derive(Deserialize)]
    struct Made {
        id: String,
    }
    let made = |answer: &Response| Ok(Committed { id: answer.json::<Made>()?.id, url: None });
    request.form([("message", words)]).commit(key, made).map_err(|fault| match fault.kind {
        FaultKind::Invalid | FaultKind::TooLarge if fault.field.is_none() => fault.with_field(field),
        _ => fault,
    })
}

impl Reply for Instagram {
    fn reply(_account: &Account, comment: &str, text: &str) -> Result<Confirmed> {
        let count = text.chars().count();
        if count > MAX_CHARS {
            let message = format!("A comment may have {MAX_CHARS} characters; this one has {count}.");
            return Err(Fault::invalid("text", message));
        }
        say(API.post(path!("/{}/{}/replies", VERSION, comment)), "reply", text, "text")
    }

    /// Looks among the replies to the comment for one of the account's with these words. Instagram knows no idempotency key.
    fn find(account: &Account, comment: &str, text: &str, attempt: &ReplyAttempt) -> Result<Verdict> {
        let professional = Professional::of(account)?;
        let path = path!("/{}/{}/replies", VERSION, above(comment)?);
        let lost = Lost { text, sent_at_ms: attempt.sent_at_ms, others: &attempt.others };
        search(&professional, &path, &lost)
    }
}

/// Looks for a first comment whose answer was lost.
pub(crate) fn find_first(professional: &Professional<'_>, post: &str, text: &str, sent_at_ms: u64) -> Result<Verdict> {
    let path = path!("/{}/{}/comments", VERSION, post);
    search(professional, &path, &Lost { text, sent_at_ms, others: &[] })
}

/// A comment whose answer was lost.
struct Lost<'a> {
    text: &'a str,
    sent_at_ms: u64,
    /// The account's other comments, none of which is it.
    others: &'a [String],
}

fn search(professional: &Professional<'_>, path: &str, lost: &Lost<'_>) -> Result<Verdict> {
    let since_ms = lost.sent_at_ms.saturating_sub(CLOCKS_DIFFER_MS);
    let own = Own { id: professional.id, username: professional.username()? };
    let first = || API.get(path).query("fields", FIELDS).query("limit", "50");
    let mut doubt = false;
    for list in pages(MAX_LISTS, |link| link.map_or_else(first, |link| API.follow(link)), next) {
        let List { data } = list?.json::<List<Listed>>()?;
        for comment in data.iter().filter(|comment| comment.may_be(lost.text, since_ms)) {
            match comment.is_own(&own) {
                _ if lost.others.contains(&comment.id) => {}
                Some(true) => return Ok(Verdict::Done(Committed { id: comment.id.clone(), url: None })),
                Some(false) => {}
                None => doubt = true,
            }
        }
    }
    Ok(if doubt { Verdict::Unknown } else { Verdict::Absent })
}

/// The comment below which a reply to this one hangs: a reply to a reply hangs on what that one replies to.
fn above(comment: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Told {
        parent_id: Option<String>,
    }
    let told = API.get(path!("/{}/{}", VERSION, comment)).query("fields", "parent_id");
    let Told { parent_id } = told.read()?.json()?;
    Ok(parent_id.unwrap_or_else(|| comment.to_owned()))
}
