//! What signs that which endpoints are told. It is shown once, when it is made.

use super::Endpoint;
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::signing::WEBHOOK_KEY_PREFIX;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{EndpointId, WebhookSecretId, WorkspaceId};
use crate::on;
use crate::vault::{NoDataKey, Vault};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt as _;
use secrecy::SecretString;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a secret still signs beside the one that has taken its place.
const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);
/// Most secrets that sign at a time.
const MAX_SECRETS: i64 = 5;

/// A new secret: `whsec_` and 32 random bytes in base64.
pub(super) fn make() -> SecretString {
    let mut key = Zeroizing::new([0; 32]);
    rand::rng().fill(&mut *key);
    let encoded = Zeroizing::new(STANDARD.encode(*key));
    SecretString::from(format!("{WEBHOOK_KEY_PREFIX}{}", *encoded))
}

/// What a sealed secret is bound to.
pub(crate) fn identity(workspace: WorkspaceId, id: WebhookSecretId) -> String {
    format!("webhook_secrets/{workspace}/{id}")
}

const INSERT: &str = "insert into webhook_secrets (id, endpoint_id, workspace_id, sealed, created_at)
    values ($1, $2, $3, $4, $5)";

/// Keeps a secret of an endpoint's, sealed.
pub(super) async fn keep(
    tx: &mut Tx,
    vault: &Vault,
    endpoint: &Endpoint,
    secret: &SecretString,
    now: Timestamp,
) -> anyhow::Result<()> {
    let (id, workspace) = (WebhookSecretId::new(), endpoint.workspace_id);
    let sealed = vault.seal(tx, workspace, &identity(workspace, id), secret, now).await?;
    Ok(on!(tx, conn => sqlx::query(INSERT)
        .bind(id).bind(endpoint.id).bind(workspace).bind(sealed).bind(now).execute(conn).await.map(drop))?)
}

const ALIVE: &str = "select id, sealed from webhook_secrets
    where workspace_id = $1 and endpoint_id = $2 and (ends_at is null or ends_at > $3) order by id desc";

/// The secrets that sign now, the newest first.
///
/// # Errors
/// The database failed, or one does not open.
pub(super) async fn alive(
    tx: &mut Tx,
    vault: &Vault,
    workspace: WorkspaceId,
    endpoint: EndpointId,
    now: Timestamp,
) -> anyhow::Result<Vec<SecretString>> {
    match alive_once(tx, vault, workspace, endpoint, now).await {
        // The keys were replaced between reading and opening.
        Err(error) if error.is::<NoDataKey>() => alive_once(tx, vault, workspace, endpoint, now).await,
        alive => alive,
    }
}

async fn alive_once(
    tx: &mut Tx,
    vault: &Vault,
    workspace: WorkspaceId,
    endpoint: EndpointId,
    now: Timestamp,
) -> anyhow::Result<Vec<SecretString>> {
    let rows: Vec<(WebhookSecretId, Vec<u8>)> = on!(&mut *tx, conn => sqlx::query_as(ALIVE)
        .bind(workspace).bind(endpoint).bind(now).fetch_all(conn).await)?;
    let mut secrets = Vec::with_capacity(rows.len());
    for (id, sealed) in rows {
        secrets.push(vault.unseal(tx, &identity(workspace, id), &sealed).await?);
    }
    Ok(secrets)
}

const END: &str =
    "update webhook_secrets set ends_at = $1 where workspace_id = $2 and endpoint_id = $3 and ends_at is null";
const COUNT: &str = "select count(*) from webhook_secrets
    where workspace_id = $1 and endpoint_id = $2 and (ends_at is null or ends_at > $3)";

/// A secret that has taken the place of another.
#[derive(Debug)]
pub struct Rotated {
    /// The new one.
    pub secret: SecretString,
    /// Until when the others sign as well.
    pub others_until: Timestamp,
}

/// Gives an endpoint a new secret. The one before signs beside it for a day, so that the receiver can change it in its own time.
///
/// # Errors
/// It was changed too often within that time, or the database failed.
pub async fn rotate(app: &App, endpoint: &Endpoint) -> Result<Rotated> {
    let (now, secret) = (app.now(), make());
    let others_until = now.after(OVERLAP);
    let (workspace, id) = (endpoint.workspace_id, endpoint.id);
    let mut tx = app.db().begin().await?;
    // Two rotations at once would leave two newest.
    super::queue::lock(&mut tx, id).await?;
    let count: i64 =
        on!(&mut tx, conn => sqlx::query_scalar(COUNT).bind(workspace).bind(id).bind(now).fetch_one(conn).await)?;
    if count >= MAX_SECRETS {
        let detail = format!("{MAX_SECRETS} secrets sign at this time. The oldest ends within a day; rotate then.");
        return Err(Error::Conflict { code: "too_many_secrets", detail });
    }
    on!(&mut tx, conn => sqlx::query(END).bind(others_until).bind(workspace).bind(id).execute(conn).await.map(drop))?;
    keep(&mut tx, app.vault(), endpoint, &secret, now).await?;
    tx.commit().await?;
    Ok(Rotated { secret, others_until })
}
