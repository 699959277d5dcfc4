//! The fence: a restored installation does not know what was done after its backup was made, so nothing leaves it before an
//! operator says so (`orla resume`), who has made sure that the old one is off.
//!
//! While it stands no job is claimed, and the one way out ([`egress`](crate::connectors::egress)) refuses every request, reads
//! and refreshing included: a refresh could take the tokens away from an old installation that still runs. What people ask for
//! meanwhile is taken in, and waits. This file owns the row; a host looks at it twice a second.

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::on;
use std::sync::Arc;
use tokio::sync::watch;

/// Why nothing leaves; reads on after the name of what did not.
pub(crate) const WORDS: &str =
    "this installation was restored from a backup, and sends nothing until an operator runs `orla resume`";

/// What became of the last restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Restored {
    /// From when on what was done may be unknown.
    pub backup_at: Timestamp,
    /// All that is older came with the backup.
    pub restored_at: Timestamp,
    /// When the fence was lifted; `None` while it stands.
    pub resumed_at: Option<Timestamp>,
}

/// The fence as this host saw it last, cheap to clone.
#[derive(Debug, Clone)]
pub struct Fence(Arc<watch::Sender<Option<Restored>>>);

impl Default for Fence {
    /// That of an installation that was never restored.
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Fence {
    /// The fence of a database.
    ///
    /// # Errors
    /// The database failed.
    pub async fn read(db: &Db) -> sqlx::Result<Self> {
        let fence = Self::default();
        fence.look(db).await?;
        Ok(fence)
    }

    /// Looks again.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn look(&self, db: &Db) -> sqlx::Result<()> {
        let found = find(&mut db.read().await?).await?;
        let stood = self.stands();
        self.0.send_if_modified(|known| std::mem::replace(known, found) != found);
        if stood && !self.stands() {
            tracing::info!("the fence is lifted: what waited goes on");
        }
        Ok(())
    }

    /// Whether nothing may leave.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.0.borrow().is_some_and(|restored| restored.resumed_at.is_none())
    }

    /// When it was lifted; `None` where it stands or never stood.
    pub(crate) fn resumed_at(&self) -> Option<Timestamp> {
        self.0.borrow().and_then(|restored| restored.resumed_at)
    }

    /// Whether the installation before this one may have done what was planned for this time.
    pub(crate) fn may_have_missed(&self, at: Timestamp) -> bool {
        self.0
            .borrow()
            .is_some_and(|restored| restored.backup_at < at && restored.resumed_at.is_some_and(|resumed| at <= resumed))
    }

    /// Lets those through who do not want to wait.
    ///
    /// # Errors
    /// It stands.
    pub(crate) fn check(&self) -> Result<()> {
        const REFUSAL: &str =
            "This installation was restored from a backup. Nothing leaves it until an operator runs `orla resume`.";
        if self.stands() { Err(Error::Unavailable(REFUSAL)) } else { Ok(()) }
    }
}

/// Waits while the fence stands, or until the host stops. Every loop that has an effect outside begins with it.
pub async fn wait(app: &App) {
    let mut changes = app.fence().0.subscribe();
    let lifted = changes.wait_for(|restored| restored.is_none_or(|restored| restored.resumed_at.is_some()));
    tokio::select! {
        _ = lifted => {}
        () = app.stopping().cancelled() => {}
    }
}

const FIND: &str = "select backup_at, restored_at, resumed_at from fence where id = 1";
const BACKUP: &str = "select backup from fence where id = 1";
const RAISE: &str = "insert into fence (id, backup, backup_at, restored_at) values (1, $1, $2, $3)
    on conflict (id) do update set backup = excluded.backup, backup_at = excluded.backup_at,
        restored_at = excluded.restored_at, resumed_at = null";
const LIFT: &str = "update fence set resumed_at = $1 where id = 1 and resumed_at is null";

/// What became of the last restore; `None` where there was none.
pub(crate) async fn find(tx: &mut Tx) -> sqlx::Result<Option<Restored>> {
    on!(tx, conn => sqlx::query_as(FIND).fetch_optional(conn).await)
}

/// The name of the backup that was restored last.
pub(crate) async fn backup(tx: &mut Tx) -> sqlx::Result<Option<String>> {
    on!(tx, conn => sqlx::query_scalar(BACKUP).fetch_optional(conn).await)
}

/// Raises the fence, in the transaction that restores.
pub(crate) async fn raise(tx: &mut Tx, backup: &str, backup_at: Timestamp, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(RAISE).bind(backup).bind(backup_at).bind(now).execute(conn).await.map(drop))
}

/// Lifts the fence. False where none stands.
pub(crate) async fn lift(tx: &mut Tx, now: Timestamp) -> sqlx::Result<bool> {
    let lifted = on!(tx, conn => sqlx::query(LIFT).bind(now).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(lifted == 1)
}
