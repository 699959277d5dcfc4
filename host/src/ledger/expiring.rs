//! Credits whose time is over. What is reserved of them stays so until its hold ends: it may still be charged, and what is given
//! back of it expires at once.

use super::grants::{self, GrantOrigin, Live};
use super::{Delta, Entry, Kind, book, lock};
use crate::clock::Timestamp;
use crate::db::{Db, Tx};
use crate::error::Result;
use crate::id::{GrantId, TransactionId, WorkspaceId};
use crate::on;

/// Which grants of an origin have ended.
#[derive(Debug, Clone, Copy)]
pub enum Ended<'a> {
    /// All of them.
    All,
    /// Those that were granted before the one with this key: a period has begun, and theirs is over.
    Before(&'a str),
}

const END: &str = "update credit_grants set expires_at = $1
    where workspace_id = $2 and origin = $3 and is_open = 1 and (expires_at is null or expires_at > $1)
        and (cast($4 as text) is null
            or id < (select id from credit_grants where workspace_id = $2 and key = cast($4 as text)))
    returning id, remaining, held, expires_at";

/// Ends grants before their time, and takes away what nobody has reserved of them. Gives how much that was; what has ended
/// already is left as it is.
///
/// # Errors
/// The database failed.
pub async fn expire_grants(
    tx: &mut Tx,
    workspace: WorkspaceId,
    origin: GrantOrigin,
    which: Ended<'_>,
    now: Timestamp,
) -> Result<i64> {
    let key = match which {
        Ended::All => None,
        Ended::Before(key) => Some(key),
    };
    lock(tx, workspace).await?;
    let ended: Vec<Live> = on!(&mut *tx, conn => sqlx::query_as(END)
        .bind(now).bind(workspace).bind(origin).bind(key)
        .fetch_all(conn).await)?;
    take_away(tx, workspace, &ended, now).await
}

/// Takes away what nobody has reserved of grants whose time is over; the account is locked.
pub(super) async fn end_due(tx: &mut Tx, workspace: WorkspaceId, now: Timestamp) -> Result<i64> {
    let due: Vec<Live> = grants::open(tx, workspace).await?.into_iter().filter(|grant| grant.has_ended(now)).collect();
    take_away(tx, workspace, &due, now).await
}

async fn take_away(tx: &mut Tx, workspace: WorkspaceId, ended: &[Live], now: Timestamp) -> Result<i64> {
    let mut taken = 0;
    for grant in ended.iter().filter(|grant| grant.free() > 0) {
        // A grant may end more than once: a node whose clock is behind gives credits back to one that has ended for others.
        let key = format!("{}/{}", grant.id, TransactionId::new());
        end(tx, workspace, grant.id, grant.free(), &key, now).await?;
        taken += grant.free();
    }
    Ok(taken)
}

/// Takes away credits of a grant whose time is over; the account is locked.
pub(super) async fn end(
    tx: &mut Tx,
    workspace: WorkspaceId,
    grant: GrantId,
    credits: i64,
    key: &str,
    now: Timestamp,
) -> Result<()> {
    grants::change(tx, workspace, grant, -credits, 0).await?;
    let entry = Entry {
        kind: Kind::Expire,
        amount: credits,
        delta: Delta { posted: -credits, ..Delta::default() },
        hold: None,
        grant: None,
        key,
        description: "Expired unused",
    };
    book(tx, workspace, &entry, now).await.map(drop)
}

const DUE: &str = "select distinct workspace_id from credit_grants
    where is_open = 1 and expires_at <= $1 and remaining > held limit 100";

/// Takes away what nobody has reserved of all grants whose time is over, a workspace in a transaction. Gives how many
/// workspaces that were.
///
/// # Errors
/// The database failed. What was taken away until then stays so.
pub async fn expire_due(db: &Db, now: Timestamp) -> Result<usize> {
    let mut done = 0;
    loop {
        let mut tx = db.read().await?;
        let due: Vec<WorkspaceId> = on!(&mut tx, conn => sqlx::query_scalar(DUE).bind(now).fetch_all(conn).await)?;
        drop(tx);
        if due.is_empty() {
            return Ok(done);
        }
        for workspace in due {
            let mut tx = db.begin().await?;
            lock(&mut tx, workspace).await?;
            end_due(&mut tx, workspace, now).await?;
            tx.commit().await?;
            done += 1;
        }
    }
}
