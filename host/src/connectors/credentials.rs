//! Whose credentials a run uses. Nothing here ever reaches a guest, and an empty value never overwrites a good one.

mod stored;

pub(super) use stored::Sealed;
pub(crate) use stored::{Stored, Way};

use super::apps;
use super::entered::Entered;
use super::fault::{Fault, FaultKind};
use super::oauth::Tokens;
use super::refreshing::{Renewal, internal, unreadable};
use super::run::Run;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::{AppId, ConnectionId, WorkspaceId};
use crate::on;
use crate::vault::Vault;
use orla_manifest::{Auth, Fields, Sign};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A token that ends sooner than this is refreshed before it is used.
const MARGIN: Duration = Duration::from_secs(60);
const ACCESS: &str = "access_token";
const REFRESH: &str = "refresh_token";
/// Before the name of a field.
const FIELD: &str = "field/";
/// Before the name of a slot.
const SLOT: &str = "slot/";

/// Whose credentials sign the requests of a run.
#[derive(Debug)]
pub(crate) enum Credentials {
    /// A token that was just minted, for the account that is being connected.
    Minted {
        /// The token.
        token: SecretString,
        /// The app that it was minted for.
        app: Option<AppId>,
        /// That app's secret.
        app_secret: Option<SecretString>,
    },
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
            Auth::None | Auth::Oauth2(_) | Auth::ApiKey(_) | Auth::ServiceAccount(_) => {
                Self::Connection(id, Mutex::new(stored))
            }
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
            Self::Minted { .. } | Self::Connection(..) | Self::Operator => {
                Err(Fault::bug("nobody has entered any fields for this call"))
            }
        }
    }

    /// Names the credentials without telling them.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::Minted { .. } | Self::Entered { connection: None, .. } => "minted".to_owned(),
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
            (Sign::Basic { user, password }, _) => {
                let entered = self.entered()?;
                let (user, password) = (entered.value(user)?, entered.value(password)?);
                Ok(Some(SecretString::from(format!("{}:{}", user.expose_secret(), password.expose_secret()))))
            }
            (Sign::Bearer | Sign::Header { .. } | Sign::Query { .. }, _) => self.access(run).await.map(Some),
        }
    }

    /// What stands for the account: an access token, a key, or the token that a person entered.
    async fn access(&self, run: &Run) -> Result<SecretString, Fault> {
        match self {
            Self::Entered { .. } => {
                let Auth::Fields(Fields { token: Some(token), .. }) = &run.release.manifest.auth else {
                    return Err(Fault::bug("no field of the connector's is its token"));
                };
                self.entered()?.value(token).cloned()
            }
            Self::Minted { token, .. } => Ok(token.clone()),
            Self::Operator => match run.services.api_key(&run.release.manifest.id) {
                Some(key) => Ok(key.clone()),
                None => Err(Fault::new(FaultKind::AuthExpired, "the operator has set no key for this vendor")),
            },
            Self::Connection(id, at_hand) => fresh(run, *id, at_hand).await,
        }
    }

    /// The secret of the app that the token was minted for.
    ///
    /// # Errors
    /// No app did, or it cannot be read.
    pub(crate) async fn app_secret(&self, run: &Run) -> Result<Option<SecretString>, Fault> {
        match self {
            Self::Minted { app_secret, .. } => Ok(app_secret.clone()),
            Self::Connection(id, _) => {
                let app = Box::pin(apps::of_connection(&run.services, run.workspace, *id)).await;
                Ok(app.map_err(|error| internal(&error))?.client_secret)
            }
            Self::Entered { .. } | Self::Operator => Ok(None),
        }
    }

    /// The secret in a slot of the connection's, such as a page's own token.
    ///
    /// # Errors
    /// No answer has filled it, or it cannot be read.
    pub(crate) async fn slot(&self, run: &Run, slot: &str) -> Result<SecretString, Fault> {
        let missing = || {
            Fault::new(FaultKind::NotFound, format!("no answer of the vendor has filled the slot `{slot:.100}` yet"))
        };
        if let Some(secret) = run.slots.find(slot) {
            return Ok(secret);
        }
        let Self::Connection(id, _) = self else { return Err(missing()) };
        Box::pin(Stored::find(run, *id)).await?.slots.remove(slot).ok_or_else(missing)
    }

    /// A token in place of one that the vendor refused; `None` where there is no other.
    ///
    /// # Errors
    /// As [`Credentials::token`].
    pub(crate) async fn renew(&self, run: &Run, refused: &SecretString) -> Result<Option<SecretString>, Fault> {
        match self {
            Self::Minted { .. } | Self::Entered { .. } | Self::Operator => Ok(None),
            Self::Connection(id, at_hand) => {
                let auth = &run.release.manifest.auth;
                if auth.oauth2().is_none() && auth.service_account().is_none() {
                    return Ok(None);
                }
                at_hand.lock().unwrap_or_else(PoisonError::into_inner).take();
                renewed(run, *id, Some(refused)).await.map(Some)
            }
        }
    }
}

/// A connection's access token, renewed where it ends soon.
async fn fresh(run: &Run, id: ConnectionId, at_hand: &Mutex<Option<Stored>>) -> Result<SecretString, Fault> {
    let now = run.services.clock.now();
    let is_fresh = |stored: &Stored| stored.expires_at.is_none_or(|end| end > now.after(stored.margin()));
    let at_hand = at_hand.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let stored = match at_hand.filter(is_fresh) {
        Some(stored) => stored,
        // It ended meanwhile, and may have been refreshed since.
        None => Box::pin(Stored::find(run, id)).await?,
    };
    let is_fresh = is_fresh(&stored);
    match stored.access {
        Some(token) if is_fresh => Ok(token),
        token => match renewed(run, id, token.as_ref()).await {
            // It still serves for a moment, and the next request asks again.
            Err(Fault { kind: FaultKind::VendorDown, .. })
                if token.is_some() && stored.expires_at.is_some_and(|end| end > now) =>
            {
                token.ok_or_else(unreadable)
            }
            renewed => renewed,
        },
    }
}

async fn renewed(run: &Run, connection: ConnectionId, stale: Option<&SecretString>) -> Result<SecretString, Fault> {
    let Run { services, release, workspace, .. } = run;
    let about_to_send = &|secret: &SecretString| run.secrets.add(secret);
    let renewal = Renewal { services, release, workspace: *workspace, connection, stale, about_to_send };
    // Seldom, and large.
    Box::pin(renewal.token()).await
}

const UPSERT: &str =
    "insert into connection_secrets (connection_id, workspace_id, name, sealed, expires_at, updated_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (connection_id, name) do update set
        sealed = excluded.sealed, expires_at = excluded.expires_at, updated_at = excluded.updated_at";

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

/// Stores what answers have put into slots.
///
/// # Errors
/// The database failed.
pub(crate) async fn store_slots(
    tx: &mut Tx,
    vault: &Vault,
    workspace: WorkspaceId,
    connection: ConnectionId,
    slots: &BTreeMap<String, SecretString>,
    now: Timestamp,
) -> anyhow::Result<()> {
    for (slot, secret) in slots {
        let name = format!("{SLOT}{slot}");
        let sealed = vault.seal(tx, workspace, &identity(workspace, connection, &name), secret, now).await?;
        upsert(tx, workspace, connection, (&name, sealed, None), now).await?;
    }
    Ok(())
}

const CLEAR: &str = "delete from connection_secrets where workspace_id = $1 and connection_id = $2";
const CLEAR_ENTERED: &str =
    "delete from connection_secrets where workspace_id = $1 and connection_id = $2 and name like 'field/%'";

/// Forgets what a person entered: the account is connected in another way by now.
///
/// # Errors
/// The database failed.
pub(crate) async fn forget_entered(tx: &mut Tx, workspace: WorkspaceId, connection: ConnectionId) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(CLEAR_ENTERED).bind(workspace).bind(connection).execute(conn).await.map(drop))
}

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
