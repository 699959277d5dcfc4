//! Whose credentials a run uses, and keeping them fresh. Nothing here ever reaches a guest.
//!
//! Only the host refreshes: one refresh at a time a connection, the stored tokens read again once the lock is held, and an
//! empty value never overwrites a good one.

use super::connections;
use super::entered::Entered;
use super::fault::{Fault, FaultKind};
use super::oauth::{self, RefreshError, Tokens};
use super::run::{Run, Services};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::{ConnectionId, WorkspaceId};
use crate::on;
use crate::vault::{NoDataKey, Vault};
use orla_manifest::{Auth, Fields, Sign};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A token that ends sooner than this is refreshed before it is used.
const MARGIN: Duration = Duration::from_secs(60);
const ACCESS: &str = "access_token";
const REFRESH: &str = "refresh_token";
/// Before the name of a field.
const FIELD: &str = "field/";

/// Whose credentials sign the requests of a run.
#[derive(Debug)]
pub(crate) enum Credentials {
    /// Tokens that were just minted, for the account that is being connected.
    Minted(SecretString),
    /// A connection's. What is stored was read when the run was made ready, and serves until it is renewed.
    Connection(ConnectionId, Mutex<Option<Stored>>),
    /// What a person entered: for a connection, or for the account that is being connected.
    Entered {
        /// `None` while the account is being connected.
        connection: Option<ConnectionId>,
        /// One reading, which serves for the whole execution; `None` where it failed.
        entered: Option<Entered>,
    },
    /// The operator's own key, for work that every workspace may ask for.
    Operator,
}

impl Credentials {
    /// A connection's, as they were read when the run was made ready.
    pub(crate) fn of(id: ConnectionId, auth: &Auth, stored: Option<Stored>) -> Self {
        match auth {
            Auth::Fields(_) => {
                Self::Entered { connection: Some(id), entered: stored.map(|stored| Entered::kept(stored.fields)) }
            }
            Auth::None | Auth::Oauth2(_) | Auth::ApiKey(_) => Self::Connection(id, Mutex::new(stored)),
        }
    }

    /// What a person entered.
    ///
    /// # Errors
    /// Nobody has, or it could not be read.
    pub(crate) fn entered(&self) -> Result<&Entered, Fault> {
        match self {
            Self::Entered { entered: Some(entered), .. } => Ok(entered),
            Self::Entered { entered: None, .. } => Err(unreadable()),
            Self::Minted(_) | Self::Connection(..) | Self::Operator => {
                Err(Fault::bug("nobody has entered any fields for this call"))
            }
        }
    }

    /// Names the credentials without telling them.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::Minted(_) | Self::Entered { connection: None, .. } => "minted".to_owned(),
            Self::Connection(id, _) | Self::Entered { connection: Some(id), .. } => id.to_string(),
            Self::Operator => "operator".to_owned(),
        }
    }

    /// The token or secret to sign with, fresh; `None` where requests are not signed.
    ///
    /// # Errors
    /// Fault `auth-expired` where the vendor revoked the connection, `vendor-down` where it could not say.
    pub(crate) async fn token(&self, run: &Run, sign: &Sign) -> Result<Option<SecretString>, Fault> {
        match (sign, self) {
            (Sign::None, _) => Ok(None),
            (Sign::StandardWebhooks { secret }, _) => self.entered()?.value(secret).cloned().map(Some),
            (Sign::Bearer, Self::Entered { .. }) => {
                let Auth::Fields(Fields { token: Some(token), .. }) = &run.release.manifest.auth else {
                    return Err(Fault::bug("no field of the connector's is its token"));
                };
                self.entered()?.value(token).cloned().map(Some)
            }
            (Sign::Bearer, Self::Minted(token)) => Ok(Some(token.clone())),
            (Sign::Bearer, Self::Operator) => match run.services.api_key(&run.release.manifest.id) {
                Some(key) => Ok(Some(key.clone())),
                None => Err(Fault::new(FaultKind::AuthExpired, "the operator has set no key for this vendor")),
            },
            (Sign::Bearer, Self::Connection(id, at_hand)) => {
                let fresh_enough = run.services.clock.now().after(MARGIN);
                let is_fresh = |stored: &Stored| stored.expires_at.is_none_or(|end| end > fresh_enough);
                let at_hand = at_hand.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let stored = match at_hand.filter(is_fresh) {
                    Some(stored) => stored,
                    // It ended meanwhile, and may have been refreshed since.
                    None => Stored::find(run, *id).await?,
                };
                let is_fresh = is_fresh(&stored);
                match stored.access {
                    Some(token) if is_fresh => Ok(Some(token)),
                    token => refresh(run, *id, token.as_ref()).await.map(Some),
                }
            }
        }
    }

    /// A token in place of one that the vendor refused; `None` where there is no other.
    ///
    /// # Errors
    /// As [`Credentials::token`].
    pub(crate) async fn renew(&self, run: &Run, refused: &SecretString) -> Result<Option<SecretString>, Fault> {
        match self {
            Self::Minted(_) | Self::Entered { .. } | Self::Operator => Ok(None),
            Self::Connection(..) if !matches!(run.release.manifest.auth, Auth::Oauth2(_)) => Ok(None),
            Self::Connection(id, at_hand) => {
                at_hand.lock().unwrap_or_else(PoisonError::into_inner).take();
                refresh(run, *id, Some(refused)).await.map(Some)
            }
        }
    }
}

/// One lock a connection, for as long as somebody holds or awaits it.
#[derive(Debug, Default)]
pub(crate) struct Refreshing(Mutex<HashMap<ConnectionId, Arc<tokio::sync::Mutex<()>>>>);

impl Refreshing {
    fn of(&self, id: ConnectionId) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|other, lock| *other == id || Arc::strong_count(lock) > 1);
        locks.entry(id).or_default().clone()
    }
}

/// Refreshes a connection's token, unless somebody else just did: `stale` is the token that no longer serves.
async fn refresh(run: &Run, id: ConnectionId, stale: Option<&SecretString>) -> Result<SecretString, Fault> {
    let services = &run.services;
    let lock = services.refreshing.of(id);
    let _alone = lock.lock().await;
    let stored = Stored::find(run, id).await?;
    let stale = stale.map(|secret| secret.expose_secret());
    if let Some(current) = stored.access
        && stale != Some(current.expose_secret())
    {
        return Ok(current);
    }
    let Some(refresh_token) = stored.refresh else {
        return Err(revoked(services, id, "the vendor gave no refresh token: connect the account again").await);
    };
    let Auth::Oauth2(oauth) = &run.release.manifest.auth else {
        return Err(Fault::bug("the connector has no OAuth"));
    };
    run.secrets.add(&refresh_token);
    match oauth::refresh(services, &run.release, oauth, &refresh_token).await {
        Ok(tokens) => {
            let now = services.clock.now();
            let written: anyhow::Result<()> = async {
                let mut tx = services.db.begin().await?;
                store(&mut tx, &services.vault, run.workspace, id, &tokens, now).await?;
                Ok(tx.commit().await?)
            }
            .await;
            // A token that could not be stored still serves this request; the next one will try to refresh again.
            if let Err(error) = written {
                tracing::error!(connection = %id, error = format!("{error:#}"), "refreshed tokens could not be stored");
            }
            Ok(tokens.access)
        }
        Err(RefreshError::Revoked(words)) => Err(revoked(services, id, &words).await),
        Err(RefreshError::Transient(words)) => {
            Err(Fault::new(FaultKind::VendorDown, format!("refreshing failed: {words}")))
        }
        Err(RefreshError::Misconfigured(words)) => {
            tracing::error!(connection = %id, connector = run.release.manifest.id, "the vendor refuses this host's app: {words}");
            Err(Fault::new(FaultKind::VendorDown, format!("the vendor refuses this host's app: {words}")))
        }
    }
}

async fn revoked(services: &Services, id: ConnectionId, words: &str) -> Fault {
    let marked: sqlx::Result<()> = async {
        let mut tx = services.db.begin().await?;
        connections::mark_revoked(&mut tx, id, services.clock.now()).await?;
        tx.commit().await
    }
    .await;
    if let Err(error) = marked {
        tracing::error!(connection = %id, %error, "a revoked connection could not be marked");
    }
    Fault::new(FaultKind::AuthExpired, format!("the connection is no longer valid: {words}"))
}

fn internal(error: &anyhow::Error) -> Fault {
    tracing::error!(error = format!("{error:#}"), "credentials could not be read");
    unreadable()
}

fn unreadable() -> Fault {
    Fault::new(FaultKind::Cancelled, "the host could not read the connection's credentials")
}

/// A connection's tokens or fields as they are stored.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    access: Option<SecretString>,
    refresh: Option<SecretString>,
    /// When the access token ends; `None` where the vendor sets no end.
    expires_at: Option<Timestamp>,
    /// What a person entered, by the names of the fields.
    fields: BTreeMap<String, SecretString>,
}

const SELECT: &str =
    "select name, sealed, expires_at from connection_secrets where workspace_id = $1 and connection_id = $2";
const UPSERT: &str =
    "insert into connection_secrets (connection_id, workspace_id, name, sealed, expires_at, updated_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (connection_id, name) do update set
        sealed = excluded.sealed, expires_at = excluded.expires_at, updated_at = excluded.updated_at";

impl Stored {
    async fn find(run: &Run, id: ConnectionId) -> Result<Self, Fault> {
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
        match Self::read_once(tx, vault, workspace, id).await {
            // The keys were replaced between reading and opening.
            Err(error) if error.is::<NoDataKey>() => Self::read_once(tx, vault, workspace, id).await,
            read => read,
        }
    }

    async fn read_once(tx: &mut Tx, vault: &Vault, workspace: WorkspaceId, id: ConnectionId) -> anyhow::Result<Self> {
        let rows: Vec<(String, Vec<u8>, Option<Timestamp>)> =
            on!(tx, conn => sqlx::query_as(SELECT).bind(workspace).bind(id).fetch_all(conn).await)?;
        let mut stored = Self { access: None, refresh: None, expires_at: None, fields: BTreeMap::new() };
        for (name, sealed, expires_at) in rows {
            let secret = vault.unseal(tx, &identity(workspace, id, &name), &sealed).await?;
            match name.as_str() {
                ACCESS => (stored.access, stored.expires_at) = (Some(secret), expires_at),
                REFRESH => stored.refresh = Some(secret),
                other => {
                    if let Some(field) = other.strip_prefix(FIELD) {
                        stored.fields.insert(field.to_owned(), secret);
                    }
                }
            }
        }
        Ok(stored)
    }
}

/// Every token that is stored for a connection, the refresh token first.
pub(crate) async fn stored(
    services: &Services,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> anyhow::Result<Vec<SecretString>> {
    let Stored { access, refresh, .. } =
        Stored::read(&mut services.db.read().await?, &services.vault, workspace, id).await?;
    Ok(refresh.into_iter().chain(access).collect())
}

/// What a sealed secret is bound to.
pub(super) fn identity(workspace: WorkspaceId, connection: ConnectionId, name: &str) -> String {
    format!("connection_secrets/{workspace}/{connection}/{name}")
}

/// Stores a connection's tokens. An absent or empty refresh token leaves the stored one as it is.
///
/// # Errors
/// The database failed.
pub(crate) async fn store(
    tx: &mut Tx,
    vault: &Vault,
    workspace: WorkspaceId,
    connection: ConnectionId,
    tokens: &Tokens,
    now: Timestamp,
) -> anyhow::Result<()> {
    let secrets = [(ACCESS, Some(&tokens.access), tokens.expires_at), (REFRESH, tokens.refresh.as_ref(), None)];
    for (name, secret, expires_at) in secrets {
        let Some(secret) = secret.filter(|secret| !secret.expose_secret().is_empty()) else { continue };
        let sealed = vault.seal(tx, workspace, &identity(workspace, connection, name), secret, now).await?;
        upsert(tx, workspace, connection, (name, sealed, expires_at), now).await?;
    }
    Ok(())
}

const CLEAR: &str = "delete from connection_secrets where workspace_id = $1 and connection_id = $2";

/// Stores what a person entered, in place of all that was stored for the connection.
///
/// # Errors
/// The database failed.
pub(crate) async fn store_entered(
    tx: &mut Tx,
    vault: &Vault,
    workspace: WorkspaceId,
    connection: ConnectionId,
    entered: &Entered,
    now: Timestamp,
) -> anyhow::Result<()> {
    on!(tx, conn => sqlx::query(CLEAR).bind(workspace).bind(connection).execute(conn).await.map(drop))?;
    for (field, value) in entered.values() {
        let name = format!("{FIELD}{field}");
        let sealed = vault.seal(tx, workspace, &identity(workspace, connection, &name), value, now).await?;
        upsert(tx, workspace, connection, (&name, sealed, None), now).await?;
    }
    Ok(())
}

/// Writes a secret: its name, sealed, and when it ends.
async fn upsert(
    tx: &mut Tx,
    workspace: WorkspaceId,
    connection: ConnectionId,
    (name, sealed, expires_at): (&str, Vec<u8>, Option<Timestamp>),
    now: Timestamp,
) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(UPSERT)
        .bind(connection).bind(workspace).bind(name).bind(sealed).bind(expires_at).bind(now)
        .execute(conn).await.map(drop))
}
