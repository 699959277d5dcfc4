//! Writing what came of an attempt: the delivery, the next of its subject, and how the endpoint fares.

use super::delivering::Claim;
use super::queue;
use super::sending::{Answer, Message, Verdict};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::fault::plain;
use crate::db::Tx;
use crate::events::EventType;
use crate::id::EndpointId;
use crate::jobs::{self, Job};
use crate::on;
use rand::RngExt as _;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The pauses after the first attempt that failed, the second, and so on. After the last one, an event is given up.
const PAUSES: [Duration; 7] = [
    SECOND.saturating_mul(5),
    MINUTE.saturating_mul(5),
    MINUTE.saturating_mul(30),
    HOUR.saturating_mul(2),
    HOUR.saturating_mul(5),
    HOUR.saturating_mul(10),
    HOUR.saturating_mul(10),
];

/// How long an endpoint may do nothing but fail.
const LONGEST_FAILING: Duration = HOUR.saturating_mul(5 * 24);
/// And how often at least: an old failure and a new one are no row.
const LEAST_FAILURES: i64 = 10;
const MAX_WORDS: usize = 500;

// Known to those who write events, and not in the way of one another.
const FIND_SQLITE: &str = "select 1 from webhook_endpoints where id = $1";
const FIND_POSTGRES: &str = "select 1 from webhook_endpoints where id = $1 for key share";

const DELIVERY: &str =
    "update deliveries set state = $1, next_at = $2, lease = null, status = $3, words = $4, excerpt = $5,
    finished_at = $6 where endpoint_id = $7 and event_id = $8 and lease = $9";

/// How a delivery goes on.
enum Then {
    Done,
    Again(Timestamp),
    GivenUp,
}

impl Then {
    fn after(answer: &Answer, message: &Message, attempts: i64, now: Timestamp) -> Self {
        match answer.verdict {
            Verdict::Taken => Self::Done,
            Verdict::Gone => Self::GivenUp,
            // Who tries an endpoint out looks at what came of it, and tries again.
            Verdict::Failed if message.kind == EventType::Ping => Self::GivenUp,
            Verdict::Failed => match usize::try_from(attempts - 1).ok().and_then(|failed| PAUSES.get(failed)) {
                Some(pause) => {
                    let jittered = pause.mul_f64(rand::rng().random_range(0.9..1.1));
                    Self::Again(now.after(jittered.max(answer.retry_after.unwrap_or_default())))
                }
                None => Self::GivenUp,
            },
        }
    }
}

/// Writes what came of an attempt, unless another node has taken the delivery over.
///
/// # Errors
/// The database failed: the event is sent again when the claim lapses.
pub(super) async fn write(app: &App, claim: &Claim, message: &Message, answer: &Answer) -> anyhow::Result<()> {
    let now = app.now();
    let then = Then::after(answer, message, claim.attempts, now);
    let (state, next_at, finished_at) = match then {
        Then::Done => ("delivered", None, Some(now)),
        Then::Again(at) => ("pending", Some(at), None),
        Then::GivenUp => ("failed", None, Some(now)),
    };
    let mut tx = app.db().begin().await?;
    match answer.verdict {
        Verdict::Gone => queue::lock(&mut tx, claim.endpoint).await?,
        Verdict::Taken | Verdict::Failed => {
            let select = if tx.is_postgres() { FIND_POSTGRES } else { FIND_SQLITE };
            on!(&mut tx, conn => sqlx::query(select).bind(claim.endpoint).execute(conn).await.map(drop))?;
        }
    }
    let written = on!(&mut tx, conn => sqlx::query(DELIVERY)
        .bind(state).bind(next_at).bind(answer.status.map(|status| i64::from(status.as_u16())))
        .bind(plain(&answer.words, MAX_WORDS)).bind(&answer.excerpt).bind(finished_at)
        .bind(claim.endpoint).bind(claim.event).bind(claim.lease)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    if written == 0 {
        return Ok(());
    }
    if finished_at.is_some() {
        queue::go_on(&mut tx, claim.endpoint, message.subject, now).await?;
    }
    match answer.verdict {
        Verdict::Taken => recovered(&mut tx, claim.endpoint).await?,
        Verdict::Failed => failed(&mut tx, claim.endpoint, answer, now).await?,
        Verdict::Gone => disable(&mut tx, claim.endpoint, now).await?,
    }
    Ok(tx.commit().await?)
}

// Writes nothing where all was well, as it mostly is.
const RECOVERED: &str =
    "update webhook_endpoints set failures = 0, failing_since = null where id = $1 and failures > 0";

async fn recovered(tx: &mut Tx, endpoint: EndpointId) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(RECOVERED).bind(endpoint).execute(conn).await.map(drop))
}

const FAILED: &str = "update webhook_endpoints set failures = failures + 1,
        failing_since = coalesce(failing_since, $1), quiet_until = coalesce($2, quiet_until)
    where id = $3 returning failures, failing_since";
const PAUSE: &str = "update webhook_endpoints set state = 'paused', reason = $1, updated_at = $2
    where id = $3 and state = 'active'";

/// Counts a failure; after days of nothing else, nothing is sent any more, and a person is told so once.
async fn failed(tx: &mut Tx, endpoint: EndpointId, answer: &Answer, now: Timestamp) -> anyhow::Result<()> {
    let quiet_until = answer.retry_after.map(|wait| now.after(wait));
    let row: Option<(i64, Timestamp)> = on!(&mut *tx, conn => sqlx::query_as(FAILED)
        .bind(now).bind(quiet_until).bind(endpoint).fetch_optional(conn).await)?;
    let Some((failures, since)) = row else { return Ok(()) };
    if failures < LEAST_FAILURES || now.since(since) < LONGEST_FAILING {
        return Ok(());
    }
    let reason = plain(&format!("For five days nothing arrived. Last: {}", answer.words), MAX_WORDS);
    let paused = on!(&mut *tx, conn => sqlx::query(PAUSE).bind(reason).bind(now).bind(endpoint)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    if paused == 1 {
        jobs::enqueue(tx, Job::TellPaused(endpoint), now, now).await?;
        tracing::warn!(%endpoint, "the endpoint {endpoint} is paused: for five days nothing arrived there");
    }
    Ok(())
}

const DISABLE: &str = "update webhook_endpoints set state = 'disabled', reason = $1, updated_at = $2 where id = $3";
const GIVE_UP: &str =
    "update deliveries set state = 'failed', next_at = null, lease = null, words = $1, finished_at = $2
    where endpoint_id = $3 and finished_at is null";

/// Tells nothing more to a receiver that does not want it. The endpoint is locked.
async fn disable(tx: &mut Tx, endpoint: EndpointId, now: Timestamp) -> sqlx::Result<()> {
    on!(&mut *tx, conn => sqlx::query(DISABLE)
        .bind("The receiver answered 410: it does not want to be told any more.").bind(now).bind(endpoint)
        .execute(conn).await.map(drop))?;
    on!(tx, conn => sqlx::query(GIVE_UP)
        .bind("The endpoint was disabled before it was sent.").bind(now).bind(endpoint)
        .execute(conn).await.map(drop))
}

#[cfg(test)]
mod tests {
    use super::PAUSES;
    use std::time::Duration;

    #[test]
    fn an_event_is_tried_for_a_day_at_least() {
        assert!(PAUSES.iter().sum::<Duration>() > Duration::from_secs(24 * 60 * 60));
        assert!(PAUSES.is_sorted());
    }
}
