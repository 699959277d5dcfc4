//! A connection's secrets as they are stored: read, and opened.

use super::super::fault::Fault;
use super::super::refreshing::internal;
use super::super::run::Run;
use super::{ACCESS, FIELD, MARGIN, REFRESH, SLOT, identity};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::{ConnectionId, WorkspaceId};
use crate::on;
use crate::vault::{NoDataKey, Vault};
use orla_manifest::{Auth, OAuth2, ServiceAccount};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::time::Duration;

/// A connection's tokens or fields as they are stored.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stored {
    pub(in crate::connectors) access: Option<SecretString>,
    pub(in crate::connectors) refresh: Option<SecretString>,
    /// When the access token ends; `None` where the vendor sets no end.
    pub(in crate::connectors) expires_at: Option<Timestamp>,
    /// When the access token was minted.
    pub(in crate::connectors) minted_at: Option<Timestamp>,
    /// Narrower secrets that the vendor handed out, by the names of their slots.
    pub(in crate::connectors) slots: BTreeMap<String, SecretString>,
    /// What a person entered, by the names of the fields.
    pub(in crate::connectors) fields: BTreeMap<String, SecretString>,
}

/// How an account was connected, as far as tokens come of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way<'auth> {
    /// A person agreed.
    Oauth2(&'auth OAuth2),
    /// Its key was entered.
    ServiceAccount(&'auth ServiceAccount),
    /// In a way without tokens that could be renewed.
    Other,
}

/// A secret of a connection's as it is stored.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::connectors) struct Sealed {
    pub(in crate::connectors) name: String,
    pub(in crate::connectors) sealed: Vec<u8>,
    pub(in crate::connectors) expires_at: Option<Timestamp>,
    pub(in crate::connectors) updated_at: Timestamp,
}

impl Sealed {
    async fn read(tx: &mut Tx, workspace: WorkspaceId, id: ConnectionId) -> sqlx::Result<Vec<Self>> {
        on!(tx, conn => sqlx::query_as(SELECT).bind(workspace).bind(id).fetch_all(conn).await)
    }
}

const SELECT: &str = "select name, sealed, expires_at, updated_at from connection_secrets where workspace_id = $1 and connection_id = $2";
impl Stored {
    /// The secret in a slot.
    pub(in crate::connectors) fn slot(&self, slot: &str) -> Option<&SecretString> {
        self.slots.get(slot)
    }

    /// What a person entered, by the names of the fields.
    pub(in crate::connectors) fn fields(&self) -> &BTreeMap<String, SecretString> {
        &self.fields
    }

    /// How the account was connected, of the ways that a connector has: whose key was entered is a service account.
    pub(crate) fn way<'auth>(&self, auth: &'auth Auth) -> Way<'auth> {
        match (auth.oauth2(), auth.service_account()) {
            (_, Some(account)) if !self.fields.is_empty() => Way::ServiceAccount(account),
            (Some(oauth), _) => Way::Oauth2(oauth),
            (None, Some(account)) => Way::ServiceAccount(account),
            (None, None) => Way::Other,
        }
    }

    /// How long before its end the access token is renewed: less where it lives for a short time only.
    pub(super) fn margin(&self) -> Duration {
        match (self.minted_at, self.expires_at) {
            (Some(minted), Some(end)) => MARGIN.min(end.since(minted) / 4),
            _ => MARGIN,
        }
    }

    /// Whether the access token ends before then.
    pub(crate) fn ends_before(&self, then: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end < then)
    }

    /// When the access token ends, and when it was minted; each only where that is known.
    pub(crate) fn life(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.expires_at, self.minted_at)
    }

    /// Access token and refresh token.
    pub(crate) fn tokens(&self) -> (Option<&SecretString>, Option<&SecretString>) {
        (self.access.as_ref(), self.refresh.as_ref())
    }

    pub(super) async fn find(run: &Run, id: ConnectionId) -> Result<Self, Fault> {
        let found = async {
            let mut tx = run.services.db.read().await?;
            Self::read(&mut tx, &run.services.vault, run.workspace, id).await
        };
        found.await.map_err(|error| internal(&error))
    }

    /// Reads what is stored for a connection.
    ///
    /// # Errors
    /// The database failed, or a secret does not open.
    pub(crate) async fn read(
        tx: &mut Tx,
        vault: &Vault,
        workspace: WorkspaceId,
        id: ConnectionId,
    ) -> anyhow::Result<Self> {
        let rows = Sealed::read(tx, workspace, id).await?;
        Self::open(tx, vault, workspace, id, rows).await
    }

    /// Opens what was read for a connection; reads it again where its keys were replaced in between.
    ///
    /// # Errors
    /// As [`Stored::read`].
    pub(in crate::connectors) async fn open(
        tx: &mut Tx,
        vault: &Vault,
        workspace: WorkspaceId,
        id: ConnectionId,
        rows: Vec<Sealed>,
    ) -> anyhow::Result<Self> {
        match Self::open_once(tx, vault, workspace, id, rows).await {
            Err(error) if error.is::<NoDataKey>() => {
                let rows = Sealed::read(tx, workspace, id).await?;
                Self::open_once(tx, vault, workspace, id, rows).await
            }
            opened => opened,
        }
    }

    async fn open_once(
        tx: &mut Tx,
        vault: &Vault,
        workspace: WorkspaceId,
        id: ConnectionId,
        rows: Vec<Sealed>,
    ) -> anyhow::Result<Self> {
        let mut stored = Self::default();
        for Sealed { name, sealed, expires_at, updated_at } in rows {
            let secret = vault.unseal(tx, &identity(workspace, id, &name), &sealed).await?;
            match name.as_str() {
                ACCESS => {
                    (stored.access, stored.expires_at, stored.minted_at) = (Some(secret), expires_at, Some(updated_at));
                }
                REFRESH => stored.refresh = Some(secret),
                other => {
                    if let Some(field) = other.strip_prefix(FIELD) {
                        stored.fields.insert(field.to_owned(), secret);
                    } else if let Some(slot) = other.strip_prefix(SLOT) {
                        stored.slots.insert(slot.to_owned(), secret);
                    }
                }
            }
        }
        Ok(stored)
    }
}
