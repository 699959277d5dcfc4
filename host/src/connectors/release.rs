//! Releases: components that were admitted.
//!
//! Admission reads a component's manifest and abilities without giving it any power, and says in one sentence what keeps
//! it out. What it may do later is only what is written in the release.

use super::bindings::{identifies, publishes, reconciles, removes, writes};
use super::compile::{self, Compiler};
use super::engine;
use super::fault;
use super::guest::Guest;
use super::runtime::Runtime;
use crate::config::ConnectorConfig;
use anyhow::{Context as _, bail, ensure};
use orla_manifest::{AnswerPlace, Limits, Manifest};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use url::Url;
use wasmtime::component::InstancePre;

/// The contract that this host speaks.
const CONTRACT: &str = "orla:connector/";
const CONTRACT_VERSION: &str = "@0.1.0";
const MAX_MANIFEST_BYTES: usize = 256 << 10;
/// Most characters of a refusal: parts of it are the component's own words.
const MAX_REFUSAL_CHARS: usize = 1_000;
/// The most that a manifest may ask for. Beyond it, a call that never ends would keep its slot.
const MOST: Limits = Limits {
    fuel: 20_000_000_000,
    memory_bytes: engine::MAX_MEMORY_BYTES as u64,
    guest_ms: 60_000,
    total_ms: 60 * 60 * 1_000,
    requests: 10_000,
    inline_answer_bytes: 8 << 20,
};

/// An admitted component.
pub(crate) struct Release {
    /// SHA-256 of the component in hex.
    pub(crate) digest: String,
    pub(crate) manifest: Manifest,
    /// Where each endpoint of the manifest is, by the operator's word or else the manifest's.
    pub(crate) origins: BTreeMap<String, Url>,
    /// How long a post may stay invisible to the connector's own reads.
    pub(crate) visible_after: Duration,
    pub(crate) linked: InstancePre<Guest>,
    pub(crate) identity: Option<identifies::IdentifiesIndices>,
    pub(crate) publish: Option<publishes::PublishesIndices>,
    pub(crate) reconcile: Option<reconciles::ReconcilesIndices>,
    pub(crate) remove: Option<removes::RemovesIndices>,
    pub(crate) writes: Option<writes::WritesIndices>,
    /// The operator's settings, as the manifest names them.
    pub(crate) settings: BTreeMap<String, String>,
}

impl std::fmt::Debug for Release {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {} ({:.12})", self.manifest.id, self.manifest.version, self.digest)
    }
}

impl Release {
    /// Admits the component in a file.
    ///
    /// # Errors
    /// One line that says what keeps it out. What it quotes of the component can neither fill a log nor drive a terminal.
    pub(crate) async fn admit(
        runtime: &Runtime,
        compiler: &Compiler,
        file: &Path,
        settings: impl FnOnce(&str) -> ConnectorConfig,
    ) -> anyhow::Result<Self> {
        let admitted = async { Self::read(runtime, compiler, &compile::read(file).await?, settings).await };
        Box::pin(admitted)
            .await
            .map_err(|error| anyhow::Error::msg(fault::plain(&format!("{error:#}"), MAX_REFUSAL_CHARS)))
    }

    async fn read(
        runtime: &Runtime,
        compiler: &Compiler,
        wasm: &[u8],
        settings: impl FnOnce(&str) -> ConnectorConfig,
    ) -> anyhow::Result<Self> {
        let digest = compile::digest(wasm);
        let component = compiler.component(runtime.engine(), &digest, wasm).await?;
        check_imports(runtime, &component)?;
        let linked =
            runtime.link(&component).map_err(engine::explain).context("its imports do not fit the contract")?;
        let described =
            runtime.describe(&linked).await.map_err(|fault| anyhow::anyhow!("`describe` failed: {fault}"))?;
        ensure!(described.len() <= MAX_MANIFEST_BYTES, "its manifest is larger than {} KiB", MAX_MANIFEST_BYTES >> 10);
        let manifest = Manifest::parse(&described).map_err(|flaws| {
            let flaws: Vec<String> = flaws.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("its manifest is flawed: {}", flaws.join("; "))
        })?;
        check_limits(&manifest.limits)?;
        let settings = settings(&manifest.id);
        for name in settings.settings.keys() {
            let known: Vec<&str> = manifest.settings.keys().map(String::as_str).collect();
            ensure!(
                manifest.settings.contains_key(name),
                "the configuration sets its `{name}`, which it does not have; it has: {}",
                known.join(", ")
            );
        }
        Ok(Self {
            digest,
            origins: origins(&manifest, &settings)?,
            visible_after: visible_after(&manifest, &settings),
            identity: identifies::IdentifiesIndices::new(&linked).ok(),
            publish: publishes::PublishesIndices::new(&linked).ok(),
            reconcile: reconciles::ReconcilesIndices::new(&linked).ok(),
            remove: removes::RemovesIndices::new(&linked).ok(),
            writes: writes::WritesIndices::new(&linked).ok(),
            settings: settings.settings,
            manifest,
            linked,
        })
    }

    /// Where the answer to a commit names what it made.
    pub(crate) fn committed_id(&self) -> &[AnswerPlace] {
        self.manifest.publishing.as_ref().map_or(&[], |publishing| &publishing.committed_id)
    }

    /// What the release can do, by the names of the contract's interfaces.
    pub(crate) fn abilities(&self) -> Vec<&'static str> {
        let abilities = [
            ("identity", self.identity.is_some()),
            ("publish", self.publish.is_some()),
            ("reconcile", self.reconcile.is_some()),
            ("remove", self.remove.is_some()),
            ("text-model", self.writes.is_some()),
        ];
        abilities.into_iter().filter_map(|(name, present)| present.then_some(name)).collect()
    }
}

fn check_limits(limits: &Limits) -> anyhow::Result<()> {
    let asked = [
        ("fuel", limits.fuel, MOST.fuel),
        ("memory_bytes", limits.memory_bytes, MOST.memory_bytes),
        ("guest_ms", limits.guest_ms, MOST.guest_ms),
        ("total_ms", limits.total_ms, MOST.total_ms),
        ("requests", limits.requests.into(), MOST.requests.into()),
        ("inline_answer_bytes", limits.inline_answer_bytes, MOST.inline_answer_bytes),
    ];
    for (name, asked, most) in asked {
        ensure!(asked <= most, "its manifest asks for limits/{name} {asked}; this host gives {most} at most");
    }
    Ok(())
}

fn check_imports(runtime: &Runtime, component: &wasmtime::component::Component) -> anyhow::Result<()> {
    for (name, _) in component.component_type().imports(runtime.engine()) {
        if name.starts_with("wasi:") {
            continue;
        }
        if !name.starts_with(CONTRACT) {
            bail!("it imports `{name}`, which no connector is given");
        }
        if !name.ends_with(CONTRACT_VERSION) {
            bail!("it imports `{name}`; this host speaks orla:connector{CONTRACT_VERSION}");
        }
    }
    Ok(())
}

fn origins(manifest: &Manifest, settings: &ConnectorConfig) -> anyhow::Result<BTreeMap<String, Url>> {
    for name in settings.endpoints.keys() {
        ensure!(
            manifest.endpoints.contains_key(name),
            "the configuration moves its endpoint `{name}`, which it does not have"
        );
    }
    let mut origins = BTreeMap::new();
    for (name, endpoint) in &manifest.endpoints {
        let origin = settings.endpoints.get(name).unwrap_or(&endpoint.origin);
        let url = Url::parse(origin).with_context(|| format!("the origin of its endpoint `{name}` is no URL"))?;
        let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty() && url.host().is_some();
        ensure!(bare, "the origin of its endpoint `{name}` must be scheme, host and optional port");
        origins.insert(name.clone(), url);
    }
    Ok(origins)
}

fn visible_after(manifest: &Manifest, settings: &ConnectorConfig) -> Duration {
    let declared = manifest.publishing.as_ref().map_or(60, |publishing| publishing.visible_after_s);
    settings.visible_after_ms.map_or(Duration::from_secs(u64::from(declared)), Duration::from_millis)
}
