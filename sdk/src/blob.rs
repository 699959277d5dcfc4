//! Stretches of what the host stores.

use crate::{Blob, BlobSlice, Media};

impl Blob {
    /// A stretch of the blob, to be sent by the host.
    #[must_use]
    pub fn slice(&self, offset: u64, length: u64) -> BlobSlice<'_> {
        BlobSlice { source: self, offset, length }
    }
}

impl Media {
    /// The medium in chunks of so many bytes, the last of which may be shorter. `chunk_bytes` is at least 1.
    pub fn chunks(&self, chunk_bytes: u64) -> impl Iterator<Item = BlobSlice<'_>> {
        (0..self.size.div_ceil(chunk_bytes)).map(move |index| {
            let offset = index * chunk_bytes;
            self.blob.slice(offset, chunk_bytes.min(self.size - offset))
        })
    }
}
