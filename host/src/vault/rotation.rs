//! The steps to a new master key and new data keys. `operating::vault` puts them in their order.

use super::seal::{self, Key, KeyId};
use super::{ROOT, Vault, data_key};
use crate::clock::Timestamp;
use crate::db::{Db, Tx};
use crate::id::WorkspaceId;
use crate::on;
use std::path::PathBuf;

/// Data keys that are looked at in one transaction.
const KEYS_AT_ONCE: i64 = 200;

/// The right to change the file of master keys, and to replace what is sealed under them.
#[derive(Debug)]
pub(crate) struct Rotation<'vault> {
    vault: &'vault Vault,
    _alone: std::fs::File,
}

impl<'vault> Rotation<'vault> {
    /// Keeps other commands from doing the same at the same time.
    ///
    /// # Errors
    /// Another does, or the file cannot be read.
    pub(crate) fn begin(vault: &'vault Vault) -> anyhow::Result<Self> {
        let alone = vault.keyring.lock()?;
        vault.keyring.reread()?;
        Ok(Self { vault, _alone: alone })
    }

    /// Adds a new master key to the file, without using it. Gives its name.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn add_master(&self) -> anyhow::Result<KeyId> {
        self.vault.keyring.add(Key::random())
    }

    /// The master key that is to be: the newest of the file, if it is not in use, or if a rotation to it was cut off; else a
    /// new one.
    ///
    /// # Errors
    /// The file cannot be written, or the database failed.
    pub(crate) async fn next_master(&self, db: &Db) -> anyhow::Result<KeyId> {
        let found = Vault::find(&mut db.read().await?).await?;
        let used: Option<KeyId> = found.map(|(master, _)| master.parse()).transpose()?;
        match self.vault.keyring.ids().as_slice() {
            [only] if used == Some(*only) => self.add_master(),
            [.., last] => Ok(*last),
            [] => self.add_master(),
        }
    }

    /// Takes the master keys that are not in use any more out of the file. Gives where they are now, one a file.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(crate) fn retire_masters(&self, kept: KeyId) -> anyhow::Result<Vec<PathBuf>> {
        self.vault.keyring.keep_only(kept)
    }

    /// Writes into the database which master key seals from now on.
    ///
    /// # Errors
    /// The database failed, or a key is not at hand.
    pub(crate) async fn name_master(&self, db: &Db, master: KeyId, now: Timestamp) -> anyhow::Result<()> {
        let key = self.vault.keyring.find(master)?;
        let mut tx = db.begin().await?;
        // Waits for those who make a data key at this moment: theirs is found below.
        let select = if tx.is_postgres() { SHUT } else { OPEN };
        let sealed: Vec<u8> = on!(&mut tx, conn => sqlx::query_scalar(select).fetch_one(conn).await)?;
        let root = seal::open(&*self.vault.keyring.find(KeyId::under(&sealed)?)?, ROOT, &sealed)?;
        let sealed = seal::seal(&key, master, ROOT, &root);
        on!(&mut tx, conn => sqlx::query(NAME)
            .bind(master.to_string()).bind(sealed).bind(now).execute(conn).await.map(drop))?;
        Ok(tx.commit().await?)
    }

    /// Seals every data key under the new master key.
    ///
    /// # Errors
    /// A data key does not open, or the database failed. What was sealed until then stays so.
    pub(crate) async fn seal_keys_again(&self, db: &Db, master: KeyId) -> anyhow::Result<()> {
        let mut after = String::new();
        loop {
            let mut tx = db.begin().await?;
            let keys: Vec<(String, WorkspaceId, Vec<u8>)> =
                on!(&mut tx, conn => sqlx::query_as(KEYS).bind(&after).bind(KEYS_AT_ONCE).fetch_all(conn).await)?;
            let Some((last, ..)) = keys.last() else { return Ok(()) };
            after.clone_from(last);
            for (id, workspace, sealed) in &keys {
                if KeyId::under(sealed)? != master {
                    let sealed = self.again(master, id.parse()?, *workspace, sealed)?;
                    on!(&mut tx, conn => sqlx::query(SEAL_KEY).bind(sealed).bind(id).execute(conn).await.map(drop))?;
                }
            }
            tx.commit().await?;
        }
    }

    fn again(&self, master: KeyId, id: KeyId, workspace: WorkspaceId, sealed: &[u8]) -> anyhow::Result<Vec<u8>> {
        let key = self.vault.open_data_key(id, workspace, sealed)?;
        Ok(seal::seal(&*self.vault.keyring.find(master)?, master, &data_key(id, workspace), &*key))
    }

    /// Gives every workspace that has secrets a new data key. Gives their number.
    ///
    /// # Errors
    /// The database failed. What was replaced until then stays so.
    pub(crate) async fn replace_keys(&self, db: &Db, now: Timestamp) -> anyhow::Result<usize> {
        let (mut after, mut replaced) = (WorkspaceId(uuid::Uuid::nil()), 0);
        loop {
            let mut tx = db.read().await?;
            let workspaces: Vec<WorkspaceId> = on!(&mut tx, conn => sqlx::query_scalar(WORKSPACES)
                .bind(after).bind(KEYS_AT_ONCE).fetch_all(conn).await)?;
            drop(tx);
            let Some(last) = workspaces.last() else { return Ok(replaced) };
            after = *last;
            for workspace in workspaces {
                let mut tx = db.begin().await?;
                // Waits for those who seal under the old one at this moment.
                on!(&mut tx, conn => sqlx::query(RETIRE)
                    .bind(now).bind(workspace).execute(conn).await.map(drop))?;
                self.vault.make(&mut tx, workspace, now).await?;
                tx.commit().await?;
                replaced += 1;
            }
        }
    }

    /// Removes the data keys that nothing is sealed under any more.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn drop_keys(&self, db: &Db) -> anyhow::Result<()> {
        let mut tx: Tx = db.begin().await?;
        on!(&mut tx, conn => sqlx::query(DROP).execute(conn).await.map(drop))?;
        Ok(tx.commit().await?)
    }
}

const SHUT: &str = "select sealed_root from vault where id = 1 for update";
const OPEN: &str = "select sealed_root from vault where id = 1";
const NAME: &str = "update vault set master = $1, sealed_root = $2, rotated_at = $3 where id = 1";
const KEYS: &str = "select id, workspace_id, sealed from data_keys where id > $1 order by id limit $2";
const SEAL_KEY: &str = "update data_keys set sealed = $1 where id = $2";
const WORKSPACES: &str = "select workspace_id from data_keys where retired_at is null and workspace_id > $1
    order by workspace_id limit $2";
const RETIRE: &str = "update data_keys set retired_at = $1 where workspace_id = $2 and retired_at is null";
const DROP: &str = "delete from data_keys where retired_at is not null";
