//! The trace of a restore that was cut off: a file in the data folder that names the backup, there from before the first thing
//! that is written until all is.

use super::archive::sync_folder;
use crate::config::Config;
use crate::crash;
use crate::db::{Absent, Db};
use crate::fence;
use anyhow::{Context as _, bail};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

fn file(data: &Path) -> PathBuf {
    data.join("restoring")
}

/// The backup whose restore was begun; `None` where none was, or its end was written.
fn read(data: &Path) -> anyhow::Result<Option<String>> {
    let path = file(data);
    match std::fs::read_to_string(&path) {
        Ok(name) => Ok(Some(name)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// The backup whose restore was cut off; `None` where none was.
pub(super) async fn find(config: &Config) -> anyhow::Result<Option<String>> {
    match read(&config.data)? {
        Some(name) if is_in_the_database(config, &name).await => {
            end(&config.data)?;
            Ok(None)
        }
        begun => Ok(begun),
    }
}

/// Whether the restore of this backup was cut off when nothing was left to do but to write its end.
pub(super) async fn is_whole(config: &Config, name: &str) -> anyhow::Result<bool> {
    Ok(read(&config.data)?.as_deref() == Some(name) && is_in_the_database(config, name).await)
}

/// What comes last of a restore is the database, all at once.
async fn is_in_the_database(config: &Config, name: &str) -> bool {
    let Ok(db) = Db::connect(&config.database(), Absent::Refused).await else { return false };
    let found = match db.read().await {
        // There is no such table yet.
        Ok(mut tx) => fence::backup(&mut tx).await.ok().flatten(),
        Err(_) => None,
    };
    db.close().await;
    found.as_deref() == Some(name)
}

/// Whether a restore into this installation was cut off.
///
/// # Errors
/// It was, in a sentence that says what to do.
pub async fn check(config: &Config) -> anyhow::Result<()> {
    if find(config).await?.is_some() {
        bail!(
            "a restore into {} was cut off: run `orla restore` with the same backup again, or empty the folder",
            config.data.display()
        );
    }
    Ok(())
}

/// Writes down that a restore begins.
pub(super) fn begin(data: &Path, name: &str) -> anyhow::Result<()> {
    let path = file(data);
    crash::before_write();
    let written = || -> std::io::Result<()> {
        let mut opened = File::create(&path)?;
        opened.write_all(name.as_bytes())?;
        opened.sync_all()?;
        sync_folder(&path)
    };
    written().with_context(|| format!("cannot write {}", path.display()))?;
    crash::after_write();
    Ok(())
}

/// Writes down that it is whole.
pub(super) fn end(data: &Path) -> anyhow::Result<()> {
    let path = file(data);
    crash::before_write();
    std::fs::remove_file(&path).with_context(|| format!("cannot delete {}", path.display()))?;
    crash::after_write();
    Ok(())
}
