//! Asking a connector for something that a person waits for, with calls that can only read.

use super::platforms;
use crate::app::App;
use crate::connectors::connections::Connection;
use crate::connectors::credentials::{Credentials, Stored};
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::release::Release;
use crate::connectors::run::{Pinned, Run};
use crate::connectors::work::Account;
use crate::error::{Error, Result};
use crate::id::RunId;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait that a caller is told of.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// Whom it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) connection: Connection,
    pub(crate) release: Arc<Release>,
}

/// What a person named, for the refusal where it serves nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    /// The member of the request, such as `file_id`.
    pub(crate) field: &'static str,
    /// What there is none of where the vendor does not find it.
    pub(crate) missing: &'static str,
}

impl Asker {
    /// A call of the connector's that can only read.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn run(&self, app: &App, target: Option<String>) -> Result<(Arc<Run>, Account)> {
        let Connection { id, workspace_id, .. } = self.connection;
        let stored = Stored::read(&mut app.db().read().await?, app.vault(), workspace_id, id).await?;
        let credentials = Credentials::of(id, &self.release.manifest.auth, Some(stored));
        let now = app.now();
        let pinned = Pinned { id: RunId::new(), workspace: workspace_id, seed: now.0, started_at: now };
        let run = app.connectors().execution(pinned, self.release.clone(), credentials, None);
        Ok((Arc::new(run), Account::of(&self.connection, target, &self.release)))
    }

    /// What a fault means for the person who asked.
    pub(crate) fn refusal(&self, app: &App, fault: &Fault, named: Named) -> Error {
        let name = &self.release.manifest.name;
        let sentence = fault.message.trim_end_matches('.');
        let after = Duration::from_millis(fault.retry_after_ms.unwrap_or(1_000)).min(LONGEST_WAIT);
        match fault.kind {
            FaultKind::NotFound => Error::NotFound(named.missing),
            FaultKind::Invalid | FaultKind::Conflict => {
                Error::invalid(named.field, format!("{name} refused: {sentence}."))
            }
            FaultKind::TooLarge => {
                Error::invalid(named.field, format!("This is larger than the server takes: {sentence}."))
            }
            FaultKind::AuthExpired => self.revoked(app),
            FaultKind::ScopeMissing => {
                let first = platforms::first_step(app, &self.connection.platform);
                let detail =
                    format!("{name} says that a permission is missing: {sentence}. Connect it again: {first}.");
                Error::Conflict { code: "scope_missing", detail }
            }
            FaultKind::RateLimited | FaultKind::Busy => {
                Error::Busy { detail: format!("{name} is asked too often at the moment. Try again later."), after }
            }
            FaultKind::VendorDown | FaultKind::Uncertain | FaultKind::Quota => {
                Error::Busy { detail: format!("{name} failed: {sentence}. Nothing was kept; try again."), after }
            }
            FaultKind::Cancelled => Error::Unavailable("The server stopped before this was done. Try again."),
            FaultKind::Vendor | FaultKind::Budget | FaultKind::Bug => {
                Error::Vendor(format!("{name} could not be asked: {sentence}. Nothing was kept."))
            }
        }
    }

    /// The vendor no longer honours the connection.
    pub(crate) fn revoked(&self, app: &App) -> Error {
        let first = platforms::first_step(app, &self.connection.platform);
        let detail = format!("{} is no longer connected. Connect it again: {first}.", self.connection.handle);
        Error::Conflict { code: "connection_revoked", detail }
    }
}
