//! Importing: a file of a drive becomes a blob of the workspace.

use super::Drive;
use crate::app::App;
use crate::connectors::blob::Blob;
use crate::connectors::connections::Connection;
use crate::connectors::drive::{self, Fetched, Kind};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{BlobId, WorkspaceId};
use crate::on;
use anyhow::Context as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// A file that was imported.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    /// The blob's id.
    id: BlobId,
    /// The file's name in the drive.
    name: String,
    /// Its length in bytes.
    size: u64,
    /// Its media type, as found in its bytes.
    content_type: String,
    /// SHA-256 of the bytes in lowercase hex.
    sha256: String,
}

/// Imports a file. The same idempotency key with the same file gives the blob of the first time.
///
/// It goes on when the caller hangs up: asking again with the same key gives what came of it.
///
/// # Errors
/// The id names no file here, the key was used for another file, or the drive cannot be asked, in a sentence for a person.
/// Nothing is left behind.
pub async fn import(app: &App, drive: Drive, file: &str, key: Option<String>) -> Result<Imported> {
    let named = drive.unseal(app, file)?;
    if named.kind != Kind::File {
        return Err(Error::invalid("file_id", "This is a folder. Name a file."));
    }
    if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > 200) {
        return Err(Error::Malformed("The Idempotency-Key must have 1 to 200 characters.".to_owned()));
    }
    let wish = serde_json::to_vec(&(drive.connection.id, &named.id)).context("an import cannot be named")?;
    let wanted = Wanted { drive, file: named.id, key, digest: hex::encode(Sha256::digest(wish)) };
    if let Some(earlier) = wanted.repeated(&mut app.db().read().await?).await? {
        return Ok(earlier);
    }
    let importing = app.clone();
    let imported = app.tasks().spawn(async move { wanted.fetch(&importing).await }).await;
    imported.context("an import ended before its time")?
}

/// An import under way.
struct Wanted {
    drive: Drive,
    /// The vendor's id.
    file: String,
    key: Option<String>,
    digest: String,
}

const INSERT: &str = "insert into drive_imports
    (blob_id, workspace_id, connection_id, name, idempotency_key, request_digest, created_at)
    values ($1, $2, $3, $4, $5, $6, $7) on conflict (workspace_id, idempotency_key) do nothing";
const BY_KEY: &str = "select i.request_digest, i.name, b.id, b.sha256, b.size_bytes, b.content_type
    from drive_imports i join blobs b on b.id = i.blob_id where i.workspace_id = $1 and i.idempotency_key = $2";

#[derive(sqlx::FromRow)]
struct Row {
    request_digest: String,
    name: String,
    id: BlobId,
    sha256: String,
    size_bytes: i64,
    content_type: String,
}

impl Wanted {
    fn workspace(&self) -> WorkspaceId {
        self.drive.connection.workspace_id
    }

    /// What the same key asked for before.
    async fn repeated(&self, tx: &mut Tx) -> Result<Option<Imported>> {
        let Some(key) = &self.key else { return Ok(None) };
        let earlier: Option<Row> = on!(tx, conn => sqlx::query_as(BY_KEY).bind(self.workspace()).bind(key)
            .fetch_optional(conn).await)?;
        match earlier {
            None => Ok(None),
            Some(Row { request_digest, .. }) if request_digest != self.digest => Err(Error::Conflict {
                code: "idempotency_key_reused",
                detail: "This Idempotency-Key was used for another file. Use a new key for a new file.".to_owned(),
            }),
            Some(Row { name, id, sha256, size_bytes, content_type, .. }) => {
                Ok(Some(Imported { id, name, size: size_bytes.unsigned_abs(), content_type, sha256 }))
            }
        }
    }

    async fn fetch(self, app: &App) -> Result<Imported> {
        let (run, account) = self.drive.run(app).await?;
        let fetched = Box::pin(app.connectors().fetch(&run, &account, &self.file)).await;
        let Fetched { blob, name } = fetched.map_err(|fault| self.drive.refusal(app, &fault, "file_id"))?;
        match self.keep(app, &blob, &name).await {
            Ok(true) => {
                let Blob { id, sha256, content_type, .. } = blob.clone();
                Ok(Imported { id, name, size: blob.size(), content_type, sha256 })
            }
            // The same wish was quicker, and its blob is the one.
            Ok(false) => {
                drive::discard_all(app.connectors().services(), vec![blob]).await;
                let earlier = self.repeated(&mut app.db().read().await?).await?;
                Ok(earlier.context("a key that is taken names an import")?)
            }
            Err(error) => {
                drive::discard_all(app.connectors().services(), vec![blob]).await;
                Err(error)
            }
        }
    }

    /// Writes the import down; false where its key was taken meanwhile.
    async fn keep(&self, app: &App, blob: &Blob, name: &str) -> Result<bool> {
        let Connection { id, .. } = self.drive.connection;
        let mut tx = app.db().begin().await?;
        let kept = on!(&mut tx, conn => sqlx::query(INSERT)
            .bind(blob.id).bind(self.workspace()).bind(id).bind(name).bind(self.key.as_deref()).bind(&self.digest).bind(app.now())
            .execute(conn).await.map(|done| done.rows_affected()))?;
        tx.commit().await?;
        Ok(kept == 1)
    }
}
