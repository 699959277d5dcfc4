//! Cloud drives: browsing them, importing files from them, and restricting a connection to one folder.
//!
//! A caller never names a vendor's id. What the host hands out is *sealed*: an id that opens for the workspace, the
//! connection and the restriction under which it was listed, and for nothing else. So under a restriction only that can be
//! listed or fetched which the host was shown at or below the folder; what was handed out before it was set or lifted names
//! nothing any more, also when the same folder is set again or all is as it was. Cursors are sealed likewise, and bound to
//! their list.
//!
//! What this cannot do: see for itself that an entry is in a folder. The connector is asked for one folder's entries, and
//! the vendor's protocol is its business; nor can a file that was moved out of the folder after it was listed be told from
//! one that was not. Against a connector that lies, only the vendor's own restriction helps (an app that has but one
//! folder).

pub mod importing;
pub mod listing;
mod sealing;

use crate::app::App;
use crate::clock::Timestamp;
use crate::connecting::asking::{Asker, Named};
use crate::connecting::{self, platforms};
use crate::connectors::connections::{self, Connection, Root};
use crate::connectors::drive::Kind;
use crate::connectors::fault::Fault;
use crate::connectors::release::Release;
use crate::connectors::run::Run;
use crate::connectors::work::Account;
use crate::error::{Error, Result};
use crate::id::{ConnectionId, WorkspaceId};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

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

/// A drive that is connected.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectedDrive {
    #[serde(flatten)]
    connection: Connection,
    /// The folder beyond which nothing is shown or imported; null where all of the drive may be.
    restricted_to: Option<RestrictedTo>,
}

/// The folder that a drive is restricted to.
#[derive(Debug, Serialize, ToSchema)]
pub struct RestrictedTo {
    /// What it was called when it was set; null where that was not kept.
    name: Option<String>,
    /// Since when; null where that was not kept.
    since: Option<Timestamp>,
}

impl ConnectedDrive {
    fn of(connection: Connection) -> Self {
        let (name, since) = (connection.root_folder_name.clone(), connection.restricted_at);
        let restricted_to = connection.root_folder.as_ref().map(|_| RestrictedTo { name, since });
        Self { connection, restricted_to }
    }
}

/// A workspace's connected drives, oldest first.
///
/// # Errors
/// The database failed.
pub async fn list(app: &App, workspace: WorkspaceId) -> Result<Vec<ConnectedDrive>> {
    let connections = connections::list(&mut app.db().read().await?, workspace).await?;
    let drives = connections.into_iter().filter(|connection| release(app, &connection.platform).is_ok());
    Ok(drives.map(ConnectedDrive::of).collect())
}

/// Restricts a drive to a folder that was listed, and all that is in it; `None` lifts the restriction. What was handed out
/// before names nothing any more.
///
/// # Errors
/// The id names nothing here, or a file; somebody else has just set or lifted the restriction; or the database failed.
pub async fn restrict(app: &App, drive: &Drive, folder: Option<&str>) -> Result<()> {
    let root = match folder {
        None => None,
        Some(sealed) => {
            let named = drive.unseal(app, sealed)?;
            if named.kind != Kind::Folder {
                return Err(Error::invalid("folder_id", "This is a file. Name a folder."));
            }
            Some(Root { id: named.id, name: named.name })
        }
    };
    let mut tx = app.db().begin().await?;
    // The folder was named under the restriction that was read: under another it may lie outside.
    if !connections::restrict(&mut tx, &drive.connection, root.as_ref(), app.now()).await? {
        let detail = "Somebody else has just changed what this connection shows. Look at it again, and then choose.";
        return Err(Error::Conflict { code: "restriction_changed", detail: detail.to_owned() });
    }
    tx.commit().await?;
    let (id, is_restricted) = (drive.connection.id, root.is_some());
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
