//! Taking a reply to a comment in: a publication of one part, below the comment.

use super::creating::{self, Row};
use super::preparing;
use super::{OnDuplicate, Part, Publication, VariantMore};
use crate::app::App;
use crate::connectors::connections::Connection;
use crate::connectors::release::Release;
use crate::error::{Error, Result};
use crate::id::{PublicationId, UserId};
use crate::prices;
use std::sync::Arc;

/// The metered operation.
const OPERATION: &str = "comment_reply";
/// More than any network takes; the connector knows better.
const MAX_TEXT_CHARS: usize = 20_000;

/// What to say to which comment.
#[derive(Debug)]
pub(crate) struct NewReply {
    /// An active connection of the workspace.
    pub(crate) connection: Connection,
    /// What serves it.
    pub(crate) release: Arc<Release>,
    /// Which of the account's targets says it.
    pub(crate) target: Option<String>,
    /// The vendor's id of the comment.
    pub(crate) comment: String,
    pub(crate) text: String,
    /// The client's name of this wish: the same key asks for the same reply.
    pub(crate) idempotency_key: Option<String>,
}

/// Takes a reply in: row, run, hold and job together or not at all. The same idempotency key with the same wish gives the
/// reply that it gave before.
///
/// # Errors
/// There is no text or too much of it, or it costs more than the workspace has.
pub(crate) async fn reply(app: &App, author: UserId, new: NewReply) -> Result<Publication> {
    let NewReply { connection, release, target, comment, text, idempotency_key } = new;
    if text.trim().is_empty() || text.chars().count() > MAX_TEXT_CHARS || text.contains('\0') {
        let detail = format!("A reply has 1 to {MAX_TEXT_CHARS} characters, none of them zero.");
        return Err(Error::invalid("text", detail));
    }
    let key = idempotency_key.as_deref();
    creating::check_key(key)?;
    let digest = creating::request_digest(&("reply", connection.id, &target, &comment, &text))?;
    let mut tx = app.db().read().await?;
    if let Some(earlier) = creating::repeated(&mut tx, connection.workspace_id, key, &digest).await? {
        return Ok(earlier);
    }
    let price = prices::quote(&mut tx, &preparing::asked(OPERATION, &connection), app.now()).await?;
    drop(tx);
    let row = Row {
        id: PublicationId::new(),
        operation: OPERATION,
        workspace: connection.workspace_id,
        author,
        connection: &connection,
        target,
        reply_to: Some(&comment),
        price: &price,
        parts: &[Part { text, media: Vec::new() }],
        more: &VariantMore::default(),
        media: None,
        publish_at: None,
        not_after: None,
        on_duplicate: OnDuplicate::Warn,
        key,
        digest: &digest,
        post: None,
        completes: None,
    };
    creating::take_in(app, &row, &release.digest).await
}
