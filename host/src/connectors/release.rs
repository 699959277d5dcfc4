//! Releases: components that were admitted.
//!
//! Admission reads a component's manifest and abilities without giving it any power, and says in one sentence what keeps
//! it out. What it may do later is only what is written in the release.

use super::asks::Grant;
use super::bindings::{films, identifies, listens, publishes, reconciles, removes, replies, stores, writes};
use super::compile::{self, Compiler};
use super::engine;
use super::fault;
use super::gate::Gate;
use super::guest::Guest;
use super::hiding::Names;
use super::metrics::{Counters, Metrics};
use super::runtime::Runtime;
use crate::config::ConnectorConfig;
use anyhow::{Context as _, bail, ensure};
use orla_manifest::{AnswerPlace, Auth, Limits, Manifest, Origin};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
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
    bytes_out: 64 << 30,
    bytes_in: 64 << 30,
    concurrency: 1_000,
};

/// A component that was admitted: linked, with what it says of itself and what it can do. It has no powers yet.
#[derive(Clone)]
pub(crate) struct Admitted {
    /// SHA-256 of the component in hex.
    pub(crate) digest: String,
    /// All that it asks for.
    pub(crate) asked: Manifest,
    /// The manifest as the component wrote it.
    pub(crate) described: String,
    pub(crate) linked: InstancePre<Guest>,
}

impl Admitted {
    /// Admits a component.
    ///
    /// # Errors
    /// One line that says what keeps it out. What it quotes of the component can neither fill a log nor drive a terminal.
    pub(crate) async fn admit(runtime: &Runtime, compiler: &Compiler, wasm: &[u8]) -> anyhow::Result<Self> {
        Box::pin(Self::read(runtime, compiler, wasm))
            .await
            .map_err(|error| anyhow::Error::msg(fault::plain(&format!("{error:#}"), MAX_REFUSAL_CHARS)))
    }

    async fn read(runtime: &Runtime, compiler: &Compiler, wasm: &[u8]) -> anyhow::Result<Self> {
        compile::check_size(wasm)?;
        let digest = compile::digest(wasm);
        let component = match compiler.kept(runtime.engine(), &digest) {
            Some(component) => component,
            None => compiler.compile(runtime.engine(), &digest, wasm).await?,
        };
        check_imports(runtime, &component)?;
        let linked =
            runtime.link(&component).map_err(engine::explain).context("its imports do not fit the contract")?;
        let described =
            runtime.describe(&linked).await.map_err(|fault| anyhow::anyhow!("`describe` failed: {fault}"))?;
        ensure!(described.len() <= MAX_MANIFEST_BYTES, "its manifest is larger than {} KiB", MAX_MANIFEST_BYTES >> 10);
        let asked = parse(&described)?;
        check_limits(&asked.limits)?;
        check_accounts(&asked, &Abilities::of(&linked))?;
        Ok(Self { digest, asked, described, linked })
    }

    /// Makes ready a component that was admitted before, from the machine code that was kept; `None` where there is none
    /// that is ours.
    ///
    /// # Errors
    /// What this host's contract has against it.
    pub(crate) fn again(
        runtime: &Runtime,
        compiler: &Compiler,
        digest: &str,
        described: &str,
    ) -> anyhow::Result<Option<Self>> {
        let Some(component) = compiler.kept(runtime.engine(), digest) else { return Ok(None) };
        let linked =
            runtime.link(&component).map_err(engine::explain).context("its imports do not fit the contract")?;
        let (digest, described) = (digest.to_owned(), described.to_owned());
        Ok(Some(Self { digest, asked: parse(&described)?, described, linked }))
    }

    /// Holds the operator's settings against what it has to be set.
    ///
    /// # Errors
    /// The configuration sets or moves what it does not have.
    pub(crate) fn check_settings(&self, settings: &ConnectorConfig) -> anyhow::Result<()> {
        for name in settings.settings.keys() {
            let known: Vec<&str> = self.asked.settings.keys().map(String::as_str).collect();
            ensure!(
                self.asked.settings.contains_key(name),
                "the configuration sets its `{name}`, which it does not have; it has: {}",
                known.join(", ")
            );
        }
        for name in settings.endpoints.keys() {
            ensure!(
                self.asked.endpoints.contains_key(name),
                "the configuration moves its endpoint `{name}`, which it does not have"
            );
        }
        Ok(())
    }

    /// What it can do, by the names of the contract's interfaces.
    pub(crate) fn abilities(&self) -> Vec<&'static str> {
        Abilities::of(&self.linked).names()
    }
}

fn parse(described: &str) -> anyhow::Result<Manifest> {
    Manifest::parse(described).map_err(|flaws| {
        let flaws: Vec<String> = flaws.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("its manifest is flawed: {}", flaws.join("; "))
    })
}

/// Whether a workspace's accounts can be told apart.
fn check_accounts(asked: &Manifest, abilities: &Abilities) -> anyhow::Result<()> {
    if let Auth::Fields(fields) = &asked.auth {
        ensure!(
            abilities.identity.is_some() || fields.address().is_some(),
            "nothing tells its accounts apart: it needs the ability `identity`, or a field of kind origin or url"
        );
    }
    Ok(())
}

/// The interfaces that a component exports.
struct Abilities {
    identity: Option<identifies::IdentifiesIndices>,
    publish: Option<publishes::PublishesIndices>,
    reconcile: Option<reconciles::ReconcilesIndices>,
    remove: Option<removes::RemovesIndices>,
    writes: Option<writes::WritesIndices>,
    drive: Option<stores::StoresIndices>,
    films: Option<films::FilmsIndices>,
    comments: Option<listens::ListensIndices>,
    reply: Option<replies::RepliesIndices>,
}

impl Abilities {
    fn of(linked: &InstancePre<Guest>) -> Self {
        Self {
            identity: identifies::IdentifiesIndices::new(linked).ok(),
            publish: publishes::PublishesIndices::new(linked).ok(),
            reconcile: reconciles::ReconcilesIndices::new(linked).ok(),
            remove: removes::RemovesIndices::new(linked).ok(),
            writes: writes::WritesIndices::new(linked).ok(),
            drive: stores::StoresIndices::new(linked).ok(),
            films: films::FilmsIndices::new(linked).ok(),
            comments: listens::ListensIndices::new(linked).ok(),
            reply: replies::RepliesIndices::new(linked).ok(),
        }
    }

    fn names(&self) -> Vec<&'static str> {
        let abilities = [
            ("identity", self.identity.is_some()),
            ("publish", self.publish.is_some()),
            ("reconcile", self.reconcile.is_some()),
            ("remove", self.remove.is_some()),
            ("text-model", self.writes.is_some()),
            ("drive", self.drive.is_some()),
            ("video-model", self.films.is_some()),
            ("comments", self.comments.is_some()),
            ("reply", self.reply.is_some()),
        ];
        abilities.into_iter().filter_map(|(name, present)| present.then_some(name)).collect()
    }
}

/// An admitted component with the powers that it was granted.
pub(crate) struct Release {
    /// SHA-256 of the component in hex.
    pub(crate) digest: String,
    /// What is both asked for and granted.
    pub(crate) manifest: Manifest,
    /// What is secret by its name in the vendor's answers.
    pub(crate) secret_names: Names,
    /// Where each endpoint of the manifest is, by the operator's word or else the manifest's; not those that are where a
    /// connection says.
    pub(crate) origins: BTreeMap<String, Url>,
    /// How long a post may stay invisible to the connector's own reads.
    pub(crate) visible_after: Duration,
    pub(crate) linked: InstancePre<Guest>,
    pub(crate) identity: Option<identifies::IdentifiesIndices>,
    pub(crate) publish: Option<publishes::PublishesIndices>,
    pub(crate) reconcile: Option<reconciles::ReconcilesIndices>,
    pub(crate) writes: Option<writes::WritesIndices>,
    pub(crate) drive: Option<stores::StoresIndices>,
    pub(crate) films: Option<films::FilmsIndices>,
    pub(crate) comments: Option<listens::ListensIndices>,
    pub(crate) reply: Option<replies::RepliesIndices>,
    /// The operator's settings, as the manifest names them.
    pub(crate) settings: BTreeMap<String, String>,
    /// What the operator allowed the connector when this was made ready.
    pub(crate) granted: Grant,
    /// Where its calls queue, together with those of the connector's other releases.
    pub(crate) gate: Arc<Gate>,
    pub(crate) counters: Counters,
    /// Calls in a row that ended in a trap.
    pub(crate) traps: AtomicU32,
}

impl std::fmt::Debug for Release {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {} ({:.12})", self.manifest.id, self.manifest.version, self.digest)
    }
}

impl Release {
    /// Gives an admitted component its powers.
    ///
    /// # Errors
    /// It cannot do without something that was not granted, or the configuration sets or moves what it does not have.
    pub(crate) fn new(
        admitted: Admitted,
        granted: Grant,
        settings: ConnectorConfig,
        gate: impl FnOnce(u32) -> Arc<Gate>,
        metrics: &Metrics,
    ) -> anyhow::Result<Self> {
        admitted.check_settings(&settings)?;
        let Admitted { digest, asked, linked, .. } = admitted;
        let manifest =
            granted.effective(&asked).map_err(|flaws| anyhow::anyhow!("what it was granted is not enough: {flaws}"))?;
        let Abilities { identity, publish, reconcile, writes, drive, films, comments, reply, .. } =
            Abilities::of(&linked);
        Ok(Self {
            digest,
            secret_names: Names::of(&manifest)?,
            origins: origins(&manifest, &settings)?,
            visible_after: visible_after(&manifest, &settings),
            identity,
            publish,
            reconcile,
            writes,
            drive,
            films,
            comments,
            reply,
            settings: settings.settings,
            gate: gate(manifest.limits.concurrency),
            counters: metrics.of(&manifest.id, &manifest.version.to_string()),
            traps: AtomicU32::new(0),
            granted,
            manifest,
            linked,
        })
    }

    /// What it can do, by the names of the contract's interfaces.
    pub(crate) fn abilities(&self) -> Vec<&'static str> {
        Abilities::of(&self.linked).names()
    }

    /// Where the answer to a commit names what it made.
    pub(crate) fn committed_id(&self) -> &[AnswerPlace] {
        self.manifest.publishing.as_ref().map_or(&[], |publishing| &publishing.committed_id)
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
        ("bytes_out", limits.bytes_out, MOST.bytes_out),
        ("bytes_in", limits.bytes_in, MOST.bytes_in),
        ("concurrency", limits.concurrency.into(), MOST.concurrency.into()),
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
    let mut origins = BTreeMap::new();
    for (name, endpoint) in &manifest.endpoints {
        let moved = settings.endpoints.get(name);
        let literal = match &endpoint.origin {
            Origin::Literal(origin) => origin,
            Origin::Entered { .. } => {
                ensure!(
                    moved.is_none(),
                    "the configuration moves its endpoint `{name}`, which is where each connection says"
                );
                continue;
            }
        };
        let origin = moved.unwrap_or(literal);
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
