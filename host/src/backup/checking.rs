//! Holding a backup against what it says of itself, before anything of it is used.

use super::archive::{Archive, MANIFEST, SIGNATURE};
use super::manifest::{self, Digest, Listed, Manifest};
use super::{MASTER_KEY, blob_member};
use crate::connectors::blob::{Blob, Shape};
use crate::db::rows::Cell;
use crate::id::{BlobId, WorkspaceId};
use crate::vault::backed_up;
use anyhow::{Context as _, bail, ensure};
use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use uuid::Uuid;

/// A backup that is what it says.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) archive: Archive,
    pub(super) manifest: Manifest,
    /// What it is called: its signature.
    pub(super) name: String,
    /// The blobs that it holds.
    pub(super) blobs: Vec<Blob>,
}

impl Checked {
    /// Opens a backup, and checks every byte of it. The master keys' file, or the one that it carries, has to open it.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub(super) fn open(path: &Path, key_file: &Path) -> anyhow::Result<Self> {
        let archive = Archive::open(path)?;
        let text = archive.small(MANIFEST)?;
        let manifest = Manifest::parse(&text)?;
        for table in &manifest.tables {
            archive.check(&Listed::member(&table.name), &table.digest)?;
        }
        let carried = match &manifest.master_key {
            None => None,
            Some(digest) => {
                archive.check(MASTER_KEY, digest)?;
                Some(archive.small(MASTER_KEY)?)
            }
        };
        let root = root(&archive, &manifest)?;
        let key = backed_up::signed_key(key_file, carried.as_deref(), &manifest.master_keys, &root)?;
        let name = String::from_utf8_lossy(&archive.small(SIGNATURE)?).trim().to_owned();
        manifest::check(&key, &text, &name)?;
        let blobs = blobs(&archive, &manifest)?;
        let checked = Self { archive, manifest, name, blobs };
        checked.check_blobs()?;
        Ok(checked)
    }

    fn check_blobs(&self) -> anyhow::Result<()> {
        let Self { archive, manifest, blobs, .. } = self;
        for blob in blobs {
            archive.check(&blob_member(blob), &Digest { bytes: blob.size(), sha256: blob.sha256.clone() })?;
        }
        ensure!(blobs.len() as u64 == manifest.blobs.count, "the backup has other blobs than it says: it is damaged");
        let tables = manifest.tables.iter().map(|table| Listed::member(&table.name));
        let known: HashSet<String> =
            tables.chain(blobs.iter().map(blob_member)).chain([MASTER_KEY.to_owned()]).collect();
        let is_lost = |name: &str| manifest.blobs.lost.iter().any(|lost| name.ends_with(lost.as_str()));
        match archive.names().find(|name| !known.contains(*name) && !is_lost(name)) {
            Some(strange) => bail!("the backup holds {strange}, of which it does not know: it was changed"),
            None => Ok(()),
        }
    }

    /// The file of master keys that it carries.
    pub(super) fn master_key(&self) -> anyhow::Result<Option<Vec<u8>>> {
        self.manifest.master_key.as_ref().map(|_| self.archive.small(MASTER_KEY)).transpose()
    }

    /// The rows of a table, one after the other.
    pub(super) fn rows(&self, table: &Listed) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Vec<Cell>>>> {
        rows(&self.archive, table)
    }
}

fn rows<'archive>(
    archive: &'archive Archive,
    table: &Listed,
) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Vec<Cell>>> + use<'archive>> {
    let (name, width) = (table.name.clone(), table.columns.len());
    let lines = BufReader::with_capacity(1 << 20, archive.read(&Listed::member(&name))?).lines();
    Ok(lines.map(move |line| {
        let cells: Vec<Cell> =
            serde_json::from_str(&line?).with_context(|| format!("a row of {name} in the backup is damaged"))?;
        ensure!(cells.len() == width, "a row of {name} in the backup is damaged");
        Ok(cells)
    }))
}

/// The sealed root key.
fn root(archive: &Archive, manifest: &Manifest) -> anyhow::Result<Vec<u8>> {
    let vault = manifest.table("vault")?;
    let row = rows(archive, vault)?.next().context("the backup has no vault")??;
    row[vault.place("sealed_root")?].as_bytes()?.context("the backup has no root key")
}

/// The blobs that the backup's rows name, but for those that were lost when it was made.
fn blobs(archive: &Archive, manifest: &Manifest) -> anyhow::Result<Vec<Blob>> {
    let table = manifest.table("blobs")?;
    let [id, workspace, sha256, size] =
        [table.place("id")?, table.place("workspace_id")?, table.place("sha256")?, table.place("size_bytes")?];
    let lost: HashSet<&str> = manifest.blobs.lost.iter().map(String::as_str).collect();
    let mut blobs = Vec::new();
    for row in rows(archive, table)? {
        let row = row?;
        let uuid = |at: usize| -> anyhow::Result<Uuid> {
            Ok(Uuid::from_slice(&row[at].as_bytes()?.context("a blob of the backup has no id")?)?)
        };
        let (Cell::Text(sha256), Cell::Integer(size_bytes)) = (&row[sha256], &row[size]) else {
            bail!("a row of blobs in the backup is damaged");
        };
        let blob = Blob {
            id: BlobId(uuid(id)?),
            workspace_id: WorkspaceId(uuid(workspace)?),
            sha256: sha256.clone(),
            size_bytes: *size_bytes,
            content_type: String::new(),
            shape: Shape::default(),
        };
        if !lost.contains(blob.id.to_string().as_str()) {
            blobs.push(blob);
        }
    }
    Ok(blobs)
}
