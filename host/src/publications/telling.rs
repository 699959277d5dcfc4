//! What the workspace's endpoints are told of a publication's moves.

use super::outcome::{Outcome, labelled};
use super::timeline::Move;
use super::{Publication, State};
use crate::clock::Timestamp;
use crate::connectors::fault::{Fault, FaultKind};
use crate::db::Tx;
use crate::error::Result;
use crate::events::{self, Change, EventType};
use crate::id::{ConnectionId, PublicationId};
use serde::Serialize;

/// A publication after a move, without what stands in it: whoever is told may ask for that.
#[derive(Serialize)]
struct Told<'a> {
    id: PublicationId,
    /// `post` or `reply`.
    kind: &'static str,
    state: State,
    platform: &'a str,
    connector: &'a str,
    connection_id: ConnectionId,
    target: Option<&'a str>,
    publish_at: Option<Timestamp>,
    attempts: i64,
    reason: &'a str,
    /// Of a published one, what became of each part.
    receipt: Option<Vec<Outcome>>,
    fault: Option<&'a Fault>,
}

/// What a move is to others; `None` where it is nobody's concern.
pub(super) fn kind_of(publication: &Publication, made: &Move<'_>) -> Option<EventType> {
    match made.state {
        State::Due | State::Running => None,
        State::Scheduled => Some(EventType::PublicationScheduled),
        // That others were before it, or that the vendor takes its time, is no failure.
        State::Pending if made.fault.is_none_or(|fault| fault.kind == FaultKind::Busy) => None,
        State::Pending if publication.setbacks > 0 => None,
        State::Pending => Some(EventType::PublicationDelayed),
        State::Uncertain => Some(EventType::PublicationUncertain),
        State::Published => Some(EventType::PublicationPublished),
        State::Failed => Some(EventType::PublicationFailed),
        State::Cancelled => Some(EventType::PublicationCancelled),
    }
}

/// Tells of a move, in the transaction that makes it. `publication` is as it was when the attempt began.
pub(super) async fn tell(
    tx: &mut Tx,
    publication: &Publication,
    kind: EventType,
    made: &Move<'_>,
    now: Timestamp,
) -> Result<()> {
    let has_comment = publication.more()?.first_comment.is_some();
    let told = Told {
        id: publication.id,
        kind: if publication.reply_to.is_some() { "reply" } else { "post" },
        state: made.state,
        platform: &publication.platform,
        connector: &publication.connector,
        connection_id: publication.connection_id,
        target: publication.target.as_deref(),
        publish_at: publication.publish_at,
        attempts: publication.attempts,
        reason: made.reason,
        receipt: made.receipt.map(|outcomes| labelled(outcomes.to_vec(), has_comment)),
        fault: made.fault,
    };
    let change = Change { workspace: publication.workspace_id, kind, subject: publication.id.0 };
    Ok(events::tell(tx, change, &told, now).await?)
}
