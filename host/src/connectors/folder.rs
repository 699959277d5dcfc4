//! The watched folder: a component that is put there is installed, and serves unless it needs an operator's consent.
//!
//! What counts is that a file is new or has changed. A file that lies there since before the last start does nothing, so
//! that a rollback outlives a restart; one that is taken away changes nothing either.

use super::Connectors;
use super::compile;
use super::lifecycle::{self, Consent, Installed, Then};
use super::registry::{self, Actor};
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How a file looks from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Looks {
    size_bytes: u64,
    modified: SystemTime,
}

/// A folder that is looked at time and again.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// How each file looked last time.
    seen: BTreeMap<PathBuf, Looks>,
    /// Those of them whose present bytes were dealt with.
    done: BTreeMap<PathBuf, Looks>,
}

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: BTreeMap::new(), done: BTreeMap::new() }
    }

    /// Installs what lies in the folder when the host starts and was never installed before.
    pub(crate) async fn begin(&mut self, connectors: &Connectors) {
        for (file, looks) in self.look() {
            self.done.insert(file.clone(), looks);
            self.seen.insert(file.clone(), looks);
            match is_installed(connectors, &file).await {
                Ok(true) => {}
                // What cannot be read says so best where it is refused.
                Ok(false) | Err(_) => install(connectors, &file).await,
            }
        }
    }

    /// Installs what is new in the folder or has changed. A file counts once it looked the same twice, so that none is read
    /// while it is being written.
    pub(crate) async fn catch_up(&mut self, connectors: &Connectors) {
        let now = self.look();
        for (file, looks) in &now {
            if self.seen.get(file) == Some(looks) && self.done.get(file) != Some(looks) {
                self.done.insert(file.clone(), *looks);
                install(connectors, file).await;
            }
        }
        self.done.retain(|file, _| now.contains_key(file));
        self.seen = now;
    }

    /// The components in the folder; none where there is no folder.
    fn look(&self) -> BTreeMap<PathBuf, Looks> {
        match look(&self.path) {
            Ok(files) => files,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                tracing::warn!(%error, "the folder {} cannot be read", self.path.display());
                self.seen.clone()
            }
        }
    }
}

fn look(folder: &Path) -> std::io::Result<BTreeMap<PathBuf, Looks>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            // One that is gone by now is none.
            let Ok(about) = std::fs::metadata(&path) else { continue };
            files.insert(path, Looks { size_bytes: about.len(), modified: about.modified()? });
        }
    }
    Ok(files)
}

async fn is_installed(connectors: &Connectors, file: &Path) -> anyhow::Result<bool> {
    let digest = compile::digest(&compile::read(file).await?);
    let mut tx = connectors.services().db.read().await?;
    Ok(registry::release(&mut tx, &digest).await?.is_some())
}

async fn install(connectors: &Connectors, file: &Path) {
    let installed: Result<Installed> = async {
        let wasm = compile::read(file).await.map_err(|error| lifecycle::refused(&error))?;
        Box::pin(connectors.install(&wasm, Then::Activate(Consent::Withheld), Actor::Folder)).await
    }
    .await;
    match installed {
        Ok(Installed { connector, version, digest, asks_more, .. }) if !asks_more.is_empty() => {
            let asks: Vec<String> = asks_more.iter().map(ToString::to_string).collect();
            tracing::warn!(
                connector,
                version,
                digest,
                "{connector} {version} waits for consent, since it asks for more than was granted: {}. \
                `orla connector activate {connector} {digest:.12} --consent` gives it.",
                asks.join("; ")
            );
        }
        Ok(_) => {}
        Err(Error::Internal(error)) => {
            tracing::error!(file = %file.display(), "a component could not be installed: {error:#}");
        }
        Err(error) => tracing::error!(file = %file.display(), "{}: {error}", file.display()),
    }
}
