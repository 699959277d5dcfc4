//! Looking at a wish before anything is taken in: its shape, where it goes, and whether the network will take it.
//!
//! What goes out at once is answered at once: its media are fetched by the worker, and checked before anything is sent. What is
//! for later is looked at whole, media included, while its author can still mend it. A medium that does not come while he waits
//! is fetched when the post goes out.

use super::checking::{self, told};
use super::media::{self, Fetched, Gathered};
use super::{NewPublication, Part, VariantMore, When, creating, planning, pulling};
use crate::app::App;
use crate::connecting::facts::{self, Kept};
use crate::connecting::platforms;
use crate::connectors::connections::{self, Connection};
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::release::Release;
use crate::connectors::targets;
use crate::connectors::variant::{Variant, VariantPart, beyond, not_taken};
use crate::db::Tx;
use crate::error::{Error, Result, Trouble};
use crate::id::WorkspaceId;
use crate::prices::{self, Asked, Quantities, Quote};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const MAX_PARTS: usize = 100;
const MAX_MEDIA: usize = 40;
const MAX_TEXT_BYTES: usize = 100_000;
const MAX_URL_BYTES: usize = 2_000;
/// A title, a description of a medium, and a word for who may see a post.
const MAX_LINE_BYTES: usize = 5_000;
const MAX_WORD_BYTES: usize = 200;
const MAX_EXTRAS: usize = 100;
const MAX_EXTRAS_BYTES: usize = 100_000;
/// The longest that an author waits for media.
const PATIENCE: Duration = Duration::from_secs(20);

/// Until when an author who asks now waits for media.
pub(crate) fn patience() -> Instant {
    Instant::now() + PATIENCE
}

/// What stands behind a wish that can be taken in.
#[derive(Debug)]
pub(crate) struct Vetted {
    pub(crate) connection: Connection,
    pub(crate) target: Option<String>,
    pub(crate) price: Quote,
    pub(crate) release: Arc<Release>,
    pub(super) media: Fetched,
    /// Media that did not come in time.
    pub(crate) late: Vec<Trouble>,
}

/// Holds a wish against everything that can be known before it is carried out; no post is written. The media of what is for
/// later are fetched, as far as they come in time.
///
/// # Errors
/// As [`creating::create`](super::create), but for the credits.
pub(crate) async fn vet(app: &App, workspace: WorkspaceId, new: &NewPublication) -> Result<Vetted> {
    check_shape(new)?;
    if let Some(When::At(at)) = new.publish_at {
        planning::check_time(at, app.now())?;
    }
    let until = new.publish_at.map(|_| patience());
    Box::pin(prepare(app, workspace, new, until)).await
}

/// # Errors
/// No network could make sense of the wish, or its key is none that is kept.
pub(super) fn check_shape(new: &NewPublication) -> Result<()> {
    creating::check_key(new.idempotency_key.as_deref())?;
    let troubles = shape(new);
    if troubles.is_empty() { Ok(()) } else { Err(Error::Refused(troubles)) }
}

/// Looks at a wish whose shape is right. Its media are fetched until then; `None` leaves them to the worker.
///
/// # Errors
/// It breaks rules ([`Error::Refused`] with all of them), or names no connection of the workspace that can be used.
pub(crate) async fn prepare(
    app: &App,
    workspace: WorkspaceId,
    new: &NewPublication,
    until: Option<Instant>,
) -> Result<Vetted> {
    let mut tx = app.db().read().await?;
    let (connection, kept) = choose_connection(app, &mut tx, workspace, new).await?;
    let targets = match connection.target_count {
        0 => Vec::new(),
        _ => targets::list(&mut tx, workspace, connection.id).await?,
    };
    let target = targets::resolve(&targets, new.target.as_deref())?;
    let kept = match (kept, target.as_deref()) {
        (Some(kept), None) => kept,
        (_, target) => facts::kept(&mut tx, &connection, target).await?,
    };
    let asked = asked(creating::OPERATION, &connection);
    let price = prices::quote(&mut tx, &asked, app.now()).await?;
    drop(tx);
    let release = app.connectors().active(&connection.connector).ok_or(Error::Unavailable(NO_CONNECTOR))?;
    pulling::check_wish(app, &release, &new.parts)?;
    let has_media = new.parts.iter().any(|part| !part.media.is_empty());
    let gathered = match until {
        // What has too many media is not worth fetching them.
        Some(until) if has_media && !has_too_many(&release, new) => {
            Some(media::gather(app, workspace, &new.parts, until).await)
        }
        _ => (!has_media).then(Gathered::default),
    };
    let (gathered, is_whole) = gathered.map_or_else(Default::default, |gathered| {
        let is_whole = gathered.is_whole();
        (gathered, is_whole)
    });
    let troubles = if is_whole {
        let look = Look { app, release: &release, connection: &connection, target: target.as_deref() };
        Box::pin(look.whole(new, &gathered.fetched, kept)).await?
    } else {
        let judged = Box::pin(media::judged(app, &release, &gathered.fetched)).await;
        let judged = judged.map_err(|fault| refusal(&connection, &fault))?;
        limits(&release, new).into_iter().chain(gathered.troubles).chain(judged).collect()
    };
    if !troubles.is_empty() {
        media::forget_bad(app, workspace, &new.parts, &troubles).await;
        return Err(Error::Refused(troubles));
    }
    Ok(Vetted { connection, target, price, release, media: gathered.fetched, late: gathered.late })
}

/// What a publication is asked for its price.
pub(crate) fn asked<'a>(operation: &'a str, connection: &'a Connection) -> Asked<'a> {
    Asked {
        workspace: connection.workspace_id,
        operation,
        connector: Some(&connection.connector),
        model: None,
        connection: Some(connection.id),
        quantities: Quantities { posts: Some(1), ..Quantities::default() },
    }
}

const NO_CONNECTOR: &str = "The connector of this network is not loaded on this server.";

/// What the manifest alone has against a wish, its media unseen.
fn limits(release: &Release, new: &NewPublication) -> Vec<Trouble> {
    let all = not_taken(release, &new.more).into_iter().chain(beyond(release, &media_counts(new)));
    all.map(told).collect()
}

fn has_too_many(release: &Release, new: &NewPublication) -> bool {
    !beyond(release, &media_counts(new)).is_empty()
}

fn media_counts(new: &NewPublication) -> Vec<usize> {
    new.parts.iter().map(|part| part.media.len()).collect()
}

struct Look<'a> {
    app: &'a App,
    release: &'a Arc<Release>,
    connection: &'a Connection,
    target: Option<&'a str>,
}

impl Look<'_> {
    /// All that is wrong with a wish whose media are at hand.
    async fn whole(&self, new: &NewPublication, fetched: &Fetched, kept: Kept) -> Result<Vec<Trouble>> {
        let Self { app, release, connection, target } = *self;
        let looked = async {
            let (variant, troubles) = if fetched.is_empty() {
                let parts = new.parts.iter().map(|part| VariantPart { text: part.text.clone(), media: Vec::new() });
                (Variant { parts: parts.collect(), more: new.more.clone() }, Vec::new())
            } else {
                media::variant(app, release, &new.parts, &new.more, fetched).await?
            };
            checking::check(app, release, connection, (target, kept), (&variant, troubles)).await
        };
        looked.await.map_err(|fault| refusal(connection, &fault))
    }
}

fn refusal(connection: &Connection, fault: &Fault) -> Error {
    match fault.kind {
        FaultKind::Busy => Error::Busy {
            detail: format!(
                "`{}` has as many calls as it may have. Nothing was taken in; try again.",
                connection.connector
            ),
            after: Duration::from_secs(1),
        },
        // The host's own, such as a picture that it could not convert for now.
        FaultKind::Cancelled => Error::Unavailable("This server cannot look at the post for now. Try again."),
        _ => Error::Vendor(format!("The connector failed: {fault}")),
    }
}

/// Everything that no network could make sense of.
pub(crate) fn shape(new: &NewPublication) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    if new.parts.is_empty() || new.parts.len() > MAX_PARTS {
        troubles.push(Trouble::new("parts", format!("A post has 1 to {MAX_PARTS} parts.")));
        return troubles;
    }
    for (index, part) in new.parts.iter().enumerate() {
        troubles.extend(shape_of_part(part).into_iter().map(|trouble| trouble.within(&format!("parts/{index}"))));
    }
    troubles.extend(shape_of_more(&new.more));
    if new.target.as_deref().is_some_and(|target| !is_text(target, MAX_LINE_BYTES)) {
        troubles.push(Trouble::new("target", "This is no target's id."));
    }
    troubles
}

fn is_text(text: &str, most_bytes: usize) -> bool {
    text.len() <= most_bytes && !text.contains('\0')
}

fn is_web(url: &str) -> bool {
    let parsed = url::Url::parse(url);
    url.len() <= MAX_URL_BYTES && parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn shape_of_part(part: &Part) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    if part.text.trim().is_empty() && part.media.is_empty() {
        troubles.push(Trouble::new("", "A part needs text or media."));
    }
    if !is_text(&part.text, MAX_TEXT_BYTES) {
        troubles.push(Trouble::new("text", format!("A text has at most {MAX_TEXT_BYTES} bytes, none of them zero.")));
    }
    if part.media.len() > MAX_MEDIA {
        troubles.push(Trouble::new("media", format!("A part has at most {MAX_MEDIA} media.")));
    }
    for (position, source) in part.media.iter().enumerate() {
        if !is_web(&source.url) {
            let detail = format!("This is no http or https URL of at most {MAX_URL_BYTES} characters.");
            troubles.push(Trouble::new(format!("media/{position}/url"), detail));
        }
        if source.alt_text.as_deref().is_some_and(|text| !is_text(text, MAX_LINE_BYTES)) {
            let detail = format!("A description has at most {MAX_LINE_BYTES} bytes, none of them zero.");
            troubles.push(Trouble::new(format!("media/{position}/alt_text"), detail));
        }
    }
    troubles
}

fn shape_of_more(more: &VariantMore) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    let texts = [
        ("title", &more.title, MAX_LINE_BYTES),
        ("first_comment", &more.first_comment, MAX_TEXT_BYTES),
        ("privacy", &more.privacy, MAX_WORD_BYTES),
    ];
    for (name, text, most) in texts {
        if text.as_deref().is_some_and(|text| !is_text(text, most)) {
            troubles.push(Trouble::new(name, format!("It has at most {most} bytes, none of them zero.")));
        }
    }
    if more.link.as_deref().is_some_and(|link| !is_web(link)) {
        let detail = format!("This is no http or https URL of at most {MAX_URL_BYTES} characters.");
        troubles.push(Trouble::new("link", detail));
    }
    let bytes = serde_json::to_vec(&more.extras).map_or(usize::MAX, |json| json.len());
    if more.extras.len() > MAX_EXTRAS || bytes > MAX_EXTRAS_BYTES {
        let detail = format!("A post has at most {MAX_EXTRAS} extras, of {MAX_EXTRAS_BYTES} bytes together.");
        troubles.push(Trouble::new("extras", detail));
    }
    troubles
}

/// The connection that a wish goes to, and what is kept of it where that was read along.
async fn choose_connection(
    app: &App,
    tx: &mut Tx,
    workspace: WorkspaceId,
    new: &NewPublication,
) -> Result<(Connection, Option<Kept>)> {
    let platforms = app.connectors().platforms();
    if !platforms.contains(&new.platform) {
        let known = platforms.join(", ");
        return Err(Error::invalid(
            "platform",
            format!("There is no connector for `{:.50}`. Loaded: {known}.", new.platform),
        ));
    }
    let (connection, kept) = match new.connection {
        Some(id) => {
            let (connection, kept) = facts::find_connection(tx, workspace, id).await?;
            if connection.platform != new.platform {
                return Err(Error::invalid("connection_id", "This connection is one of another network."));
            }
            (connection, Some(kept))
        }
        None => {
            let mut candidates = connections::at_platform(tx, workspace, &new.platform).await?;
            match candidates.len() {
                0 => {
                    let detail = format!("Connect an account first: {}.", platforms::first_step(app, &new.platform));
                    return Err(Error::Conflict { code: "not_connected", detail });
                }
                1 => (candidates.remove(0), None),
                _ => {
                    let list: Vec<String> =
                        candidates.iter().map(|one| format!("{} (@{})", one.id, one.handle)).collect();
                    let detail =
                        format!("Several accounts are connected; name one as connection_id: {}.", list.join(", "));
                    return Err(Error::Conflict { code: "ambiguous_target", detail });
                }
            }
        }
    };
    if connection.is_active() {
        Ok((connection, kept))
    } else {
        let detail = format!("@{} is no longer connected. Connect it again.", connection.handle);
        Err(Error::Conflict { code: "connection_revoked", detail })
    }
}
