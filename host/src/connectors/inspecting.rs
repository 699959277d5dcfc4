//! Looking at a component as admission would, without a host: for authors, and for operators before they load one.

use super::asks::{self, Ask};
use super::compile::{self, Compiler};
use super::release::Admitted;
use super::runtime::Runtime;
use super::{Connectors, Memories, Setup, registry};
use crate::error::{Error, Result};
use crate::vault::Key;
use anyhow::Context as _;
use orla_manifest::{Auth, Manifest, Sign};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// What a component is, for a program, and how it differs from what is active.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Inspected {
    /// The connector's id.
    pub connector: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component in hex.
    pub digest: String,
    /// Bytes of the component.
    pub size_bytes: usize,
    /// The contract's interfaces that it exports.
    pub abilities: Vec<&'static str>,
    /// Those that it imports.
    pub imports: Vec<String>,
    /// The manifest.
    #[schema(value_type = Object)]
    pub manifest: Manifest,
    /// The version of the release that is active.
    pub active_version: Option<String>,
    /// What it asks for and the active release does not.
    pub asks_new: Vec<Ask>,
    /// What the active release asks for and it does not.
    pub asks_dropped: Vec<Ask>,
}

impl Connectors {
    /// Holds a component against admission and against the release that is active. Nothing of it is kept but machine code.
    ///
    /// # Errors
    /// The sentence with which admission refuses it, or the database failed.
    pub async fn inspect(&self, wasm: &[u8]) -> Result<Inspected> {
        let admitted = self.admit(wasm).await?;
        let active = self.active(&admitted.asked.id);
        let before = active.as_ref().map(|active| self.asked_by(&active.digest));
        let before = match before {
            Some(asked) => asks::asks(&asked.await?),
            None => BTreeSet::new(),
        };
        let now = asks::asks(&admitted.asked);
        let Inspection { manifest, digest, size_bytes, abilities, imports } =
            Inspection::of(admitted, &self.runtime, wasm.len());
        Ok(Inspected {
            connector: manifest.id.clone(),
            version: manifest.version.to_string(),
            digest,
            size_bytes,
            abilities,
            imports,
            manifest,
            active_version: active.as_ref().map(|active| active.manifest.version.to_string()),
            asks_new: now.difference(&before).cloned().collect(),
            asks_dropped: before.difference(&now).cloned().collect(),
        })
    }

    /// All that an installed release asks for.
    async fn asked_by(&self, digest: &str) -> Result<Manifest> {
        let stored = registry::release(&mut self.services.db.read().await?, digest).await?;
        let stored = stored.ok_or(Error::NotFound("release"))?;
        Ok(serde_json::from_str(&stored.manifest).map_err(anyhow::Error::from)?)
    }
}

/// What a component turned out to be.
#[derive(Debug)]
pub struct Inspection {
    manifest: Manifest,
    /// SHA-256 of the component in hex.
    digest: String,
    size_bytes: usize,
    abilities: Vec<&'static str>,
    imports: Vec<String>,
}

/// Holds a component against everything that admission demands. Nothing of it is kept.
///
/// # Errors
/// The sentence with which admission refuses it.
pub async fn inspect(program: PathBuf, file: &Path) -> anyhow::Result<Inspection> {
    let refused = || format!("{} is no connector for this host", file.display());
    let wasm = compile::read(file).await.with_context(refused)?;
    let folder = tempfile::tempdir().context("cannot make a folder for the machine code")?;
    let memories = Memories::Pooled;
    let runtime = Runtime::new(1, &memories)?;
    let setup = Setup { program, memories };
    let compiler = Compiler::new(setup, folder.path().join("artefacts"), Key::random(), runtime.engine())?;
    let admitted = Admitted::admit(&runtime, &compiler, &wasm).await.with_context(refused)?;
    Ok(Inspection::of(admitted, &runtime, wasm.len()))
}

impl Inspection {
    pub(super) fn of(admitted: Admitted, runtime: &Runtime, size_bytes: usize) -> Self {
        let component = admitted.linked.component().component_type();
        let imports = component.imports(runtime.engine()).map(|(name, _)| name.to_owned());
        Self {
            imports: imports.filter(|name| !name.starts_with("wasi:")).collect(),
            abilities: admitted.abilities(),
            digest: admitted.digest,
            size_bytes,
            manifest: admitted.asked,
        }
    }

    /// What it says of itself.
    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What it can do, by the names of the contract's interfaces.
    pub(crate) fn abilities(&self) -> &[&'static str] {
        &self.abilities
    }

    /// The connector's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.manifest.id
    }

    /// SHA-256 of the component in hex.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The component's size.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// One sentence that says what it is.
    #[must_use]
    pub fn verdict(&self) -> String {
        let Manifest { id, version, name, .. } = &self.manifest;
        let abilities = if self.abilities.is_empty() { "nothing".to_owned() } else { self.abilities.join(", ") };
        format!("{name} ({id} {version}) would be admitted. It can do: {abilities}.")
    }
}

impl fmt::Display for Inspection {
    /// All that an operator should know before loading it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manifest = &self.manifest;
        writeln!(out, "{} ({} {})", manifest.name, manifest.id, manifest.version)?;
        writeln!(out, "  component   {} bytes, sha256 {}", self.size_bytes, self.digest)?;
        writeln!(out, "  platform    {}", manifest.platform())?;
        writeln!(out, "  abilities   {}", self.abilities.join(", "))?;
        writeln!(out, "  imports     {}", self.imports.join(", "))?;
        match &manifest.auth {
            Auth::None => writeln!(out, "  connects    without credentials")?,
            Auth::ApiKey(key) => writeln!(out, "  connects    by a key, made at {}", key.obtained_at)?,
            Auth::Oauth2(oauth) => writeln!(out, "  connects    by OAuth 2, asking for {}", oauth.scopes.join(", "))?,
            Auth::ServiceAccount(_) => {}
            Auth::Fields(fields) => {
                let labels: Vec<&str> = fields.fields.iter().map(|field| field.label.as_str()).collect();
                writeln!(out, "  connects    by fields to fill in: {}", labels.join(", "))?;
            }
        }
        if let Some(account) = manifest.auth.service_account() {
            writeln!(out, "  connects    by a service account's key, asking for {}", account.scopes.join(", "))?;
        }
        for (name, endpoint) in &manifest.endpoints {
            let signed = match &endpoint.sign {
                Sign::None => "not signed".to_owned(),
                Sign::Bearer => "signed with the access token or key".to_owned(),
                Sign::Basic { user, password } => format!("signed with `{user}` and `{password}`"),
                Sign::Header { name, .. } => format!("signed with the token in the header `{name}`"),
                Sign::Query { name } => format!("signed with the token in the parameter `{name}`"),
                Sign::StandardWebhooks { secret } => format!("signed as Standard Webhooks with `{secret}`"),
            };
            writeln!(out, "  endpoint    {name}: {}, {signed}", endpoint.origin)?;
        }
        for link in &manifest.links {
            let hosts = if link.hosts.is_empty() { "itself".to_owned() } else { link.hosts.join(", ") };
            writeln!(out, "  links       from {} to {hosts}", link.from)?;
        }
        for (name, what) in &manifest.settings {
            writeln!(out, "  setting     {name}: {what}")?;
        }
        let limits = &manifest.limits;
        write!(
            out,
            "  each call   at most {} units of fuel, {} MiB of memory, {} requests, {} ms of its own, {} s in all",
            limits.fuel,
            limits.memory_bytes >> 20,
            limits.requests,
            limits.guest_ms,
            limits.total_ms / 1_000
        )
    }
}
