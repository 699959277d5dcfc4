//! Publications that came with a backup and had not ended when it was made: the installation before this one may have
//! published them since. Their commits are looked for at the network before they are sent ([`Journal::doubting`]).
//!
//! [`Journal::doubting`]: crate::connectors::journal::Journal::doubting

use super::Publication;
use super::execution::Loaded;
use super::timeline::{self, Move};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::fault::Fault;
use crate::connectors::journal::{self, Effect};
use crate::connectors::looks;
use crate::db::Tx;
use crate::error::Result;
use crate::fence::Restored;
use crate::on;

const MARK: &str = returning!(
    "update publications set doubt_since =
        case when coalesce(publish_at, created_at) > $1 then coalesce(publish_at, created_at) else $1 end
    where state in ('scheduled', 'due', 'running', 'pending', 'uncertain') and doubt_since is null
        and created_at <= $2 and coalesce(publish_at, created_at) <= $3"
);
const REASON: &str =
    "restored from a backup: it may have been published since that was made, so it is looked for before it is sent";

/// Marks what came with the backup and was to go out until this moment.
///
/// # Errors
/// The database failed.
pub(crate) async fn mark(tx: &mut Tx, restored: &Restored, until: Timestamp, now: Timestamp) -> Result<()> {
    let marked: Vec<Publication> = on!(tx, conn => sqlx::query_as(MARK)
        .bind(restored.backup_at).bind(restored.restored_at).bind(until).fetch_all(conn).await)?;
    for publication in marked {
        looks::doubt(tx, publication.id.into(), now).await?;
        timeline::add(tx, &publication, Move::to(publication.state()?, REASON), now).await?;
    }
    Ok(())
}

const COUNT: &str = "select count(*) from publications
    where doubt_since is not null and state in ('scheduled', 'due', 'running', 'pending', 'uncertain')";

/// How many publications are looked for before anything of them is sent.
///
/// # Errors
/// The database failed.
pub(crate) async fn count(tx: &mut Tx) -> sqlx::Result<i64> {
    on!(tx, conn => sqlx::query_scalar(COUNT).fetch_one(conn).await)
}

const BEGIN_ANEW: &str = "update publications set updated_at = $1 where state = 'uncertain'";

/// Lets the days anew begin after which an uncertain publication is given up: nobody could look for it.
///
/// # Errors
/// The database failed.
pub(crate) async fn give_time(tx: &mut Tx, now: Timestamp) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(BEGIN_ANEW).bind(now).execute(conn).await.map(drop))
}

/// From when on a publication may have been published without our knowing: it came with a backup, or is of a time that has been
/// the installation's before this one, such as what a schedule makes up for.
pub(super) fn since(app: &App, publication: &Publication) -> Option<Timestamp> {
    let made_up = || publication.publish_at.filter(|at| app.fence().may_have_missed(*at));
    publication.doubt_since.or_else(made_up)
}

/// Since when it has been possible to publish it.
pub(super) fn began(app: &App, publication: &Publication) -> Timestamp {
    let began = publication.begins_at();
    app.fence().resumed_at().map_or(began, |resumed| began.max(resumed))
}

/// A failure that says that it may be live in spite of it, where it came with a backup and nobody could look.
pub(super) async fn told(app: &App, tx: &mut Tx, publication: &Publication, fault: Fault) -> Result<Fault> {
    if since(app, publication).is_none() {
        return Ok(fault);
    }
    if journal::effects(tx, publication.id.into()).await?.iter().any(Effect::is_commit) {
        return Ok(fault);
    }
    let message = format!(
        "{} (It may have been published before this server was restored from a backup: look at the network.)",
        fault.message
    );
    Ok(Fault { message, ..fault })
}

/// Whether a commit may have been sent by the installation before this one.
fn is_doubtful(app: &App, publication: &Publication, effect: &Effect) -> bool {
    since(app, publication).is_some_and(|since| effect.sent_at <= since)
}

/// When a commit was sent at the latest, if it was.
pub(super) fn sent_by(app: &App, publication: &Publication, effect: &Effect) -> Timestamp {
    match app.fence().resumed_at() {
        Some(resumed) if is_doubtful(app, publication, effect) => effect.sent_at.max(resumed),
        _ => effect.sent_at,
    }
}

/// Whether a commit is named by something that was prepared only after the restore, such as a video's upload. The one that was
/// sent before had another name, so that its absence says nothing.
pub(super) fn has_new_name(app: &App, loaded: &Loaded, effect: &Effect) -> bool {
    let Some(since) = since(app, &loaded.publication) else { return false };
    let prepared = loaded.effects.iter().filter(|other| !other.is_once() && other.sent_at > since);
    is_doubtful(app, &loaded.publication, effect) && prepared.into_iter().any(|other| other.mentions(&effect.key))
}
