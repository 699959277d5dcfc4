//! Stretches of what the host stores.

use crate::{Blob, BlobSlice, Media};

impl Blob {
    /// A stretch of the blob, to be sent by the host.
    ///
    /// ```
    /// use orla_sdk::{Api, Media, Response, Result};
    /// use std::time::Duration;
    ///
    /// fn upload(media: &Media) -> Result<Response> {
    ///     let whole = media.blob.slice(0, media.size);
    ///     Api::new("api").put("/v1/media").blob(whole).prepare("media/0", Duration::from_secs(3_600))
    /// }
    /// ```
    #[must_use]
    pub fn slice(&self, offset: u64, length: u64) -> BlobSlice<'_> {
        BlobSlice { source: self, offset, length }
    }
}

impl Media {
    /// The medium in chunks of so many bytes, the last of which may be shorter. `chunk_bytes` is at least 1.
    ///
    /// ```
    /// use orla_sdk::testing::{media, part, variant};
    ///
    /// let post = variant(vec![part("", vec![media("video/mp4", 10, None)])]);
    /// let chunks: Vec<_> = post.parts[0].media[0].chunks(4).map(|chunk| (chunk.offset, chunk.length)).collect();
    /// assert_eq!(chunks, [(0, 4), (4, 4), (8, 2)]);
    /// ```
    pub fn chunks(&self, chunk_bytes: u64) -> impl Iterator<Item = BlobSlice<'_>> {
        (0..self.size.div_ceil(chunk_bytes)).map(move |index| {
            let offset = index * chunk_bytes;
            self.blob.slice(offset, chunk_bytes.min(self.size - offset))
        })
    }
}
