//! Sending anew what was given up or is wanted once more, and trying an endpoint out.

use super::{Endpoint, State, queue};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::events::{self, Change, EventType};
use crate::id::OutboxEventId;
use crate::on;
use serde_json::json;

/// What to send anew.
#[derive(Debug, Clone, Copy)]
pub enum What {
    /// This event, whatever became of it.
    Event(OutboxEventId),
    /// All events of that moment and later that were given up.
    FailedSince(Timestamp),
}

// What is in somebody's hands stays there.
const ONE: &str = "insert into deliveries
    (endpoint_id, event_id, workspace_id, subject, sequence, state, attempts, created_at)
    select $1, id, workspace_id, subject, sequence, 'waiting', 0, created_at from events
        where workspace_id = $2 and id = $3
    on conflict (endpoint_id, event_id) do update set state = 'waiting', attempts = 0, next_at = null, finished_at = null
        where deliveries.lease is null";
const KNOWN: &str = "select count(*) from events where workspace_id = $1 and id = $2";
const FAILED: &str = "update deliveries set state = 'waiting', attempts = 0, next_at = null, finished_at = null
    where endpoint_id = $1 and state = 'failed' and created_at >= $2";

/// Sends events anew, those of a subject in their order. Gives how many.
///
/// # Errors
/// There is no such event, the endpoint is disabled, or the database failed.
pub async fn replay(app: &App, endpoint: &Endpoint, what: What) -> Result<u64> {
    if endpoint.state()? == State::Disabled {
        return Err(not_active("It is disabled: resume it first."));
    }
    let (now, id) = (app.now(), endpoint.id);
    let mut tx = app.db().begin().await?;
    queue::lock(&mut tx, id).await?;
    let count = match what {
        What::Event(event) => {
            let known: i64 = on!(&mut tx, conn => sqlx::query_scalar(KNOWN)
                .bind(endpoint.workspace_id).bind(event).fetch_one(conn).await)?;
            if known == 0 {
                return Err(Error::NotFound("event"));
            }
            on!(&mut tx, conn => sqlx::query(ONE).bind(id).bind(endpoint.workspace_id).bind(event)
                .execute(conn).await.map(|done| done.rows_affected()))?
        }
        What::FailedSince(since) => on!(&mut tx, conn => sqlx::query(FAILED).bind(id).bind(since)
            .execute(conn).await.map(|done| done.rows_affected()))?,
    };
    queue::put_in_order(&mut tx, id, now).await?;
    tx.commit().await?;
    app.wake_events();
    Ok(count)
}

/// Sends an event to an endpoint that says nothing, to try it out. It is sent once.
///
/// # Errors
/// The endpoint is not active, or the database failed.
pub async fn ping(app: &App, endpoint: &Endpoint) -> Result<OutboxEventId> {
    if endpoint.state()? != State::Active {
        return Err(not_active("It is not active: resume it first."));
    }
    let change = Change { workspace: endpoint.workspace_id, kind: EventType::Ping, subject: endpoint.id.0 };
    let mut tx = app.db().begin().await?;
    // Pings of an endpoint are numbered one after the other; and it is not deleted meanwhile.
    queue::lock(&mut tx, endpoint.id).await?;
    let data = json!({"webhook_id": endpoint.id, "description": endpoint.description});
    let event = events::write(&mut tx, change, &data, &[endpoint.id], app.now()).await?;
    tx.commit().await?;
    app.wake_events();
    Ok(event)
}

fn not_active(detail: &str) -> Error {
    Error::Conflict { code: "webhook_not_active", detail: detail.to_owned() }
}
