//! Keeping connections alive that nobody uses: a vendor forgets what is not renewed, and a person should hear of a lost
//! connection before a post fails.

use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::credentials::{Stored, Way};
use crate::connectors::oauth;
use crate::connectors::refreshing::Renewal;
use crate::id::{ConnectionId, WorkspaceId};
use crate::{on, rounds};
use orla_manifest::Refresh;
use std::time::Duration;

/// How often a node looks for connections that rest.
const EVERY: Duration = Duration::from_secs(15 * 60);
/// How long a connection rests before its tokens are renewed.
const REST: Duration = Duration::from_secs(24 * 3_600);
/// Connections of one look.
const AT_ONCE: i64 = 500;

/// Renews what rests, time and again until the host stops.
pub async fn watch(app: App) {
    let failing = "connections at rest could not be looked at and are again";
    rounds::keep(app, EVERY, failing, |app| Box::pin(async move { sweep(app).await.map(drop) })).await;
}

const RESTING: &str = "select id, workspace_id, connector from connections c
    where state = 'active' and refreshed_at <= $1 and (refresh_after is null or refresh_after <= $2)
        and exists (select 1 from connection_secrets s where s.connection_id = c.id and s.name = 'access_token')
    order by refreshed_at limit $3";

/// Renews the tokens of connections that nobody has for a day. Gives how many were renewed.
///
/// # Errors
/// The database failed. What a vendor says to one connection stops no other.
pub async fn sweep(app: &App) -> anyhow::Result<usize> {
    let now = app.now();
    let resting: Vec<(ConnectionId, WorkspaceId, String)> = {
        let mut tx = app.db().read().await?;
        on!(&mut tx, conn => sqlx::query_as(RESTING)
            .bind(now.before(REST)).bind(now).bind(AT_ONCE).fetch_all(conn).await)?
    };
    let mut renewed = 0;
    for (connection, workspace, connector) in resting {
        if app.stopping().is_cancelled() {
            break;
        }
        match renew(app, workspace, connection, &connector, now).await {
            Ok(true) => renewed += 1,
            Ok(false) => {}
            Err(error) => tracing::warn!(%connection, "the connection {connection} could not be renewed: {error}"),
        }
    }
    Ok(renewed)
}

/// Renews a connection, if its vendor renews at all and it is time for it.
async fn renew(
    app: &App,
    workspace: WorkspaceId,
    connection: ConnectionId,
    connector: &str,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let Some(release) = app.connectors().active(connector) else { return Ok(false) };
    let services = app.connectors().services();
    let stored = Stored::read(&mut app.db().read().await?, app.vault(), workspace, connection).await?;
    let is_due = match stored.way(&release.manifest.auth) {
        Way::Oauth2(vendor) => match &vendor.refresh {
            Refresh::None => false,
            Refresh::Token => stored.tokens().1.is_some(),
            Refresh::Exchange { .. } => stored.ends_before(now.after(oauth::margin(vendor))),
        },
        Way::ServiceAccount(_) => true,
        Way::Other => false,
    };
    if !is_due {
        return Ok(false);
    }
    let (stale, about_to_send) = (stored.tokens().0, &|_: &_| {});
    let renewal = Renewal { services, release: &release, workspace, connection, stale, about_to_send };
    renewal.token().await.map_err(|fault| anyhow::anyhow!("{fault}"))?;
    Ok(true)
}
