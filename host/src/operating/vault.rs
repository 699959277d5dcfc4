//! What operators do to the vault: a new master key while hosts run, and a look at whether all secrets open.

use crate::app::App;
use crate::connectors::sealed;
use crate::vault::rotation::Rotation;
use std::path::PathBuf;

/// What a rotation did.
#[derive(Debug)]
pub struct Rotated {
    /// The new master key's name.
    pub master: String,
    /// Workspaces that have a new data key.
    pub workspaces: usize,
    /// Secrets that were sealed anew.
    pub secrets: usize,
    /// Where the old master keys are now, one a file.
    pub retired: Vec<PathBuf>,
}

/// Adds a new master key to the file without using it, so that it can be brought to every node first. Gives its name.
///
/// # Errors
/// The file cannot be written, or another command changes it at this moment.
pub fn prepare(app: &App) -> anyhow::Result<String> {
    Ok(Rotation::begin(app.vault())?.add_master()?.to_string())
}

/// Puts a new master key and new data keys in the place of all that are in use: the key that was prepared, or one made now.
///
/// The new master key stands in the file before the database names it; the database names it before anything is sealed under
/// it; every workspace has a new data key before its secrets are sealed anew; a data key goes when nothing is sealed under it;
/// last the old master key leaves the file. Cut off at any point, the next rotation ends it. Hosts that run meet a master key
/// that they do not know, and read the file again.
///
/// # Errors
/// The file cannot be written, a secret does not open, or the database failed.
pub async fn rotate(app: &App) -> anyhow::Result<Rotated> {
    let (vault, db, clock) = (app.vault(), app.db(), app.clock());
    let rotation = Rotation::begin(vault)?;
    let master = rotation.next_master(db).await?;
    rotation.name_master(db, master, clock.now()).await?;
    rotation.seal_keys_again(db, master).await?;
    let workspaces = rotation.replace_keys(db, clock.now()).await?;
    let secrets = sealed::seal_again(vault, db, clock).await?;
    rotation.drop_keys(db).await?;
    let retired = rotation.retire_masters(master)?;
    Ok(Rotated { master: master.to_string(), workspaces, secrets, retired })
}

/// What a look at all secrets found.
#[derive(Debug)]
pub struct Checked {
    /// Secrets that open.
    pub secrets: usize,
    /// A sentence of each that does not; it names the row and no secret.
    pub shut: Vec<String>,
}

/// Opens every secret that is stored.
///
/// # Errors
/// The database failed.
pub async fn check(app: &App) -> anyhow::Result<Checked> {
    let (secrets, shut) = sealed::open_all(app.vault(), app.db()).await?;
    Ok(Checked { secrets, shut })
}
