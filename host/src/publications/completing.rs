//! Publishing what is missing of a publication: a thread that broke off, or a first comment that was refused.
//!
//! `published` is terminal, so this is a publication of its own. It has the same parts, and its run begins with a copy of the
//! journal of the run before, its seed and its release. So the connector goes its way from the top once more: what is live is
//! answered from the journal, what was refused is sent, and what comes behind it is new. A connector that goes another way
//! leaves the path of its journal and sends nothing. There is one completion of each publication, by a unique index, and one of
//! that: of all that share a journal only the last may still send, so no part goes out twice.

use super::creating::{self, Completes, Row};
use super::{Kind, OnDuplicate, Publication, State, find};
use crate::app::App;
use crate::connectors::connections;
use crate::connectors::fault::FaultKind;
use crate::connectors::journal;
use crate::connectors::run;
use crate::connectors::work::PartOutcome;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{PublicationId, UserId, WorkspaceId};
use crate::on;
use crate::prices::Quote;

const COMPLETION: &str = columns!("where workspace_id = $1 and completes = $2");

/// The publication that publishes what is missing of another.
///
/// # Errors
/// The database failed.
pub async fn completion(tx: &mut Tx, workspace: WorkspaceId, id: PublicationId) -> sqlx::Result<Option<Publication>> {
    on!(tx, conn => sqlx::query_as(COMPLETION).bind(workspace).bind(id).fetch_optional(conn).await)
}

/// Publishes what is missing. It costs nothing: the post was paid for. Asked for again, it is the same publication.
///
/// # Errors
/// There is no such publication, nothing is missing, nobody knows what is live, or its account is no longer connected.
pub async fn complete(app: &App, workspace: WorkspaceId, author: UserId, id: PublicationId) -> Result<Publication> {
    let mut tx = app.db().read().await?;
    let publication = find(&mut tx, workspace, Kind::Post, id).await?;
    if let Some(earlier) = completion(&mut tx, workspace, id).await? {
        return Ok(earlier);
    }
    check(&mut tx, &publication).await?;
    let connection = connections::find(&mut tx, workspace, publication.connection_id).await?;
    if !connection.is_active() {
        let detail = format!("@{} is no longer connected. Connect it again.", connection.handle);
        return Err(Error::Conflict { code: "connection_revoked", detail });
    }
    let (pinned, release) = run::pinned(&mut tx, id.into(), workspace).await?;
    drop(tx);
    let (parts, more) = (publication.parts()?, publication.more()?);
    let digest = creating::request_digest(&("complete", id))?;
    let row = Row {
        id: PublicationId::new(),
        operation: creating::OPERATION,
        workspace,
        author,
        connection: &connection,
        target: publication.target.clone(),
        reply_to: None,
        price: &Quote::nothing(),
        parts: &parts,
        more: &more,
        media: None,
        publish_at: None,
        not_after: None,
        on_duplicate: OnDuplicate::Warn,
        key: None,
        digest: &digest,
        post: publication.post_id,
        completes: Some(Completes { id, run: &pinned }),
    };
    match creating::take_in(app, &row, &release).await {
        Ok(publication) => Ok(publication),
        // Somebody else asked at the same moment, and was quicker.
        Err(error) => completion(&mut app.db().read().await?, workspace, id).await?.ok_or(error),
    }
}

/// Whether something is missing, and all else is known to be live.
async fn check(tx: &mut Tx, publication: &Publication) -> Result<()> {
    let state = publication.state()?;
    let is_whole = |parts: Vec<PartOutcome>| parts.iter().all(|part| matches!(part, PartOutcome::Done { .. }));
    let is_missing = match state {
        State::Published => !publication.receipt()?.is_none_or(is_whole),
        // A completion that failed before it came to an end leaves what was missing before.
        State::Failed | State::Cancelled => publication.completes.is_some(),
        State::Scheduled | State::Due | State::Running | State::Pending | State::Uncertain => false,
    };
    if !is_missing {
        let detail = format!("It is {}, and nothing of it is missing that could be published now.", state.word());
        return Err(Error::Conflict { code: "nothing_missing", detail });
    }
    let is_unsure = publication.fault()?.is_some_and(|fault| fault.kind == FaultKind::Uncertain);
    let effects = journal::effects(tx, publication.id.into()).await?;
    if is_unsure || effects.iter().any(journal::Effect::is_lost) {
        return Err(Error::Conflict {
            code: "partly_uncertain",
            detail: "Nobody knows whether a part of it is live. Look at the network, and post what is missing anew."
                .to_owned(),
        });
    }
    Ok(())
}
