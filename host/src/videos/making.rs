//! Having a video made: one call of the connector, from the claim to what comes of it.

use super::ending::{self, End};
use super::{State, Video, columns};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::blob;
use crate::connectors::connections::Connection;
use crate::connectors::credentials::{Credentials, Stored};
use crate::connectors::drive::discard_all;
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::filming::{Film, Filmed, has_begun};
use crate::connectors::journal::{self, Effect, Journal};
use crate::connectors::loading::{self, LoadedRun};
use crate::connectors::meter::Meter;
use crate::connectors::release::Release;
use crate::connectors::run::{Pinned, Run};
use crate::connectors::work::Account;
use crate::db::Tx;
use crate::id::VideoId;
use crate::jobs::{self, Claim};
use crate::on;
use crate::publications::execution::{back_off, find_release};
use std::sync::Arc;
use std::time::Duration;

/// Failures in passing in a row after which one counts.
const MAX_SETBACKS: i64 = 6;
/// How long a vendor may take.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

const BEGIN: &str = concat!(
    "update videos set state = 'running', attempts = attempts + 1, updated_at = $1
    where id = $2 and state in ('due', 'pending', 'running') returning ",
    columns!()
);

/// Begins an attempt, in the transaction that claims its job. `None` when the video no longer wants one.
///
/// # Errors
/// The database failed.
pub(crate) async fn begin(tx: &mut Tx, claim: &Claim, id: VideoId, now: Timestamp) -> anyhow::Result<Option<Video>> {
    let begun: Option<Video> =
        on!(&mut *tx, conn => sqlx::query_as(BEGIN).bind(now).bind(id).fetch_optional(conn).await)?;
    if begun.is_none() {
        jobs::complete(tx, claim).await?;
    }
    Ok(begun)
}

/// What an attempt needs.
struct Loaded {
    connection: Option<Connection>,
    effects: Vec<Effect>,
    pinned: Pinned,
    release: String,
    image: Option<Arc<blob::Blob>>,
    stored: Option<Stored>,
    /// What a host that died had received of it.
    left_behind: Vec<blob::Blob>,
}

async fn load(app: &App, tx: &mut Tx, video: &Video) -> anyhow::Result<Loaded> {
    let (run, workspace) = (video.id.into(), video.workspace_id);
    let loaded = loading::load(tx, app.vault(), run, workspace, video.connection_id).await?;
    let LoadedRun { pinned, release, connection, stored } = loaded;
    let image = match video.image_id {
        Some(id) => blob::find(tx, workspace, id).await?.map(Arc::new),
        None => None,
    };
    let effects = journal::effects(tx, run).await?;
    let left_behind = blob::left_behind(tx, workspace, run).await?;
    Ok(Loaded { connection, effects, pinned, release, image, stored, left_behind })
}

/// Carries an attempt out, and writes how it ended.
///
/// # Errors
/// The claim was lost, or the database failed: nothing was written, and the attempt is repeated.
pub(crate) async fn carry_out(app: &App, claim: &Claim, video: Video) -> anyhow::Result<()> {
    let services = app.connectors().services();
    let mut loaded = load(app, &mut app.db().read().await?, &video).await?;
    discard_all(services, std::mem::take(&mut loaded.left_behind)).await;
    let attempted = attempt(app, &video, loaded).await;
    let goes_on = matches!(attempted.end, End::Waiting(_) | End::Again(..));
    let is_in_vain = matches!(attempted.end, End::Failed(_) | End::Uncertain(_));
    ending::write(app, claim, &video, attempted).await?;
    if goes_on {
        app.wake_worker();
    }
    if is_in_vain {
        // What the connector received all the same is nobody's, and no execution follows that would find it.
        let rest = blob::left_behind(&mut app.db().read().await?, video.workspace_id, video.id.into()).await?;
        discard_all(services, rest).await;
    }
    Ok(())
}

/// What an attempt came to.
pub(super) struct Attempted {
    pub(super) end: End,
    /// What it used.
    pub(super) meter: Meter,
    /// Whether the vendor has begun it.
    pub(super) has_begun: bool,
    /// The version of the connector, where it was called.
    pub(super) version: String,
}

async fn attempt(app: &App, video: &Video, loaded: Loaded) -> Attempted {
    let begun_before = has_begun(&loaded.effects);
    let age = app.now().since(video.created_at);
    let release = match find_release(app, &loaded.release, &video.connector).await {
        Ok(release) => release,
        Err(fault) => {
            let end = after_fault(app, video, fault, (begun_before, age));
            return Attempted { end, meter: Meter::default(), has_begun: begun_before, version: String::new() };
        }
    };
    let version = release.manifest.version.to_string();
    let (result, run, meter) = match call(app, video, &release, loaded).await {
        Ok((run, called)) => (called.0, run, called.1),
        Err(fault) => {
            let end = after_fault(app, video, fault, (begun_before, age));
            return Attempted { end, meter: Meter::default(), has_begun: begun_before, version };
        }
    };
    let journal = run.journal.as_ref();
    let effects = journal.map(Journal::effects).unwrap_or_default();
    let begun = has_begun(&effects);
    let end = match result {
        // The journal has the last word: what may have begun is not begun again.
        result if effects.iter().any(Effect::is_lost) => End::Uncertain(lost(result.err())),
        // Not for ever: it may be that the journal can never be written.
        result if video.setbacks + 1 < MAX_SETBACKS && journal.is_some_and(Journal::is_behind) => {
            let unread = || Fault::new(FaultKind::Cancelled, "another worker may have gone on with this run");
            let fault = result.err().unwrap_or_else(unread);
            let setbacks = video.setbacks + 1;
            End::Again(back_off(app, &fault, setbacks), fault, setbacks)
        }
        _ if let Some(fault) = journal.and_then(Journal::strayed) => End::Failed(fault),
        Ok(Film::Done(made)) => End::Completed(Box::new(made)),
        Ok(Film::Pending(working)) if age < LONGEST => End::Waiting(working),
        Ok(Film::Pending(_)) => {
            End::Failed(Fault::new(FaultKind::Vendor, "the vendor did not finish the video within a day"))
        }
        Err(fault) => after_fault(app, video, fault, (begun, age)),
    };
    Attempted { end, meter, has_begun: begun, version }
}

/// Calls the connector.
async fn call(
    app: &App,
    video: &Video,
    release: &Arc<Release>,
    loaded: Loaded,
) -> Result<(Arc<Run>, (Result<Film, Fault>, Meter)), Fault> {
    let unreadable = |error: anyhow::Error| Fault::bug(format!("the stored wish is unreadable: {error}"));
    let (wish, settings) = (video.wish().map_err(unreadable)?, video.settings().map_err(unreadable)?);
    let Loaded { connection, effects, pinned, stored, image, .. } = loaded;
    let connection = connection.ok_or_else(|| Fault::new(FaultKind::NotFound, "the connection was removed"))?;
    if video.image_id.is_some() && image.is_none() {
        return Err(Fault::new(FaultKind::Invalid, "the picture that it was to begin with is gone"));
    }
    let services = app.connectors().services();
    let journal = Journal::replaying(&services.db, &services.clock, pinned.id, effects);
    let credentials = Credentials::of(connection.id, &release.manifest.auth, stored);
    let account = Account::of(&connection, video.target.clone(), release);
    let run = Arc::new(app.connectors().execution(pinned, release.clone(), credentials, Some(journal)));
    let filmed = Filmed { wish: &wish, image: image.as_ref(), settings: &settings };
    let called = app.connectors().film(&run, &account, filmed).await;
    Ok((run, (called.result, called.meter)))
}

/// The fault of a video of which nobody knows whether the vendor began it.
fn lost(fault: Option<Fault>) -> Fault {
    let why = fault.map_or_else(String::new, |fault| format!(" ({})", fault.message.trim_end_matches('.')));
    let words = format!(
        "nobody knows whether the vendor began this video{why}: it may be made and billed to the account's owner, and cannot be \
         fetched. It is not begun again by itself, and nothing is charged here."
    );
    Fault { sent: true, ..Fault::new(FaultKind::Uncertain, words) }
}

fn after_fault(app: &App, video: &Video, fault: Fault, (has_begun, age): (bool, Duration)) -> End {
    if fault.kind == FaultKind::Busy && age < LONGEST {
        // That others were before it says nothing about this video.
        return End::Again(back_off(app, &fault, 1), fault, video.setbacks);
    }
    let setbacks = video.setbacks + 1;
    // A vendor that does not know what it has begun is asked again: its nodes may not have heard of it yet.
    let passes = fault.is_transient() || (has_begun && fault.kind == FaultKind::NotFound);
    if passes && setbacks < MAX_SETBACKS && age < LONGEST {
        return End::Again(back_off(app, &fault, setbacks), fault, setbacks);
    }
    End::Failed(fault)
}

/// Whether it may be taken back: the vendor has not begun it, and nobody asks it to.
pub(super) async fn may_be_taken_back(tx: &mut Tx, video: &Video) -> anyhow::Result<bool> {
    let effects = journal::effects(tx, video.id.into()).await?;
    let stands = effects.iter().any(|effect| effect.is_once() && (effect.is_done() || effect.is_lost()));
    Ok(!stands && matches!(video.state()?, State::Due | State::Pending | State::Cancelled))
}
