//! Backups of a whole installation, and bringing one into an empty installation.
//!
//! A backup is one file (a tar) in a form of its own, the same for both databases: so what was made of SQLite goes into
//! PostgreSQL, and the other way round.
//!
//! ```text
//! ORLA-BACKUP                     what it is, for a person; its first line names the format
//! tables/<table>.jsonl            a table's rows, each a list of its cells; bytes and ids are base64
//! blobs/<workspace>/<id>          the blobs that the database names
//! master.key                      only where it was asked for
//! manifest.json                   what is in it, of when, by which schema, under which master key; each member's SHA-256
//! manifest.hmac                   the manifest's signature, by a key that only the master key opens
//! ```
//!
//! Which tables there are is asked of the database. A restore checks all of it before it writes anything, and raises the
//! [`fence`](crate::fence).

mod archive;
mod checking;
mod making;
mod manifest;
mod restoring;
mod unfinished;

pub use making::{Made, MasterKey, make};
pub use restoring::{Restored, restore};
pub use unfinished::check as check_restored;

use crate::connectors::blob::Blob;

/// The member that holds the master keys' file.
const MASTER_KEY: &str = "master.key";

/// The member that holds a blob.
fn blob_member(blob: &Blob) -> String {
    format!("blobs/{}/{}", blob.workspace_id, blob.id)
}
