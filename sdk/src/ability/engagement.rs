//! Reading comments, and answering them.

use crate::{Account, CommentPage, Confirmed, ReplyAttempt, Result, Verdict};

/// Lists the comments on a post. Exported with [`export_comments!`](crate::export_comments).
///
/// ```
/// use orla_sdk::{Account, Api, Comment, CommentPage, Comments, Result, path};
///
/// pub struct Vendor;
///
/// impl Comments for Vendor {
///     fn list(_account: &Account, post: &str, cursor: Option<&str>) -> Result<CommentPage> {
///         let request = Api::new("api").get(path!("/v1/posts/{}/comments", post));
///         let answer = request.query("cursor", cursor.unwrap_or_default()).read()?;
///         let (listed, next): (Vec<(String, String)>, Option<String>) = answer.json()?;
///         let comment = |(id, text): (String, String)| Comment {
///             id,
///             author: None,
///             text,
///             created_ms: None,
///             parent: None,
///             url: None,
///             can_reply: true,
///             likes: None,
///             replies: None,
///         };
///         Ok(CommentPage { comments: listed.into_iter().map(comment).collect(), next })
///     }
/// }
/// ```
pub trait Comments {
    /// Lists the comments on a post of the account's, those that reply to others included, the newest first where there is
    /// a choice. `post` is the vendor's id, and `cursor` the `next` of the page before, of the same post.
    ///
    /// # Errors
    /// `not-found` when there is no such post; else whatever the vendor's answer means.
    fn list(account: &Account, post: &str, cursor: Option<&str>) -> Result<CommentPage>;
}

/// Answers a comment. Exported with [`export_reply!`](crate::export_reply).
///
/// ```
/// use orla_sdk::{Account, Api, Committed, Confirmed, Reply, ReplyAttempt, Response, Result, Verdict, path};
///
/// pub struct Vendor;
///
/// const API: Api = Api::new("api");
///
/// impl Reply for Vendor {
///     fn reply(_account: &Account, comment: &str, text: &str) -> Result<Confirmed> {
///         let made = |answer: &Response| Ok(Committed { id: answer.text().into_owned(), url: None });
///         let body = serde_json::json!({ "text": text });
///         API.post(path!("/v1/comments/{}/replies", comment)).json(&body).commit("reply", made)
///     }
///
///     /// Each reply of the account's to a comment, as its id, its text and when it was made.
///     fn find(_account: &Account, comment: &str, text: &str, attempt: &ReplyAttempt) -> Result<Verdict> {
///         let own: Vec<(String, String, u64)> = API.get(path!("/v1/comments/{}/replies/own", comment)).read()?.json()?;
///         let lost = own.into_iter().find(|(id, words, made_ms)| {
///             words == text && *made_ms >= attempt.sent_at_ms && !attempt.others.contains(id)
///         });
///         Ok(lost.map_or(Verdict::Absent, |(id, ..)| Verdict::Done(Committed { id, url: None })))
///     }
/// }
/// ```
pub trait Reply {
    /// Replies to a comment with one commit, whose answer names the reply where the manifest's `committed_id` says. The code
    /// may be re-run from the top, after a crash: the journal answers what is done.
    ///
    /// # Errors
    /// `not-found` when there is no such comment, `invalid` with field `text` when the vendor refuses the words; else
    /// whatever the vendor's answer means.
    fn reply(account: &Account, comment: &str, text: &str) -> Result<Confirmed>;

    /// Looks for a reply whose answer was lost, with reads only. A wrong [`Verdict::Absent`] replies twice: a connector that
    /// cannot tell says [`Verdict::Unknown`]. [`ReplyAttempt::others`] are other replies, whatever they say.
    ///
    /// # Errors
    /// Whatever kept it from looking; the host looks again later.
    fn find(account: &Account, comment: &str, text: &str, attempt: &ReplyAttempt) -> Result<Verdict>;
}
