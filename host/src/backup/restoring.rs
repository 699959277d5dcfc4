//! Bringing a backup into an empty installation.
//!
//! All of it is checked before anything is written. The database is filled in one transaction, which also raises the fence and
//! is committed last, after the master key, where it is in the backup, and the blobs. A restore that is cut off is begun again
//! with the same backup.

use super::checking::Checked;
use super::manifest::{Listed, Manifest};
use super::{blob_member, unfinished};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::connectors::blob::Blobs;
use crate::db::rows::{self, Cell};
use crate::db::schema::{self, Table};
use crate::db::{Absent, Db, Tx};
use crate::publications::doubting;
use crate::vault::backed_up;
use crate::{app, fence, generations, jobs, on, videos};
use anyhow::{Context as _, bail, ensure};
use sqlx::AssertSqlSafe;
use std::path::Path;

/// Most cells, and rows, that one statement puts into a table. Both databases take more.
const CELLS_AT_ONCE: usize = 8_000;
const ROWS_AT_ONCE: usize = 200;

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// All that was written before this moment was in the backup.
    pub made_at: Timestamp,
    /// Its tables.
    pub tables: usize,
    /// Rows of all tables.
    pub rows: u64,
    /// Its blobs.
    pub blobs: u64,
    /// Blobs that it lacked.
    pub lost: Vec<String>,
    /// Publications that are looked for before anything of them is sent.
    pub doubtful: i64,
}

/// Restores a backup into the database and the data folder of this configuration, and fences the installation.
///
/// # Errors
/// The backup is not whole, not what it says, or newer than this program; its master key is not at hand; or there is something
/// already. Nothing was changed then. A failure to write leaves what a further restore of the same backup goes on with.
pub async fn restore(config: &Config, clock: &Clock, backup: &Path) -> anyhow::Result<Restored> {
    let checked = Checked::open(backup, &config.master_key())?;
    check_version(&checked.manifest)?;
    let was_whole = unfinished::is_whole(config, &checked.name).await?;
    if was_whole {
        unfinished::end(&config.data)?;
    } else {
        check_folder(config, &checked.name).await?;
    }
    app::create_private_folder(&config.data)?;
    let db = Db::connect(&config.database(), Absent::Made).await?;
    let done = if was_whole { count(&db).await } else { Box::pin(bring(config, &db, clock, &checked)).await };
    db.close().await;
    let doubtful = done?;
    let Checked { manifest, .. } = checked;
    Ok(Restored {
        made_at: manifest.made_at,
        tables: manifest.tables.len(),
        rows: manifest.rows(),
        blobs: manifest.blobs.count,
        lost: manifest.blobs.lost,
        doubtful,
    })
}

async fn bring(config: &Config, db: &Db, clock: &Clock, checked: &Checked) -> anyhow::Result<i64> {
    let is_empty = schema::is_empty(&mut db.read().await?).await.context("the database cannot be read")?;
    ensure!(
        is_empty,
        "the database of DATABASE_URL is not empty: a backup is restored into an empty one only, and nothing was changed"
    );
    // Not committed before all else is there: so a row that does not fit is met while there is nothing.
    let mut tx = db.begin().await?;
    let doubtful = fill(&mut tx, clock, checked).await?;
    unfinished::begin(&config.data, &checked.name)?;
    if let Some(keys) = checked.master_key()? {
        backed_up::put_back(&config.master_key(), &keys)?;
    }
    let store = Blobs::in_folder(&config.data.join("blobs"))?;
    for blob in &checked.blobs {
        store.put_again(blob, checked.archive.read(&blob_member(blob))?).await?;
    }
    tx.commit().await?;
    unfinished::end(&config.data)?;
    Ok(doubtful)
}

async fn count(db: &Db) -> anyhow::Result<i64> {
    Ok(doubting::count(&mut db.read().await?).await?)
}

fn check_version(manifest: &Manifest) -> anyhow::Result<()> {
    if let Some(newer) = schema::unknown(&manifest.migrations) {
        bail!(
            "this backup was made by orla {}, whose schema has `{}`, which this program ({}) does not know: restore it with that version or a newer one",
            manifest.program,
            newer.name,
            env!("CARGO_PKG_VERSION")
        );
    }
    Ok(())
}

/// Nothing is overwritten but what a cut-off restore of the same backup left.
async fn check_folder(config: &Config, name: &str) -> anyhow::Result<()> {
    let data = config.data.display();
    let begun = unfinished::find(config).await?;
    let mut blobs = std::fs::read_dir(config.data.join("blobs")).into_iter().flatten();
    match begun {
        Some(begun) if begun == name => Ok(()),
        Some(_) => {
            bail!("a restore of another backup into {data} was cut off: restore that one, or empty the folder first")
        }
        None if blobs.next().is_none() => Ok(()),
        None => bail!(
            "{data} has blobs of another installation: a backup is restored into an empty data folder only, and nothing was changed"
        ),
    }
}

/// Fills the database and raises the fence. Gives how many publications may have been published since the backup was made.
async fn fill(tx: &mut Tx, clock: &Clock, checked: &Checked) -> anyhow::Result<i64> {
    let manifest = &checked.manifest;
    schema::make(tx, &manifest.migrations).await?;
    let tables = schema::tables(tx).await?;
    for table in &tables {
        // What the migrations put there themselves.
        let delete = AssertSqlSafe(format!("delete from \"{}\"", table.name));
        on!(tx, conn => sqlx::query(delete).execute(conn).await.map(drop))?;
    }
    for listed in &manifest.tables {
        let table = listed.fit(&tables)?;
        let filled = fill_table(tx, checked, listed, &table).await;
        filled.with_context(|| format!("the table {} of the backup cannot be restored", table.name))?;
    }
    schema::finish(tx).await?;
    let now = clock.now();
    // Whoever had these in hand is another installation's.
    jobs::free_all(tx).await?;
    generations::abandon_all(tx, now).await?;
    videos::ending::doubt_all(tx, now).await?;
    fence::raise(tx, &checked.name, manifest.made_at, now).await?;
    let restored = fence::find(tx).await?.context("the fence was just raised")?;
    doubting::mark(tx, &restored, now, now).await?;
    Ok(doubting::count(tx).await?)
}

async fn fill_table(tx: &mut Tx, checked: &Checked, listed: &Listed, table: &Table) -> anyhow::Result<()> {
    let at_once = (CELLS_AT_ONCE / table.columns.len().max(1)).clamp(1, ROWS_AT_ONCE);
    let mut some: Vec<Vec<Cell>> = Vec::with_capacity(at_once);
    let mut count = 0;
    for row in checked.rows(listed)? {
        some.push(row?);
        count += 1;
        if some.len() == at_once {
            rows::insert(tx, table, &some).await?;
            some.clear();
        }
    }
    if !some.is_empty() {
        rows::insert(tx, table, &some).await?;
    }
    ensure!(count == listed.rows, "it has {count} rows, not {}", listed.rows);
    Ok(())
}
