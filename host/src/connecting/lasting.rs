//! How long a connection lasts: for good where its tokens can be renewed, else until its token ends. A person hears of that
//! while connecting, and not when a post fails.

use super::platforms;
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::connections::NewConnection;
use crate::connectors::oauth::{Client, Tokens};
use crate::db::Tx;
use crate::id::{AppId, WorkspaceId};
use crate::on;
use orla_manifest::Refresh;

/// The end of a connection that nobody can renew.
#[derive(Debug)]
pub(super) struct End {
    pub(super) at: Timestamp,
    /// Why, and what to do, for a person.
    pub(super) words: String,
}

/// When an account that was just connected ends, read before it is stored; `None` where its tokens can be renewed, or have
/// no end that is known.
///
/// # Errors
/// The database failed.
pub(super) async fn end(
    app: &App,
    tx: &mut Tx,
    client: Client<'_>,
    new: &NewConnection<'_>,
    tokens: &Tokens,
) -> sqlx::Result<Option<End>> {
    let Some(at) = tokens.expires_at else { return Ok(None) };
    let name = &client.release.manifest.name;
    let first = platforms::first_step(app, new.platform);
    let until = day(at);
    let words = match &client.oauth.refresh {
        Refresh::Exchange { .. } => return Ok(None),
        Refresh::Token if tokens.refresh.is_some() || is_kept(tx, new).await? => return Ok(None),
        Refresh::Token => format!(
            "{name} gave nothing to renew this connection with, so it lasts until {until}. Connect it again before then \
             ({first}), and allow access while you are away (offline access). If that does not help, whoever made the app at \
             {name} has to ask for that permission there."
        ),
        Refresh::None => format!(
            "{name} lets nobody renew a connection, so this one lasts until {until}. Connect it again before then: {first}."
        ),
    };
    Ok(Some(End { at, words }))
}

/// A moment as a person reads it.
fn day(at: Timestamp) -> String {
    let calendar = at.calendar();
    let written = calendar.map(|at| format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute()));
    written.unwrap_or_else(|| "the end of time".to_owned())
}

const KEPT: &str = "select c.app_id from connections c
    join connection_secrets s on s.connection_id = c.id and s.name = 'refresh_token'
    where c.workspace_id = $1 and c.connector = $2 and c.vendor_id = $3 and c.state = 'active'";

/// Whether the account has a refresh token already that still serves: of the same app, and not refused by the vendor. Many
/// vendors give one only to who agrees for the first time.
async fn is_kept(tx: &mut Tx, new: &NewConnection<'_>) -> sqlx::Result<bool> {
    let minted_by: Option<Option<AppId>> = on!(tx, conn => sqlx::query_scalar(KEPT)
        .bind(new.workspace).bind(new.connector).bind(new.vendor_id).fetch_optional(conn).await)?;
    Ok(minted_by.is_some_and(|app| app == new.app))
}

const SET: &str = "update connections set ends_at = $1, ends_words = $2
    where workspace_id = $3 and connector = $4 and vendor_id = $5";

/// Notes when an account ends, or that it does not.
///
/// # Errors
/// The database failed.
pub(super) async fn note(tx: &mut Tx, new: &NewConnection<'_>, end: Option<&End>) -> sqlx::Result<()> {
    let (at, words) = (end.map(|end| end.at), end.map(|end| end.words.as_str()));
    let workspace: WorkspaceId = new.workspace;
    on!(tx, conn => sqlx::query(SET)
        .bind(at).bind(words).bind(workspace).bind(new.connector).bind(new.vendor_id).execute(conn).await.map(drop))
}
