//! A run: one piece of work that a connector does for a workspace, pinned to the release that began it.

use super::answer::Secrets;
use super::billing::Billing;
use super::blob::{Blobs, Received};
use super::credentials::Credentials;
use super::egress::Egress;
use super::journal::Journal;
use super::links::Dropped;
use super::meter::Traffic;
use super::metrics::Metrics;
use super::public_url::{PublicUrls, Pulled};
use super::refreshing::Refreshing;
use super::release::Release;
use super::sink::Sink;
use super::slots::Slots;
use crate::clock::{Clock, Timestamp};
use crate::config::ConnectorConfig;
use crate::db::bundle::Bundle;
use crate::db::{Db, Tx};
use crate::id::{RunId, WorkspaceId};
use crate::vault::Vault;
use crate::{on, on_built};
use orla_manifest::Limits;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What runs need of the host.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) vault: Arc<Vault>,
    pub(crate) egress: Egress,
    pub(crate) blobs: Blobs,
    /// Where vendors fetch media that they do not take.
    pub(crate) public_urls: PublicUrls,
    /// Largest blob that an answer may become.
    pub(crate) max_blob_bytes: u64,
    /// The operator's settings of each connector, with the app's credentials.
    pub(crate) apps: BTreeMap<String, ConnectorConfig>,
    pub(crate) refreshing: Refreshing,
    /// The pause after a refresh that failed once.
    pub(crate) retry_base: Duration,
    /// Requests under way, which outlive the guests that asked for them.
    pub(crate) requests: TaskTracker,
    /// What all connectors use.
    pub(crate) metrics: Metrics,
    /// Told when a release trapped so often that it may have to be taken back.
    pub(crate) distrust: Notify,
}

impl Services {
    /// The operator's own key at a connector's vendor.
    pub(crate) fn api_key(&self, connector: &str) -> Option<&SecretString> {
        self.apps.get(connector)?.api_key.as_ref()
    }
}

/// Where a run's executions agree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pinned {
    pub(crate) id: RunId,
    pub(crate) workspace: WorkspaceId,
    /// Of the guest's randomness.
    pub(crate) seed: i64,
    /// What the guest's clock shows.
    pub(crate) started_at: Timestamp,
}

const INSERT: &str = "insert into runs (id, workspace_id, connector, release, seed, started_at)
    values ($1, $2, $3, $4, $5, $6)";
const FIND: &str = "select release, seed, started_at from runs where id = $1";

/// Begins a run: from now on it belongs to this release.
pub(crate) async fn pin(tx: &mut Tx, pinned: &Pinned, connector: &str, release: &str) -> sqlx::Result<()> {
    let mut bundle = Bundle::new(tx);
    pinning(&mut bundle, pinned, connector, release);
    bundle.run(tx).await.map(drop)
}

/// [`pin`] as part of a bundle.
pub(crate) fn pinning(bundle: &mut Bundle, pinned: &Pinned, connector: &str, release: &str) {
    let Pinned { id, workspace, seed, started_at } = *pinned;
    bundle.add(INSERT).bind(id).bind(workspace).bind(connector).bind(release).bind(seed).bind(started_at);
}

/// A run that begins, the connector that carries it out, and the digest of its release.
pub(crate) struct Pinning {
    pub(crate) run: Pinned,
    pub(crate) connector: String,
    pub(crate) release: String,
}

const INSERT_ALL: &str = "insert into runs (id, workspace_id, connector, release, seed, started_at) ";

/// Begins runs, as [`pin`] does one.
pub(crate) async fn pin_all(tx: &mut Tx, runs: &[Pinning]) -> sqlx::Result<()> {
    if runs.is_empty() {
        return Ok(());
    }
    on_built!(tx, INSERT_ALL, (query, conn) => {
        query.push_values(runs, |mut to, Pinning { run, connector, release }| {
            to.push_bind(run.id).push_bind(run.workspace).push_bind(connector).push_bind(release);
            to.push_bind(run.seed).push_bind(run.started_at);
        });
        query.build().execute(conn).await.map(drop)
    })
}

/// A run that was begun, and the digest of its release.
pub(crate) async fn pinned(tx: &mut Tx, id: RunId, workspace: WorkspaceId) -> sqlx::Result<(Pinned, String)> {
    let (release, seed, started_at) = on!(tx, conn => sqlx::query_as(FIND).bind(id).fetch_one(conn).await)?;
    Ok((Pinned { id, workspace, seed, started_at }, release))
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
    /// What the vendor bills the operator for.
    pub(crate) billing: Billing,
    /// Where text goes while it is written.
    pub(crate) sink: Sink,
    /// Ends the call that is under way, whatever it waits for.
    pub(crate) stop: CancellationToken,
    /// Every secret that this execution sent, to be blanked in what comes back.
    pub(crate) secrets: Secrets,
    /// Narrower secrets that answers handed out to this execution.
    pub(crate) slots: Slots,
    /// Links that answers handed out and this execution was not given.
    pub(crate) dropped: Dropped,
    /// Blobs that answers became.
    pub(crate) received: Received,
    /// Blobs of which it wants URLs.
    pub(crate) pulled: Pulled,
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
