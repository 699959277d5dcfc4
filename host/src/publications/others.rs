//! What else an account has published at about the time of a lost commit and later: none of it is that commit, however alike
//! they are.

use super::{PartOutcome, Publication};
use crate::clock::Timestamp;
use crate::connectors::connections;
use crate::connectors::journal::{self, Effect};
use crate::db::Tx;
use crate::id::{PublicationId, RunId};
use crate::on;
use orla_manifest::AnswerPlace;
use std::time::Duration;

/// How far a vendor's clock may be behind ours: what is older cannot be taken for a lost commit.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60 * 60);
/// Most other replies that a lost one is told apart from.
const MAX_REPLIES: i64 = 500;

const REPLIES: &str = "select id from publications
    where connection_id = $1 and updated_at >= $2 and reply_to is not null and id <> $3 order by updated_at limit $4";

/// What the account has replied otherwise, by the vendor's ids.
///
/// # Errors
/// The database failed.
pub(super) async fn replies(
    tx: &mut Tx,
    lost: &Publication,
    sent_at: Timestamp,
    places: &[AnswerPlace],
) -> sqlx::Result<Vec<String>> {
    let replies: Vec<PublicationId> = on!(tx, conn => sqlx::query_scalar(REPLIES)
        .bind(lost.connection_id).bind(sent_at.before(CLOCKS_DIFFER)).bind(lost.id).bind(MAX_REPLIES)
        .fetch_all(conn).await)?;
    let mut others = Vec::new();
    for reply in replies {
        let effects = journal::effects(tx, RunId::from(reply)).await?;
        others.extend(ids(&effects, places));
    }
    Ok(others)
}

/// What commits have made, by the vendor's ids.
fn ids(effects: &[Effect], places: &[AnswerPlace]) -> impl Iterator<Item = String> {
    let commits = effects.iter().filter(|effect| effect.is_commit());
    commits.filter_map(|effect| Some(effect.committed(places)?.id))
}

const SETTLED: &str = "select receipt from publications
    where workspace_id = $1 and connection_id = $2 and updated_at >= $3 and id <> $4 and receipt like $5 escape '!'";
const UNSETTLED: &str = "select id, state from publications
    where workspace_id = $1 and connection_id = $2 and id <> $3 and state in ('running', 'pending', 'uncertain')";

/// Why what was found is not to be taken for a lost commit, for a person; `None` where it may be. Nobody else takes anything
/// for a commit of the same connection until the transaction ends, so of two that look at once one is told.
///
/// `digest` is that of the lost commit's request, where it counts what is on its way.
///
/// # Errors
/// The database failed.
pub(super) async fn forbid(
    tx: &mut Tx,
    lost: &Publication,
    digest: Option<&str>,
    id: &str,
    places: &[AnswerPlace],
) -> anyhow::Result<Option<&'static str>> {
    if places.contains(&AnswerPlace::Key) {
        let effects = journal::effects(tx, RunId::from(lost.id)).await?;
        if effects.iter().any(|effect| effect.key == id) {
            // The vendor has named nothing: whatever it took so is called by the key of its commit, such as `part/0`.
            return Ok(None);
        }
    }
    connections::stand_by(tx, lost.connection_id).await?;
    let since = lost.begins_at().before(CLOCKS_DIFFER);
    let receipts: Vec<String> = on!(tx, conn => sqlx::query_scalar(SETTLED)
        .bind(lost.workspace_id).bind(lost.connection_id).bind(since).bind(lost.id).bind(naming(id)?)
        .fetch_all(conn).await)?;
    for receipt in receipts {
        let parts: Vec<PartOutcome> = serde_json::from_str(&receipt)?;
        if parts.iter().any(|part| matches!(part, PartOutcome::Done { committed, .. } if committed.id == id)) {
            return Ok(Some(TAKEN));
        }
    }
    let unsettled: Vec<(PublicationId, String)> = on!(tx, conn => sqlx::query_as(UNSETTLED)
        .bind(lost.workspace_id).bind(lost.connection_id).bind(lost.id).fetch_all(conn).await)?;
    let mut on_its_way = None;
    for (other, state) in unsettled {
        let effects = journal::effects(tx, RunId::from(other)).await?;
        if ids(&effects, places).any(|other| other == id) {
            return Ok(Some(TAKEN));
        }
        // One whose host died stays so as well, but its publication is run again and then no longer `running`.
        let is_alike = |effect: &Effect| effect.is_under_way() && Some(effect.digest.as_str()) == digest;
        if state == "running" && effects.iter().any(is_alike) {
            on_its_way = Some(ON_ITS_WAY);
        }
    }
    Ok(on_its_way)
}

const TAKEN: &str = "it is what became of another post or reply of this account";
const ON_ITS_WAY: &str = "another one that is alike is on its way, and it may be that";

/// What receipts look like that name something.
fn naming(id: &str) -> anyhow::Result<String> {
    let quoted = serde_json::to_string(id)?;
    let escaped = quoted.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    Ok(format!("%{escaped}%"))
}
