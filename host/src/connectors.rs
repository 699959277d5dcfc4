//! Connectors: loading them, and running them on behalf of workspaces.
//!
//! This room knows nothing of posts, prices or HTTP routes. What it is given is a connection and a piece of work; what it
//! gives back is an outcome and what it cost. No transaction is open while a connector runs.

mod address;
pub(crate) mod answer;
pub(crate) mod apps;
pub mod asks;
mod benched;
mod billing;
mod bindings;
pub mod blob;
mod compile;
pub mod connections;
pub(crate) mod credentials;
mod destination;
pub(crate) mod drive;
pub mod egress;
pub(crate) mod engagement;
mod engine;
pub(crate) mod entered;
mod events;
mod facts;
pub mod fault;
pub(crate) mod filming;
mod folder;
mod following;
mod gate;
mod guest;
mod hiding;
mod imports;
mod inspecting;
pub(crate) mod journal;
mod lifecycle;
mod link_header;
mod links;
pub(crate) mod loading;
pub(crate) mod looks;
pub mod meter;
mod metrics;
pub(crate) mod oauth;
mod paths;
mod public_url;
pub(crate) mod refreshing;
pub mod registry;
pub(crate) mod release;
mod request;
pub(crate) mod run;
mod runtime;
pub(crate) mod sealed;
mod send;
mod serving;
pub(crate) mod signing;
pub(crate) mod sink;
pub(crate) mod slots;
pub mod targets;
pub(crate) mod variant;
mod wasi;
pub mod work;
pub(crate) mod writing;

#[doc(hidden)]
pub use benched::Secrets;
pub use compile::{MAX_COMPONENT_BYTES, check_size, child as compile_child};
pub use engine::{Contents, Memories};
pub use following::watch;
pub use inspecting::{Inspected, Inspection, inspect};
pub use journal::Committed;
pub use lifecycle::{Activated, Consent, Installed, Then};
pub use registry::Actor;

use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::error::Error;
use crate::fence::Fence;
use crate::vault::Vault;
use anyhow::Context as _;
use blob::Blobs;
use compile::Compiler;
use egress::Egress;
use orla_manifest::Auth;
use release::Release;
use run::Services;
use runtime::Runtime;
use serving::Serving;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// How the runtime is set up, beyond what an operator configures.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The `orla` program, whose `compile` command is the compiling child.
    pub program: PathBuf,
    /// Where guests' memories come from.
    pub memories: Memories,
}

/// The connectors and what runs them.
#[derive(Debug)]
pub struct Connectors {
    runtime: Runtime,
    compiler: Compiler,
    serving: Serving,
    services: Arc<Services>,
}

/// What the key is for that machine code is authenticated with.
const ARTEFACTS: &str = "orla/v1/artefacts";

impl Connectors {
    /// Makes ready every connector that the database says is active.
    ///
    /// # Errors
    /// The runtime cannot start, or the database failed. A connector that cannot be made ready is left out, with the
    /// reason in the log: one bad release does not stop a server.
    pub async fn open(
        setup: Setup,
        config: &Config,
        db: &Db,
        fence: &Fence,
        clock: &Clock,
        vault: &Arc<Vault>,
    ) -> anyhow::Result<Self> {
        let runtime = Runtime::new(config.concurrent_calls, &setup.memories)?;
        let compiler =
            Compiler::new(setup, config.data.join("artefacts"), vault.derive_passing(ARTEFACTS), runtime.engine())?;
        let services = Arc::new(Services {
            db: db.clone(),
            clock: clock.clone(),
            vault: vault.clone(),
            egress: Egress::new(config)?.behind(fence),
            blobs: Blobs::in_folder(&config.data.join("blobs"))?,
            public_urls: public_url::PublicUrls::new(config),
            max_blob_bytes: config.max_media_bytes,
            apps: config.connectors.clone(),
            refreshing: refreshing::Refreshing::default(),
            retry_base: Duration::from_millis(config.retry_base_ms),
            requests: TaskTracker::new(),
            metrics: metrics::Metrics::default(),
            distrust: tokio::sync::Notify::new(),
        });
        let connectors = Self { runtime, compiler, serving: Serving::default(), services };
        connectors.catch_up().await.context("the connectors cannot be read from the database")?;
        Ok(connectors)
    }

    /// The release that new runs of a connector use.
    pub(crate) fn active(&self, connector: &str) -> Option<Arc<Release>> {
        self.serving.snapshot().active.get(connector).cloned()
    }

    /// The release that serves a network.
    pub(crate) fn for_platform(&self, platform: &str) -> Option<Arc<Release>> {
        self.serving.snapshot().active.values().find(|release| release.manifest.platform() == platform).cloned()
    }

    /// The release that writes text, by its connector's id: the first that has what it needs to run.
    ///
    /// # Errors
    /// What an operator has to do first.
    pub(crate) fn for_text(&self) -> Result<Arc<Release>, Error> {
        let snapshot = self.serving.snapshot();
        let mut able = snapshot.active.values().filter(|release| release.writes.is_some()).peekable();
        if able.peek().is_none() {
            return Err(Error::Unavailable("No connector on this server writes text."));
        }
        let ready = able.find(|release| match &release.manifest.auth {
            Auth::None => true,
            Auth::ApiKey(_) => self.services.api_key(&release.manifest.id).is_some(),
            Auth::Oauth2(_) | Auth::Fields(_) | Auth::ServiceAccount(_) => false,
        });
        ready.cloned().ok_or(Error::NotConfigured("No text model has a key on this server. An operator must set one."))
    }

    /// The releases that new runs use, by connector id.
    pub(crate) fn releases(&self) -> Vec<Arc<Release>> {
        self.serving.snapshot().active.values().cloned().collect()
    }

    /// The networks that can be published to.
    #[must_use]
    pub fn platforms(&self) -> Vec<String> {
        let snapshot = self.serving.snapshot();
        let publishing = snapshot.active.values().filter(|release| release.publish.is_some());
        publishing.map(|release| release.manifest.platform().to_owned()).collect()
    }

    /// What all connectors used since the host started.
    #[must_use]
    pub fn metrics(&self) -> &metrics::Metrics {
        &self.services.metrics
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
