//! Stretches of what the host stores.

use crate::{Blob, BlobSlice, Media, Result, host};

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

    /// What stands for a URL at which the vendor can fetch the medium for two hours at least, for networks that take no uploads.
    /// The media rule has to say so (`pulled`). The host writes the URL in its place as the request leaves: a connector neither
    /// sees it nor needs to make another one.
    ///
    /// In a test, the URL is `https://media.example/` and the medium's size.
    ///
    /// ```
    /// use orla_sdk::testing::{answer, media, part, play, variant};
    /// use orla_sdk::{Api, Media, Response, Result};
    /// use std::time::Duration;
    ///
    /// fn announce(image: &Media) -> Result<Response> {
    ///     let request = Api::new("api").post("/v1/media").form([("image_url", image.public_url()?)]);
    ///     request.prepare("media/0", Duration::from_secs(24 * 3_600))
    /// }
    ///
    /// let post = variant(vec![part("", vec![media("image/jpeg", 70_000, None)])]);
    /// let played = play(|_line| answer(200, &serde_json::json!({})), || announce(&post.parts[0].media[0]));
    /// assert_eq!(played.lines, ["prepare media/0 POST /v1/media image_url=https://media.example/70000"]);
    /// ```
    ///
    /// # Errors
    /// `invalid` where the vendor could not reach the host.
    pub fn public_url(&self) -> Result<String> {
        host::public_url(self)
    }
}
