//! Making a backup, while hosts serve.

use super::archive::{MANIFEST, Member, SIGNATURE, Writer};
use super::manifest::{FORMAT, Listed, Listing, Manifest, sign};
use super::{MASTER_KEY, blob_member};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::connectors::blob::{self, Blob, Blobs};
use crate::db::{Absent, Db, rows, schema};
use crate::vault::backed_up;
use anyhow::{Context as _, ensure};
use futures_util::TryStreamExt as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use time::macros::format_description;

/// Whether the master key goes into a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MasterKey {
    /// It is kept elsewhere.
    Apart,
    /// It is in it, so whoever has the backup has all tokens.
    Included,
}

/// A backup that was made.
#[derive(Debug)]
pub struct Made {
    /// Where it is.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// All that was written before this moment is in it.
    pub made_at: Timestamp,
    /// Its tables.
    pub tables: usize,
    /// Rows of all tables.
    pub rows: u64,
    /// Its blobs.
    pub blobs: u64,
    /// Bytes of its blobs.
    pub blob_bytes: u64,
    /// Blobs that the database names and that were gone or spoilt.
    pub lost: Vec<String>,
    /// The names of the master keys without which nothing in it opens.
    pub master_keys: Vec<String>,
}

/// Makes a backup in a file, or in a new file of a folder.
///
/// The database is read in one transaction that sees a single moment of it, and nobody has to wait. Blobs are copied after
/// that, since they are never changed.
///
/// # Errors
/// There is nothing to back up, the master key is not at hand, or something cannot be read or written. Nothing is left
/// behind then.
pub async fn make(config: &Config, clock: &Clock, to: &Path, master_key: MasterKey) -> anyhow::Result<Made> {
    // Before the snapshot: nothing that was sent after it may be older than this.
    let made_at = clock.now();
    let file = if to.is_dir() { to.join(name(made_at)?) } else { to.to_owned() };
    let db = Db::connect(&config.database(), Absent::Refused).await?;
    let mut writer = Writer::begin(&file, made_at)?;
    let partial = writer.partial().to_owned();
    let written = Box::pin(write(config, &db, &mut writer, made_at, master_key)).await;
    db.close().await;
    let finished = written.and_then(|manifest| Ok((manifest, writer.finish()?)));
    let (manifest, bytes) = finished.inspect_err(|_| drop(std::fs::remove_file(&partial)))?;
    Ok(Made {
        bytes,
        made_at,
        tables: manifest.tables.len(),
        rows: manifest.rows(),
        blobs: manifest.blobs.count,
        blob_bytes: manifest.blobs.bytes,
        lost: manifest.blobs.lost,
        master_keys: manifest.master_keys,
        file,
    })
}

/// The name of a backup that was made at this moment.
fn name(at: Timestamp) -> anyhow::Result<String> {
    let format = format_description!("orla-[year]-[month]-[day]T[hour]-[minute]-[second]Z.tar");
    at.calendar().context("the clock shows no date")?.format(format).context("the clock shows no date")
}

async fn write(
    config: &Config,
    db: &Db,
    writer: &mut Writer,
    made_at: Timestamp,
    master_key: MasterKey,
) -> anyhow::Result<Manifest> {
    let mut tx = db.snapshot().await.context("the database cannot be read")?;
    let migrations = schema::applied(&mut tx).await.context("the database holds no installation")?;
    let master_keys = backed_up::masters(&mut tx).await?;
    let file = config.master_key();
    let key = backed_up::signing_key(&file, &mut tx, &master_keys).await?;
    let mut tables = Vec::new();
    for table in schema::tables(&mut tx).await? {
        let write = async |member: &mut Member<'_>| rows::write(&mut tx, &table, member).await;
        let (rows, digest) = writer.stream(&Listed::member(&table.name), write).await?;
        let columns = table.columns.into_iter().map(|column| column.name).collect();
        tables.push(Listed { name: table.name, columns, rows, digest });
    }
    let blobs = blob::all(&mut tx).await?;
    let database = if tx.is_postgres() { "postgres" } else { "sqlite" };
    drop(tx);
    let blobs = add_blobs(config, writer, &blobs).await?;
    let master_key = match master_key {
        MasterKey::Apart => None,
        MasterKey::Included => {
            let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            Some(writer.add(MASTER_KEY, &bytes)?)
        }
    };
    let manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at,
        database: database.to_owned(),
        migrations,
        master_keys,
        master_key,
        tables,
        blobs,
    };
    let text = serde_json::to_vec_pretty(&manifest)?;
    writer.add(MANIFEST, &text)?;
    writer.add(SIGNATURE, sign(&key, &text).as_bytes())?;
    Ok(manifest)
}

async fn add_blobs(config: &Config, writer: &mut Writer, blobs: &[Blob]) -> anyhow::Result<Listing> {
    let store = Blobs::in_folder(&config.data.join("blobs"))?;
    let mut listing = Listing::default();
    for blob in blobs {
        let copied = match store.read(blob, 0, blob.size()).await {
            Ok(pieces) => copy(writer, blob, pieces).await?,
            Err(error) => Err(error),
        };
        match copied {
            Ok(bytes) => {
                listing.count += 1;
                listing.bytes += bytes;
            }
            Err(error) => {
                tracing::warn!(blob = %blob.id, "the blob {} cannot be backed up: {error:#}", blob.id);
                listing.lost.push(blob.id.to_string());
            }
        }
    }
    Ok(listing)
}

/// Copies a blob. What is wrong with the blob is the inner error; it stands in the backup as far as it came, and counts as lost.
async fn copy(
    writer: &mut Writer,
    blob: &Blob,
    mut pieces: impl futures_util::Stream<Item = std::io::Result<bytes::Bytes>> + Unpin,
) -> anyhow::Result<anyhow::Result<u64>> {
    let write = async |member: &mut Member<'_>| {
        loop {
            match pieces.try_next().await {
                Ok(Some(piece)) => member.write_all(&piece).context("the backup cannot be written")?,
                Ok(None) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            }
        }
    };
    let (read, digest) = writer.stream(&blob_member(blob), write).await?;
    let checked = || -> anyhow::Result<u64> {
        read.context("it breaks off")?;
        ensure!(
            digest.sha256 == blob.sha256 && digest.bytes == blob.size(),
            "its bytes are not those that were stored"
        );
        Ok(digest.bytes)
    };
    Ok(checked())
}
