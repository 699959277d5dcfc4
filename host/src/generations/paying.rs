//! What a generation costs: quoted and reserved before it begins, and charged by what it used.

use super::{Generation, Wish, find};
use crate::clock::Timestamp;
use crate::connectors::writing::Prompt;
use crate::db::Tx;
use crate::db::bundle::Bundle;
use crate::error::Result;
use crate::id::{GenerationId, HoldId, WorkspaceId};
use crate::identity::Caller;
use crate::ledger::{self, Reservation};
use crate::on;
use crate::prices::{self, Asked, Quantities, Quote};
use std::collections::BTreeMap;

/// Quotes a generation, and reserves what it costs; the last of it is part of a bundle.
pub(super) async fn reserving(
    (tx, bundle): (&mut Tx, &mut Bundle),
    caller: Caller,
    id: GenerationId,
    wish: &Wish,
    connector: &str,
    now: Timestamp,
) -> Result<(Quote, Option<HoldId>)> {
    let asked = Asked {
        workspace: caller.workspace,
        operation: wish.operation,
        connector: Some(connector),
        model: None,
        connection: None,
        quantities: Quantities { tokens: Some(most_tokens(&wish.prompt)), ..Quantities::default() },
    };
    let quote = prices::quote(tx, &asked, now).await?;
    let items = quote.items_to_keep()?;
    let wanted = Reservation {
        operation: wish.operation,
        credits: quote.credits,
        key: &format!("generation/{id}"),
        member: Some(caller.user),
        items: items.as_deref(),
    };
    let hold = ledger::reserving(tx, bundle, caller.workspace, &wanted, now).await?;
    Ok((quote, hold))
}

/// A token has at least a byte.
fn most_tokens(prompt: &Prompt) -> i64 {
    let read = i64::try_from(prompt.instructions.len() + prompt.message.len()).unwrap_or(i64::MAX);
    read.saturating_add(i64::from(prompt.max_output_tokens))
}

/// What a generation costs that used so much, by the vendor's word: never more than was quoted.
pub(super) fn charge(quote: &Quote, usage: &BTreeMap<String, u64>) -> Result<i64> {
    let of = |unit: &str| usage.get(unit).copied();
    let tokens = match (of("input_tokens"), of("output_tokens")) {
        (None, None) => of("tokens"),
        (read, written) => Some(read.unwrap_or(0).saturating_add(written.unwrap_or(0))),
    };
    let tokens = tokens.map(|tokens| i64::try_from(tokens).unwrap_or(i64::MAX));
    let used = Quantities { tokens, ..Quantities::default() };
    Ok(quote.charge(&used)?.min(quote.credits))
}

const OPERATION: &str = "select operation from generations where workspace_id = $1 and id = $2";
const CONNECTOR: &str = "select connector from generations where workspace_id = $1 and id = $2";

/// A workspace's generation, whatever it is of.
///
/// # Errors
/// The database failed.
pub(crate) async fn find_of_any(tx: &mut Tx, workspace: WorkspaceId, id: GenerationId) -> Result<Option<Generation>> {
    let operation: Option<String> =
        on!(&mut *tx, conn => sqlx::query_scalar(OPERATION).bind(workspace).bind(id).fetch_optional(conn).await)?;
    match operation {
        Some(operation) => find(tx, workspace, &operation, id).await.map(Some),
        None => Ok(None),
    }
}

/// What carries a generation of a workspace out.
///
/// # Errors
/// The database failed, or there is no such generation.
pub(crate) async fn connector_of(tx: &mut Tx, workspace: WorkspaceId, id: GenerationId) -> Result<String> {
    Ok(on!(tx, conn => sqlx::query_scalar(CONNECTOR).bind(workspace).bind(id).fetch_one(conn).await)?)
}

impl Generation {
    /// What is reserved for it, or was.
    pub(crate) fn hold_id(&self) -> Option<HoldId> {
        self.hold_id
    }

    /// Where it stands, as it is stored.
    pub(crate) fn state_word(&self) -> &str {
        &self.state
    }
}

const LIVE: &str = "select count(*) from generations where workspace_id = $1 and hold_id = $2 and state = 'running'";

/// Whether a hold is a generation's that is being written.
///
/// # Errors
/// The database failed.
pub(crate) async fn is_live(tx: &mut Tx, workspace: WorkspaceId, hold: HoldId) -> Result<bool> {
    let live: i64 = on!(tx, conn => sqlx::query_scalar(LIVE).bind(workspace).bind(hold).fetch_one(conn).await)?;
    Ok(live > 0)
}
