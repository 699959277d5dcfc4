//! What serves at this moment: one snapshot, replaced as a whole, so that every run begins with exactly one release.
//!
//! A release stays in memory while something holds it: the snapshot holds those that are active and those that a rollback
//! would go back to, and each run holds the one that it began with. What nobody holds is gone.

use super::Connectors;
use super::gate::Gate;
use super::registry::{self, StoredConnector};
use super::release::{Admitted, Release};
use anyhow::Context as _;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;
use tokio::time::Instant;

/// When releases that could not be made ready are tried again: what stood in the way may have passed, but a component that
/// cannot be compiled should not keep a processor busy.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// The releases that serve.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// The state of the database that it shows.
    generation: i64,
    /// By connector id: what new runs use.
    pub(crate) active: BTreeMap<String, Arc<Release>>,
    /// By connector id: what a rollback goes back to, kept so that it takes no time.
    previous: BTreeMap<String, Arc<Release>>,
    /// When the releases that could not be made ready are tried again; `None` where all are as the database says.
    again_at: Option<Instant>,
}

impl Snapshot {
    /// Whether it shows a state of the database as far as it can be shown for now.
    fn shows(&self, generation: i64) -> bool {
        self.generation == generation && self.again_at.is_none_or(|at| at > Instant::now())
    }
}

/// The releases of this node.
#[derive(Debug, Default)]
pub(crate) struct Serving {
    snapshot: RwLock<Arc<Snapshot>>,
    /// By digest: all that are in memory.
    resident: Mutex<HashMap<String, Weak<Release>>>,
    /// By connector id.
    gates: Mutex<HashMap<String, Arc<Gate>>>,
    /// Held by whoever replaces the snapshot.
    replacing: tokio::sync::Mutex<()>,
}

impl Serving {
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A release by its digest, if it is in memory.
    pub(crate) fn resident(&self, digest: &str) -> Option<Arc<Release>> {
        self.resident.lock().unwrap_or_else(PoisonError::into_inner).get(digest)?.upgrade()
    }

    /// Calls that wait at a connector's door.
    fn waiting(&self, connector: &str) -> usize {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.get(connector).map_or(0, |gate| gate.waiting())
    }

    fn keep(&self, release: &Arc<Release>) {
        let mut resident = self.resident.lock().unwrap_or_else(PoisonError::into_inner);
        resident.retain(|_, release| release.strong_count() > 0);
        resident.insert(release.digest.clone(), Arc::downgrade(release));
    }

    /// The door of a connector: all its releases share it.
    fn gate(&self, connector: &str, concurrency: u32) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        match gates.get(connector) {
            Some(gate) if gate.concurrency == concurrency => gate.clone(),
            _ => {
                let gate = Arc::new(Gate::new(concurrency));
                gates.insert(connector.to_owned(), gate.clone());
                gate
            }
        }
    }

    fn replace(&self, snapshot: Snapshot) {
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }
}

/// How busy a connector is on this node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Calls of all its releases of this version.
    pub(crate) under_way: i64,
    /// Calls that wait for a turn.
    pub(crate) waiting: usize,
}

impl Connectors {
    /// How busy a connector is; `None` where it does not serve.
    pub(crate) fn load_of(&self, connector: &str) -> Option<Load> {
        let release = self.active(connector)?;
        Some(Load { under_way: release.counters.under_way.get(), waiting: self.serving.waiting(connector) })
    }

    /// Whether calls of a release are under way.
    pub(crate) fn is_draining(&self, digest: &str) -> bool {
        self.serving.resident(digest).is_some_and(|release| release.counters.under_way.get() > 0)
    }

    /// Brings the snapshot up to what the database says; nothing happens where it is.
    ///
    /// # Errors
    /// The database failed: the snapshot stays as it is.
    pub async fn catch_up(&self) -> anyhow::Result<()> {
        let _alone = self.serving.replacing.lock().await;
        let before = self.serving.snapshot();
        let mut tx = self.services.db.read().await?;
        let generation = registry::generation(&mut tx).await?;
        if before.shows(generation) {
            return Ok(());
        }
        let mut stored = registry::connectors(&mut tx).await?;
        drop(tx);
        stored.retain(StoredConnector::is_enabled);
        let mut snapshot = Snapshot { generation, ..Snapshot::default() };
        // Machine code is read and checked by as many threads as there are.
        let ready = futures_util::future::join_all(stored.iter().map(|connector| self.ready(connector))).await;
        for (connector, ready) in stored.iter().zip(ready) {
            let ready = ready.unwrap_or_else(|error| {
                snapshot.again_at = Some(Instant::now() + TRY_AGAIN);
                self.instead(connector, before.active.get(&connector.id), &error)
            });
            let Some(release) = ready else { continue };
            if before.active.get(&connector.id).is_none_or(|old| old.digest != release.digest) {
                tracing::info!(connector = connector.id, digest = release.digest, "serving {release:?} from now on");
            }
            let previous = connector.previous.as_deref().and_then(|digest| self.serving.resident(digest));
            snapshot.previous.extend(previous.map(|previous| (connector.id.clone(), previous)));
            snapshot.active.insert(connector.id.clone(), release);
        }
        self.serving.replace(snapshot);
        Ok(())
    }

    /// What serves where the active release cannot be made ready: the one that served until now, unless the connector's powers
    /// have changed since, which may have been taken from it.
    fn instead(
        &self,
        connector: &StoredConnector,
        served: Option<&Arc<Release>>,
        error: &anyhow::Error,
    ) -> Option<Arc<Release>> {
        let id = &connector.id;
        let same_powers = |release: &&Arc<Release>| connector.grant().is_ok_and(|grant| grant == release.granted);
        let instead = served.filter(same_powers).cloned();
        match &instead {
            Some(release) => tracing::error!(connector = id, "{release:?} goes on serving {id} for now: {error:#}"),
            None => tracing::error!(connector = id, "the connector {id} does not serve for now: {error:#}"),
        }
        instead
    }

    /// The active release of a connector, in memory.
    async fn ready(&self, connector: &StoredConnector) -> anyhow::Result<Option<Arc<Release>>> {
        match &connector.active {
            Some(digest) => Box::pin(self.load(digest, connector)).await.map(Some),
            None => Ok(None),
        }
    }

    /// The release that a run is pinned to; `None` where its bytes are gone.
    pub(crate) async fn pinned(&self, digest: &str) -> anyhow::Result<Option<Arc<Release>>> {
        if let Some(release) = self.serving.resident(digest) {
            return Ok(Some(release));
        }
        Box::pin(self.load_pinned(digest)).await
    }

    async fn load_pinned(&self, digest: &str) -> anyhow::Result<Option<Arc<Release>>> {
        let mut tx = self.services.db.read().await?;
        let Some(stored) = registry::release(&mut tx, digest).await? else { return Ok(None) };
        let Some(connector) = registry::connector(&mut tx, &stored.connector).await? else { return Ok(None) };
        drop(tx);
        Box::pin(self.load(digest, &connector)).await.map(Some)
    }

    /// A release in memory with the powers that its connector has now.
    async fn load(&self, digest: &str, connector: &StoredConnector) -> anyhow::Result<Arc<Release>> {
        let grant = connector.grant()?;
        let resident = self.serving.resident(digest);
        if let Some(release) = resident.filter(|release| release.granted == grant) {
            return Ok(release);
        }
        let mut tx = self.services.db.read().await?;
        let stored = registry::release(&mut tx, digest).await?.context("there is no such release")?;
        drop(tx);
        let admitted = match Admitted::again(&self.runtime, &self.compiler, digest, &stored.manifest)? {
            Some(admitted) => admitted,
            None => {
                let mut tx = self.services.db.read().await?;
                let wasm = registry::component(&mut tx, digest).await?.context("its bytes are gone")?;
                drop(tx);
                Admitted::admit(&self.runtime, &self.compiler, &wasm).await?
            }
        };
        anyhow::ensure!(admitted.digest == digest, "its bytes are not those that were installed");
        let id = connector.id.clone();
        let settings = self.services.apps.get(&id).cloned().unwrap_or_default();
        let most = self.runtime.most_of_one();
        let gate = |concurrency: u32| self.serving.gate(&id, concurrency.clamp(1, most));
        let release = Arc::new(Release::new(admitted, grant, settings, gate, &self.services.metrics)?);
        self.serving.keep(&release);
        Ok(release)
    }
}
