//! What a case has stored before it is played.

use super::{MAX_MEDIUM_BYTES, Stand};
use crate::connectors::blob::{self, Blob};
use crate::connectors::variant::{Variant, VariantMedium, VariantPart};
use crate::proving::asked::VideoAsk;
use crate::proving::case::{Call, Case};
use bytes::Bytes;
use std::sync::Arc;

impl Stand {
    pub(super) async fn variant(&self, case: &Case) -> anyhow::Result<Variant> {
        let mut variant = Variant { parts: Vec::new(), more: case.more() };
        for part in case.parts().unwrap_or_default() {
            let mut media = Vec::with_capacity(part.media.len());
            for medium in &part.media {
                let blob = self.stored(medium.bytes.bytes(&case.folder)?).await?;
                media.push(VariantMedium { blob, alt_text: medium.alt_text.clone() });
            }
            variant.parts.push(VariantPart { text: part.text.clone(), media });
        }
        Ok(variant)
    }

    /// The picture that a video begins with.
    pub(super) async fn image(&self, case: &Case) -> anyhow::Result<Option<Arc<Blob>>> {
        let (Call::CheckVideo(VideoAsk { image: Some(image), .. })
        | Call::GenerateVideo(VideoAsk { image: Some(image), .. })) = &case.call
        else {
            return Ok(None);
        };
        self.stored(image.bytes(&case.folder)?).await.map(Some)
    }

    async fn stored(&self, bytes: Vec<u8>) -> anyhow::Result<Arc<Blob>> {
        let source = futures_util::stream::iter([Ok(Bytes::from(bytes))]);
        let blob = self.connectors().services().blobs.put(self.workspace(), source, MAX_MEDIUM_BYTES).await?;
        let mut tx = self.app.db().begin().await?;
        blob::insert(&mut tx, &blob, self.app.now()).await?;
        tx.commit().await?;
        Ok(Arc::new(blob))
    }
}
