//! Whether the books are right: every invariant of the ledger as one question to the database.

use crate::db::Tx;
use crate::id::{HoldId, WorkspaceId};
use crate::on;

const ACCOUNTS_OFF_THEIR_TRANSACTIONS: &str = "select a.workspace_id, a.posted, a.held,
        cast(coalesce(sum(t.posted_delta), 0) as bigint), cast(coalesce(sum(t.held_delta), 0) as bigint)
    from credit_accounts a left join credit_transactions t on t.workspace_id = a.workspace_id
    group by a.workspace_id, a.posted, a.held
    having a.posted <> coalesce(sum(t.posted_delta), 0) or a.held <> coalesce(sum(t.held_delta), 0)";

const ACCOUNTS_OFF_THEIR_HOLDS: &str = "select a.workspace_id, a.held, cast(coalesce(sum(h.amount), 0) as bigint)
    from credit_accounts a left join credit_holds h on h.workspace_id = a.workspace_id and h.state = 'open'
    group by a.workspace_id, a.held
    having a.held <> coalesce(sum(h.amount), 0)";

const BROKEN_CHAINS: &str = "select workspace_id, sequence
    from (select workspace_id, sequence, posted_after, held_after, row_number() over account as place,
            coalesce(lag(posted_after) over account, 0) + posted_delta as posted_due,
            coalesce(lag(held_after) over account, 0) + held_delta as held_due
        from credit_transactions window account as (partition by workspace_id order by sequence)) as chain
    where sequence <> place or posted_after <> posted_due or held_after <> held_due
        or held_after < 0 or held_after > posted_after";

// An open hold has its own transaction, a resolved one also that of its end.
const HOLDS_OFF_THEIR_TRANSACTIONS: &str = "select h.id, h.state
    from credit_holds h left join credit_transactions t on t.hold_id = h.id and t.workspace_id = h.workspace_id
    group by h.id, h.state, h.amount, h.resolved_at
    having (h.state = 'open') <> (h.resolved_at is null)
        or count(t.id) <> (case h.state when 'open' then 1 else 2 end)
        or sum(case when t.kind = 'hold' and t.held_delta = h.amount then 1 else 0 end) <> 1
        or sum(case when t.kind = (case h.state when 'settled' then 'settle' else 'release' end)
            and t.held_delta = -h.amount then 1 else 0 end) <> (case h.state when 'open' then 0 else 1 end)";

/// A sentence for each place where the books are wrong; empty when they are right.
///
/// # Errors
/// The database failed.
pub async fn audit(tx: &mut Tx) -> sqlx::Result<Vec<String>> {
    let mut faults = Vec::new();
    let rows: Vec<(WorkspaceId, i64, i64, i64, i64)> =
        on!(tx, conn => sqlx::query_as(ACCOUNTS_OFF_THEIR_TRANSACTIONS).fetch_all(conn).await)?;
    faults.extend(rows.into_iter().map(|(workspace, posted, held, posted_sum, held_sum)| {
        format!(
            "workspace {workspace} has {posted} posted, {held} held; its transactions sum to {posted_sum}, {held_sum}"
        )
    }));
    let rows: Vec<(WorkspaceId, i64, i64)> =
        on!(tx, conn => sqlx::query_as(ACCOUNTS_OFF_THEIR_HOLDS).fetch_all(conn).await)?;
    faults.extend(rows.into_iter().map(|(workspace, held, open)| {
        format!("workspace {workspace} has {held} held, but its open holds sum to {open}")
    }));
    let rows: Vec<(WorkspaceId, i64)> = on!(tx, conn => sqlx::query_as(BROKEN_CHAINS).fetch_all(conn).await)?;
    faults.extend(rows.into_iter().map(|(workspace, sequence)| {
        format!("transaction {sequence} of workspace {workspace} does not follow from the one before it")
    }));
    let rows: Vec<(HoldId, String)> =
        on!(tx, conn => sqlx::query_as(HOLDS_OFF_THEIR_TRANSACTIONS).fetch_all(conn).await)?;
    faults.extend(
        rows.into_iter().map(|(hold, state)| format!("hold {hold} is {state}, but its transactions say otherwise")),
    );
    Ok(faults)
}
