//! Telling a workspace that a vendor no longer honours a connection: once, with the way to connect it again.

use crate::app::App;
use crate::connecting::platforms;
use crate::id::{ConnectionId, UserId};
use crate::mail::Recipient;
use crate::on;

const FIND: &str = "select u.id, u.email, c.platform, c.handle, coalesce(c.refresh_words, '')
    from connections c join users u on u.id = c.connected_by where c.id = $1 and c.state = 'revoked'";

/// Mails the person who connected an account that it has to be connected again, unless it has been meanwhile. Doing it twice
/// sends the same mail twice.
///
/// # Errors
/// The database or the mail server failed; it may be done again.
pub(crate) async fn tell(app: &App, connection: ConnectionId) -> anyhow::Result<()> {
    let found: Option<(UserId, String, String, String, String)> = {
        let mut tx = app.db().read().await?;
        on!(&mut tx, conn => sqlx::query_as(FIND).bind(connection).fetch_optional(conn).await)?
    };
    let Some((user, address, platform, handle, words)) = found else { return Ok(()) };
    let link = way_back(app, connection, &platform);
    let subject = format!("@{handle} is no longer connected");
    let text = format!(
        "The network `{platform}` no longer honours the connection of @{handle} to Orla.\n\n\
         It said: {words}\n\nNothing is posted there until somebody connects the account again:\n\n{link}\n"
    );
    app.mailer().send(&Recipient { user, address }, &subject, &text).await
}

/// Where a person connects an account again: a page of the web console, or the request where there is none.
pub(super) fn way_back(app: &App, connection: ConnectionId, platform: &str) -> String {
    match app.config().frontend_url.first() {
        Some(frontend) => format!("{}/connections?reconnect={connection}", frontend.as_str().trim_end_matches('/')),
        None => format!("{} ({})", platforms::first_step(app, platform), app.config().public()),
    }
}
