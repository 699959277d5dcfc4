//! Files and folders as Dropbox describes them (`Metadata` of its specification).

use orla_sdk::{DriveEntry, EntryKind, time};
use serde::Deserialize;

/// A file, a folder, or what is left of either.
#[derive(Deserialize)]
#[serde(tag = ".tag", rename_all = "snake_case")]
pub(crate) enum Metadata {
    File(File),
    Folder(Folder),
    /// An entry that is gone, or of a kind that Dropbox has invented since.
    #[serde(other)]
    Gone,
}

#[derive(Deserialize)]
pub(crate) struct File {
    id: String,
    name: String,
    size: u64,
    /// When it was changed at Dropbox; what a client claims to have changed (`client_modified`) nobody has checked.
    server_modified: String,
    #[serde(default = "yes")]
    is_downloadable: bool,
}

#[derive(Deserialize)]
pub(crate) struct Folder {
    id: String,
    name: String,
}

/// What a search found (`MetadataV2`).
#[derive(Deserialize)]
pub(crate) struct Found {
    /// Absent where it is of a kind that Dropbox has invented since.
    pub(crate) metadata: Option<Metadata>,
}

fn yes() -> bool {
    true
}

/// Media types by the ends of names: Dropbox names none.
const TYPES: [(&str, &str); 14] = [
    ("avif", "image/avif"),
    ("csv", "text/csv"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("mov", "video/quicktime"),
    ("mp4", "video/mp4"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
];

fn content_type(name: &str) -> Option<String> {
    let (_, ending) = name.rsplit_once('.')?;
    let ending = ending.to_ascii_lowercase();
    TYPES.iter().find(|(known, _)| *known == ending).map(|(_, content_type)| (*content_type).to_owned())
}

impl Metadata {
    /// The entry; none where it is gone.
    pub(crate) fn shown(self) -> Option<DriveEntry> {
        match self {
            Self::Gone => None,
            Self::Folder(Folder { id, name }) => Some(DriveEntry {
                id,
                name,
                kind: EntryKind::Folder,
                size: None,
                content_type: None,
                modified_ms: None,
                fetchable: false,
            }),
            Self::File(File { id, name, size, server_modified, is_downloadable }) => Some(DriveEntry {
                id,
                kind: EntryKind::File,
                size: Some(size),
                content_type: content_type(&name),
                modified_ms: time::rfc3339_ms(&server_modified),
                fetchable: is_downloadable,
                name,
            }),
        }
    }
}
