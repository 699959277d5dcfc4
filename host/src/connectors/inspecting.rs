//! Looking at a component as admission would, without a host: for authors, and for operators before they load one.

use super::compile::Compiler;
use super::release::Release;
use super::runtime::Runtime;
use super::vault::Vault;
use super::{Memories, Setup};
use crate::config::ConnectorConfig;
use anyhow::Context as _;
use orla_manifest::{Auth, Manifest, Sign};
use std::fmt;
use std::path::{Path, PathBuf};

/// What a component turned out to be.
#[derive(Debug)]
pub struct Inspection {
    manifest: Manifest,
    /// SHA-256 of the component in hex.
    digest: String,
    size_bytes: u64,
    abilities: Vec<&'static str>,
    imports: Vec<String>,
}

/// Holds a component against everything that admission demands. Nothing of it is kept.
///
/// # Errors
/// The sentence with which admission refuses it.
pub async fn inspect(program: PathBuf, file: &Path) -> anyhow::Result<Inspection> {
    let refused = || format!("{} is no connector for this host", file.display());
    let folder = tempfile::tempdir().context("cannot make a folder for the machine code")?;
    let vault = Vault::open(&folder.path().join("master.key"))?;
    let memories = Memories::Pooled;
    let runtime = Runtime::new(1, &memories)?;
    let setup = Setup { program, memories };
    let compiler = Compiler::new(setup, folder.path().join("artefacts"), &vault, runtime.engine())?;
    let settings = |_: &str| ConnectorConfig::default();
    let release = Release::admit(&runtime, &compiler, file, settings).await.with_context(refused)?;
    let component = release.linked.component().component_type();
    let imports = component.imports(runtime.engine()).map(|(name, _)| name.to_owned());
    Ok(Inspection {
        imports: imports.filter(|name| !name.starts_with("wasi:")).collect(),
        abilities: release.abilities(),
        digest: release.digest,
        size_bytes: tokio::fs::metadata(file).await?.len(),
        manifest: release.manifest,
    })
}

impl Inspection {
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
        }
        for (name, endpoint) in &manifest.endpoints {
            let signed = match endpoint.sign {
                Sign::None => "not signed",
                Sign::Bearer => "signed with the access token or key",
            };
            writeln!(out, "  endpoint    {name}: {}, {signed}", endpoint.origin)?;
        }
        for link in &manifest.links {
            writeln!(out, "  links       from {} to {}", link.from, link.hosts.join(", "))?;
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
