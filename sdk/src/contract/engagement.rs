//! The types of comments and replies.

/// A comment on a post, or a reply to one.
///
/// ```
/// use orla_sdk::{Comment, CommentAuthor};
///
/// let asked = Comment {
///     id: "10_7".to_owned(),
///     author: Some(CommentAuthor { id: None, name: "Ann".to_owned() }),
///     text: "When do you open?".to_owned(),
///     created_ms: Some(1_787_392_800_000),
///     parent: None,
///     url: None,
///     can_reply: true,
///     likes: Some(2),
///     replies: Some(0),
/// };
/// assert!(asked.can_reply);
/// ```
pub use crate::bindings::listens::exports::orla::connector::comments::Comment;

/// Who wrote a comment.
///
/// ```
/// let ann = orla_sdk::CommentAuthor { id: Some("31".to_owned()), name: "Ann".to_owned() };
/// assert_eq!(ann.name, "Ann");
/// ```
pub use crate::bindings::listens::exports::orla::connector::comments::Author as CommentAuthor;

/// What [`Comments::list`](crate::Comments::list) returns.
///
/// ```
/// let last = orla_sdk::CommentPage { comments: Vec::new(), next: None };
/// assert_eq!(last.next, None);
/// ```
pub use crate::bindings::listens::exports::orla::connector::comments::Page as CommentPage;

/// What [`Reply::find`](crate::Reply::find) looks for.
///
/// ```
/// use orla_sdk::ReplyAttempt;
///
/// /// Whether a reply of ours may be the one that was lost.
/// fn may_be(lost: &ReplyAttempt, id: &str, created_ms: u64) -> bool {
///     created_ms >= lost.sent_at_ms && !lost.others.iter().any(|other| other == id)
/// }
///
/// let lost = ReplyAttempt { sent_at_ms: 1_787_392_800_000, others: vec!["10_8".to_owned()] };
/// assert!(may_be(&lost, "10_9", 1_787_392_800_500));
/// ```
pub use crate::bindings::replies::exports::orla::connector::reply::Attempt as ReplyAttempt;
