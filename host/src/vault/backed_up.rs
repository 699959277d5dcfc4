//! What a backup needs of the vault: which master keys it was sealed under, and the key that its manifest is signed with.

use super::keyring::Keyring;
use super::seal::{Key, KeyId};
use super::{ROOT, Vault, seal};
use crate::db::Tx;
use crate::on;
use anyhow::{Context as _, bail};
use std::collections::BTreeSet;
use std::path::Path;

/// What a backup's manifest is signed for.
const MANIFESTS: &str = "orla/v1/backup";
const DATA_KEYS: &str = "select sealed from data_keys";

/// The names of the master keys that this database's keys are sealed under; in the middle of a rotation there are several.
///
/// # Errors
/// The database failed, or has no vault yet.
pub(crate) async fn masters(tx: &mut Tx) -> anyhow::Result<Vec<String>> {
    let (master, root) = Vault::find(tx).await?.context("this database holds no installation yet")?;
    let sealed: Vec<Vec<u8>> = on!(tx, conn => sqlx::query_scalar(DATA_KEYS).fetch_all(conn).await)?;
    let mut names = BTreeSet::from([master, KeyId::under(&root)?.to_string()]);
    for sealed in sealed {
        names.insert(KeyId::under(&sealed)?.to_string());
    }
    Ok(names.into_iter().collect())
}

/// The key that signs the backups of a database, which its master keys in this file open.
///
/// # Errors
/// The file does not hold all of them, or the database failed.
pub(crate) async fn signing_key(file: &Path, tx: &mut Tx, masters: &[String]) -> anyhow::Result<Key> {
    let (_, root) = Vault::find(tx).await?.context("this database holds no installation yet")?;
    let Some(keyring) = Keyring::read(file)? else {
        bail!(
            "there is no {}: a backup is made with the master key at hand, so that nobody finds out later that it is lost",
            file.display()
        );
    };
    open(&keyring, masters, &root)
}

/// The key that signed a backup: by the master keys in this file, or where there is none, by those that the backup carries.
///
/// # Errors
/// The master keys that are needed are not there, in a sentence that says what to do.
pub(crate) fn signed_key(file: &Path, carried: Option<&[u8]>, masters: &[String], root: &[u8]) -> anyhow::Result<Key> {
    let keyring = match (Keyring::read(file)?, carried) {
        (Some(keyring), _) => keyring,
        (None, Some(text)) => Keyring::carried(file, text)?,
        (None, None) => bail!(
            "this backup's secrets are sealed under the master key {}, which is not in it, and there is no {}: put that file back first",
            masters.join(" and "),
            file.display()
        ),
    };
    open(&keyring, masters, root)
}

fn open(keyring: &Keyring, masters: &[String], root: &[u8]) -> anyhow::Result<Key> {
    let held: Vec<String> = keyring.ids().iter().map(ToString::to_string).collect();
    if let Some(missing) = masters.iter().find(|name| !held.contains(name)) {
        bail!(
            "the secrets are sealed under the master key {missing}, but the master key file holds {}: put the right file there",
            held.join(", ")
        );
    }
    let root = Key::from_bytes(&seal::open(&*keyring.find(KeyId::under(root)?)?, ROOT, root)?)?;
    Ok(root.derive(MANIFESTS))
}

/// Writes the master keys that a backup carries, where there is no file of them.
///
/// # Errors
/// They are none, or the file cannot be written.
pub(crate) fn put_back(file: &Path, carried: &[u8]) -> anyhow::Result<()> {
    if file.exists() { Ok(()) } else { Keyring::carried(file, carried)?.write() }
}
