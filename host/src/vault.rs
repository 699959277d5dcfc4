//! Secrets at rest: envelope encryption.
//!
//! A secret is sealed under its workspace's data key, which stands in the database sealed under the master key; that one
//! stands in a file and never in the database. What the host signs with (tokens, links, machine code) is derived from a root
//! key, sealed like a data key. Which master key seals is written in the database, so that all nodes agree at every moment of
//! a rotation ([`operating::vault`](crate::operating::vault)).

pub(crate) mod backed_up;
mod benched;
mod keyring;
pub(crate) mod rotation;
mod seal;

pub use seal::Key;

use crate::clock::Timestamp;
use crate::db::{Db, Tx};
use crate::id::WorkspaceId;
use crate::on;
use anyhow::{Context as _, bail};
use keyring::Keyring;
use seal::KeyId;
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use zeroize::Zeroizing;

/// A data key is gone: what was sealed under it has been sealed anew since it was read, or is lost.
#[derive(Debug, thiserror::Error)]
#[error("there is no data key {0}")]
pub(crate) struct NoDataKey(KeyId);

/// Seals and opens secrets.
pub struct Vault {
    keyring: Keyring,
    /// The master key that was in use when this was opened.
    master: Arc<Key>,
    root: Key,
    /// Data keys that were opened.
    known: RwLock<HashMap<KeyId, Arc<Key>>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Vault({:?})", self.keyring.ids())
    }
}

const ROOT: &str = "vault/root";
const FIND: &str = "select master, sealed_root from vault where id = 1";
const MAKE: &str =
    "insert into vault (id, master, sealed_root, created_at) values (1, $1, $2, $3) on conflict do nothing";

impl Vault {
    /// Opens the vault of a database with the master keys in this file. Both are made where this installation has neither.
    ///
    /// # Errors
    /// The file is gone, not ours to read, or of another installation, in a sentence that says what to do; or the database
    /// failed.
    pub async fn open(file: &Path, db: &Db, now: Timestamp) -> anyhow::Result<Self> {
        let keyring = Keyring::read(file)?;
        let found = Self::find(&mut db.read().await?).await?;
        let (keyring, (master, sealed_root)) = match (keyring, found) {
            (Some(keyring), Some(found)) => (keyring, found),
            (None, Some((master, _))) => bail!(
                "this database's secrets are sealed under the master key {master}, and there is no {}: put that file back from your backup",
                file.display()
            ),
            (keyring, None) => {
                let keyring = keyring.map_or_else(|| Keyring::make(file), Ok)?;
                let found = Self::begin(db, &keyring, now).await?;
                (keyring, found)
            }
        };
        let key = keyring.find(master.parse()?)?;
        let root = Key::from_bytes(&seal::open(&key, ROOT, &sealed_root)?)?;
        Ok(Self { keyring, master: key, root, known: RwLock::default() })
    }

    async fn find(tx: &mut Tx) -> anyhow::Result<Option<(String, Vec<u8>)>> {
        Ok(on!(tx, conn => sqlx::query_as(FIND).fetch_optional(conn).await)?)
    }

    /// Makes the root key, unless another node was quicker.
    async fn begin(db: &Db, keyring: &Keyring, now: Timestamp) -> anyhow::Result<(String, Vec<u8>)> {
        let id = *keyring.ids().last().context("a keyring holds a key")?;
        let sealed = seal::seal(&*keyring.find(id)?, id, ROOT, &*Key::random());
        let mut tx = db.begin().await?;
        on!(&mut tx, conn => sqlx::query(MAKE)
            .bind(id.to_string()).bind(sealed).bind(now).execute(conn).await.map(drop))?;
        let found = Self::find(&mut tx).await?.context("the vault was just made")?;
        tx.commit().await?;
        Ok(found)
    }

    /// A key for one purpose of the host's own. The same purpose always gives the same key; one key tells nothing of another.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Key {
        self.root.derive(purpose)
    }

    /// A key for one purpose that is another after each rotation: for what can be made again.
    #[must_use]
    pub(crate) fn derive_passing(&self, purpose: &str) -> Key {
        self.master.derive(purpose)
    }

    /// Seals what the host hands out and wants back unchanged, and stores nowhere itself.
    pub(crate) fn seal_token(&self, identity: &str, plain: &[u8]) -> Vec<u8> {
        let key = self.derive(TOKENS);
        seal::seal(&key, KeyId::of(&key), identity, plain)
    }

    /// Opens what [`Vault::seal_token`] sealed.
    ///
    /// # Errors
    /// It was made by somebody else, for something else, or was altered.
    pub(crate) fn open_token(&self, identity: &str, sealed: &[u8]) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        seal::open(&self.derive(TOKENS), identity, sealed)
    }

    /// Seals a secret of a workspace's for the row that `identity` names, in the transaction that writes the row.
    ///
    /// # Errors
    /// The database failed, or the master key is not at hand.
    pub(crate) async fn seal(
        &self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        identity: &str,
        secret: &SecretString,
        now: Timestamp,
    ) -> anyhow::Result<Vec<u8>> {
        let (id, key) = self.sealing(tx, workspace, now).await?;
        Ok(seal::seal(&key, id, identity, secret.expose_secret().as_bytes()))
    }

    /// A sealed secret of a workspace's, sealed under the key that is in use now; `None` where it is.
    ///
    /// # Errors
    /// As [`Vault::unseal`] and [`Vault::seal`].
    pub(crate) async fn seal_again(
        &self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        identity: &str,
        sealed: &[u8],
        now: Timestamp,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        let (id, key) = self.sealing(tx, workspace, now).await?;
        if KeyId::under(sealed).is_ok_and(|under| under == id) {
            return Ok(None);
        }
        let secret = self.unseal(tx, identity, sealed).await?;
        Ok(Some(seal::seal(&key, id, identity, secret.expose_secret().as_bytes())))
    }

    /// Opens a secret that was sealed for the same row.
    ///
    /// # Errors
    /// [`NoDataKey`], as a part of the error, where it was read before a rotation and is opened after it. It belongs to another row or was altered, its keys are not at hand, or the database failed. The message holds no
    /// secret.
    pub(crate) async fn unseal(&self, tx: &mut Tx, identity: &str, sealed: &[u8]) -> anyhow::Result<SecretString> {
        let id = KeyId::under(sealed).with_context(|| format!("the sealed value of {identity} does not open"))?;
        let key = self.data_key(tx, id).await.with_context(|| format!("{identity} cannot be opened"))?;
        let bytes = seal::open(&key, identity, sealed)?;
        let text = std::str::from_utf8(&bytes).with_context(|| format!("the sealed value of {identity} is no text"))?;
        Ok(SecretString::from(text))
    }

    /// The data key that a workspace's secrets are sealed under now. It stays the one until the transaction ends: a rotation
    /// waits for it.
    async fn sealing(&self, tx: &mut Tx, workspace: WorkspaceId, now: Timestamp) -> anyhow::Result<(KeyId, Arc<Key>)> {
        let id = match current(tx, workspace).await? {
            Some(id) => id,
            None => {
                self.make(tx, workspace, now).await?;
                current(tx, workspace).await?.context("a data key was just made")?
            }
        };
        Ok((id, self.data_key(tx, id).await?))
    }

    /// Makes a data key for a workspace that has none, unless another transaction was quicker.
    async fn make(&self, tx: &mut Tx, workspace: WorkspaceId, now: Timestamp) -> anyhow::Result<()> {
        let select = if tx.is_postgres() { "select master from vault for share" } else { "select master from vault" };
        let master: String = on!(tx, conn => sqlx::query_scalar(select).fetch_one(conn).await)?;
        let master: KeyId = master.parse()?;
        let key = Key::random();
        let id = KeyId::of(&key);
        let sealed = seal::seal(&*self.keyring.find(master)?, master, &data_key(id, workspace), &*key);
        Ok(on!(tx, conn => sqlx::query(MAKE_KEY)
            .bind(id.to_string()).bind(workspace).bind(sealed).bind(now).execute(conn).await.map(drop))?)
    }

    async fn data_key(&self, tx: &mut Tx, id: KeyId) -> anyhow::Result<Arc<Key>> {
        if let Some(key) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(key.clone());
        }
        let found: Option<(WorkspaceId, Vec<u8>)> =
            on!(tx, conn => sqlx::query_as(FIND_KEY).bind(id.to_string()).fetch_optional(conn).await)?;
        let (workspace, sealed) = found.ok_or(NoDataKey(id))?;
        let key = Arc::new(self.open_data_key(id, workspace, &sealed)?);
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(id, key.clone());
        Ok(key)
    }

    fn open_data_key(&self, id: KeyId, workspace: WorkspaceId, sealed: &[u8]) -> anyhow::Result<Key> {
        let master = self.keyring.find(KeyId::under(sealed)?)?;
        Key::from_bytes(&seal::open(&master, &data_key(id, workspace), sealed)?)
    }
}

/// What tokens are sealed for.
const TOKENS: &str = "orla/v1/tokens";
const FIND_KEY: &str = "select workspace_id, sealed from data_keys where id = $1";
const MAKE_KEY: &str =
    "insert into data_keys (id, workspace_id, sealed, created_at) values ($1, $2, $3, $4) on conflict do nothing";
const CURRENT: &str = "select id from data_keys where workspace_id = $1 and retired_at is null";
const CURRENT_SHARED: &str = "select id from data_keys where workspace_id = $1 and retired_at is null for share";

async fn current(tx: &mut Tx, workspace: WorkspaceId) -> anyhow::Result<Option<KeyId>> {
    let select = if tx.is_postgres() { CURRENT_SHARED } else { CURRENT };
    let id: Option<String> = on!(tx, conn => sqlx::query_scalar(select).bind(workspace).fetch_optional(conn).await)?;
    id.map(|id| id.parse()).transpose()
}

/// What a sealed data key is bound to.
fn data_key(id: KeyId, workspace: WorkspaceId) -> String {
    format!("data_keys/{workspace}/{id}")
}
