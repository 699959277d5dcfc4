//! What is told to the outside: the outbox.
//!
//! An event is written in the transaction that makes the change it tells of, together with a delivery for each endpoint of the
//! workspace that wants it; where none does, nothing is written. [`webhooks`](crate::webhooks) sends what stands here. This room
//! knows neither what a change means nor how it is sent.
//!
//! Events of one subject are delivered in their order. Of an endpoint's unfinished deliveries of a subject only the first is
//! `pending`, the others are `waiting`: whoever finishes it lets the next one go. Two transactions meet at the rows of those
//! deliveries, so none is forgotten, and at nothing else.

mod kind;

pub use kind::EventType;

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::{EndpointId, OutboxEventId, WorkspaceId};
use crate::on;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A change that somebody may want to be told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    /// Whose it is.
    pub(crate) workspace: WorkspaceId,
    /// What happened.
    pub(crate) kind: EventType,
    /// To what. The caller has its row locked, so its changes come one after the other.
    pub(crate) subject: Uuid,
}

// Whoever tells must not lose an endpoint before its own end: it would refer to a row that is gone.
const ENDPOINTS_SQLITE: &str =
    "select id, types from webhook_endpoints where workspace_id = $1 and state <> 'disabled' order by id";
const ENDPOINTS_POSTGRES: &str =
    "select id, types from webhook_endpoints where workspace_id = $1 and state <> 'disabled'
    order by id for key share";

/// Tells the endpoints that want to know of a change, in the transaction that makes it.
///
/// # Errors
/// The database failed, or the data are no JSON.
pub(crate) async fn tell(tx: &mut Tx, change: Change, data: &impl Serialize, now: Timestamp) -> sqlx::Result<()> {
    let select = if tx.is_postgres() { ENDPOINTS_POSTGRES } else { ENDPOINTS_SQLITE };
    let endpoints: Vec<(EndpointId, String)> =
        on!(&mut *tx, conn => sqlx::query_as(select).bind(change.workspace).fetch_all(conn).await)?;
    let wanting = endpoints.iter().filter(|(_, types)| change.kind.is_among(types));
    let wanting: Vec<EndpointId> = wanting.map(|(id, _)| *id).collect();
    if wanting.is_empty() {
        return Ok(());
    }
    write(tx, change, data, &wanting, now).await.map(drop)
}

// A number is never given twice, also when the events before it were swept. It is a moment, in microseconds, unless that one
// was given already.
const INSERT: &str = "insert into events (id, workspace_id, type, subject, sequence, data, created_at)
    values ($1, $2, $3, $4,
        (select coalesce(max(case when sequence >= $5 then sequence + 1 else $5 end), $5) from events where subject = $4),
        $6, $5)
    returning sequence";
// Changes nothing but whom it meets: who finishes one of these at this moment is waited for, and the other way round.
const BEFORE_IT: &str = "update deliveries set next_at = next_at where subject = $1 and finished_at is null
    returning endpoint_id";
const DELIVER: &str = "insert into deliveries
    (endpoint_id, event_id, workspace_id, subject, sequence, state, attempts, next_at, created_at)
    values ($1, $2, $3, $4, $5, $6, 0, $7, $8)";

/// Writes an event down, for these endpoints, whatever they want.
///
/// # Errors
/// As [`tell`].
pub(crate) async fn write(
    tx: &mut Tx,
    change: Change,
    data: &impl Serialize,
    endpoints: &[EndpointId],
    now: Timestamp,
) -> sqlx::Result<OutboxEventId> {
    let Change { workspace, kind, subject } = change;
    let data = serde_json::to_string(data).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let id = OutboxEventId::new();
    let sequence: i64 = on!(&mut *tx, conn => sqlx::query_scalar(INSERT)
        .bind(id).bind(workspace).bind(kind.word()).bind(subject).bind(now).bind(data)
        .fetch_one(conn).await)?;
    let behind: Vec<EndpointId> =
        on!(&mut *tx, conn => sqlx::query_scalar(BEFORE_IT).bind(subject).fetch_all(conn).await)?;
    let behind: BTreeSet<EndpointId> = behind.into_iter().collect();
    for endpoint in endpoints {
        let (state, next_at) = if behind.contains(endpoint) { ("waiting", None) } else { ("pending", Some(now)) };
        on!(&mut *tx, conn => sqlx::query(DELIVER)
            .bind(endpoint).bind(id).bind(workspace).bind(subject).bind(sequence).bind(state).bind(next_at).bind(now)
            .execute(conn).await.map(drop))?;
    }
    Ok(id)
}

/// An event, as it is shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WebhookEvent)]
pub struct Event {
    /// Its id: the header `webhook-id` of what is sent.
    pub id: OutboxEventId,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// To what: the id of a publication, a video, a connection, the workspace or an endpoint.
    pub subject_id: Uuid,
    /// Later events of the same subject have greater numbers.
    pub sequence: i64,
    /// What is told of it.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
    /// When it happened.
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: OutboxEventId,
    r#type: String,
    subject: Uuid,
    sequence: i64,
    data: String,
    created_at: Timestamp,
}

const LIST: &str = "select id, type, subject, sequence, data, created_at from events
    where workspace_id = $1 and id < $2 order by id desc limit $3";

/// A workspace's events before one, newest first.
///
/// # Errors
/// The database failed, or holds what this program does not know.
pub async fn list(
    tx: &mut Tx,
    workspace: WorkspaceId,
    before: Option<OutboxEventId>,
    limit: i64,
) -> anyhow::Result<Vec<Event>> {
    let before = before.unwrap_or(OutboxEventId(Uuid::max()));
    let rows: Vec<Row> =
        on!(tx, conn => sqlx::query_as(LIST).bind(workspace).bind(before).bind(limit).fetch_all(conn).await)?;
    let events = rows.into_iter().map(|row| {
        let Row { id, r#type, subject, sequence, data, created_at } = row;
        let (kind, data) = (r#type.parse()?, RawValue::from_string(data)?);
        Ok(Event { id, kind, subject_id: subject, sequence, data, created_at })
    });
    events.collect()
}
