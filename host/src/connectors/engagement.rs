//! Comments and replies: the contract's `comments` and `reply` in the host's own words, with bounds on what a connector says.

use super::Connectors;
use super::bindings::connector::orla::connector::types as wit_types;
use super::bindings::listens::exports::orla::connector::comments as wit;
use super::bindings::replies::exports::orla::connector::reply as wit_reply;
use super::fault::{Fault, plain};
use super::journal::{Committed, Effect, Journal};
use super::meter::Meter;
use super::run::Run;
use super::runtime::Called;
use super::work::{Account, MAX_ID_BYTES, PartOutcome, Progress, Verdict};
use crate::clock::Timestamp;
use std::sync::Arc;

/// Most comments of a page.
const MAX_COMMENTS: usize = 500;
/// Longest words of a comment, and longest name of an author: more is cut off.
const MAX_TEXT_CHARS: usize = 20_000;
const MAX_NAME_CHARS: usize = 200;
/// Longest cursor, and longest address.
const MAX_CURSOR_BYTES: usize = 4 << 10;
const MAX_URL_BYTES: usize = 2_000;

/// A comment, as the connector says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    /// The vendor's id.
    pub(crate) id: String,
    pub(crate) author: Option<Author>,
    pub(crate) text: String,
    pub(crate) created_at: Option<Timestamp>,
    /// The vendor's id of the comment that it replies to.
    pub(crate) parent: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) can_reply: bool,
    pub(crate) likes: Option<u32>,
    pub(crate) replies: Option<u32>,
}

/// Who wrote a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Author {
    /// The vendor's id.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
}

/// A stretch of the comments on a post.
#[derive(Debug)]
pub(crate) struct CommentPage {
    pub(crate) comments: Vec<Comment>,
    /// The connector's cursor of the next page.
    pub(crate) next: Option<String>,
}

/// What is said to whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    /// The vendor's id of the comment.
    pub(crate) comment: &'a str,
    pub(crate) text: &'a str,
}

/// A reply whose answer was lost.
#[derive(Debug)]
pub(crate) struct LostReply {
    pub(crate) sent_at: Timestamp,
    /// The vendor's ids of what the account has replied otherwise since an hour before.
    pub(crate) others: Vec<String>,
}

impl Connectors {
    /// Asks for a page of the comments on a post.
    pub(crate) async fn comments(
        &self,
        run: &Arc<Run>,
        account: &Account,
        post: &str,
        cursor: Option<&str>,
    ) -> Result<CommentPage, Fault> {
        let Some(indices) = &run.release.comments else {
            return Err(Fault::bug("the connector does not list comments"));
        };
        let account = account.to_wit();
        let called: Called<wit::Page> = self
            .runtime
            .run(run.clone(), async |store, instance| {
                let world = indices.load(&mut *store, instance)?;
                let answer = world.orla_connector_comments().call_list(store, &account, post, cursor).await?;
                Ok(answer.map_err(Fault::from))
            })
            .await;
        checked(called.result?)
    }

    /// Replies to a comment, or goes on with it. It ends as a publication of one part does.
    pub(crate) async fn reply(&self, run: &Arc<Run>, account: &Account, answer: Answer<'_>) -> Called<Progress> {
        let Some(indices) = &run.release.reply else {
            return Called { result: Err(no_reply()), meter: Meter::default() };
        };
        let account = account.to_wit();
        let called: Called<wit_types::Committed> = self
            .runtime
            .run(run.clone(), async |store, instance| {
                let world = indices.load(&mut *store, instance)?;
                let reply = world.orla_connector_reply();
                Ok(reply.call_reply(store, &account, answer.comment, answer.text).await?.map_err(Fault::from))
            })
            .await;
        run.settle().await;
        Called { result: called.result.and_then(|made| verify(run, made.into())), meter: called.meter }
    }

    /// Looks for a lost reply.
    pub(crate) async fn find_reply(
        &self,
        run: &Arc<Run>,
        account: &Account,
        answer: Answer<'_>,
        lost: &LostReply,
    ) -> Result<Verdict, Fault> {
        let Some(indices) = &run.release.reply else { return Err(no_reply()) };
        let account = account.to_wit();
        let attempt = wit_reply::Attempt { sent_at_ms: lost.sent_at.millis(), others: lost.others.clone() };
        let called: Called<wit_types::Verdict> = self
            .runtime
            .run(run.clone(), async |store, instance| {
                let world = indices.load(&mut *store, instance)?;
                let reply = world.orla_connector_reply();
                Ok(reply.call_find(store, &account, answer.comment, answer.text, &attempt).await?.map_err(Fault::from))
            })
            .await;
        match Verdict::checked(called.result?)? {
            Verdict::Done(found) if lost.others.contains(&found.id) => {
                Err(Fault::bug("the connector found a reply that is known to be another"))
            }
            verdict => Ok(verdict),
        }
    }
}

fn no_reply() -> Fault {
    Fault::bug("the connector does not reply to comments")
}

/// Holds a reply against the journal: it is what a commit of this run made, by the vendor's answer to it.
fn verify(run: &Run, made: Committed) -> Result<Progress, Fault> {
    let effects = run.journal.as_ref().map(Journal::effects).unwrap_or_default();
    let places = run.release.committed_id();
    let is_it = |effect: &&Effect| effect.is_commit() && effect.committed(places).is_some_and(|its| its.id == made.id);
    match effects.iter().find(is_it) {
        Some(effect) => Ok(Progress::Published(vec![PartOutcome::Done { key: effect.key.clone(), committed: made }])),
        None => Err(Fault::bug(format!(
            "the connector claims the reply `{:.100}`, which no commit of this run made",
            made.id
        ))),
    }
}

impl Verdict {
    /// A connector's verdict, of which nothing is there without a usable id.
    pub(super) fn checked(verdict: wit_types::Verdict) -> Result<Self, Fault> {
        match verdict {
            wit_types::Verdict::Done(committed) if !(1..=MAX_ID_BYTES).contains(&committed.id.len()) => {
                Err(Fault::bug("the connector found something without a usable id"))
            }
            wit_types::Verdict::Done(committed) => Ok(Self::Done(committed.into())),
            wit_types::Verdict::Absent => Ok(Self::Absent),
            wit_types::Verdict::Unknown => Ok(Self::Unknown),
        }
    }
}

/// Holds a page against its bounds.
fn checked(page: wit::Page) -> Result<CommentPage, Fault> {
    if page.comments.len() > MAX_COMMENTS {
        return Err(Fault::bug(format!("the connector returns more than {MAX_COMMENTS} comments a page")));
    }
    if page.comments.iter().any(|comment| !is_token(&comment.id, MAX_ID_BYTES)) {
        return Err(Fault::bug("the connector returns a comment without a usable id"));
    }
    if page.next.as_ref().is_some_and(|cursor| !is_token(cursor, MAX_CURSOR_BYTES)) {
        return Err(Fault::bug("the connector returns no usable cursor"));
    }
    Ok(CommentPage { comments: page.comments.into_iter().map(Comment::from).collect(), next: page.next })
}

fn is_token(text: &str, most_bytes: usize) -> bool {
    (1..=most_bytes).contains(&text.len()) && !text.contains(char::is_control)
}

impl From<wit::Comment> for Comment {
    fn from(comment: wit::Comment) -> Self {
        let created_at = comment.created_ms.and_then(|ms| i64::try_from(ms).ok()?.checked_mul(1_000)).map(Timestamp);
        let author = comment.author.map(|author| Author {
            id: author.id.filter(|id| is_token(id, MAX_ID_BYTES)),
            name: plain(&author.name, MAX_NAME_CHARS),
        });
        Self {
            id: comment.id,
            author,
            text: words(&comment.text),
            // What no calendar has is no time, and what is no web address is no way to it.
            created_at: created_at.filter(|at| at.calendar().is_some()),
            parent: comment.parent.filter(|id| is_token(id, MAX_ID_BYTES)),
            url: comment.url.filter(|url| is_token(url, MAX_URL_BYTES) && url.starts_with("https://")),
            can_reply: comment.can_reply,
            likes: comment.likes,
            replies: comment.replies,
        }
    }
}

/// Words as people read them: of bounded length, with their lines, and without other control characters.
fn words(text: &str) -> String {
    let shown = |char: char| if char.is_control() && char != '\n' { ' ' } else { char };
    text.chars().take(MAX_TEXT_CHARS).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::{MAX_COMMENTS, MAX_TEXT_CHARS, Verdict, checked, wit, wit_types};

    fn comment(id: &str) -> wit::Comment {
        wit::Comment {
            id: id.to_owned(),
            author: Some(wit::Author { id: Some("7\n".to_owned()), name: "A\nnn".to_owned() }),
            text: "Nice\nday\0".to_owned(),
            created_ms: Some(u64::MAX),
            parent: Some(String::new()),
            url: Some("javascript:alert(1)".to_owned()),
            can_reply: true,
            likes: Some(1),
            replies: None,
        }
    }

    fn page(comments: Vec<wit::Comment>, next: Option<&str>) -> wit::Page {
        wit::Page { comments, next: next.map(str::to_owned) }
    }

    #[test]
    fn what_a_connector_says_is_bounded() {
        let long = wit::Comment { text: "x".repeat(MAX_TEXT_CHARS + 1), ..comment("2") };
        let page = checked(page(vec![comment("1"), long], Some("next"))).expect("a page");
        let first = &page.comments[0];
        let author = first.author.as_ref().expect("an author");
        assert_eq!((author.id.as_deref(), author.name.as_str(), first.text.as_str()), (None, "A nn", "Nice\nday "));
        assert_eq!((first.created_at, first.parent.as_ref(), first.url.as_ref()), (None, None, None));
        assert_eq!(page.comments[1].text.len(), MAX_TEXT_CHARS);
    }

    #[test]
    fn ids_cursors_and_counts_have_limits() {
        let long = "x".repeat(5_000);
        for refused in [
            page(vec![comment("")], None),
            page(vec![comment("a\0b")], None),
            page(vec![comment(&long)], None),
            page(Vec::new(), Some("")),
            page(Vec::new(), Some(&long)),
            page(vec![comment("1"); MAX_COMMENTS + 1], None),
        ] {
            assert!(checked(refused).is_err());
        }
        let nameless = wit_types::Committed { id: String::new(), url: None };
        assert!(Verdict::checked(wit_types::Verdict::Done(nameless)).is_err());
    }
}
