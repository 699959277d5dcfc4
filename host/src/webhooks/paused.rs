//! Telling a workspace that nothing is sent to an endpoint any more: once, with the way to have it sent again.

use crate::app::App;
use crate::id::{EndpointId, UserId};
use crate::mail::Recipient;
use crate::on;

const FIND: &str = "select u.id, u.email, e.url, coalesce(e.reason, '')
    from webhook_endpoints e join users u on u.id = e.created_by where e.id = $1 and e.state = 'paused'";

/// Mails the person who made an endpoint that it is paused, unless it has been resumed meanwhile. Doing it twice sends the same
/// mail twice.
///
/// # Errors
/// The database or the mail server failed; it may be done again.
pub(crate) async fn tell(app: &App, endpoint: EndpointId) -> anyhow::Result<()> {
    let found: Option<(UserId, String, String, String)> = {
        let mut tx = app.db().read().await?;
        on!(&mut tx, conn => sqlx::query_as(FIND).bind(endpoint).fetch_optional(conn).await)?
    };
    let Some((user, address, url, reason)) = found else { return Ok(()) };
    let public = app.config().public();
    let text = format!(
        "Orla tells this URL of events, and tells it nothing at present:\n\n{url}\n\n{reason}\n\n\
         What happens meanwhile is kept for 30 days and waits. When the receiver works again, resume it:\n\n\
         POST {public}/webhooks/{endpoint}/resume\n\n\
         What was given up before is sent anew by POST {public}/webhooks/{endpoint}/replay\n"
    );
    app.mailer().send(&Recipient { user, address }, "A webhook is paused", &text).await
}
