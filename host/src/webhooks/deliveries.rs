//! What became of the events that an endpoint was to be told, for the person who asks.

use super::Endpoint;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::events::EventType;
use crate::id::OutboxEventId;
use crate::on;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// An earlier event of its subject comes first.
    Waiting,
    /// It is sent at its time.
    Pending,
    /// The receiver has it.
    Delivered,
    /// It was given up.
    Failed,
}

impl DeliveryState {
    fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// An event on its way to an endpoint.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Delivery {
    /// The event.
    pub event_id: OutboxEventId,
    /// What it tells.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// Of what.
    pub subject_id: Uuid,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: i64,
    /// When the next one is made, or the present one counts as lost.
    pub next_at: Option<Timestamp>,
    /// The status of the last answer; null where there was none.
    pub status: Option<i64>,
    /// What came of the last attempt.
    pub words: Option<String>,
    /// The beginning of the last answer.
    pub excerpt: Option<String>,
    /// When the event happened.
    pub created_at: Timestamp,
    /// When it was delivered or given up.
    pub finished_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    event_id: OutboxEventId,
    r#type: String,
    subject: Uuid,
    state: String,
    attempts: i64,
    next_at: Option<Timestamp>,
    status: Option<i64>,
    words: Option<String>,
    excerpt: Option<String>,
    created_at: Timestamp,
    finished_at: Option<Timestamp>,
}

const LIST: &str = "select d.event_id, v.type, d.subject, d.state, d.attempts, d.next_at, d.status, d.words, d.excerpt,
        d.created_at, d.finished_at
    from deliveries d join events v on v.id = d.event_id
    where d.workspace_id = $1 and d.endpoint_id = $2 and d.event_id < $3 and ($4 = '' or d.state = $4)
    order by d.event_id desc limit $5";

/// An endpoint's deliveries before one, newest first; of one state only, if wanted.
///
/// # Errors
/// The database failed, or holds what this program does not know.
pub async fn deliveries(
    tx: &mut Tx,
    endpoint: &Endpoint,
    state: Option<DeliveryState>,
    before: Option<OutboxEventId>,
    limit: i64,
) -> anyhow::Result<Vec<Delivery>> {
    let before = before.unwrap_or(OutboxEventId(Uuid::max()));
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(LIST)
        .bind(endpoint.workspace_id).bind(endpoint.id).bind(before).bind(state.map_or("", DeliveryState::word))
        .bind(limit).fetch_all(conn).await)?;
    let shown = rows.into_iter().map(|row| {
        Ok(Delivery {
            event_id: row.event_id,
            kind: row.r#type.parse()?,
            subject_id: row.subject,
            state: serde_json::from_value(row.state.into())?,
            attempts: row.attempts,
            next_at: row.next_at,
            status: row.status,
            words: row.words,
            excerpt: row.excerpt,
            created_at: row.created_at,
            finished_at: row.finished_at,
        })
    });
    shown.collect()
}
