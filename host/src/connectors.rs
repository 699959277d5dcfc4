//! Connectors: loading them, and running them on behalf of workspaces.
//!
//! This room knows nothing of posts, prices or HTTP routes. What it is given is a connection and a piece of work; what it
//! gives back is an outcome and what it cost. No transaction is open while a connector runs.

mod address;
pub(crate) mod answer;
mod billing;
mod bindings;
pub mod blob;
mod compile;
pub mod connections;
pub(crate) mod credentials;
pub mod egress;
mod engine;
mod events;
pub mod fault;
mod guest;
mod imports;
mod inspecting;
pub(crate) mod journal;
mod links;
pub(crate) mod looks;
pub mod meter;
pub(crate) mod oauth;
pub(crate) mod release;
mod request;
pub(crate) mod run;
mod runtime;
mod send;
pub(crate) mod sink;
pub mod vault;
mod wasi;
pub mod work;
pub(crate) mod writing;

pub use compile::{check_size, child as compile_child};
pub use engine::{Contents, Memories};
pub use inspecting::{Inspection, inspect};
pub use journal::Committed;

use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::error::Error;
use anyhow::Context as _;
use blob::Blobs;
use compile::Compiler;
use egress::Egress;
use orla_manifest::Auth;
use release::Release;
use run::Services;
use runtime::Runtime;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::task::TaskTracker;
use url::Url;
use vault::Vault;

/// How the runtime is set up, beyond what an operator configures.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The `orla` program, whose `compile` command is the compiling child.
    pub program: PathBuf,
    /// Where guests' memories come from.
    pub memories: Memories,
}

/// The loaded connectors and what runs them.
#[derive(Debug)]
pub struct Connectors {
    runtime: Runtime,
    /// By connector id; what new runs use.
    active: BTreeMap<String, Arc<Release>>,
    /// By digest; what runs that began earlier may still need.
    retained: BTreeMap<String, Arc<Release>>,
    services: Arc<Services>,
}

impl Connectors {
    /// Loads every connector of the configured folder, and those earlier releases that were kept.
    ///
    /// # Errors
    /// The runtime cannot start, or two connectors have the same id. A connector that is not admitted is left out, with
    /// the reason in the log: one bad file does not stop a server.
    pub async fn open(
        setup: Setup,
        config: &Config,
        db: &Db,
        clock: &Clock,
        vault: &Arc<Vault>,
    ) -> anyhow::Result<Self> {
        let runtime = Runtime::new(config.concurrent_calls, &setup.memories)?;
        let compiler = Compiler::new(setup, config.data.join("artefacts"), vault, runtime.engine())?;
        let kept = config.data.join("releases");
        std::fs::create_dir_all(&kept).with_context(|| format!("cannot make {}", kept.display()))?;
        let mut active = BTreeMap::new();
        let mut retained = BTreeMap::new();
        for file in components(&config.connectors_folder)? {
            let Some(release) = admit(&runtime, &compiler, config, &file).await else { continue };
            keep(&kept, &release.digest, &file)?;
            retained.insert(release.digest.clone(), release.clone());
            let id = release.manifest.id.clone();
            anyhow::ensure!(
                active.insert(id.clone(), release).is_none(),
                "two files of the connectors folder are `{id}`"
            );
        }
        for file in components(&kept)? {
            let known = file.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| retained.contains_key(stem));
            if !known && let Some(release) = admit(&runtime, &compiler, config, &file).await {
                retained.insert(release.digest.clone(), release);
            }
        }
        let egress = Egress::new(named_addresses(config))?;
        let services = Arc::new(Services {
            db: db.clone(),
            clock: clock.clone(),
            vault: vault.clone(),
            egress,
            blobs: Blobs::in_folder(&config.data.join("blobs"))?,
            max_blob_bytes: config.max_media_bytes,
            apps: config.connectors.clone(),
            refreshing: credentials::Refreshing::default(),
            requests: TaskTracker::new(),
        });
        Ok(Self { runtime, active, retained, services })
    }

    /// The release that new runs of a connector use.
    pub(crate) fn active(&self, connector: &str) -> Option<Arc<Release>> {
        self.active.get(connector).cloned()
    }

    /// The release that serves a network.
    pub(crate) fn for_platform(&self, platform: &str) -> Option<Arc<Release>> {
        self.active.values().find(|release| release.manifest.platform() == platform).cloned()
    }

    /// The release that writes text, by its connector's id: the first that has what it needs to run.
    ///
    /// # Errors
    /// What an operator has to do first.
    pub(crate) fn for_text(&self) -> Result<Arc<Release>, Error> {
        let mut able = self.active.values().filter(|release| release.writes.is_some()).peekable();
        if able.peek().is_none() {
            return Err(Error::Unavailable("No connector on this server writes text."));
        }
        let ready = able.find(|release| match &release.manifest.auth {
            Auth::None => true,
            Auth::ApiKey(_) => self.services.api_key(&release.manifest.id).is_some(),
            Auth::Oauth2(_) => false,
        });
        ready.cloned().ok_or(Error::NotConfigured("No text model has a key on this server. An operator must set one."))
    }

    /// The networks that can be published to.
    #[must_use]
    pub fn platforms(&self) -> Vec<&str> {
        self.active
            .values()
            .filter(|release| release.publish.is_some())
            .map(|release| release.manifest.platform())
            .collect()
    }

    /// A release by its digest, for a run that is pinned to it.
    pub(crate) fn pinned(&self, digest: &str) -> Option<Arc<Release>> {
        self.retained.get(digest).cloned()
    }

    pub(crate) fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// Waits until no request to a vendor is under way.
    pub async fn settle(&self) {
        self.services.requests.close();
        self.services.requests.wait().await;
    }
}

async fn admit(runtime: &Runtime, compiler: &Compiler, config: &Config, file: &Path) -> Option<Arc<Release>> {
    match Release::admit(runtime, compiler, file, |id| config.connector(id)).await {
        Ok(release) => {
            tracing::info!(connector = release.manifest.id, version = %release.manifest.version, digest = release.digest,
                abilities = release.abilities().join(" "), "loaded the connector {release:?}");
            Some(Arc::new(release))
        }
        Err(error) => {
            tracing::error!(file = %file.display(), "not a connector for this host: {error:#}");
            None
        }
    }
}

/// The components in a folder, by name; none where there is no folder.
fn components(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", folder.display())),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Keeps a release's bytes for as long as runs may be pinned to it.
fn keep(folder: &Path, digest: &str, file: &Path) -> anyhow::Result<()> {
    let kept = folder.join(format!("{digest}.wasm"));
    if !kept.exists() {
        let partial = folder.join(format!("{digest}.part"));
        std::fs::copy(file, &partial)
            .and_then(|_| std::fs::rename(&partial, &kept))
            .context("cannot keep a release")?;
    }
    Ok(())
}

/// What the operator named: addresses outright, and the endpoints that he moved.
fn named_addresses(config: &Config) -> Vec<String> {
    let moved = config.connectors.values().flat_map(|connector| connector.endpoints.values());
    let moved = moved.filter_map(|origin| {
        let url = Url::parse(origin).ok()?;
        Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
    });
    config.egress_allow.iter().cloned().chain(moved).collect()
}
