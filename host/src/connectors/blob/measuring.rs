//! What a medium is like: its width and height, and how long a film lasts, read from the bytes that say so. Nothing is
//! decoded, and what says nothing plainly is left unknown: whoever has rules then leaves it to the network.

use super::{Blob, Blobs, Shape, film};

/// Bytes of a picture's beginning that are read: its size stands behind what a camera wrote down, with a small picture of the
/// picture.
const PICTURE_HEAD_BYTES: u64 = 1 << 20;
/// What no picture and no film measures: such numbers are a mistake or a trick.
const MOST_PIXELS: usize = 1_000_000;

/// Measures a stored blob, whose first bytes are at hand.
pub(super) async fn measure(blobs: &Blobs, blob: &Blob, head: &[u8]) -> Shape {
    match blob.content_type.as_str() {
        "image/png" | "image/jpeg" | "image/gif" | "image/webp" => picture(blobs, blob, head).await,
        "video/mp4" | "video/quicktime" | "video/x-m4v" => film::measure(blobs, blob).await.unwrap_or_default(),
        _ => Shape::default(),
    }
}

async fn picture(blobs: &Blobs, blob: &Blob, head: &[u8]) -> Shape {
    if let Some(shape) = size(head) {
        return shape;
    }
    let more = blobs.read_all(blob, 0, blob.size().min(PICTURE_HEAD_BYTES)).await;
    more.ok().and_then(|head| size(&head)).unwrap_or_default()
}

fn size(head: &[u8]) -> Option<Shape> {
    let size = imagesize::blob_size(head).ok()?;
    pixels(size.width, size.height)
}

/// A shape of these measures, where they are any.
pub(super) fn pixels(width: usize, height: usize) -> Option<Shape> {
    let sane = |pixels: usize| i64::try_from(pixels).ok().filter(|_| (1..=MOST_PIXELS).contains(&pixels));
    Some(Shape { width: Some(sane(width)?), height: Some(sane(height)?), duration_ms: None })
}
