//! Comments on a page's posts, and the page's replies: <https://developers.facebook.com/docs/pages-api/comments-mentions>
//! and <https://developers.facebook.com/docs/graph-api/reference/comment>.

use crate::reconcile::{CLOCKS_DIFFER_MS, bare, created_ms};
use crate::{API, Facebook, List, Page, VERSION, next};
use orla_sdk::{
    Account, Comment, CommentAuthor, CommentPage, Comments, Committed, Confirmed, Fault, FaultKind, Reply,
    ReplyAttempt, Response, Result, Verdict, pages, path,
};
use serde::Deserialize;

/// Most characters of a comment, as clients report; the documentation names no limit.
const MAX_CHARS: usize = 8_000;

/// Most pages of replies to one comment to read, each of 100.
const MAX_LISTS: usize = 10;

/// What is asked of each comment. `can_comment` says whether it can be replied to.
const FIELDS: &str = "id,from,message,created_time,parent{id},permalink_url,can_comment,like_count,comment_count";

/// A comment, in the members that are asked for.
#[derive(Deserialize)]
struct Listed {
    id: Option<String>,
    from: Option<From>,
    #[serde(default)]
    message: String,
    created_time: Option<String>,
    parent: Option<Parent>,
    permalink_url: Option<String>,
    can_comment: Option<bool>,
    like_count: Option<u32>,
    comment_count: Option<u32>,
}

/// Who wrote a comment, which Facebook keeps to itself for people who have hidden it from the app.
#[derive(Deserialize)]
struct From {
    id: Option<String>,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Parent {
    id: String,
}

impl Comments for Facebook {
    /// Signed by the page: a person's token is shown no comments, without a word about it.
    fn list(account: &Account, post: &str, cursor: Option<&str>) -> Result<CommentPage> {
        let page = Page::of(account)?;
        let first = || {
            // Without the filter, replies to comments are left out.
            let list = API.get(path!("/{}/{}/comments", VERSION, post)).query("fields", FIELDS);
            list.query("filter", "stream").query("order", "reverse_chronological").query("limit", "100")
        };
        // A page may be empty and name no cursor, though there are more: the link alone leads on.
        let answer = page.sign(cursor.map_or_else(first, |link| API.follow(link))).read()?;
        let List { data } = answer.json::<List<Listed>>()?;
        let comments: Result<Vec<Comment>> = data.into_iter().map(Listed::comment).collect();
        Ok(CommentPage { comments: comments?, next: next(&answer)? })
    }
}

impl Listed {
    fn comment(self) -> Result<Comment> {
        let Some(id) = self.id.filter(|id| !id.is_empty()) else {
            let message = "Facebook does not name comments to a person without the task `MODERATE` on the page.";
            return Err(Fault::new(FaultKind::ScopeMissing, message));
        };
        let author = self.from.map(|From { id, name }| CommentAuthor { id, name });
        Ok(Comment {
            id,
            author,
            text: self.message,
            created_ms: self.created_time.as_deref().and_then(created_ms),
            parent: self.parent.map(|parent| parent.id),
            url: self.permalink_url,
            can_reply: self.can_comment.unwrap_or(true),
            likes: self.like_count,
            replies: self.comment_count,
        })
    }
}

impl Reply for Facebook {
    fn reply(account: &Account, comment: &str, text: &str) -> Result<Confirmed> {
        let page = Page::of(account)?;
        let count = text.chars().count();
        if count > MAX_CHARS {
            let message = format!("A comment may have {MAX_CHARS} characters; this one has {count}.");
            return Err(Fault::invalid("text", message));
        }
        #[derive(Deserialize)]
        struct Made {
            id: String,
        }
        let made = |answer: &Response| Ok(Committed { id: answer.json::<Made>()?.id, url: None });
        let request = API.post(path!("/{}/{}/comments", VERSION, comment)).form([("message", text)]);
        page.sign(request).commit("reply", made).map_err(|fault| match fault.kind {
            FaultKind::Invalid | FaultKind::TooLarge if fault.field.is_none() => fault.with_field("text"),
            _ => fault,
        })
    }

    /// Looks among the replies to the comment for one of the page's with these words. Facebook knows no idempotency key.
    fn find(account: &Account, comment: &str, text: &str, attempt: &ReplyAttempt) -> Result<Verdict> {
        let page = Page::of(account)?;
        let since_ms = attempt.sent_at_ms.saturating_sub(CLOCKS_DIFFER_MS);
        let above = above(&page, comment)?;
        let first = || {
            let list =
                API.get(path!("/{}/{}/comments", VERSION, above)).query("fields", "id,from,message,created_time");
            page.sign(list.query("limit", "100"))
        };
        let ask = |link: Option<&str>| link.map_or_else(first, |link| page.sign(API.follow(link)));
        let mut doubt = false;
        for list in pages(MAX_LISTS, ask, next) {
            let List { data } = list?.json::<List<Listed>>()?;
            for reply in data.iter().filter(|reply| reply.may_be(text, since_ms)) {
                let author = reply.from.as_ref().and_then(|from| from.id.as_deref());
                match (&reply.id, author) {
                    (Some(id), _) if attempt.others.contains(id) => {}
                    (_, Some(author)) if author != page.id => {}
                    (Some(id), Some(_)) => return Ok(Verdict::Done(Committed { id: id.clone(), url: None })),
                    (None, _) | (_, None) => doubt = true,
                }
            }
        }
        Ok(if doubt { Verdict::Unknown } else { Verdict::Absent })
    }
}

/// The comment below which a reply to this one hangs: a reply to a reply hangs on what that one replies to.
fn above(page: &Page<'_>, comment: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Told {
        parent: Option<Parent>,
    }
    let told = API.get(path!("/{}/{}", VERSION, comment)).query("fields", "parent{id}");
    let Told { parent } = page.sign(told).read()?.json()?;
    Ok(parent.map_or_else(|| comment.to_owned(), |parent| parent.id))
}

impl Listed {
    /// Whether it says this, and is no older. What does not say when it was made may be new.
    fn may_be(&self, text: &str, since_ms: u64) -> bool {
        let is_older = self.created_time.as_deref().and_then(created_ms).is_some_and(|at_ms| at_ms < since_ms);
        !is_older && bare(&self.message) == bare(text)
    }
}
