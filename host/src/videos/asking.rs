//! Taking a video in: the wish is held against what the model takes, paid for, and put on the list of work.

use super::{OPERATION, State, Video, columns};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connecting::platforms;
use crate::connectors::blob::{self, Blob};
use crate::connectors::connections::{self, Connection};
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::filming::{Filmed, VideoWish};
use crate::connectors::release::Release;
use crate::connectors::run::{self, Pinned};
use crate::connectors::targets;
use crate::db::Tx;
use crate::error::{Error, Result, Trouble};
use crate::id::{BlobId, ConnectionId, HoldId, VideoId, WorkspaceId};
use crate::identity::Caller;
use crate::jobs::{self, Job};
use crate::ledger::{self, Reservation};
use crate::on;
use crate::prices::{self, Asked, Quantities, Quote};
use crate::publications::{check_key, request_digest};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Longest text of a wish; what the model takes is the connector's to say.
const MAX_TEXT_BYTES: usize = 64 << 10;
const MAX_WORD_BYTES: usize = 200;
/// Seconds that a video is counted as whose wish says nothing of its length: as long as models make them.
const UNSAID_SECONDS: u32 = 8;

/// A video to be made.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVideo {
    /// The account in whose name it is made, where the workspace has several that make videos.
    pub connection_id: Option<ConnectionId>,
    /// The project that it is made in, where the account has several.
    pub target: Option<String>,
    /// What happens in it.
    pub prompt: String,
    /// What must not be in it.
    pub negative_prompt: Option<String>,
    /// The blob of a picture that it begins with.
    pub image: Option<BlobId>,
    /// How long it is, in seconds.
    pub duration_seconds: Option<u32>,
    /// Width to height, such as `16:9`.
    pub aspect_ratio: Option<String>,
    /// Such as `720p`.
    pub resolution: Option<String>,
    /// Makes the model's choices the same each time, where it can.
    pub seed: Option<u64>,
    /// Whether it has sound.
    pub audio: Option<bool>,
    /// The vendor's name of a model; the operator's choice where absent.
    pub model: Option<String>,
}

impl NewVideo {
    fn wish(&self) -> VideoWish {
        VideoWish {
            prompt: self.prompt.clone(),
            negative_prompt: self.negative_prompt.clone(),
            duration_seconds: self.duration_seconds,
            aspect_ratio: self.aspect_ratio.clone(),
            resolution: self.resolution.clone(),
            seed: self.seed,
            audio: self.audio,
            model: self.model.clone(),
        }
    }

    /// Everything that no model could make sense of.
    fn troubles(&self) -> Vec<Trouble> {
        let texts = [
            ("prompt", Some(&self.prompt), MAX_TEXT_BYTES),
            ("negative_prompt", self.negative_prompt.as_ref(), MAX_TEXT_BYTES),
            ("aspect_ratio", self.aspect_ratio.as_ref(), MAX_WORD_BYTES),
            ("resolution", self.resolution.as_ref(), MAX_WORD_BYTES),
            ("model", self.model.as_ref(), MAX_WORD_BYTES),
            ("target", self.target.as_ref(), MAX_WORD_BYTES),
        ];
        let wrong = texts
            .into_iter()
            .filter(|(_, text, most)| text.is_some_and(|text| text.len() > *most || text.contains('\0')));
        let told = |(name, _, most)| Trouble::new(name, format!("It has at most {most} bytes, none of them zero."));
        let mut troubles: Vec<Trouble> = wrong.map(told).collect();
        if self.prompt.trim().is_empty() {
            troubles.push(Trouble::new("prompt", "Say what is to be seen.".to_owned()));
        }
        troubles
    }
}

/// A wish that can be met.
struct Vetted {
    connection: Connection,
    target: Option<String>,
    release: Arc<Release>,
    price: Quote,
    wish: VideoWish,
    image: Option<BlobId>,
    key: Option<String>,
    digest: String,
}

/// Takes a video in: row, run, hold and job together or not at all. The same idempotency key with the same wish gives the video that
/// it gave before.
///
/// # Errors
/// The wish makes no sense, is not what the model takes, names no account of the workspace, or costs more than the workspace has.
pub async fn ask(app: &App, caller: Caller, new: NewVideo, key: Option<String>) -> Result<Video> {
    check_key(key.as_deref())?;
    let digest = request_digest(&new)?;
    let workspace = caller.workspace;
    if let Some(earlier) = repeated(&mut app.db().read().await?, workspace, key.as_deref(), &digest).await? {
        return Ok(earlier);
    }
    let vetted = Box::pin(vet(app, workspace, &new, (key, digest))).await?;
    let taken = async {
        let mut tx = app.db().begin().await?;
        let video = insert(&mut tx, caller, &vetted, app.now()).await?;
        tx.commit().await?;
        Ok(video)
    };
    match taken.await {
        Ok(video) => {
            app.wake_worker();
            Ok(video)
        }
        // Somebody else may have been quicker with the same key, and taken the last credits for it.
        Err(error) => {
            let mut tx = app.db().read().await?;
            repeated(&mut tx, workspace, vetted.key.as_deref(), &vetted.digest).await?.ok_or(error)
        }
    }
}

const BY_KEY: &str = concat!("select ", columns!(), " from videos where workspace_id = $1 and idempotency_key = $2");

async fn repeated(tx: &mut Tx, workspace: WorkspaceId, key: Option<&str>, digest: &str) -> Result<Option<Video>> {
    let Some(key) = key else { return Ok(None) };
    let earlier: Option<Video> =
        on!(tx, conn => sqlx::query_as(BY_KEY).bind(workspace).bind(key).fetch_optional(conn).await)?;
    match earlier {
        Some(earlier) if earlier.request_digest != digest => Err(Error::Conflict {
            code: "idempotency_key_reused",
            detail: "This Idempotency-Key was used for another video. Use a new key for a new one.".to_owned(),
        }),
        earlier => Ok(earlier),
    }
}

/// Holds a wish against everything that can be known before it is paid for.
async fn vet(
    app: &App,
    workspace: WorkspaceId,
    new: &NewVideo,
    (key, digest): (Option<String>, String),
) -> Result<Vetted> {
    let troubles = new.troubles();
    if !troubles.is_empty() {
        return Err(Error::Refused(troubles));
    }
    let mut tx = app.db().read().await?;
    let (connection, release) = choose(app, &mut tx, workspace, new.connection_id).await?;
    let targets = match connection.target_count {
        0 => Vec::new(),
        _ => targets::list(&mut tx, workspace, connection.id).await?,
    };
    let target = targets::resolve(&targets, new.target.as_deref())?;
    let image = image(&mut tx, workspace, new.image).await?;
    let price = prices::quote(&mut tx, &asked(new, &connection), app.now()).await?;
    drop(tx);
    let wish = new.wish();
    let filmed = Filmed { wish: &wish, image: image.as_ref(), settings: &release.settings };
    let violations = app.connectors().check_video(&release, workspace, filmed).await.map_err(|fault| failed(&fault))?;
    if !violations.is_empty() {
        let troubles = violations.into_iter().map(|violation| Trouble::new(violation.field, violation.message));
        return Err(Error::Refused(troubles.collect()));
    }
    Ok(Vetted { connection, target, release, price, wish, image: new.image, key, digest })
}

/// What a video is asked for its price.
fn asked<'a>(new: &'a NewVideo, connection: &'a Connection) -> Asked<'a> {
    let seconds = i64::from(new.duration_seconds.unwrap_or(UNSAID_SECONDS));
    Asked {
        workspace: connection.workspace_id,
        operation: OPERATION,
        connector: Some(&connection.connector),
        model: new.model.as_deref(),
        connection: Some(connection.id),
        quantities: Quantities { seconds: Some(seconds), ..Quantities::default() },
    }
}

fn failed(fault: &Fault) -> Error {
    match fault.kind {
        FaultKind::Busy => Error::Busy {
            detail: "The video model has as many calls as it may have. Nothing was taken in; try again.".to_owned(),
            after: Duration::from_secs(1),
        },
        _ => Error::Vendor(format!("The connector failed: {fault}")),
    }
}

async fn image(tx: &mut Tx, workspace: WorkspaceId, id: Option<BlobId>) -> Result<Option<Arc<Blob>>> {
    let Some(id) = id else { return Ok(None) };
    let found = blob::find(tx, workspace, id).await?;
    found.map(Arc::new).map(Some).ok_or_else(|| Error::invalid("image", "There is no such blob."))
}

/// The account in whose name a video is made, and the release that has it made.
async fn choose(
    app: &App,
    tx: &mut Tx,
    workspace: WorkspaceId,
    wanted: Option<ConnectionId>,
) -> Result<(Connection, Arc<Release>)> {
    let films = |connection: &Connection| {
        app.connectors().active(&connection.connector).filter(|release| release.films.is_some())
    };
    let connection = match wanted {
        Some(id) => {
            let connection = connections::find(tx, workspace, id).await?;
            if films(&connection).is_none() {
                return Err(Error::invalid("connection_id", "The network of this connection makes no videos."));
            }
            connection
        }
        None => {
            let mut able = connections::list(tx, workspace).await?;
            able.retain(|connection| films(connection).is_some());
            match able.len() {
                0 => return Err(not_connected(app)),
                1 => able.remove(0),
                _ => {
                    let list: Vec<String> = able.iter().map(|one| format!("{} (@{})", one.id, one.handle)).collect();
                    let detail =
                        format!("Several accounts make videos; name one as connection_id: {}.", list.join(", "));
                    return Err(Error::Conflict { code: "ambiguous_target", detail });
                }
            }
        }
    };
    if !connection.is_active() {
        let detail = format!("@{} is no longer connected. Connect it again.", connection.handle);
        return Err(Error::Conflict { code: "connection_revoked", detail });
    }
    let release = films(&connection).ok_or(Error::Unavailable("No connector on this server makes videos."))?;
    Ok((connection, release))
}

fn not_connected(app: &App) -> Error {
    let releases = app.connectors().releases();
    let able: Vec<String> = releases
        .iter()
        .filter(|release| release.films.is_some())
        .map(|release| platforms::first_step(app, release.manifest.platform()))
        .collect();
    if able.is_empty() {
        return Error::Unavailable("No connector on this server makes videos.");
    }
    Error::Conflict { code: "not_connected", detail: format!("Connect an account first: {}.", able.join(", or ")) }
}

const INSERT: &str = concat!(
    "insert into videos (id, workspace_id, author_id, connection_id, connector, target, wish, settings, image_id, state,
        hold_id, price, attempts, setbacks, idempotency_key, request_digest, created_at, updated_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, $13, $14, $15, $15) returning ",
    columns!()
);

async fn insert(tx: &mut Tx, caller: Caller, vetted: &Vetted, now: Timestamp) -> Result<Video> {
    let id = VideoId::new();
    let Vetted { connection, release, price, .. } = vetted;
    let json = |value: serde_json::Result<String>| value.map_err(anyhow::Error::from);
    let wish = json(serde_json::to_string(&vetted.wish))?;
    // What the operator sets later must not change what was begun: an execution asks for the same as the one before.
    let settings = json(serde_json::to_string(&release.settings))?;
    let items = price.items_to_keep()?;
    let wanted = Reservation {
        operation: OPERATION,
        credits: price.credits,
        key: &format!("video/{id}"),
        member: Some(caller.user),
        items: items.as_deref(),
    };
    let hold: Option<HoldId> = ledger::reserve(tx, caller.workspace, &wanted, now).await?;
    let video: Video = on!(&mut *tx, conn => sqlx::query_as(INSERT)
        .bind(id).bind(caller.workspace).bind(caller.user).bind(connection.id).bind(&connection.connector)
        .bind(&vetted.target).bind(&wish).bind(&settings).bind(vetted.image).bind(State::Due.word()).bind(hold)
        .bind(price.credits).bind(&vetted.key).bind(&vetted.digest).bind(now)
        .fetch_one(conn).await)?;
    let pinned = Pinned { id: id.into(), workspace: caller.workspace, seed: rand::rng().random(), started_at: now };
    run::pin(tx, &pinned, &connection.connector, &release.digest).await?;
    jobs::enqueue_at(tx, Job::MakeVideo(id), &video.place(), now, now).await?;
    Ok(video)
}
