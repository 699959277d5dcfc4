//! Carrying a publication out: one attempt, from the claim to the move that ends it.

use super::beginning::Begun;
use super::media::{self, Fetched};
use super::timeline::{self, Move};
use super::{Publication, State, checking, doubting};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connecting::facts::{self, Kept};
use crate::connectors::connections::Connection;
use crate::connectors::credentials::{Credentials, Stored};
use crate::connectors::engagement::Answer;
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::journal::{self, Effect, Journal};
use crate::connectors::loading::{self, LoadedRun};
use crate::connectors::meter::Meter;
use crate::connectors::release::Release;
use crate::connectors::run::{Pinned, Run};
use crate::connectors::variant::Variant;
use crate::connectors::work::{Account, PartOutcome, Progress};
use crate::db::Tx;
use crate::db::bundle::Bundle;
use crate::error::{Result, Trouble};
use crate::jobs::{self, Claim, Job};
use crate::ledger;
use rand::RngExt as _;
use std::sync::Arc;
use std::time::Duration;

/// Failures in passing in a row after which one counts as a failure. One that came after headway begins a new row: a large
/// upload over a bad line ends as long as each attempt brings it on.
const MAX_SETBACKS: i64 = 6;
/// How long a publication may be pending before it counts as failed.
const LONGEST_PENDING: Duration = Duration::from_secs(24 * 60 * 60);
/// When the first look for a lost commit is taken.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// What an attempt needs.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) publication: Publication,
    pub(super) connection: Option<Connection>,
    pub(super) effects: Vec<Effect>,
    pub(super) pinned: Pinned,
    pub(super) release: String,
    fetched: Fetched,
    pub(super) stored: Option<Stored>,
}

impl Loaded {
    fn of(publication: Publication, run: LoadedRun, effects: Vec<Effect>, fetched: Fetched) -> Self {
        let LoadedRun { pinned, release, connection, stored } = run;
        Self { publication, connection, effects, pinned, release, fetched, stored }
    }

    /// The variant with its media as the network takes them, and what is wrong with those.
    pub(super) async fn variant(&self, app: &App, release: &Release) -> Result<(Variant, Vec<Trouble>), Fault> {
        let publication = &self.publication;
        let unreadable = |error| Fault::bug(format!("the stored post is unreadable: {error}"));
        let (parts, more) = (publication.parts().map_err(unreadable)?, publication.more().map_err(unreadable)?);
        let mut fetched = self.fetched.clone();
        Box::pin(media::complete(app, publication, &parts, &mut fetched)).await?;
        Box::pin(media::variant(app, release, &parts, &more, &fetched)).await
    }
}

/// Reads all that an attempt of a publication needs.
pub(super) async fn load(app: &App, tx: &mut Tx, publication: Publication) -> anyhow::Result<Loaded> {
    let Publication { id, workspace_id: workspace, connection_id: connection, .. } = publication;
    let run = loading::load(tx, app.vault(), id.into(), workspace, connection).await?;
    let effects = journal::effects(tx, run.pinned.id).await?;
    let fetched = media::fetched(tx, workspace, id).await?;
    Ok(Loaded::of(publication, run, effects, fetched))
}

/// As [`load`], as far as it was not read when the attempt began.
async fn complete(app: &App, Begun { publication, run }: Begun) -> anyhow::Result<Loaded> {
    // What runs for the first time has done nothing yet, and has no media but those that it was taken in with.
    let is_new = publication.attempts <= 1 && publication.completes.is_none();
    let Some(run) = run.filter(|_| is_new) else {
        return load(app, &mut app.jobs_db().read().await?, publication).await;
    };
    let fetched = match publication.publish_at {
        Some(_) => media::fetched(&mut app.jobs_db().read().await?, publication.workspace_id, publication.id).await?,
        None => Fetched::new(),
    };
    Ok(Loaded::of(publication, run, Vec::new(), fetched))
}

/// How an attempt ends.
#[derive(Debug)]
enum End {
    Published(Vec<PartOutcome>),
    /// To be run again after a while: the vendor is still working.
    Waiting(Duration),
    /// To be run again after a while: something failed in passing, so many times in a row.
    Again(Duration, Fault, i64),
    Uncertain(Fault),
    Failed(Fault),
}

/// Carries an attempt out, and writes how it ended.
///
/// # Errors
/// The claim was lost, or the database failed: nothing was written, and the attempt is repeated.
pub(crate) async fn carry_out(app: &App, claim: &Claim, begun: Begun) -> anyhow::Result<()> {
    let publication = begun.publication.clone();
    let loaded = complete(app, begun).await?;
    let (end, meter) = attempt(app, loaded).await;
    let now = app.now();
    let goes_on = matches!(end, End::Waiting(_) | End::Again(..) | End::Uncertain(_));
    let mut tx = app.jobs_db().begin().await?;
    write_end(app, &mut tx, claim, &publication, end, &meter, now).await?;
    tx.commit().await?;
    if goes_on {
        app.wake_worker();
    }
    Ok(())
}

async fn attempt(app: &App, loaded: Loaded) -> (End, Meter) {
    let mut course = Course {
        setbacks: loaded.publication.setbacks + 1,
        has_made_headway: false,
        age: app.now().since(doubting::began(app, &loaded.publication)),
    };
    let done_before = loaded.effects.iter().filter(|effect| effect.is_done()).count();
    let made_before = made_before(app, &loaded).await;
    let ready = match ready(app, loaded).await {
        Ok(ready) => ready,
        Err(fault) => return (after_fault(app, fault, &course, &made_before), Meter::default()),
    };
    let (result, meter) = call(app, &ready).await;
    let effects = ready.run.journal.as_ref().map(Journal::effects).unwrap_or_default();
    if effects.iter().filter(|effect| effect.is_done()).count() > done_before {
        course = Course { setbacks: 1, has_made_headway: true, ..course };
    }
    let end = match result {
        // The journal has the last word: while a commit is uncertain, so is the publication.
        result if effects.iter().any(Effect::is_uncertain) => End::Uncertain(match result {
            Err(fault) => fault,
            Ok(_) => Fault::new(FaultKind::Uncertain, "a part's outcome is not known"),
        }),
        // Not for ever: it may be that the journal can never be written.
        result if course.setbacks < MAX_SETBACKS && ready.run.journal.as_ref().is_some_and(Journal::is_behind) => {
            let unread = || Fault::new(FaultKind::Cancelled, "another worker may have gone on with this run");
            again(app, result.err().unwrap_or_else(unread), course.setbacks)
        }
        _ if let Some(fault) = ready.run.journal.as_ref().and_then(Journal::strayed) => {
            failed(fault, &made(&ready.run.release, &effects))
        }
        Ok(Progress::Pending(wait)) if course.age < LONGEST_PENDING => End::Waiting(wait),
        Ok(Progress::Pending(_)) => {
            End::Failed(Fault::new(FaultKind::Vendor, "the vendor did not finish within a day"))
        }
        Ok(Progress::Published(parts)) => match passing_fault(&parts) {
            Some(fault) if course.setbacks < MAX_SETBACKS => again(app, fault, course.setbacks),
            _ => End::Published(parts),
        },
        Err(fault) => after_fault(app, fault, &course, &made(&ready.run.release, &effects)),
    };
    (end, meter)
}

/// Has the connector say it: as a post, or below a comment.
async fn call(app: &App, ready: &Ready) -> (Result<Progress, Fault>, Meter) {
    let Ready { run, account, variant, reply_to } = ready;
    let called = match (reply_to, variant.parts.as_slice()) {
        (None, _) => app.connectors().publish(run, account, variant).await,
        (Some(comment), [part]) => app.connectors().reply(run, account, Answer { comment, text: &part.text }).await,
        (Some(_), _) => return (Err(Fault::bug("the stored reply is not of one part")), Meter::default()),
    };
    (called.result, called.meter)
}

/// How a publication fares.
struct Course {
    /// Failures in passing in a row, should this attempt end in one.
    setbacks: i64,
    /// Whether this attempt did something that a later one need not do again.
    has_made_headway: bool,
    age: Duration,
}

/// All that a call needs.
struct Ready {
    run: Arc<Run>,
    account: Account,
    variant: Variant,
    /// The comment that it is said to.
    reply_to: Option<String>,
}

async fn ready(app: &App, loaded: Loaded) -> Result<Ready, Fault> {
    let release = find_release(app, &loaded.release, &loaded.publication.connector).await?;
    let (variant, troubles) = loaded.variant(app, &release).await?;
    let Loaded { publication, connection, effects, pinned, stored, .. } = loaded;
    let connection = connection.ok_or_else(|| Fault::new(FaultKind::NotFound, "the connection was removed"))?;
    // A text alone was checked by this very release when it was taken in, unless that is long ago.
    let has_media = variant.parts.iter().any(|part| !part.media.is_empty());
    if effects.is_empty() && (has_media || publication.publish_at.is_some()) {
        let (target, whole) = (publication.target.as_deref(), (&variant, troubles));
        let kept = kept(app, &connection, target).await?;
        let checked = checking::check(app, &release, &connection, (target, kept), whole);
        let troubles = Box::pin(checked).await?;
        if !troubles.is_empty() {
            let parts = publication.parts().unwrap_or_default();
            media::forget_bad(app, publication.workspace_id, &parts, &troubles).await;
        }
        checking::as_fault(troubles).map_or(Ok(()), Err)?;
    }
    let services = app.connectors().services();
    let journal = Journal::replaying(&services.db, &services.clock, pinned.id, effects);
    let journal = journal.doubting(doubting::since(app, &publication));
    let credentials = Credentials::of(connection.id, &release.manifest.auth, stored);
    let account = Account::of(&connection, publication.target.clone(), &release);
    let run = app.connectors().execution(pinned, release, credentials, Some(journal));
    Ok(Ready { run: Arc::new(run), account, variant, reply_to: publication.reply_to })
}

async fn kept(app: &App, connection: &Connection, target: Option<&str>) -> Result<Kept, Fault> {
    let read = async { facts::kept(&mut app.jobs_db().read().await?, connection, target).await };
    read.await.map_err(|error| {
        tracing::error!(connection = %connection.id, "the facts of an account cannot be read: {error}");
        Fault::new(FaultKind::Cancelled, "the host could not read what it knows of the account")
    })
}

/// The release that the run began with; where its bytes are gone, the active one, held to the same journal.
pub(crate) async fn find_release(app: &App, digest: &str, connector: &str) -> Result<Arc<Release>, Fault> {
    let pinned = app.connectors().pinned(digest).await.unwrap_or_else(|error| {
        tracing::error!(connector, digest, "a release that a run is pinned to cannot be made ready: {error:#}");
        None
    });
    let release = pinned.or_else(|| app.connectors().active(connector));
    release.ok_or_else(|| Fault::new(FaultKind::Cancelled, "the connector is not loaded on this server"))
}

/// What the vendor confirmed to earlier attempts.
async fn made_before(app: &App, loaded: &Loaded) -> Vec<String> {
    if loaded.effects.is_empty() {
        return Vec::new();
    }
    let release = find_release(app, &loaded.release, &loaded.publication.connector).await;
    release.map_or_else(|_| Vec::new(), |release| made(&release, &loaded.effects))
}

/// What the vendor has confirmed although the attempt failed, for the person who has to know.
fn made(release: &Release, effects: &[Effect]) -> Vec<String> {
    let places = release.committed_id();
    let commits = effects.iter().filter(|effect| effect.is_commit());
    commits.filter_map(|effect| Some(format!("{} as {}", effect.key, effect.committed(places)?.id))).collect()
}

/// The failure in passing that kept a part from being published, if that is what did.
fn passing_fault(parts: &[PartOutcome]) -> Option<Fault> {
    let missing = parts.iter().find_map(|part| match part {
        PartOutcome::Missing { fault } => Some(fault),
        PartOutcome::Done { .. } => None,
    });
    missing.filter(|fault| fault.is_transient()).cloned()
}

fn after_fault(app: &App, fault: Fault, course: &Course, made: &[String]) -> End {
    if fault.kind == FaultKind::Busy && course.age < LONGEST_PENDING {
        // That others were before it says nothing about this publication.
        return again(app, fault, course.setbacks - 1);
    }
    // A call that used up its time over a large upload goes on with the next chunk.
    let passes = fault.is_transient() || (fault.kind == FaultKind::Budget && course.has_made_headway);
    if passes && course.setbacks < MAX_SETBACKS && course.age < LONGEST_PENDING {
        return again(app, fault, course.setbacks);
    }
    failed(fault, made)
}

fn again(app: &App, fault: Fault, setbacks: i64) -> End {
    End::Again(back_off(app, &fault, setbacks), fault, setbacks)
}

/// A failure that says what is live in spite of it.
fn failed(fault: Fault, made: &[String]) -> End {
    if made.is_empty() {
        return End::Failed(fault);
    }
    let message = format!("{} (the vendor has confirmed {})", fault.message, made.join(", "));
    End::Failed(Fault { message, ..fault })
}

/// Twice as long each time, with jitter, and never sooner than the vendor asked for.
pub(crate) fn back_off(app: &App, fault: &Fault, setbacks: i64) -> Duration {
    let base = Duration::from_millis(app.config().retry_base_ms);
    let doubled = base.saturating_mul(1 << (setbacks.clamp(1, 12) - 1));
    let jittered = doubled.mul_f64(rand::rng().random_range(0.75..1.25));
    jittered.max(Duration::from_millis(fault.retry_after_ms.unwrap_or(0))).min(Duration::from_secs(60 * 60))
}

const MOVE: &str = "update publications set state = $1, receipt = $2, fault = $3, updated_at = $4, finished_at = $5,
    setbacks = $6 where id = $7 and state = 'running'";

async fn write_end(
    app: &App,
    tx: &mut Tx,
    claim: &Claim,
    publication: &Publication,
    end: End,
    meter: &Meter,
    now: Timestamp,
) -> anyhow::Result<()> {
    let id = publication.id;
    let setbacks = if let End::Again(_, _, setbacks) = end { setbacks } else { 0 };
    let mut bundle = Bundle::new(tx);
    let (state, reason, receipt, fault) = match end {
        End::Published(parts) => {
            jobs::completing(&mut bundle, claim);
            settle(tx, publication, now).await?;
            let has_comment = publication.more()?.first_comment.is_some();
            (State::Published, told(&parts, has_comment), Some(parts), None)
        }
        End::Waiting(wait) => {
            jobs::rescheduling(&mut bundle, claim, now.after(wait));
            let reason = format!("the vendor is still working; again in {:.1} s", wait.as_secs_f64());
            (State::Pending, reason, None, None)
        }
        End::Again(wait, fault, _) => {
            jobs::rescheduling(&mut bundle, claim, now.after(wait));
            let reason = format!("{}; again in {:.1} s", fault.message, wait.as_secs_f64());
            (State::Pending, reason, None, Some(fault))
        }
        End::Uncertain(fault) => {
            jobs::completing(&mut bundle, claim);
            let first = now.after(FIRST_LOOK.min(app.config().job_lease()));
            jobs::enqueueing(&mut bundle, Job::Reconcile(id), &publication.place_of_looks(), first, now);
            (State::Uncertain, fault.message.clone(), None, Some(fault))
        }
        End::Failed(fault) => {
            let fault = doubting::told(app, tx, publication, fault).await?;
            jobs::completing(&mut bundle, claim);
            release(tx, publication, now).await?;
            (State::Failed, fault.message.clone(), None, Some(fault))
        }
    };
    let made = Move { state, reason: &reason, meter: Some(meter), receipt: receipt.as_deref(), fault: fault.as_ref() };
    let receipt = receipt.as_ref().map(serde_json::to_string).transpose()?;
    let fault = fault.as_ref().map(serde_json::to_string).transpose()?;
    let finished = state.is_terminal().then_some(now);
    bundle.add(MOVE).bind(state.word()).bind(receipt).bind(fault).bind(now).bind(finished).bind(setbacks).bind(id);
    timeline::adding(&mut bundle, publication, &made, now)?;
    let answers = bundle.run(tx).await?;
    jobs::still_ours(&answers, claim)?;
    let [.., moved, endpoints] = *answers else { unreachable!("each statement has an answer") };
    anyhow::ensure!(moved.is_some(), "publication {id} is not running any more");
    timeline::tell(tx, publication, made, endpoints, now).await?;
    // The timeline tells it to whoever asks; the log of a busy server would be nothing else.
    tracing::debug!(publication = %id, state = state.word(), "publication {id} is {}", state.word());
    Ok(())
}

/// What is live, where the last outcome may be the first comment's.
fn told(outcomes: &[PartOutcome], has_comment: bool) -> String {
    let (parts, comment) = outcomes.split_at(outcomes.len() - usize::from(has_comment).min(outcomes.len()));
    let is_live = |outcome: &&PartOutcome| matches!(outcome, PartOutcome::Done { .. });
    let live = format!("{} of {} parts are live", parts.iter().filter(is_live).count(), parts.len());
    match comment.first() {
        Some(PartOutcome::Done { .. }) => format!("{live}, and the first comment is"),
        Some(PartOutcome::Missing { .. }) => format!("{live}; the first comment is missing"),
        None => live,
    }
}

async fn settle(tx: &mut Tx, publication: &Publication, now: Timestamp) -> Result<()> {
    let Some(hold) = publication.hold_id else { return Ok(()) };
    ledger::settle(tx, publication.workspace_id, hold, publication.price, now).await?;
    Ok(())
}

/// Gives the reserved credits back.
pub(super) async fn release(tx: &mut Tx, publication: &Publication, now: Timestamp) -> Result<()> {
    let Some(hold) = publication.hold_id else { return Ok(()) };
    ledger::release(tx, publication.workspace_id, hold, now).await?;
    Ok(())
}
