//! What a backup says of itself, and the signature that nobody can make who does not have its master key.

use crate::clock::Timestamp;
use crate::db::schema::{Applied, Table};
use crate::vault::Key;
use anyhow::{Context as _, bail, ensure};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The format that this program writes, and the newest that it reads.
pub(super) const FORMAT: u64 = 1;

/// What a backup holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) format: u64,
    /// The version of the program that made it.
    pub(super) program: String,
    /// All that was written before this moment is in it.
    pub(super) made_at: Timestamp,
    /// What it was made of: `sqlite` or `postgres`. It goes into either.
    pub(super) database: String,
    /// What made the schema.
    pub(super) migrations: Vec<Applied>,
    /// The names of the master keys without which nothing in it opens.
    pub(super) master_keys: Vec<String>,
    /// The file of the master keys, where it was wanted.
    pub(super) master_key: Option<Digest>,
    pub(super) tables: Vec<Listed>,
    pub(super) blobs: Listing,
}

/// What a member has to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Digest {
    pub(super) bytes: u64,
    /// SHA-256 in hex.
    pub(super) sha256: String,
}

/// A table. Its rows are lines of JSON, each a list of its cells in the order of the columns.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: u64,
    pub(super) digest: Digest,
}

/// The blobs. What each has to be stands in the table `blobs`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    pub(super) count: u64,
    pub(super) bytes: u64,
    /// Those that were gone or spoilt when the backup was made.
    pub(super) lost: Vec<String>,
}

impl Listed {
    /// The member that holds it.
    pub(super) fn member(name: &str) -> String {
        format!("tables/{name}.jsonl")
    }

    /// Where one of its columns stands.
    pub(super) fn place(&self, column: &str) -> anyhow::Result<usize> {
        let place = self.columns.iter().position(|name| name == column);
        place.with_context(|| format!("the table {} has no column {column}", self.name))
    }

    /// The table of this database that it goes into, with the columns in its own order.
    pub(super) fn fit(&self, tables: &[Table]) -> anyhow::Result<Table> {
        let table = tables.iter().find(|table| table.name == self.name);
        let table = table.with_context(|| format!("this program knows no table {}", self.name))?;
        ensure!(
            table.columns.len() == self.columns.len(),
            "the table {} has other columns in this program than in the backup",
            self.name
        );
        let columns = self.columns.iter().map(|name| {
            let column = table.column(name).cloned();
            column.with_context(|| format!("this program knows no column {}.{name}", self.name))
        });
        Ok(Table { name: self.name.clone(), columns: columns.collect::<anyhow::Result<_>>()? })
    }
}

impl Manifest {
    /// Reads one that was written.
    ///
    /// # Errors
    /// It is of a newer format, or damaged.
    pub(super) fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let manifest: serde_json::Value = serde_json::from_slice(bytes).context("the backup's manifest is damaged")?;
        match manifest["format"].as_u64() {
            Some(FORMAT) => {}
            Some(newer) => bail!(
                "this backup has the format {newer}, and this program reads the format {FORMAT}: restore it with the program that made it, or a newer one"
            ),
            None => bail!("the backup's manifest is damaged"),
        }
        serde_json::from_value(manifest).context("the backup's manifest is damaged")
    }

    /// Rows of all tables together.
    pub(super) fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// The table of this name.
    pub(super) fn table(&self, name: &str) -> anyhow::Result<&Listed> {
        let table = self.tables.iter().find(|table| table.name == name);
        table.with_context(|| format!("the backup has no table {name}"))
    }
}

/// Signs a manifest as it is written.
pub(super) fn sign(key: &Key, manifest: &[u8]) -> String {
    hex::encode(mac(key, manifest).finalize().into_bytes())
}

/// Checks a signature.
///
/// # Errors
/// The manifest is not what was signed.
pub(super) fn check(key: &Key, manifest: &[u8], signature: &str) -> anyhow::Result<()> {
    let signature = hex::decode(signature.trim()).unwrap_or_default();
    let fits = mac(key, manifest).verify_slice(&signature).is_ok();
    ensure!(fits, "the backup's manifest was changed after it was signed: it cannot be trusted");
    Ok(())
}

fn mac(key: &Key, manifest: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&**key).expect("HMAC takes keys of any length");
    mac.update(manifest);
    mac
}
