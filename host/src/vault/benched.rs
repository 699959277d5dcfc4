//! Doors for the benchmark of the vault (`cargo measure vault`), which has to time single steps. Nothing else comes in here.

use super::seal::{self, Key, KeyId};
use super::{SecretString, Vault};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::WorkspaceId;
use secrecy::ExposeSecret as _;
use std::sync::Arc;

/// A workspace's data key, open.
#[doc(hidden)]
#[derive(Debug)]
pub struct BenchedKey(KeyId, Arc<Key>);

impl BenchedKey {
    /// Seals as [`Vault`] does once it knows the key.
    #[doc(hidden)]
    #[must_use]
    pub fn seal(&self, identity: &str, secret: &SecretString) -> Vec<u8> {
        seal::seal(&self.1, self.0, identity, secret.expose_secret().as_bytes())
    }
}

impl Vault {
    /// The data key of a workspace, made where it has none.
    #[doc(hidden)]
    pub async fn key_for_bench(
        &self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        now: Timestamp,
    ) -> anyhow::Result<BenchedKey> {
        self.sealing(tx, workspace, now).await.map(|(id, key)| BenchedKey(id, key))
    }

    /// Seals a secret in the transaction that would write its row.
    #[doc(hidden)]
    pub async fn seal_for_bench(
        &self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        identity: &str,
        secret: &SecretString,
        now: Timestamp,
    ) -> anyhow::Result<Vec<u8>> {
        self.seal(tx, workspace, identity, secret, now).await
    }

    /// Opens a secret.
    #[doc(hidden)]
    pub async fn unseal_for_bench(&self, tx: &mut Tx, identity: &str, sealed: &[u8]) -> anyhow::Result<SecretString> {
        self.unseal(tx, identity, sealed).await
    }
}
