//! Pictures and clips on the web: what users point `media_urls` at, and what they should not have pointed at.
//!
//! - `square.png`, `photo.jpg`, `anim.gif`: small real images.
//! - `big-{bytes}.png`: a real PNG of exactly that many bytes, padded in a chunk that decoders skip.
//! - `clip-{bytes}.mp4`: begins as an MP4 and has exactly that many bytes; there is nothing in it to play.
//! - `slow?pause_ms=`: `square.png` with a pause in its middle, three seconds unless told.
//! - `redirect-to?url=`: 302 to anywhere, which a careful fetcher refuses to follow inwards.
//! - `not-an-image.txt`: says what it is.
//!
//! Larger videos are beside them, under `/videos/`.
//!
//! Every answer but `slow` names its length, HEAD included; nothing is held in memory, whatever its size.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::Deserialize;

pub(crate) const SQUARE_PNG: &[u8] = include_bytes!("../assets/square.png");
pub(crate) const PHOTO_JPG: &[u8] = include_bytes!("../assets/photo.jpg");
pub(crate) const ANIM_GIF: &[u8] = include_bytes!("../assets/anim.gif");

/// The last chunk of every PNG: no data, and always the same checksum.
const PNG_END_BYTES: usize = 12;
const PIECE_BYTES: usize = 64 * 1024;
const LARGEST_BYTES: usize = 1 << 30;

/// Everything under `/pictures/` and `/videos/`.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/pictures/slow", get(slow))
        .route("/pictures/redirect-to", get(redirect_to))
        .route("/pictures/{name}", get(picture))
        .merge(crate::videos::router())
}

async fn picture(Path(name): Path<String>) -> Response {
    match name.as_str() {
        "square.png" => whole("image/png", SQUARE_PNG),
        "photo.jpg" => whole("image/jpeg", PHOTO_JPG),
        "anim.gif" => whole("image/gif", ANIM_GIF),
        "not-an-image.txt" => whole("text/plain; charset=utf-8", b"This is a sentence, not a picture.\n"),
        _ => sized(&name, "big-", ".png")
            .and_then(big_png)
            .or_else(|| sized(&name, "clip-", ".mp4").and_then(clip_mp4))
            .unwrap_or_else(|| (StatusCode::NOT_FOUND, "There is no such picture.\n").into_response()),
    }
}

#[derive(Deserialize)]
struct Pause {
    pause_ms: Option<u64>,
}

async fn slow(Query(Pause { pause_ms }): Query<Pause>) -> Response {
    let (first, second) = SQUARE_PNG.split_at(SQUARE_PNG.len() / 2);
    let late = async move {
        tokio::time::sleep(Duration::from_millis(pause_ms.unwrap_or(3_000))).await;
        Ok::<_, std::io::Error>(Bytes::from_static(second))
    };
    let pieces = stream::once(async { Ok(Bytes::from_static(first)) }).chain(stream::once(late));
    ([(CONTENT_TYPE, "image/png")], Body::from_stream(pieces)).into_response()
}

#[derive(Deserialize)]
struct Target {
    url: String,
}

async fn redirect_to(Query(Target { url }): Query<Target>) -> Response {
    match HeaderValue::try_from(url) {
        Ok(location) => (StatusCode::FOUND, [(LOCATION, location)]).into_response(),
        Err(_) => (StatusCode::BAD_REQUEST, "A header cannot carry that URL.\n").into_response(),
    }
}

fn whole(content_type: &'static str, bytes: &'static [u8]) -> Response {
    ([(CONTENT_TYPE, content_type)], Bytes::from_static(bytes)).into_response()
}

/// The number in names such as `big-5000000.png`.
fn sized(name: &str, prefix: &str, suffix: &str) -> Option<usize> {
    let size = name.strip_prefix(prefix)?.strip_suffix(suffix)?.parse().ok()?;
    (size <= LARGEST_BYTES).then_some(size)
}

fn big_png(size_bytes: usize) -> Option<Response> {
    let (head, tail) = big_png_ends(size_bytes)?;
    let padding_bytes = size_bytes - head.len() - tail.len();
    Some(padded("image/png", head, padding_bytes, tail))
}

/// The square with a private, ancillary, safe-to-copy chunk of zeros before its end (PNG specification, 5.4): what
/// comes before and after the zeros, if there is room for it.
pub(crate) fn big_png_ends(size_bytes: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    const KIND: &[u8; 4] = b"paDd";
    let padding_bytes = size_bytes.checked_sub(SQUARE_PNG.len() + PNG_END_BYTES)?;
    let (image, end) = SQUARE_PNG.split_at(SQUARE_PNG.len() - PNG_END_BYTES);

    let mut head = image.to_vec();
    head.extend(u32::try_from(padding_bytes).ok()?.to_be_bytes());
    head.extend(KIND);
    let mut tail = crc32_then_zeros(KIND, padding_bytes).to_be_bytes().to_vec();
    tail.extend(end);
    Some((head, tail))
}

/// A file type box, then a media data box that is all zeros (ISO/IEC 14496-12, 4.3 and 8.1.1).
fn clip_mp4(size_bytes: usize) -> Option<Response> {
    let mut head = Vec::new();
    head.extend(24_u32.to_be_bytes());
    head.extend(b"ftypisom\0\0\x02\0isommp42");
    let media_data_bytes = u32::try_from(size_bytes.checked_sub(head.len())?).ok()?;
    head.extend(media_data_bytes.to_be_bytes());
    head.extend(b"mdat");
    let padding_bytes = size_bytes.checked_sub(head.len())?;
    Some(padded("video/mp4", head, padding_bytes, Vec::new()))
}

fn padded(content_type: &'static str, head: Vec<u8>, padding_bytes: usize, tail: Vec<u8>) -> Response {
    static ZEROS: [u8; PIECE_BYTES] = [0; PIECE_BYTES];
    let length = head.len() + padding_bytes + tail.len();
    let zeros = (0..padding_bytes)
        .step_by(PIECE_BYTES)
        .map(move |at| Bytes::from_static(&ZEROS[..PIECE_BYTES.min(padding_bytes - at)]));
    let pieces = std::iter::once(Bytes::from(head)).chain(zeros).chain([Bytes::from(tail)]);
    let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, std::io::Error>)));
    ([(CONTENT_TYPE, HeaderValue::from_static(content_type)), (CONTENT_LENGTH, length.into())], body).into_response()
}

/// The CRC-32 of PNG (annex D) over a chunk's kind and as many zero bytes as its data has.
fn crc32_then_zeros(kind: &[u8], zeros: usize) -> u32 {
    const TABLE: [u32; 256] = crc32_table();
    let bytes = kind.iter().copied().chain(std::iter::repeat_n(0, zeros));
    !bytes.fold(u32::MAX, |crc, byte| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

const fn crc32_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{PNG_END_BYTES, SQUARE_PNG, crc32_then_zeros};

    #[test]
    fn the_checksum_is_the_one_that_png_asks_for() {
        let end = &SQUARE_PNG[SQUARE_PNG.len() - PNG_END_BYTES..];
        assert_eq!(end[4..8], *b"IEND");
        assert_eq!(end[8..], crc32_then_zeros(b"IEND", 0).to_be_bytes());
        assert_eq!(crc32_then_zeros(b"\0\0", 2), 0x2144_DF1C, "the CRC-32 of four zero bytes");
    }
}
