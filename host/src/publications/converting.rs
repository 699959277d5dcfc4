//! Pictures in another form, for networks that take nothing else: a PNG becomes a JPEG, once, and both are kept.
//!
//! This is the one place where the host decodes what a stranger made. It does so within bounds of pixels and memory, one
//! picture at a time, and apart from the threads that serve.

use crate::app::App;
use crate::connectors::blob::{self, Blob, NotStored, blob_columns};
use crate::connectors::drive;
use crate::connectors::fault::{Fault, FaultKind};
use crate::on;
use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngDecoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder as _, ImageError, Limits};
use std::io::Cursor;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Largest picture, in pixels.
const MOST_PIXELS: u64 = 50_000_000;
/// Most memory that a picture takes while it is decoded: four bytes for each of those pixels.
const MOST_MEMORY_BYTES: u64 = 4 * MOST_PIXELS;
/// Largest file that is decoded.
const MOST_FILE_BYTES: u64 = 64 << 20;
/// Of 100. Networks make their own of it; nobody sees a difference to more.
const QUALITY: u8 = 90;
const WHITE: u16 = 255;

/// Leave to decode a picture. There is one, since each takes up to 200 MiB.
#[derive(Debug)]
pub struct Conversions(Semaphore);

impl Default for Conversions {
    fn default() -> Self {
        Self(Semaphore::new(1))
    }
}

const FIND: &str = concat!(
    "select ",
    blob_columns!(),
    " from converted_blobs c join blobs b on b.id = c.blob_id where c.workspace_id = $1 and c.source_id = $2 and c.content_type = $3"
);
const KEEP: &str = "insert into converted_blobs (source_id, content_type, workspace_id, blob_id, created_at)
    values ($1, $2, $3, $4, $5) on conflict (source_id, content_type) do nothing";

/// What a picture becomes, made now or before.
///
/// # Errors
/// `invalid` where it is none that can be converted; a fault in passing where the host could not do it for now.
pub(super) async fn converted(app: &App, source: &Blob, content_type: &str) -> Result<Arc<Blob>, Fault> {
    let failed = |error: anyhow::Error| {
        tracing::error!(blob = %source.id, error = format!("{error:#}"), "a picture could not be converted");
        Fault::new(FaultKind::Cancelled, "the host could not convert a picture")
    };
    if let Some(made) = find(app, source, content_type).await.map_err(|error| failed(error.into()))? {
        return Ok(Arc::new(made));
    }
    if (source.content_type.as_str(), content_type) != ("image/png", "image/jpeg") {
        let words = format!("This host cannot make {content_type:.50} of {}.", source.content_type);
        return Err(Fault::new(FaultKind::Invalid, words));
    }
    if source.size() > MOST_FILE_BYTES {
        let (size, most) = (source.size(), MOST_FILE_BYTES);
        let words =
            format!("It has {size} bytes; a picture of {most} bytes at most is converted: {} too many.", size - most);
        return Err(Fault::new(FaultKind::Invalid, words));
    }
    let _one_at_a_time = app.conversions().0.acquire().await.map_err(|error| failed(error.into()))?;
    // Somebody before us may have wanted the same.
    if let Some(made) = find(app, source, content_type).await.map_err(|error| failed(error.into()))? {
        return Ok(Arc::new(made));
    }
    let services = app.connectors().services();
    let bytes = services.blobs.read_all(source, 0, source.size()).await.map_err(failed)?;
    let jpeg = tokio::task::spawn_blocking(move || jpeg_of(&bytes)).await;
    let jpeg = jpeg.map_err(|error| failed(error.into()))?.map_err(|words| Fault::new(FaultKind::Invalid, words))?;
    let whole = Box::pin(futures_util::stream::once(async { Ok(Bytes::from(jpeg)) }));
    let made = services.blobs.put(source.workspace_id, whole, services.max_blob_bytes).await;
    let made = made.map_err(|error| match error {
        NotStored::Store(cause) => failed(cause),
        NotStored::TooLarge(_) | NotStored::Source(_) => Fault::new(FaultKind::Invalid, format!("As a JPEG, {error}.")),
    })?;
    keep(app, source, content_type, made).await.map_err(failed)
}

async fn find(app: &App, source: &Blob, content_type: &str) -> sqlx::Result<Option<Blob>> {
    let mut tx = app.db().read().await?;
    on!(&mut tx, conn => sqlx::query_as(FIND).bind(source.workspace_id).bind(source.id).bind(content_type)
        .fetch_optional(conn).await)
}

/// Writes down what was made; where another node was quicker, what that made is the one.
async fn keep(app: &App, source: &Blob, content_type: &str, made: Blob) -> anyhow::Result<Arc<Blob>> {
    let (now, mut tx) = (app.now(), app.db().begin().await?);
    blob::insert(&mut tx, &made, now).await?;
    let kept = on!(&mut tx, conn => sqlx::query(KEEP)
        .bind(source.id).bind(content_type).bind(source.workspace_id).bind(made.id).bind(now)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    if kept == 1 {
        tx.commit().await?;
        return Ok(Arc::new(made));
    }
    drop(tx);
    drive::discard_all(app.connectors().services(), vec![made]).await;
    let other = find(app, source, content_type).await?;
    Ok(Arc::new(other.ok_or_else(|| anyhow::anyhow!("a picture that is converted has a row"))?))
}

/// A PNG as a JPEG, on white where one sees through it.
///
/// # Errors
/// A sentence for a person.
fn jpeg_of(png: &[u8]) -> Result<Vec<u8>, String> {
    let told = |error: &ImageError| format!("The picture cannot be converted to JPEG: {error}.");
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_MEMORY_BYTES);
    let decoder = PngDecoder::with_limits(Cursor::new(png), limits).map_err(|error| told(&error))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MOST_PIXELS || decoder.total_bytes() > MOST_MEMORY_BYTES {
        return Err(format!(
            "It has {width} × {height} pixels; a picture of {} million at most is converted.",
            MOST_PIXELS / 1_000_000
        ));
    }
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| told(&error))?;
    let pixels = if picture.color().has_alpha() {
        on_white(picture.into_rgba8().into_raw())
    } else {
        picture.into_rgb8().into_raw()
    };
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
    encoder.encode(&pixels, width, height, ExtendedColorType::Rgb8).map_err(|error| told(&error))?;
    Ok(jpeg)
}

/// Red, green, blue and how much of it is seen, laid onto white in place: a second picture would take as much memory again.
fn on_white(mut pixels: Vec<u8>) -> Vec<u8> {
    let count = pixels.len() / 4;
    for at in 0..count {
        let seen = u16::from(pixels[4 * at + 3]);
        for channel in 0..3 {
            let color = u16::from(pixels[4 * at + channel]);
            let mixed = (color * seen + WHITE * (WHITE - seen) + WHITE / 2) / WHITE;
            pixels[3 * at + channel] = u8::try_from(mixed).unwrap_or(u8::MAX);
        }
    }
    pixels.truncate(3 * count);
    pixels
}

#[cfg(test)]
mod tests {
    use super::{jpeg_of, on_white};
    use image::codecs::png::PngEncoder;
    use image::{ExtendedColorType, ImageEncoder as _};

    fn png(width: u32, height: u32, pixels: &[u8], color: ExtendedColorType) -> Vec<u8> {
        let mut png = Vec::new();
        PngEncoder::new(&mut png).write_image(pixels, width, height, color).unwrap();
        png
    }

    #[test]
    fn what_one_sees_through_becomes_white() {
        let pixels = vec![255, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 128];
        assert_eq!(on_white(pixels), [255, 0, 0, 255, 255, 255, 127, 127, 127]);
    }

    #[test]
    fn a_png_of_any_kind_becomes_a_jpeg_of_its_size() {
        for (color, bytes) in [
            (ExtendedColorType::Rgba8, 4),
            (ExtendedColorType::Rgb8, 3),
            (ExtendedColorType::L8, 1),
            (ExtendedColorType::La8, 2),
            (ExtendedColorType::Rgba16, 8),
        ] {
            let jpeg = jpeg_of(&png(40, 30, &vec![0; 40 * 30 * bytes], color)).unwrap();
            assert_eq!(jpeg[..2], [0xff, 0xd8], "{color:?}");
            let size = imagesize::blob_size(&jpeg).unwrap();
            assert_eq!((size.width, size.height), (40, 30), "{color:?}");
        }
    }

    #[test]
    fn a_picture_that_would_fill_the_memory_is_not_decoded() {
        // A head that promises 100,000 × 100,000 pixels, and nothing behind it.
        let mut bomb = png(1, 1, &[0, 0, 0, 0], ExtendedColorType::Rgba8);
        bomb[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
        let crc = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        assert!(jpeg_of(&bomb).is_err());
        for junk in [&b""[..], b"\x89PNG\r\n\x1a\n", &bomb[..40]] {
            assert!(jpeg_of(junk).is_err());
        }
    }

    /// PNG specification, annex D.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 })
        })
    }
}
