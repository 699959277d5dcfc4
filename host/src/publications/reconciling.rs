//! Finding out what became of a commit whose answer was lost: by looking at the vendor, or by a person's word.
//!
//! "It is not there" counts only after two looks, each past the time after which the vendor shows what it has.

use super::execution::{self, Loaded};
use super::timeline::{self, Move};
use super::{FIND_ANY, Kind, Publication, State, doubting, find, others};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::Committed;
use crate::connectors::credentials::Credentials;
use crate::connectors::engagement::{Answer, LostReply};
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::journal::{Effect, Journal};
use crate::connectors::looks;
use crate::connectors::work::{Account, Attempt, Verdict};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{PublicationId, RunId, WorkspaceId};
use crate::jobs::{self, Claim, Job};
use crate::on;
use orla_manifest::AnswerPlace;
use std::sync::Arc;
use std::time::Duration;

/// Looks past visible-after that must agree on absence.
const LOOKS: i64 = 2;
/// How long a publication may stay uncertain.
const LONGEST_UNCERTAIN: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Before a look is repeated that said nothing. A connector whose vendor shows at once, or never, is not asked without a pause.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// What a look came to.
enum Found {
    /// With the places at which answers name such things.
    There(Committed, Vec<AnswerPlace>),
    NotThere,
    /// Nothing can be said, for this reason.
    Nothing(String),
}

/// Takes a look, and writes what it found.
///
/// # Errors
/// The claim was lost, or the database failed: the look is repeated.
pub async fn look(app: &App, claim: &Claim, id: PublicationId) -> anyhow::Result<()> {
    let mut tx = app.jobs_db().read().await?;
    let publication: Publication = on!(&mut tx, conn => sqlx::query_as(FIND_ANY).bind(id).fetch_one(conn).await)?;
    if publication.state()? != State::Uncertain {
        drop(tx);
        let mut tx = app.jobs_db().begin_single().await?;
        jobs::complete(&mut tx, claim).await?;
        return Ok(tx.commit().await?);
    }
    let loaded = execution::load(app, &mut tx, publication).await?;
    drop(tx);
    let Some(effect) = loaded.effects.iter().find(|effect| effect.is_uncertain()).cloned() else {
        // A person has said it meanwhile, or the answer came late.
        let mut tx = app.jobs_db().begin().await?;
        go_on(&mut tx, claim, &loaded.publication, "every commit's outcome is known", app.now()).await?;
        tx.commit().await?;
        app.wake_worker();
        return Ok(());
    };
    let looked_at = app.now();
    let (found, visible_after) = ask(app, &loaded, &effect).await;
    let now = app.now();
    let publication = &loaded.publication;
    let visible = doubting::sent_by(app, publication, &effect).after(visible_after);
    let run = RunId::from(id);
    let mut tx = app.jobs_db().begin().await?;
    match held_against_others(&mut tx, publication, &effect, found).await? {
        Found::There(committed, _) => {
            looks::found(&mut tx, run, &effect.key, &committed, now).await?;
            let reason = format!("{} is at the vendor as {}", effect.key, committed.id);
            go_on(&mut tx, claim, publication, &reason, now).await?;
        }
        Found::NotThere if looked_at < visible => jobs::reschedule(&mut tx, claim, visible).await?,
        Found::NotThere if effect.looks + 1 < LOOKS => {
            looks::missed(&mut tx, run, &effect.key, now).await?;
            jobs::reschedule(&mut tx, claim, now.after(visible_after)).await?;
        }
        Found::NotThere => {
            looks::absent(&mut tx, run, &effect.key, now).await?;
            let reason = format!("{} did not reach the vendor: two looks did not find it", effect.key);
            go_on(&mut tx, claim, publication, &reason, now).await?;
        }
        Found::Nothing(why) if now.since(publication.updated_at) > LONGEST_UNCERTAIN => {
            let message = format!("whether {} reached the vendor could not be found out in 7 days: {why}", effect.key);
            give_up(&mut tx, claim, publication, Fault::new(FaultKind::Uncertain, message), now).await?;
        }
        Found::Nothing(why) => {
            tracing::warn!(publication = %id, "a look for a lost commit said nothing: {why}");
            let doublings = u32::try_from(claim.attempts.clamp(1, 12)).unwrap_or(12);
            let pause = visible_after.max(SHORTEST_PAUSE).saturating_mul(1 << doublings).min(LONGEST_PAUSE);
            jobs::reschedule(&mut tx, claim, now.after(pause)).await?;
        }
    }
    tx.commit().await?;
    app.wake_worker();
    Ok(())
}

/// What was found, unless it is somebody else's.
async fn held_against_others(
    tx: &mut Tx,
    publication: &Publication,
    effect: &Effect,
    found: Found,
) -> anyhow::Result<Found> {
    let Found::There(Committed { id, .. }, places) = &found else { return Ok(found) };
    let forbidden = others::forbid(tx, publication, Some(&effect.digest), id, places).await?;
    Ok(forbidden.map_or(found, |why| Found::Nothing(why.to_owned())))
}

/// Asks the connector. Also tells how long the vendor may take to show what it has.
async fn ask(app: &App, loaded: &Loaded, effect: &Effect) -> (Found, Duration) {
    let release = match execution::find_release(app, &loaded.release, &loaded.publication.connector).await {
        Ok(release) => release,
        Err(fault) => return (Found::Nothing(fault.message), LONGEST_PAUSE),
    };
    let visible_after = release.visible_after;
    let nothing = |why: &str| (Found::Nothing(why.to_owned()), visible_after);
    let Some(connection) = &loaded.connection else { return nothing("the connection was removed") };
    let places = release.committed_id().to_vec();
    let before = loaded.effects.iter().filter(|other| other.is_commit() && other.sequence < effect.sequence);
    let attempt = Attempt {
        key: effect.key.clone(),
        sent_at: effect.sent_at,
        earlier: before.filter_map(|other| Some((other.key.clone(), other.committed(&places)?))).collect(),
    };
    let variant = match loaded.variant(app, &release).await {
        Ok((variant, _)) => variant,
        Err(fault) => return nothing(&fault.message),
    };
    let account = Account::of(connection, loaded.publication.target.clone(), &release);
    let credentials = Credentials::of(connection.id, &release.manifest.auth, loaded.stored.clone());
    let journal = Journal::looking(app.connectors().services(), loaded.pinned.id, loaded.effects.clone());
    let run = Arc::new(app.connectors().execution(loaded.pinned, release, credentials, Some(journal)));
    let verdict = match (&loaded.publication.reply_to, variant.parts.as_slice()) {
        (Some(comment), [part]) => {
            let others = match replies(app, &loaded.publication, effect.sent_at, &places).await {
                Ok(others) => others,
                Err(error) => return nothing(&format!("the replies before it cannot be read: {error}")),
            };
            let answer = Answer { comment, text: &part.text };
            let lost = LostReply { sent_at: effect.sent_at, others };
            app.connectors().find_reply(&run, &account, answer, &lost).await
        }
        _ => app.connectors().reconcile(&run, &account, &variant, &attempt).await,
    };
    match verdict {
        Ok(Verdict::Done(committed)) => (Found::There(committed, places), visible_after),
        Ok(Verdict::Absent) if doubting::has_new_name(app, loaded, effect) => {
            nothing("before the backup was restored, the vendor may have called it otherwise")
        }
        Ok(Verdict::Absent) => (Found::NotThere, visible_after),
        Ok(Verdict::Unknown) => nothing("the vendor does not let us tell"),
        Err(fault) => nothing(&fault.message),
    }
}

async fn replies(
    app: &App,
    lost: &Publication,
    sent_at: Timestamp,
    places: &[AnswerPlace],
) -> sqlx::Result<Vec<String>> {
    others::replies(&mut app.jobs_db().read().await?, lost, sent_at, places).await
}

const PENDING: &str =
    "update publications set state = 'pending', updated_at = $1 where id = $2 and state = 'uncertain'";
const FAILED: &str = "update publications set state = 'failed', fault = $1, updated_at = $2, finished_at = $2
    where id = $3 and state = 'uncertain'";

/// The outcome is known: the run goes on where it stopped.
async fn go_on(
    tx: &mut Tx,
    claim: &Claim,
    publication: &Publication,
    reason: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    jobs::complete(tx, claim).await?;
    resume(tx, publication, reason, now).await
}

async fn resume(tx: &mut Tx, publication: &Publication, reason: &str, now: Timestamp) -> anyhow::Result<()> {
    let id = publication.id;
    let moved = on!(tx, conn => sqlx::query(PENDING).bind(now).bind(id)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    anyhow::ensure!(moved == 1, "publication {id} is not uncertain any more");
    timeline::add(tx, publication, Move::to(State::Pending, reason), now).await?;
    jobs::enqueue_at(tx, Job::Publish(id), &publication.place(), now, now).await?;
    Ok(())
}

async fn give_up(
    tx: &mut Tx,
    claim: &Claim,
    publication: &Publication,
    fault: Fault,
    now: Timestamp,
) -> anyhow::Result<()> {
    let id = publication.id;
    jobs::complete(tx, claim).await?;
    execution::release(tx, publication, now).await?;
    let moved = on!(tx, conn => sqlx::query(FAILED).bind(serde_json::to_string(&fault)?).bind(now).bind(id)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    anyhow::ensure!(moved == 1, "publication {id} is not uncertain any more");
    let made = Move { fault: Some(&fault), ..Move::to(State::Failed, &fault.message) };
    timeline::add(tx, publication, made, now).await?;
    Ok(())
}

/// What a person says of an uncertain part.
#[derive(Debug, Clone)]
pub enum Word {
    /// It is live, and this is it.
    Published(Committed),
    /// It is not, so it may be sent again.
    NotPublished,
}

/// Takes a person's word for what became of an uncertain part, and goes on.
///
/// # Errors
/// The workspace has no such publication, it is not uncertain, no part of that key is, or it is another one that is named.
pub async fn resolve(
    app: &App,
    workspace: WorkspaceId,
    (kind, id): (Kind, PublicationId),
    key: &str,
    word: Word,
) -> Result<Publication> {
    let now = app.now();
    let mut tx = app.db().begin().await?;
    let publication = find(&mut tx, workspace, kind, id).await?;
    let run = RunId::from(id);
    if let Word::Published(Committed { id: named, .. }) = &word {
        let release = app.connectors().active(&publication.connector);
        let places = release.as_ref().map_or(&[][..], |release| release.committed_id());
        if let Some(why) = others::forbid(&mut tx, &publication, None, named, places).await? {
            let detail = format!("`{named:.100}` is not what was lost: {why}. Look for it again at the network.");
            return Err(Error::Conflict { code: "another_ones", detail });
        }
    }
    let (taken, reason) = match &word {
        Word::Published(committed) => (
            looks::found(&mut tx, run, key, committed, now).await?,
            format!("a person found {key} as {}", committed.id),
        ),
        Word::NotPublished => {
            (looks::absent(&mut tx, run, key, now).await?, format!("a person says that {key} was not published"))
        }
    };
    if !taken || publication.state()? != State::Uncertain {
        let detail = format!("`{key:.100}` is no part of this {} whose outcome is uncertain.", kind.name());
        return Err(Error::Conflict { code: "not_uncertain", detail });
    }
    // Nobody need look any more. A look that is under way finds that out by itself.
    jobs::withdraw_waiting(&mut tx, Job::Reconcile(id)).await?;
    resume(&mut tx, &publication, &reason, now).await?;
    tx.commit().await?;
    app.wake_worker();
    find(&mut app.db().read().await?, workspace, kind, id).await
}
