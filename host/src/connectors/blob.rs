//! Bytes that the host stores: media and answers. Connectors see handles; the bytes stream past them.
//!
//! A blob is written once, under its workspace and id, and only ever read by that workspace.

mod digest;
mod early;
mod film;
mod measuring;

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::{BlobId, RunId, WorkspaceId};
use crate::{crash, on};
use anyhow::Context as _;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, GetResultPayload, ObjectStore, ObjectStoreExt as _};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::io::ReaderStream;

/// Bytes of the beginning that tell the type.
const SNIFF_BYTES: usize = 8_192;
/// Bytes that are read from a file at once. Each piece takes a change of threads, and the store's own, of 8 KiB, would
/// make that the larger part of reading.
const PIECE_BYTES: usize = 256 << 10;

/// What a medium is like, as far as its first bytes say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Shape {
    /// Pixels across.
    pub width: Option<i64>,
    /// Pixels from top to bottom.
    pub height: Option<i64>,
    /// Of a film, how long it lasts in milliseconds.
    pub duration_ms: Option<i64>,
}

/// A stored blob.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Blob {
    /// Its id.
    pub id: BlobId,
    /// Whose it is.
    pub workspace_id: WorkspaceId,
    /// SHA-256 of the bytes in lowercase hex.
    pub sha256: String,
    /// Length in bytes.
    pub size_bytes: i64,
    /// Media type as found in the bytes.
    pub content_type: String,
    /// What it is like.
    #[sqlx(flatten)]
    pub shape: Shape,
}

/// The columns of [`Blob`], of the table named `b`.
macro_rules! blob_columns {
    () => {
        "b.id, b.workspace_id, b.sha256, b.size_bytes, b.content_type, b.width, b.height, b.duration_ms"
    };
}
pub(crate) use blob_columns;

impl Blob {
    /// Length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size_bytes.unsigned_abs()
    }

    fn key(&self) -> Key {
        Key::from(format!("{}/{}", self.workspace_id, self.id))
    }
}

/// What a guest holds of a blob.
#[derive(Debug, Clone)]
pub struct Handle(pub(crate) Arc<Blob>);

/// The blobs that the answers to a run's requests became.
#[derive(Debug, Default)]
pub(crate) struct Received(Mutex<Vec<Blob>>);

impl Received {
    pub(super) fn add(&self, blob: &Blob) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(blob.clone());
    }

    /// All of them, once.
    pub(super) fn take(&self) -> Vec<Blob> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Why bytes were not stored.
#[derive(Debug, thiserror::Error)]
pub enum NotStored {
    /// There were more than allowed.
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    /// The source broke off.
    #[error("it broke off: {0}")]
    Source(String),
    /// The store failed.
    #[error("the blob store failed")]
    Store(#[source] anyhow::Error),
}

/// Where blobs are.
#[derive(Debug, Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// A folder for each workspace is in it.
    folder: Arc<Path>,
}

impl Blobs {
    /// Blobs in a local folder, made when absent.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn in_folder(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let store = LocalFileSystem::new_with_prefix(folder).context("cannot open the blob folder")?;
        Ok(Self { store: Arc::new(store.with_fsync(true)), folder: folder.into() })
    }

    /// Stores a stream of bytes. The row is the caller's to write ([`insert`]).
    ///
    /// # Errors
    /// [`NotStored`]; nothing is left behind.
    pub async fn put(
        &self,
        workspace: WorkspaceId,
        mut source: impl Stream<Item = Result<Bytes, String>> + Unpin,
        max_bytes: u64,
    ) -> Result<Blob, NotStored> {
        let mut blob = Blob {
            id: BlobId::new(),
            workspace_id: workspace,
            sha256: String::new(),
            size_bytes: 0,
            content_type: String::new(),
            shape: Shape::default(),
        };
        let mut writer = BufWriter::with_capacity(self.store.clone(), blob.key(), 1 << 20);
        let mut digest = digest::Streamed::new();
        let mut early = early::Early::of(blob.id, self.folder.join(workspace.to_string()));
        let mut head = Vec::new();
        let mut size = 0_u64;
        let copied: Result<(), NotStored> = async {
            while let Some(chunk) = source.next().await {
                let chunk = chunk.map_err(NotStored::Source)?;
                size += chunk.len() as u64;
                if size > max_bytes {
                    return Err(NotStored::TooLarge(max_bytes));
                }
                digest.add(chunk.clone()).await;
                head.extend_from_slice(&chunk[..chunk.len().min(SNIFF_BYTES.saturating_sub(head.len()))]);
                let length = chunk.len();
                writer.put(chunk).await.map_err(|error| NotStored::Store(error.into()))?;
                early.wrote(length);
            }
            drop(early);
            writer.shutdown().await.map_err(|error| NotStored::Store(error.into()))
        }
        .await;
        if let Err(error) = copied {
            // An upload that never finished leaves nothing; abort frees what it had staged.
            let _ = writer.abort().await;
            return Err(error);
        }
        blob.sha256 = digest.finish().await.map_err(NotStored::Store)?;
        blob.size_bytes = i64::try_from(size).unwrap_or(i64::MAX);
        blob.content_type = content_type(&head).to_owned();
        blob.shape = measuring::measure(self, &blob, &head).await;
        Ok(blob)
    }

    /// Stores the bytes of a blob whose row there is: those of a backup.
    ///
    /// # Errors
    /// The source or the store failed.
    pub(crate) async fn put_again(&self, blob: &Blob, mut source: impl Read) -> anyhow::Result<()> {
        crash::before_write();
        let mut writer = BufWriter::with_capacity(self.store.clone(), blob.key(), 1 << 20);
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = source.read(&mut piece).context("the backup cannot be read")?;
            if read == 0 {
                break;
            }
            writer.put(Bytes::copy_from_slice(&piece[..read])).await.context("the blob store failed")?;
        }
        writer.shutdown().await.context("the blob store failed")?;
        crash::after_write();
        Ok(())
    }

    /// Streams a stretch of a blob.
    ///
    /// # Errors
    /// The store failed, or the blob is gone.
    pub async fn read(
        &self,
        blob: &Blob,
        offset: u64,
        length: u64,
    ) -> anyhow::Result<BoxStream<'static, io::Result<Bytes>>> {
        if length == 0 {
            return Ok(futures_util::stream::empty().boxed());
        }
        let options = GetOptions { range: Some(GetRange::Bounded(offset..offset + length)), ..GetOptions::default() };
        let found = self.store.get_opts(&blob.key(), options).await?;
        let (range, payload) = (found.range, found.payload);
        Ok(match payload {
            GetResultPayload::File(mut file, _) => {
                file.seek(SeekFrom::Start(range.start))?;
                let stretch = tokio::fs::File::from_std(file).take(range.end - range.start);
                ReaderStream::with_capacity(stretch, PIECE_BYTES).boxed()
            }
            GetResultPayload::Stream(stream) => stream.map_err(io::Error::from).boxed(),
        })
    }

    /// Reads a stretch of a blob into memory.
    ///
    /// # Errors
    /// As [`Blobs::read`].
    pub async fn read_all(&self, blob: &Blob, offset: u64, length: u64) -> anyhow::Result<Vec<u8>> {
        let chunks: Vec<Bytes> = self.read(blob, offset, length).await?.try_collect().await?;
        Ok(chunks.concat())
    }

    /// Deletes the bytes of a blob.
    ///
    /// # Errors
    /// The store failed.
    pub async fn delete(&self, blob: &Blob) -> anyhow::Result<()> {
        Ok(self.store.delete(&blob.key()).await?)
    }
}

/// The media type that the first bytes show; what someone calls it does not count.
fn content_type(head: &[u8]) -> &'static str {
    match infer::get(head) {
        Some(kind) => kind.mime_type(),
        None if std::str::from_utf8(head).is_ok() => "text/plain",
        None => "application/octet-stream",
    }
}

const INSERT: &str = "insert into blobs
    (id, workspace_id, sha256, size_bytes, content_type, created_at, width, height, duration_ms, received_by)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// Makes a stored blob known.
///
/// # Errors
/// The database failed.
pub async fn insert(tx: &mut Tx, blob: &Blob, now: Timestamp) -> sqlx::Result<()> {
    insert_received(tx, blob, None, now).await
}

/// Makes a blob known that a run received from its vendor, and that is to be [`keep`]t or found again by [`left_behind`].
///
/// # Errors
/// The database failed.
pub(crate) async fn insert_received(
    tx: &mut Tx,
    blob: &Blob,
    receiver: Option<RunId>,
    now: Timestamp,
) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(INSERT)
        .bind(blob.id).bind(blob.workspace_id).bind(&blob.sha256).bind(blob.size_bytes).bind(&blob.content_type).bind(now)
        .bind(blob.shape.width).bind(blob.shape.height).bind(blob.shape.duration_ms).bind(receiver)
        .execute(conn).await.map(drop))
}

const LEFT_BEHIND: &str =
    concat!("select ", blob_columns!(), " from blobs b where b.workspace_id = $1 and b.received_by = $2");

/// What earlier executions of a run received and never said what for: their host died.
///
/// # Errors
/// The database failed.
pub(crate) async fn left_behind(tx: &mut Tx, workspace: WorkspaceId, run: RunId) -> sqlx::Result<Vec<Blob>> {
    on!(tx, conn => sqlx::query_as(LEFT_BEHIND).bind(workspace).bind(run).fetch_all(conn).await)
}

const KEEP: &str = "update blobs set received_by = null where workspace_id = $1 and id = $2";

/// Keeps a blob that a run received, in the transaction that says what for.
///
/// # Errors
/// The database failed.
pub(crate) async fn keep(tx: &mut Tx, blob: &Blob) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(KEEP).bind(blob.workspace_id).bind(blob.id).execute(conn).await.map(drop))
}

/// What a database of an older program has as well.
const ALL: &str = "select id, workspace_id, sha256, size_bytes, content_type, cast(null as bigint) as width,
    cast(null as bigint) as height, cast(null as bigint) as duration_ms from blobs order by id";

/// All blobs of all workspaces, for a backup.
///
/// # Errors
/// The database failed.
pub(crate) async fn all(tx: &mut Tx) -> sqlx::Result<Vec<Blob>> {
    on!(tx, conn => sqlx::query_as(ALL).fetch_all(conn).await)
}

const FIND: &str = concat!("select ", blob_columns!(), " from blobs b where b.workspace_id = $1 and b.id = $2");

/// A workspace's blob.
///
/// # Errors
/// The database failed.
pub(crate) async fn find(tx: &mut Tx, workspace: WorkspaceId, id: BlobId) -> sqlx::Result<Option<Blob>> {
    on!(tx, conn => sqlx::query_as(FIND).bind(workspace).bind(id).fetch_optional(conn).await)
}

const DELETE: &str = "delete from blobs where workspace_id = $1 and id = $2";

/// Forgets a blob that nothing refers to. Its bytes are deleted afterwards, by [`Blobs::delete`].
///
/// # Errors
/// The database failed, or something refers to it.
pub(crate) async fn forget(tx: &mut Tx, blob: &Blob) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(DELETE).bind(blob.workspace_id).bind(blob.id).execute(conn).await.map(drop))
}
