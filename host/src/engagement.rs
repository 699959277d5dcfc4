//! Comments on posts, and where the replies to them begin.
//!
//! What the host hands out for a comment or a cursor is *sealed*: it opens for the connection that it was listed for, and a
//! cursor for its list alone. So a reply goes to a comment that the workspace was shown, and is said by the target below
//! whose post it stands. A reply itself is a publication, see `publications/replying.rs`.

mod sealing;

use crate::app::App;
use crate::clock::Timestamp;
use crate::connecting::asking::{Asker, Named};
use crate::connectors::connections;
use crate::connectors::engagement::{Author, Comment, CommentPage};
use crate::connectors::targets;
use crate::connectors::work::{MAX_ID_BYTES, PartOutcome};
use crate::error::{Error, Result};
use crate::id::{ConnectionId, PublicationId, UserId, WorkspaceId};
use crate::publications::{self, Kind, NewReply, Publication};
use serde::Serialize;
use utoipa::ToSchema;

/// Which post is meant.
#[derive(Debug, Clone)]
pub enum Which {
    /// One that was published here; of a thread, its first part.
    Publication(PublicationId),
    /// One that stands at the network, however it came there.
    Post {
        /// The account.
        connection: ConnectionId,
        /// Which of its pages, blogs or boards, where it has several.
        target: Option<String>,
        /// The network's id of the post.
        id: String,
    },
}

/// Who wrote a comment.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommentAuthor {
    /// The network's id of the person or page, where it tells that.
    vendor_id: Option<String>,
    /// The name that the network shows.
    name: String,
}

/// A comment.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommentItem {
    /// What to name it by in this API, for this connection. It is another each time that it is listed.
    id: String,
    /// The network's id, which stays the same.
    vendor_id: String,
    /// Who wrote it, where the network tells.
    author: Option<CommentAuthor>,
    /// Its words; empty where it shows something else, such as a picture.
    text: String,
    /// When it was written.
    created_at: Option<Timestamp>,
    /// The network's id of the comment that it replies to; null where it stands below the post itself.
    parent_vendor_id: Option<String>,
    /// Where a person finds it.
    url: Option<String>,
    /// Whether a reply to it can be expected to be taken.
    can_reply: bool,
    /// How many like it, where the network counts them.
    likes: Option<u32>,
    /// How many reply to it, where the network counts them.
    replies: Option<u32>,
}

/// A page of the comments on a post.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommentListing {
    /// In the network's order, mostly the newest first. May be empty though there is a next page.
    items: Vec<CommentItem>,
    /// Gives the next page, together with the same post; absent on the last.
    next_cursor: Option<String>,
}

/// A post, and who can be asked about it.
struct Post {
    asker: Asker,
    target: Option<String>,
    /// The vendor's id.
    id: String,
}

/// Shows a page of the comments on a post.
///
/// # Errors
/// The workspace has no such post or connection, the connector lists no comments, the cursor is another list's, or the
/// network cannot be asked, in a sentence for a person.
pub async fn comments(app: &App, workspace: WorkspaceId, which: Which, cursor: Option<&str>) -> Result<CommentListing> {
    let post = find(app, workspace, which).await?;
    let Post { asker, target, id } = &post;
    if asker.release.comments.is_none() {
        let detail = format!("The connector of {} does not list comments.", asker.release.manifest.name);
        return Err(Error::Conflict { code: "not_supported", detail });
    }
    let opened = cursor.map(|sealed| post.unseal_cursor(app, sealed)).transpose()?;
    let (run, account) = asker.run(app, target.clone()).await?;
    let listed = Box::pin(app.connectors().comments(&run, &account, id, opened.as_deref())).await;
    let CommentPage { comments, next } = listed.map_err(|fault| {
        let field = if cursor.is_some() { "cursor" } else { "post" };
        asker.refusal(app, &fault, Named { field, missing: "post at the network any more" })
    })?;
    Ok(CommentListing {
        items: comments.into_iter().map(|comment| post.item(app, comment)).collect::<Result<_>>()?,
        next_cursor: next.map(|next| post.seal_cursor(app, &next)).transpose()?,
    })
}

/// What to say to which comment.
#[derive(Debug)]
pub struct Wish {
    /// The connection that the comment was listed for.
    pub connection: ConnectionId,
    /// The comment, as it was listed.
    pub comment: String,
    /// What to say.
    pub text: String,
    /// The client's name of this wish: the same key asks for the same reply.
    pub idempotency_key: Option<String>,
}

/// Takes in a reply to a comment that was listed, which a worker carries out.
///
/// # Errors
/// The workspace has no such connection or was shown no such comment, the connector does not reply, or it costs more than
/// the workspace has.
pub async fn reply(app: &App, workspace: WorkspaceId, author: UserId, wish: Wish) -> Result<Publication> {
    let asker = open(app, workspace, wish.connection).await?;
    if asker.release.reply.is_none() {
        let detail = format!("The connector of {} does not reply to comments.", asker.release.manifest.name);
        return Err(Error::Conflict { code: "not_supported", detail });
    }
    let listed = sealing::unseal(app, &asker.connection, &wish.comment)?;
    let new = NewReply {
        connection: asker.connection,
        release: asker.release,
        target: listed.target,
        comment: listed.id,
        text: wish.text,
        idempotency_key: wish.idempotency_key,
    };
    Box::pin(publications::reply(app, author, new)).await
}

/// A connection that the vendor honours, with the connector that serves it.
async fn open(app: &App, workspace: WorkspaceId, connection: ConnectionId) -> Result<Asker> {
    let connection = connections::find(&mut app.db().read().await?, workspace, connection).await?;
    let release = app.connectors().active(&connection.connector);
    let release = release.ok_or(Error::Unavailable("The connector of this network is not loaded on this server."))?;
    let asker = Asker { connection, release };
    if asker.connection.is_active() { Ok(asker) } else { Err(asker.revoked(app)) }
}

async fn find(app: &App, workspace: WorkspaceId, which: Which) -> Result<Post> {
    match which {
        Which::Publication(id) => {
            let mut tx = app.db().read().await?;
            let publication = publications::find(&mut tx, workspace, Kind::Post, id).await?;
            drop(tx);
            let receipt = publication.receipt()?.unwrap_or_default();
            let Some(PartOutcome::Done { committed, .. }) = receipt.into_iter().next() else {
                let detail = "It is not published, so nobody can have commented on it.".to_owned();
                return Err(Error::Conflict { code: "not_published", detail });
            };
            let asker = open(app, workspace, publication.connection_id).await?;
            Ok(Post { asker, target: publication.target, id: committed.id })
        }
        Which::Post { connection, target, id } => {
            if !(1..=MAX_ID_BYTES).contains(&id.len()) || id.contains(char::is_control) {
                return Err(Error::invalid("post", "This is no id of a post."));
            }
            let asker = open(app, workspace, connection).await?;
            let targets = targets::list(&mut app.db().read().await?, workspace, connection).await?;
            let target = targets::resolve(&targets, target.as_deref())?;
            Ok(Post { asker, target, id })
        }
    }
}

impl Post {
    fn item(&self, app: &App, comment: Comment) -> Result<CommentItem> {
        let id = self.seal(app, &comment.id)?;
        let author = comment.author.map(|Author { id, name }| CommentAuthor { vendor_id: id, name });
        let Comment { id: vendor_id, text, created_at, parent, url, can_reply, likes, replies, .. } = comment;
        Ok(CommentItem {
            id,
            vendor_id,
            author,
            text,
            created_at,
            parent_vendor_id: parent,
            url,
            can_reply,
            likes,
            replies,
        })
    }
}
