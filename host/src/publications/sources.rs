//! Media as people named them. Each is fetched once, however many posts, accounts and drafts name it within a quarter of an
//! hour; what turned out to be no good is fetched anew, since its author puts something better in its place.

use super::MediaSource;
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::blob::{self, Blob, NotStored, blob_columns};
use crate::connectors::egress::{Stage, broken};
use crate::connectors::fault::{Fault, FaultKind};
use crate::db::Tx;
use crate::id::{PublicationId, WorkspaceId};
use crate::on;
use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use url::Url;

/// How long what was fetched stands for what is at its URL.
const FRESH: Duration = Duration::from_secs(15 * 60);

/// The media that are being fetched: who wants one that is on its way waits for it.
#[derive(Debug, Default)]
pub struct Sources(Mutex<HashMap<(WorkspaceId, String), Weak<Fetching>>>);

/// Held by whoever fetches one.
type Fetching = tokio::sync::Mutex<()>;

impl Sources {
    fn lock_of(&self, workspace: WorkspaceId, digest: &str) -> Arc<Fetching> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (workspace, digest.to_owned());
        if let Some(lock) = locks.get(&key).and_then(Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(Fetching::new(()));
        locks.insert(key, Arc::downgrade(&lock));
        lock
    }
}

/// Where a medium stands in a publication.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) publication: PublicationId,
    pub(super) part: i64,
    pub(super) position: i64,
}

const FIND: &str = concat!(
    "select ",
    blob_columns!(),
    " from media_sources s join blobs b on b.id = s.blob_id
    where s.workspace_id = $1 and s.url_digest = $2 and s.fetched_at > $3"
);
const KEEP: &str = "insert into media_sources (workspace_id, url_digest, blob_id, fetched_at) values ($1, $2, $3, $4)
    on conflict (workspace_id, url_digest) do update set blob_id = excluded.blob_id, fetched_at = excluded.fetched_at";
const FORGET: &str = "delete from media_sources where workspace_id = $1 and url_digest = $2";
const PLACE: &str = "insert into publication_media (publication_id, part, position, blob_id) values ($1, $2, $3, $4)";

fn digest(source: &MediaSource) -> String {
    hex::encode(Sha256::digest(&source.url))
}

/// Gives a medium, fetched now or of late, and makes it the publication's that wants it.
///
/// # Errors
/// `invalid` when its URL serves none, `vendor-down` when it may go better later.
pub(super) async fn fetch(
    app: &App,
    workspace: WorkspaceId,
    source: &MediaSource,
    place: Option<Place>,
) -> Result<Arc<Blob>, Fault> {
    let not_known = |error: sqlx::Error| {
        tracing::error!(%workspace, %error, "a fetched medium could not be made known");
        Fault::new(FaultKind::Cancelled, "the host could not store the medium")
    };
    let digest = digest(source);
    let lock = app.sources().lock_of(workspace, &digest);
    let _one_at_a_time = lock.lock().await;
    let known = find(app, workspace, &digest).await.map_err(not_known)?;
    let (blob, is_new) = match known {
        Some(blob) => (blob, false),
        None => (Box::pin(download(app, workspace, source)).await?, true),
    };
    if is_new || place.is_some() {
        let kept = async {
            let (now, mut tx) = (app.now(), app.db().begin().await?);
            if is_new {
                blob::insert(&mut tx, &blob, now).await?;
                on!(&mut tx, conn => sqlx::query(KEEP).bind(workspace).bind(&digest).bind(blob.id).bind(now)
                    .execute(conn).await.map(drop))?;
            }
            if let Some(place) = place {
                put(&mut tx, place, &blob).await?;
            }
            tx.commit().await
        };
        kept.await.map_err(not_known)?;
    }
    Ok(Arc::new(blob))
}

async fn find(app: &App, workspace: WorkspaceId, digest: &str) -> sqlx::Result<Option<Blob>> {
    let since: Timestamp = app.now().before(FRESH);
    let mut tx = app.db().read().await?;
    on!(&mut tx, conn => sqlx::query_as(FIND).bind(workspace).bind(digest).bind(since).fetch_optional(conn).await)
}

/// Makes a blob a publication's.
pub(super) async fn put(tx: &mut Tx, place: Place, blob: &Blob) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(PLACE)
        .bind(place.publication).bind(place.part).bind(place.position).bind(blob.id)
        .execute(conn).await.map(drop))
}

/// Sees to it that a medium which is no good is fetched anew the next time. That it cannot be is only logged: it ages.
pub(super) async fn forget(app: &App, workspace: WorkspaceId, source: &MediaSource) {
    let digest = digest(source);
    let forgotten: sqlx::Result<()> = async {
        let mut tx = app.db().begin_single().await?;
        on!(&mut tx, conn => sqlx::query(FORGET).bind(workspace).bind(digest).execute(conn).await.map(drop))?;
        tx.commit().await
    }
    .await;
    if let Err(error) = forgotten {
        tracing::warn!(%workspace, %error, "a medium that is no good could not be forgotten");
    }
}

async fn download(app: &App, workspace: WorkspaceId, source: &MediaSource) -> Result<Blob, Fault> {
    let invalid = |words: String| Fault::new(FaultKind::Invalid, format!("The medium cannot be fetched: {words}."));
    let url = Url::parse(&source.url).map_err(|error| invalid(error.to_string()))?;
    let services = app.connectors().services();
    let response = services.egress.fetch(url).await.map_err(|none| match none.stage {
        Stage::Forbidden => invalid(none.message),
        Stage::Unreached | Stage::Lost => {
            Fault::new(FaultKind::VendorDown, format!("The medium cannot be fetched: {}.", none.message))
        }
    })?;
    let status = response.status();
    if status.is_server_error() || status.as_u16() == 429 {
        return Err(Fault::new(FaultKind::VendorDown, format!("The medium's server answered {status}.")));
    }
    if !status.is_success() {
        return Err(invalid(format!("its server answered {status}")));
    }
    let chunks = Box::pin(response.bytes_stream().map_err(|error| broken(&error)));
    services.blobs.put(workspace, chunks, services.max_blob_bytes).await.map_err(|error| match error {
        NotStored::TooLarge(_) => Fault::new(FaultKind::TooLarge, format!("The medium cannot be fetched: {error}.")),
        NotStored::Source(_) => Fault::new(FaultKind::VendorDown, format!("The medium cannot be fetched: {error}.")),
        NotStored::Store(cause) => {
            tracing::error!(error = format!("{cause:#}"), "the blob store failed");
            Fault::new(FaultKind::Cancelled, "the host could not store the medium")
        }
    })
}
