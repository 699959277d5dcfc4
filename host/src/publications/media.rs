//! The media of a publication: fetched once from where the author said, then held as blobs.

use super::{MediaSource, Part};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::blob::{self, Blob, NotStored};
use crate::connectors::egress::{Stage, broken};
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::variant::{Variant, VariantMedium, VariantPart};
use crate::db::Tx;
use crate::id::{BlobId, PublicationId, WorkspaceId};
use crate::on;
use futures_util::TryStreamExt as _;
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

/// Blobs by part and position.
pub(super) type Fetched = HashMap<(i64, i64), Arc<Blob>>;

#[derive(sqlx::FromRow)]
struct Row {
    part: i64,
    position: i64,
    id: BlobId,
    workspace_id: WorkspaceId,
    sha256: String,
    size_bytes: i64,
    content_type: String,
}

const SELECT: &str = "select m.part, m.position, b.id, b.workspace_id, b.sha256, b.size_bytes, b.content_type
    from publication_media m join blobs b on b.id = m.blob_id where m.publication_id = $1 and b.workspace_id = $2";
const INSERT: &str = "insert into publication_media (publication_id, part, position, blob_id) values ($1, $2, $3, $4)";

/// The media that earlier attempts fetched.
pub(super) async fn fetched(tx: &mut Tx, workspace: WorkspaceId, publication: PublicationId) -> sqlx::Result<Fetched> {
    let rows: Vec<Row> =
        on!(tx, conn => sqlx::query_as(SELECT).bind(publication).bind(workspace).fetch_all(conn).await)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let Row { part, position, id, workspace_id, sha256, size_bytes, content_type } = row;
            ((part, position), Arc::new(Blob { id, workspace_id, sha256, size_bytes, content_type }))
        })
        .collect())
}

/// Makes the variant: the text with its media, fetching those that are not there yet.
///
/// # Errors
/// A fault that names the medium: `invalid` when its URL serves none, `vendor-down` when it may go better later.
pub(super) async fn variant(
    app: &App,
    workspace: WorkspaceId,
    publication: PublicationId,
    parts: &[Part],
    mut fetched: Fetched,
) -> Result<Variant, Fault> {
    let mut variant = Variant::default();
    for (index, part) in (0..).zip(parts) {
        let mut media = Vec::with_capacity(part.media.len());
        for (position, source) in (0..).zip(&part.media) {
            let blob = match fetched.remove(&(index, position)) {
                Some(blob) => blob,
                None => {
                    let field = format!("parts/{index}/media/{position}");
                    let blob =
                        fetch(app, workspace, source).await.map_err(|fault| Fault { field: Some(field), ..fault })?;
                    remember(app, publication, index, position, &blob, app.now()).await.map_err(|error| {
                        tracing::error!(%publication, %error, "a fetched medium could not be made known");
                        Fault::new(FaultKind::Cancelled, "the host could not store the medium")
                    })?;
                    Arc::new(blob)
                }
            };
            media.push(VariantMedium { blob, alt_text: source.alt_text.clone() });
        }
        variant.parts.push(VariantPart { text: part.text.clone(), media });
    }
    Ok(variant)
}

async fn fetch(app: &App, workspace: WorkspaceId, source: &MediaSource) -> Result<Blob, Fault> {
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

async fn remember(
    app: &App,
    publication: PublicationId,
    part: i64,
    position: i64,
    blob: &Blob,
    now: Timestamp,
) -> sqlx::Result<()> {
    let mut tx = app.db().begin().await?;
    blob::insert(&mut tx, blob, now).await?;
    on!(&mut tx, conn => sqlx::query(INSERT).bind(publication).bind(part).bind(position).bind(blob.id)
        .execute(conn).await.map(drop))?;
    tx.commit().await
}
