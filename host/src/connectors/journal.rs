//! The effect journal: what a run has already done to the outside world.
//!
//! A commit or a spend is written down before its first byte leaves. A re-run of the connector replays: what is done is
//! answered from here, what is uncertain is never sent again, and a re-run that asks for something else than before is
//! stopped with nothing sent. How a re-run is held against the rows is in `replay`; none but this room and [`super::looks`] touch
//! the rows, `effects`.
//!
//! ```text
//! commit:  started ──► done | refused | unknown          refused, absent ──► started (certainly nothing happened)
//!                      unknown ──► known | absent        (reconciled, or a person's word)
//!          (new), doubtful ──► unknown                   in a run that came with a backup
//! spend:   started ──► done | refused | unknown          refused ──► started; nobody looks for a lost spend
//! prepare: (sent) ──► done ──► (sent again when expired or forgotten)
//! ```

mod copying;
mod replay;
mod rows;

pub(crate) use copying::copy;

use super::answer::Answer;
use super::fault::{Fault, FaultKind};
use crate::clock::{Clock, Timestamp};
use crate::db::Db;
use crate::id::RunId;
use crate::on;
use orla_manifest::{AnswerPlace, Meaning};
use replay::{Again, Prepared, Replay, Replayed};
pub(crate) use rows::effects;
use rows::{END, FORGET, INSERT, KEEP, doubt, restart, write};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A commit leaves within this time of its row, or not at all: a host that was suspended in between must not send what
/// others have meanwhile found to be absent.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// The vendor's name of something that exists there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Committed {
    /// The vendor's id.
    pub id: String,
    /// Where a person finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A row of the journal.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Effect {
    pub(crate) sequence: i64,
    pub(crate) kind: String,
    pub(crate) key: String,
    pub(crate) digest: String,
    pub(crate) state: String,
    answer: Option<String>,
    pub(crate) sent_at: Timestamp,
    valid_until: Option<Timestamp>,
    pub(crate) looks: i64,
}

impl Effect {
    pub(crate) fn is_commit(&self) -> bool {
        self.kind == Once::Commit.word()
    }

    /// Whether it was done, so that a re-run need not do it.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.state.as_str(), "done" | "known")
    }

    /// Whether it is never sent twice, so that its place among the run's steps counts.
    pub(crate) fn is_once(&self) -> bool {
        self.kind != PREPARE
    }

    /// Whether it is a commit or spend that leaves, or left when its host died.
    pub(crate) fn is_under_way(&self) -> bool {
        self.is_once() && self.state == "started"
    }

    /// Whether nobody knows what became of it; of a spend, nobody will.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_once() && matches!(self.state.as_str(), "started" | "unknown")
    }

    /// Whether it exists at the vendor, or may.
    fn stands(&self) -> bool {
        matches!(self.state.as_str(), "started" | "done" | "unknown" | "known")
    }

    /// The vendor's answer, where there was one.
    pub(crate) fn answer(&self) -> Option<Answer> {
        if self.state == "known" { None } else { serde_json::from_str(self.answer.as_deref()?).ok() }
    }

    /// What is known of it without its answer.
    pub(crate) fn known(&self) -> Option<Committed> {
        if self.state == "known" { serde_json::from_str(self.answer.as_deref()?).ok() } else { None }
    }

    /// What it made at the vendor: as known, or as its answer names it at one of these places.
    pub(crate) fn committed(&self, places: &[AnswerPlace]) -> Option<Committed> {
        match self.state.as_str() {
            "known" => self.known(),
            "done" => self.answer()?.named(places, &self.key).map(|id| Committed { id, url: None }),
            _ => None,
        }
    }

    /// Whether what came of it names this.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.answer.as_deref().is_some_and(|answer| answer.contains(name))
    }

    /// Whether nobody knows what became of it.
    pub(crate) fn is_uncertain(&self) -> bool {
        self.is_commit() && matches!(self.state.as_str(), "started" | "unknown")
    }
}

const PREPARE: &str = "prepare";

/// A step that is written down before its first byte leaves, and sent again only when it was certainly refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Once {
    /// It becomes visible to others.
    Commit,
    /// It costs the operator money.
    Spend,
}

impl Once {
    fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Spend => "spend",
        }
    }
}

/// What the journal says to a request.
#[derive(Debug)]
pub(crate) enum Step {
    /// It was done before; this came of it.
    Answered(Answer),
    /// It stands, though its answer was lost.
    Known(Committed),
    /// It may leave.
    Send(Ticket),
}

/// Leave to send one request.
#[derive(Debug)]
pub(crate) struct Ticket {
    sequence: i64,
    key: String,
    digest: String,
    sent_at: Timestamp,
    written: Instant,
    /// For a preparation: how long its answer may be used.
    valid_for: Option<Duration>,
}

impl Ticket {
    /// Whether the request may still leave.
    pub(crate) fn is_fresh(&self) -> bool {
        self.valid_for.is_some() || self.written.elapsed() < LEAVE_WITHIN
    }
}

/// The journal of one execution of a run.
#[derive(Debug)]
pub(crate) struct Journal {
    db: Db,
    clock: Clock,
    run: RunId,
    /// Where the run came with a backup: from when on commits may have been sent that its journal does not have.
    doubt_since: Option<Timestamp>,
    replay: Mutex<Replay>,
}

impl Journal {
    /// The journal of a run whose effects were read.
    pub(crate) fn replaying(db: &Db, clock: &Clock, run: RunId, effects: Vec<Effect>) -> Self {
        let replay = Replay::of(effects);
        Self { db: db.clone(), clock: clock.clone(), run, doubt_since: None, replay: Mutex::new(replay) }
    }

    /// The same journal, which since then may lack commits that were sent: none that is new to it is sent before it was
    /// looked for.
    pub(crate) fn doubting(self, since: Option<Timestamp>) -> Self {
        Self { doubt_since: since, ..self }
    }

    fn replay(&self) -> MutexGuard<'_, Replay> {
        self.replay.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks to prepare. Answered from the journal while the answer is valid, or a commit or spend that was sent after it
    /// stands.
    pub(crate) fn prepare(&self, key: &str, digest: &str, valid_for: Duration) -> Result<Step, Fault> {
        let now = self.clock.now();
        let prepared = self.replay().prepare(key, digest, now)?;
        Ok(match prepared {
            Prepared::Answered(answer) => Step::Answered(answer),
            Prepared::Send(sequence) => Step::Send(Ticket {
                sequence,
                key: key.to_owned(),
                digest: digest.to_owned(),
                sent_at: now,
                written: Instant::now(),
                valid_for: Some(valid_for),
            }),
        })
    }

    /// Drops a prepared answer, for this execution and for those after it: the connector may pause before it prepares anew.
    pub(crate) async fn forget(&self, key: &str) {
        let Some(effect) = self.replay().forget(key) else { return };
        let written: sqlx::Result<()> = async {
            let mut tx = self.db.begin_single().await?;
            on!(&mut tx, conn => sqlx::query(FORGET)
                .bind(self.run).bind(key).bind(effect.sequence).bind(effect.sent_at)
                .execute(conn).await.map(drop))?;
            tx.commit().await
        }
        .await;
        if let Err(error) = written {
            // This execution prepares anew all the same; one after it may be given the old answer.
            tracing::error!(run = %self.run, %error, "a prepared step could not be forgotten");
        }
    }

    /// Keeps what a preparation came to.
    ///
    /// # Errors
    /// The database failed; the step will be repeated.
    pub(crate) async fn keep(&self, ticket: &Ticket, answer: &Answer) -> anyhow::Result<()> {
        let now = self.clock.now();
        let effect = Effect {
            sequence: ticket.sequence,
            kind: PREPARE.to_owned(),
            key: ticket.key.clone(),
            digest: ticket.digest.clone(),
            state: "done".to_owned(),
            answer: Some(serde_json::to_string(answer)?),
            sent_at: ticket.sent_at,
            valid_until: ticket.valid_for.map(|valid_for| ticket.sent_at.after(valid_for)),
            looks: 0,
        };
        let mut tx = self.db.begin_single().await?;
        write(&mut tx, KEEP, self.run, &effect, now).await?;
        tx.commit().await?;
        self.replay().put(effect);
        Ok(())
    }

    /// Asks to commit or to spend, and writes it down before it may leave.
    pub(crate) async fn once(&self, once: Once, key: &str, digest: &str) -> Result<Step, Fault> {
        let replayed = self.replay().once(once, key, digest, self.clock.now())?;
        let (effect, again) = match replayed {
            Replayed::Answered(step) => return Ok(step),
            Replayed::Unknown(sequence) => {
                self.write_unknown(sequence).await;
                return Err(uncertain(key));
            }
            Replayed::Send(effect, again) => match (once, self.doubt_since, again) {
                (Once::Commit, Some(since), Again::No | Again::Doubtful) => {
                    return Err(self.hold_back(effect, since, again).await);
                }
                _ => (effect, again),
            },
        };
        let written: anyhow::Result<bool> = async {
            let mut tx = self.db.begin_single().await?;
            let written = match again {
                Again::No => write(&mut tx, INSERT, self.run, &effect, effect.sent_at).await.map(|()| true)?,
                Again::Yes | Again::Doubtful => restart(&mut tx, self.run, &effect).await?,
            };
            tx.commit().await?;
            Ok(written)
        }
        .await;
        match written {
            Ok(true) => {}
            Ok(false) => return Err(self.replay().left_behind("another worker has taken this run over")),
            Err(error) => {
                tracing::error!(run = %self.run, error = format!("{error:#}"), "a request could not be journaled, so it is not sent");
                return Err(self.replay().left_behind("the host could not journal the request, so it was not sent"));
            }
        }
        let ticket = Ticket {
            sequence: effect.sequence,
            key: key.to_owned(),
            digest: digest.to_owned(),
            sent_at: effect.sent_at,
            written: Instant::now(),
            valid_for: None,
        };
        self.replay().put(effect);
        Ok(Step::Send(ticket))
    }

    /// Writes a commit down as one that may have been sent before the backup was restored, and sends nothing: it is looked
    /// for first.
    async fn hold_back(&self, effect: Effect, since: Timestamp, again: Again) -> Fault {
        let effect = Effect { state: "unknown".to_owned(), sent_at: since, ..effect };
        let now = self.clock.now();
        let written: sqlx::Result<()> = async {
            let mut tx = self.db.begin_single().await?;
            match again {
                Again::No => write(&mut tx, INSERT, self.run, &effect, now).await?,
                Again::Yes | Again::Doubtful => doubt(&mut tx, self.run, &effect, now).await?,
            }
            tx.commit().await
        }
        .await;
        if let Err(error) = written {
            tracing::error!(run = %self.run, %error, "a doubtful commit could not be journaled, so it is not looked for yet");
            return self.replay().left_behind("the host could not journal the request, so it was not sent");
        }
        let words = format!("`{}` may have been published before this server was restored from a backup", effect.key);
        self.replay().put(effect);
        Fault { sent: true, ..Fault::new(FaultKind::Uncertain, words) }
    }

    /// Writes down that nobody knows what became of a commit or spend.
    async fn write_unknown(&self, sequence: i64) {
        if let Err(error) = self.write_end(sequence, "unknown", None).await {
            // It stays `started`, which every later look treats alike.
            tracing::error!(run = %self.run, %error, "an uncertain effect could not be marked");
        }
    }

    /// Ends a commit or spend: what became of it, with the answer where there was one and it can be kept.
    ///
    /// # Errors
    /// The database failed: what became of it counts as unknown.
    pub(crate) async fn end(&self, ticket: &Ticket, meaning: Meaning, answer: Option<&Answer>) -> anyhow::Result<()> {
        let state = match meaning {
            Meaning::Done => "done",
            Meaning::Refused | Meaning::Unfinished => "refused",
            Meaning::Unknown => "unknown",
        };
        let answer = answer.map(serde_json::to_string).transpose()?;
        self.write_end(ticket.sequence, state, answer.clone()).await?;
        self.replay().end(ticket.sequence, state, answer);
        Ok(())
    }

    async fn write_end(&self, sequence: i64, state: &str, answer: Option<String>) -> sqlx::Result<()> {
        let mut tx = self.db.begin_single().await?;
        on!(&mut tx, conn => sqlx::query(END)
            .bind(state).bind(answer).bind(self.clock.now()).bind(self.run).bind(sequence)
            .execute(conn).await.map(drop))?;
        tx.commit().await
    }

    /// How the execution left the path of the journal, if it did; whatever the connector made of that.
    pub(crate) fn strayed(&self) -> Option<Fault> {
        self.replay().strayed()
    }

    /// Whether something could not be written: another worker may have, and only who reads the journal anew knows.
    pub(crate) fn is_behind(&self) -> bool {
        self.replay().is_behind()
    }

    /// The effects as this execution left them.
    pub(crate) fn effects(&self) -> Vec<Effect> {
        self.replay().effects()
    }
}

impl Effect {
    fn started(once: Once, sequence: i64, key: &str, digest: &str, now: Timestamp) -> Self {
        Self {
            sequence,
            kind: once.word().to_owned(),
            key: key.to_owned(),
            digest: digest.to_owned(),
            state: "started".to_owned(),
            answer: None,
            sent_at: now,
            valid_until: None,
            looks: 0,
        }
    }
}

/// The fault of a commit or spend of which nobody knows whether the vendor did it.
pub(crate) fn uncertain(key: &str) -> Fault {
    Fault {
        sent: true,
        ..Fault::new(FaultKind::Uncertain, format!("nobody knows yet whether `{key}` reached the vendor"))
    }
}
