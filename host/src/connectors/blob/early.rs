//! Has a large file written to the disk while the rest of it still arrives. Else the disk rests until the end and then has all of
//! it to do, while somebody waits.

use crate::id::BlobId;
use std::fs::File;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use tokio::task::spawn_blocking;

/// Bytes between one look at the disk and the next.
const EVERY: usize = 16 << 20;

/// What has the disk begin. It is no part of what makes a blob safe: the store does that in the end, whatever became of this.
pub(super) struct Early {
    /// Where the store keeps the file meanwhile.
    folder: PathBuf,
    id: BlobId,
    written: usize,
    thread: Option<SyncSender<()>>,
}

impl Early {
    pub(super) fn of(id: BlobId, folder: PathBuf) -> Self {
        Self { folder, id, written: 0, thread: None }
    }

    /// Counts what was handed to the store.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes;
        if self.written < EVERY {
            return;
        }
        self.written = 0;
        let thread = self.thread.get_or_insert_with(|| begin(self.folder.clone(), self.id));
        // Where the disk is not done with the last stretch, this one goes with the next.
        let _ = thread.try_send(());
    }
}

fn begin(folder: PathBuf, id: BlobId) -> SyncSender<()> {
    let (more, asked) = sync_channel(1);
    spawn_blocking(move || {
        let Some(file) = unfinished(&folder, id) else { return };
        while asked.recv().is_ok() {
            // Whoever has it open to write hears of an error as well.
            if file.sync_data().is_err() {
                return;
            }
        }
    });
    more
}

/// The file that the store fills. Its name begins as the blob's own, and how it goes on is the store's affair.
fn unfinished(folder: &PathBuf, id: BlobId) -> Option<File> {
    let id = id.to_string();
    let mut files = std::fs::read_dir(folder).ok()?.flatten();
    let file = files.find(|file| file.file_name().to_str().is_some_and(|name| name.starts_with(&id)))?;
    File::open(file.path()).ok()
}
