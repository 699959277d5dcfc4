//! Whether the books are right: every invariant of the ledger as one question to the database.

use super::holds;
use crate::db::Tx;
use crate::id::{GrantId, HoldId, WorkspaceId};
use crate::on;
use std::collections::BTreeMap;

const ACCOUNTS_OFF_THEIR_TRANSACTIONS: &str = "select a.workspace_id, a.posted, a.held, a.owed,
        cast(coalesce(sum(t.posted_delta), 0) as bigint), cast(coalesce(sum(t.held_delta), 0) as bigint),
        cast(coalesce(sum(t.owed_delta), 0) as bigint)
    from credit_accounts a left join credit_transactions t on t.workspace_id = a.workspace_id
    group by a.workspace_id, a.posted, a.held, a.owed
    having a.posted <> coalesce(sum(t.posted_delta), 0) or a.held <> coalesce(sum(t.held_delta), 0)
        or a.owed <> coalesce(sum(t.owed_delta), 0)";

const ACCOUNTS_OFF_THEIR_HOLDS: &str = "select a.workspace_id, a.held, cast(coalesce(sum(h.amount), 0) as bigint)
    from credit_accounts a left join credit_holds h on h.workspace_id = a.workspace_id and h.state = 'open'
    group by a.workspace_id, a.held
    having a.held <> coalesce(sum(h.amount), 0)";

const ACCOUNTS_OFF_THEIR_GRANTS: &str = "select a.workspace_id, a.posted, a.held,
        cast(coalesce(sum(g.remaining), 0) as bigint), cast(coalesce(sum(g.held), 0) as bigint)
    from credit_accounts a left join credit_grants g on g.workspace_id = a.workspace_id
    group by a.workspace_id, a.posted, a.held
    having a.posted <> coalesce(sum(g.remaining), 0) or a.held <> coalesce(sum(g.held), 0)";

// Who owes has nothing available.
const ACCOUNTS_THAT_CANNOT_BE: &str = "select workspace_id, posted, held, owed from credit_accounts
    where posted < 0 or held < 0 or owed < 0 or held > posted or (owed > 0 and posted > held)";

const GRANTS_THAT_CANNOT_BE: &str = "select id, remaining, held, credits from credit_grants
    where remaining < 0 or held < 0 or held > remaining or remaining > credits or clawed < 0 or clawed > credits
        or (is_open = 1) <> (remaining > 0)";

// Of each grant so much counts as taken back as its clawbacks took that no won dispute restored. Clawbacks of old do not say
// their grant.
const GRANTS_OFF_THEIR_CLAWBACKS: &str = "select g.id, g.clawed, cast(coalesce(sum(t.amount), 0) as bigint)
    from credit_grants g left join credit_transactions t on t.grant_id = g.id and t.kind = 'clawback'
        and not exists (select 1 from credit_transactions r where r.workspace_id = t.workspace_id
            and r.key = 'grant:restore/' || substr(t.key, 10))
    where not exists (select 1 from credit_transactions old where old.workspace_id = g.workspace_id
        and old.kind = 'clawback' and old.grant_id is null)
    group by g.id, g.clawed having g.clawed <> coalesce(sum(t.amount), 0)";

const BROKEN_CHAINS: &str = "select workspace_id, sequence
    from (select workspace_id, sequence, posted_after, held_after, owed_after, row_number() over account as place,
            coalesce(lag(posted_after) over account, 0) + posted_delta as posted_due,
            coalesce(lag(held_after) over account, 0) + held_delta as held_due,
            coalesce(lag(owed_after) over account, 0) + owed_delta as owed_due
        from credit_transactions window account as (partition by workspace_id order by sequence)) as chain
    where sequence <> place or posted_after <> posted_due or held_after <> held_due or owed_after <> owed_due
        or held_after < 0 or held_after > posted_after or owed_after < 0";

const KEYS_USED_TWICE: &str = "select workspace_id, key from credit_transactions
    group by workspace_id, key having count(*) > 1";

// An open hold has its own transaction and those that made it larger, a resolved one also that of its end, a refunded one that of
// the refund.
const HOLDS_OFF_THEIR_TRANSACTIONS: &str = "select h.id, h.state
    from credit_holds h left join credit_transactions t on t.hold_id = h.id and t.workspace_id = h.workspace_id
    group by h.id, h.state, h.amount, h.resolved_at, h.charged, h.refunded
    having (h.state = 'open') <> (h.resolved_at is null)
        or (h.state = 'open') <> (h.charged is null)
        or coalesce(h.charged, 0) < 0 or coalesce(h.charged, 0) > h.amount
        or h.refunded < 0 or h.refunded > coalesce(h.charged, 0)
        or sum(case when t.kind = 'hold' then 1 else 0 end) <> 1
        or sum(case when t.kind in ('hold', 'extend') then t.held_delta else 0 end) <> h.amount
        or sum(case when t.kind in ('settle', 'release') then 1 else 0 end)
            <> (case h.state when 'open' then 0 else 1 end)
        or sum(case when t.kind = (case h.state when 'settled' then 'settle' else 'release' end)
            and t.held_delta = -h.amount and t.posted_delta = -h.charged then 1 else 0 end)
            <> (case h.state when 'open' then 0 else 1 end)
        or sum(case when t.kind = 'refund' then t.amount else 0 end) <> h.refunded";

const OPEN_HOLDS: &str =
    "select id, amount, grants from credit_holds where state = 'open' and id > $1 order by id limit 1000";
const HELD_GRANTS: &str = "select id, held from credit_grants where held > 0";

/// A sentence for each place where the books are wrong; empty when they are right.
///
/// # Errors
/// The database failed.
pub async fn audit(tx: &mut Tx) -> sqlx::Result<Vec<String>> {
    let mut faults = accounts(tx).await?;
    let rows: Vec<(GrantId, i64, i64, i64)> =
        on!(&mut *tx, conn => sqlx::query_as(GRANTS_THAT_CANNOT_BE).fetch_all(conn).await)?;
    faults.extend(rows.into_iter().map(|(grant, remaining, held, credits)| {
        format!("grant {grant} of {credits} credits has {remaining} left, {held} of them held, which cannot be")
    }));
    let rows: Vec<(GrantId, i64, i64)> =
        on!(&mut *tx, conn => sqlx::query_as(GRANTS_OFF_THEIR_CLAWBACKS).fetch_all(conn).await)?;
    faults.extend(rows.into_iter().map(|(grant, clawed, sum)| {
        format!("grant {grant} has {clawed} credits taken back, but its clawbacks sum to {sum}")
    }));
    let rows: Vec<(WorkspaceId, i64)> = on!(&mut *tx, conn => sqlx::query_as(BROKEN_CHAINS).fetch_all(conn).await)?;
    faults.extend(rows.into_iter().map(|(workspace, sequence)| {
        format!("transaction {sequence} of workspace {workspace} does not follow from the one before it")
    }));
    let rows: Vec<(WorkspaceId, String)> =
        on!(&mut *tx, conn => sqlx::query_as(KEYS_USED_TWICE).fetch_all(conn).await)?;
    faults.extend(
        rows.into_iter().map(|(workspace, key)| format!("workspace {workspace} has two transactions of the key {key}")),
    );
    let rows: Vec<(HoldId, String)> =
        on!(&mut *tx, conn => sqlx::query_as(HOLDS_OFF_THEIR_TRANSACTIONS).fetch_all(conn).await)?;
    faults.extend(
        rows.into_iter().map(|(hold, state)| format!("hold {hold} is {state}, but its transactions say otherwise")),
    );
    parts(tx, &mut faults).await?;
    Ok(faults)
}

async fn accounts(tx: &mut Tx) -> sqlx::Result<Vec<String>> {
    let mut faults = Vec::new();
    let rows: Vec<(WorkspaceId, i64, i64, i64, i64, i64, i64)> =
        on!(&mut *tx, conn => sqlx::query_as(ACCOUNTS_OFF_THEIR_TRANSACTIONS).fetch_all(conn).await)?;
    faults.extend(rows.into_iter().map(|(workspace, posted, held, owed, posted_sum, held_sum, owed_sum)| {
        format!(
            "workspace {workspace} has {posted} posted, {held} held, {owed} owed; its transactions sum to {posted_sum}, \
             {held_sum}, {owed_sum}"
        )
    }));
    let rows: Vec<(WorkspaceId, i64, i64)> =
        on!(&mut *tx, conn => sqlx::query_as(ACCOUNTS_OFF_THEIR_HOLDS).fetch_all(conn).await)?;
    faults.extend(rows.into_iter().map(|(workspace, held, open)| {
        format!("workspace {workspace} has {held} held, but its open holds sum to {open}")
    }));
    let rows: Vec<(WorkspaceId, i64, i64, i64, i64)> =
        on!(&mut *tx, conn => sqlx::query_as(ACCOUNTS_OFF_THEIR_GRANTS).fetch_all(conn).await)?;
    faults.extend(rows.into_iter().map(|(workspace, posted, held, left, reserved)| {
        format!("workspace {workspace} has {posted} posted, {held} held; its grants have {left} left, {reserved} held")
    }));
    let rows: Vec<(WorkspaceId, i64, i64, i64)> =
        on!(&mut *tx, conn => sqlx::query_as(ACCOUNTS_THAT_CANNOT_BE).fetch_all(conn).await)?;
    faults.extend(rows.into_iter().map(|(workspace, posted, held, owed)| {
        format!("workspace {workspace} has {posted} posted, {held} held and {owed} owed, which cannot be")
    }));
    Ok(faults)
}

/// What open holds have fixed of grants is theirs in whole, and is what the grants say is held of them.
async fn parts(tx: &mut Tx, faults: &mut Vec<String>) -> sqlx::Result<()> {
    let mut of_grants: BTreeMap<GrantId, i64> = BTreeMap::new();
    let mut last = HoldId(uuid::Uuid::nil());
    loop {
        let page: Vec<(HoldId, i64, String)> =
            on!(&mut *tx, conn => sqlx::query_as(OPEN_HOLDS).bind(last).fetch_all(conn).await)?;
        let Some((newest, ..)) = page.last() else { break };
        last = *newest;
        for (hold, amount, parts) in &page {
            let Ok(parts) = holds::read(parts) else {
                faults.push(format!("hold {hold} does not say which grants it is of"));
                continue;
            };
            if parts.iter().map(|(_, part)| part).sum::<i64>() != *amount {
                faults
                    .push(format!("hold {hold} is of {amount} credits, but its parts of grants sum to another number"));
            }
            for (grant, part) in parts {
                *of_grants.entry(grant).or_default() += part;
            }
        }
    }
    let held: Vec<(GrantId, i64)> = on!(&mut *tx, conn => sqlx::query_as(HELD_GRANTS).fetch_all(conn).await)?;
    for (grant, held) in held {
        let open = of_grants.remove(&grant).unwrap_or(0);
        if open != held {
            faults.push(format!("grant {grant} has {held} held, but the open holds have {open} of it"));
        }
    }
    faults.extend(
        of_grants
            .into_iter()
            .filter(|(_, part)| *part != 0)
            .map(|(grant, part)| format!("the open holds have {part} of grant {grant}, which has nothing held")),
    );
    Ok(())
}
