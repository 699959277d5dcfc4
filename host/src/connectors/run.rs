//! A run: one piece of work that a connector does for a workspace, pinned to the release that began it.

use super::answer::Secrets;
use super::blob::Blobs;
use super::credentials::{Credentials, Refreshing};
use super::egress::Egress;
use super::journal::Journal;
use super::meter::Traffic;
use super::release::Release;
use super::vault::Vault;
use crate::clock::{Clock, Timestamp};
use crate::config::ConnectorConfig;
use crate::db::Db;
use crate::id::{RunId, WorkspaceId};
use orla_manifest::Limits;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// What runs need of the host.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) vault: Arc<Vault>,
    pub(crate) egress: Egress,
    pub(crate) blobs: Blobs,
    /// Largest blob that an answer may become.
    pub(crate) max_blob_bytes: u64,
    /// The operator's settings of each connector, with the app's credentials.
    pub(crate) apps: BTreeMap<String, ConnectorConfig>,
    pub(crate) refreshing: Refreshing,
    /// Requests under way, which outlive the guests that asked for them.
    pub(crate) requests: TaskTracker,
}

/// One execution of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) release: Arc<Release>,
    /// What the guest's randomness and clock show, the same in every execution.
    pub(crate) seed: i64,
    pub(crate) started_at: Timestamp,
    pub(crate) limits: Limits,
    pub(crate) credentials: Credentials,
    /// `None` where the work must not change anything.
    pub(crate) journal: Option<Journal>,
    pub(crate) traffic: Traffic,
    /// Every secret that this execution sent, to be blanked in what comes back.
    pub(crate) secrets: Secrets,
    /// Requests of this execution that are under way.
    pub(crate) under_way: TaskTracker,
    pub(crate) services: Arc<Services>,
}

impl Run {
    /// Waits until no request of this execution is under way, so that its journal says all that can be known.
    pub(crate) async fn settle(&self) {
        self.under_way.close();
        self.under_way.wait().await;
    }
}
