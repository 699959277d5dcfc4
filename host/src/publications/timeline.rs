//! What happened to a publication, move by move, for the person who asks why.

use super::{Publication, State, telling};
use crate::clock::Timestamp;
use crate::connectors::fault::{Fault, plain};
use crate::connectors::journal;
use crate::connectors::meter::Meter;
use crate::connectors::work::PartOutcome;
use crate::db::Tx;
use crate::db::bundle::Bundle;
use crate::error::Result;
use crate::id::{EventId, PublicationId, RunId};
use crate::{on, on_built};
use serde::Serialize;

/// One move.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// The attempt that it belongs to; 0 before the first.
    pub attempt: i64,
    /// The state after it.
    pub state: String,
    /// Why.
    pub reason: String,
    /// What the attempt used, where one ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meter: Option<Meter>,
}

/// One thing that the publication has done, or tried to do, to the outside world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Step {
    /// The connector's name of it, such as `part/0`.
    pub key: String,
    /// `prepare` or `commit`.
    pub kind: String,
    /// `started`, `done`, `refused`, `unknown`, `known` or `absent`; `doubtful` where it was not sent when a backup was made that
    /// was restored, and may have been since.
    pub state: String,
    /// When its first byte may have left.
    pub sent_at: Timestamp,
}

/// Longest reason.
const MAX_REASON_CHARS: usize = 2_000;

/// A move as it is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move<'a> {
    /// The state after it.
    pub(super) state: State,
    /// Why.
    pub(super) reason: &'a str,
    /// What the attempt used, where one ends.
    pub(super) meter: Option<&'a Meter>,
    /// What became of each part, where it is published.
    pub(super) receipt: Option<&'a [PartOutcome]>,
    /// Why it failed, or waits.
    pub(super) fault: Option<&'a Fault>,
}

impl<'a> Move<'a> {
    /// A move of which there is no more to say.
    pub(super) fn to(state: State, reason: &'a str) -> Self {
        Self { state, reason, meter: None, receipt: None, fault: None }
    }
}

macro_rules! insert {
    ($tail:literal) => {
        concat!(
            "insert into publication_events (id, publication_id, attempt, state, reason, meter, at)
            values ($1, $2, $3, $4, $5, $6, $7)",
            $tail
        )
    };
}
const INSERT: &str = insert!("");
// Also tells whether the workspace has anybody to tell: most have not, and are not to pay for asking.
const INSERT_AND_ASK: &str =
    insert!(" returning (select count(*) from (select 1 from webhook_endpoints where workspace_id = $8 limit 1) one)");
const SELECT: &str =
    "select at, attempt, state, reason, meter from publication_events where publication_id = $1 order by id";

/// Writes a move down, and has the workspace's endpoints told of it, in the transaction that makes it.
pub(super) async fn add(tx: &mut Tx, publication: &Publication, made: Move<'_>, now: Timestamp) -> Result<()> {
    let mut bundle = Bundle::new(tx);
    adding(&mut bundle, publication, &made, now)?;
    let endpoints = bundle.run(tx).await?.pop().flatten();
    tell(tx, publication, made, endpoints, now).await
}

/// Writes a move down as the last part of a bundle; [`tell`] follows, with what it answers.
pub(super) fn adding(bundle: &mut Bundle, publication: &Publication, made: &Move<'_>, now: Timestamp) -> Result<()> {
    let meter = made.meter.map(serde_json::to_string).transpose().map_err(anyhow::Error::from)?;
    let (id, attempt, state) = (EventId::new(), publication.attempts, made.state.word());
    let is_told = telling::kind_of(publication, made).is_some();
    bundle.add(if is_told { INSERT_AND_ASK } else { INSERT });
    bundle.bind(id).bind(publication.id).bind(attempt).bind(state).bind(quoted(made)).bind(meter).bind(now);
    if is_told {
        bundle.bind(publication.workspace_id);
    }
    Ok(())
}

/// Has the workspace's endpoints told of a move that was written down, where it has so many.
pub(super) async fn tell(
    tx: &mut Tx,
    publication: &Publication,
    made: Move<'_>,
    endpoints: Option<i64>,
    now: Timestamp,
) -> Result<()> {
    match telling::kind_of(publication, &made) {
        Some(kind) if endpoints.unwrap_or(0) > 0 => {
            telling::tell(tx, publication, kind, &Move { reason: &quoted(&made), ..made }, now).await
        }
        _ => Ok(()),
    }
}

/// Connectors and vendors are quoted in reasons. A move that cannot be written would be repeated for ever.
fn quoted(made: &Move<'_>) -> String {
    plain(made.reason, MAX_REASON_CHARS)
}

const INSERT_ALL: &str = "insert into publication_events (id, publication_id, attempt, state, reason, at) ";

/// Writes down that an attempt of each began. Nobody is told of that.
pub(super) async fn begun(tx: &mut Tx, publications: &[Publication], now: Timestamp) -> sqlx::Result<()> {
    if publications.is_empty() {
        return Ok(());
    }
    on_built!(tx, INSERT_ALL, (query, conn) => {
        query.push_values(publications, |mut to, publication| {
            let attempt = publication.attempts;
            to.push_bind(EventId::new()).push_bind(publication.id).push_bind(attempt);
            to.push_bind(State::Running.word()).push_bind(format!("attempt {attempt} begins")).push_bind(now);
        });
        query.build().execute(conn).await.map(drop)
    })
}

/// Writes down what happened to a publication that stays in its state. Nobody is told.
pub(super) async fn note(
    tx: &mut Tx,
    publication: &Publication,
    state: State,
    reason: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    let (id, attempt) = (EventId::new(), publication.attempts);
    on!(tx, conn => sqlx::query(INSERT)
        .bind(id).bind(publication.id).bind(attempt).bind(state.word()).bind(reason).bind(None::<String>).bind(now)
        .execute(conn).await.map(drop))
}

/// The moves of a publication, oldest first. The caller has made sure whose it is.
///
/// # Errors
/// The database failed.
pub async fn events(tx: &mut Tx, publication: PublicationId) -> Result<Vec<Event>> {
    let rows: Vec<(Timestamp, i64, String, String, Option<String>)> =
        on!(tx, conn => sqlx::query_as(SELECT).bind(publication).fetch_all(conn).await)?;
    let events = rows.into_iter().map(|(at, attempt, state, reason, meter)| {
        let meter = meter.as_deref().and_then(|meter| serde_json::from_str(meter).ok());
        Event { at, attempt, state, reason, meter }
    });
    Ok(events.collect())
}

/// The steps of a publication, in order. The caller has made sure whose it is.
///
/// # Errors
/// The database failed.
pub async fn steps(tx: &mut Tx, publication: PublicationId) -> Result<Vec<Step>> {
    let effects = journal::effects(tx, RunId::from(publication)).await?;
    Ok(effects
        .into_iter()
        .map(|effect| Step { key: effect.key, kind: effect.kind, state: effect.state, sent_at: effect.sent_at })
        .collect())
}
