//! Cloud drives: browsing them, importing files from them, and restricting a connection to one folder.
//!
//! A caller never names a vendor's id. What the host hands out is *sealed*: an id that opens for the workspace, the
//! connection and the restriction under which it was listed, and for nothing else. So under a restriction only that can be
//! listed or fetched which the host was shown at or below the folder; what was handed out before it was set, or under
//! another one, names nothing any more. Cursors are sealed likewise, and bound to their list.
//!
//! What this cannot do: see for itself that an entry is in a folder. The connector is asked for one folder's entries, and
//! the vendor's protocol is its business; nor can a file that was moved out of the folder after it was listed be told from
//! one that was not. Against a connector that lies, only the vendor's own restriction helps (an app that has but one
//! folder).

pub mod importing;
pub mod listing;
mod sealing;

use crate::app::App;
use crate::connecting::asking::{Asker, Named};
use crate::connecting::{self, platforms};
use crate::connectors::connections::{self, Connection};
use crate::connectors::drive::Kind;
use crate::connectors::fault::Fault;
use crate::connectors::release::Release;
use crate::connectors::run::Run;
use crate::connectors::work::Account;
use crate::error::{Error, Result};
use crate::id::{ConnectionId, WorkspaceId};
use std::sync::Arc;

/// Which connection is meant.
#[derive(Debug, Clone, Copy)]
pub struct Which<'a> {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// The drive's name in this API, such as `dropbox`.
    pub provider: &'a str,
    /// One of several accounts.
    pub connection: Option<ConnectionId>,
}

/// A connected drive.
#[derive(Debug, Clone)]
pub struct Drive {
    connection: Connection,
    release: Arc<Release>,
}

/// The release that serves a drive.
///
/// # Errors
/// There is none.
fn release(app: &App, provider: &str) -> Result<Arc<Release>> {
    let release = app.connectors().for_platform(provider).filter(|release| release.drive.is_some());
    release.ok_or(Error::NotFound("cloud storage here"))
}

/// Whether there is such a drive to connect.
///
/// # Errors
/// There is none.
pub fn check_provider(app: &App, provider: &str) -> Result<()> {
    release(app, provider).map(drop)
}

/// The one connection that is meant.
///
/// # Errors
/// There is none, there are several, or the database failed.
async fn find(app: &App, which: Which<'_>) -> Result<(Connection, Arc<Release>)> {
    let Which { workspace, provider, connection } = which;
    let release = release(app, provider)?;
    let mut candidates = connections::at_platform(&mut app.db().read().await?, workspace, provider).await?;
    if let Some(id) = connection {
        candidates.retain(|candidate| candidate.id == id);
        return candidates.pop().map(|one| (one, release)).ok_or(Error::NotFound("connection"));
    }
    match (candidates.pop(), candidates.len()) {
        (None, _) => {
            let detail = format!("Connect an account first: {}.", platforms::first_step(app, provider));
            Err(Error::Conflict { code: "not_connected", detail })
        }
        (Some(only), 0) => Ok((only, release)),
        (Some(last), _) => {
            candidates.push(last);
            let list: Vec<String> = candidates.iter().map(|one| format!("{} ({})", one.id, one.handle)).collect();
            let detail = format!("Several accounts are connected; name one as connection_id: {}.", list.join(", "));
            Err(Error::Conflict { code: "ambiguous_target", detail })
        }
    }
}

impl Drive {
    /// The connected drive.
    ///
    /// # Errors
    /// Nothing is connected there, several accounts are, or the vendor has revoked it.
    pub async fn open(app: &App, which: Which<'_>) -> Result<Self> {
        let (connection, release) = find(app, which).await?;
        let drive = Self { connection, release };
        if drive.connection.is_active() { Ok(drive) } else { Err(drive.asker().revoked(app)) }
    }

    fn asker(&self) -> Asker {
        Asker { connection: self.connection.clone(), release: self.release.clone() }
    }

    /// A call of the connector's that can only read.
    async fn run(&self, app: &App) -> Result<(Arc<Run>, Account)> {
        self.asker().run(app, None).await
    }

    /// What a fault means for the person who asked; `field` is what they named.
    fn refusal(&self, app: &App, fault: &Fault, field: &'static str) -> Error {
        self.asker().refusal(app, fault, Named { field, missing: "file or folder in this drive any more" })
    }
}

/// Restricts a drive to a folder that was listed, and all that is in it; `None` lifts the restriction. What was handed out
/// under another restriction names nothing meanwhile.
///
/// # Errors
/// The id names nothing here, or a file; or the database failed.
pub async fn restrict(app: &App, drive: &Drive, folder: Option<&str>) -> Result<()> {
    let folder = match folder {
        None => None,
        Some(sealed) => {
            let named = drive.unseal(app, sealed)?;
            if named.kind != Kind::Folder {
                return Err(Error::invalid("folder_id", "This is a file. Name a folder."));
            }
            Some(named.id)
        }
    };
    let Connection { id, workspace_id, .. } = drive.connection;
    let mut tx = app.db().begin().await?;
    connections::restrict(&mut tx, workspace_id, id, folder.as_deref(), app.now()).await?;
    tx.commit().await?;
    let is_restricted = folder.is_some();
    tracing::info!(connection = %id, is_restricted, "set what the connection {id} shows of its drive");
    Ok(())
}

/// Disconnects a drive, at the vendor as well.
///
/// # Errors
/// Nothing is connected there, several accounts are, or the database failed.
pub async fn disconnect(app: &App, which: Which<'_>) -> Result<()> {
    let (connection, _) = find(app, which).await?;
    Box::pin(connecting::disconnect(app, which.workspace, connection.id)).await
}
