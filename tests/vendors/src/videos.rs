//! Videos on the web, as large as one likes: `/videos/{mebibytes}.mp4`.
//!
//! They begin as an MP4, every stretch of them differs from every other, so that a digest shows whether one went
//! missing or astray, and they are made while they are sent. There is nothing in them to play.

use std::ops::Range;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;

const BLOCK_BYTES: u64 = 64 << 10;
const LARGEST_MEBIBYTES: u64 = 1_024;

/// Everything under `/videos/`.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/videos/{name}", get(video))
}

async fn video(method: Method, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let mebibytes = name.strip_suffix(".mp4").and_then(|number| number.parse::<u64>().ok());
    let Some(mebibytes) = mebibytes.filter(|size| (1..=LARGEST_MEBIBYTES).contains(size)) else {
        return (StatusCode::NOT_FOUND, "There is no such video.\n").into_response();
    };
    let size_bytes = mebibytes << 20;
    // Ranges are for GET alone (RFC 9110, 14.2).
    let asked = headers.get(RANGE).filter(|_| method == Method::GET).and_then(|range| range.to_str().ok());
    let (status, range) = match asked.and_then(|range| stretch(range, size_bytes)) {
        None => (StatusCode::OK, 0..size_bytes),
        Some(range) if range.is_empty() => {
            let known = content_range(format!("bytes */{size_bytes}"));
            return (StatusCode::RANGE_NOT_SATISFIABLE, known).into_response();
        }
        Some(range) => (StatusCode::PARTIAL_CONTENT, range),
    };
    let mut response = (status, [(CONTENT_TYPE, "video/mp4"), (ACCEPT_RANGES, "bytes")]).into_response();
    response.headers_mut().insert(CONTENT_LENGTH, (range.end - range.start).into());
    if status == StatusCode::PARTIAL_CONTENT {
        response.headers_mut().extend(content_range(format!("bytes {}-{}/{size_bytes}", range.start, range.end - 1)));
    }
    let blocks = blocks(range, size_bytes).map(Ok::<_, std::io::Error>);
    *response.body_mut() = Body::from_stream(stream::iter(blocks));
    response
}

fn content_range(text: String) -> HeaderMap {
    let value = HeaderValue::try_from(text).expect("digits and punctuation make a header");
    HeaderMap::from_iter([(CONTENT_RANGE, value)])
}

/// The stretch that a `Range` header asks for: empty where there is none in the file, `None` where the header is to be
/// ignored, as one that does not parse is, and one for several stretches may be (RFC 9110, 14.2).
pub(crate) fn stretch(header: &str, size_bytes: u64) -> Option<Range<u64>> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    if first.is_empty() {
        let length: u64 = last.parse().ok()?;
        return Some(size_bytes.saturating_sub(length)..size_bytes);
    }
    let first: u64 = first.parse().ok()?;
    let last = if last.is_empty() { u64::MAX } else { last.parse().ok()? };
    (first <= last).then(|| first.min(size_bytes)..last.saturating_add(1).min(size_bytes))
}

/// A stretch of the video with this size, in pieces. The size is at least 32 bytes and below 4 GiB.
pub(crate) fn blocks(range: Range<u64>, size_bytes: u64) -> impl Iterator<Item = Bytes> {
    (range.start / BLOCK_BYTES..range.end.div_ceil(BLOCK_BYTES)).map(move |number| {
        let begins = number * BLOCK_BYTES;
        let from = range.start.saturating_sub(begins) as usize;
        let to = (range.end - begins).min(BLOCK_BYTES) as usize;
        block(number, size_bytes).slice(from..to)
    })
}

/// The same noise each time, led by the block's number; the first begins with a file type box and the head of a media
/// data box (ISO/IEC 14496-12, 4.3 and 8.1.1).
fn block(number: u64, size_bytes: u64) -> Bytes {
    const FILE_TYPE: &[u8] = b"\0\0\0\x18ftypisom\0\0\x02\0isommp42";
    static NOISE: LazyLock<Vec<u8>> = LazyLock::new(noise);
    let mut block = NOISE.clone();
    block[..8].copy_from_slice(&number.to_be_bytes());
    if number == 0 {
        let media_data_bytes = size_bytes as u32 - FILE_TYPE.len() as u32;
        let head = [FILE_TYPE, &media_data_bytes.to_be_bytes(), b"mdat"].concat();
        block[..head.len()].copy_from_slice(&head);
    }
    block.into()
}

/// A linear congruential generator's upper bytes (Knuth's MMIX).
fn noise() -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..BLOCK_BYTES).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use super::{blocks, stretch};

    #[test]
    fn ranges_are_read_as_rfc_9110_wants() {
        assert_eq!(stretch("bytes=0-0", 10), Some(0..1));
        assert_eq!(stretch("bytes=4-", 10), Some(4..10));
        assert_eq!(stretch("bytes=4-99", 10), Some(4..10));
        assert_eq!(stretch("bytes=-3", 10), Some(7..10));
        assert_eq!(stretch("bytes=-99", 10), Some(0..10));
        for beyond in ["bytes=10-", "bytes=99-100", "bytes=-0"] {
            assert!(stretch(beyond, 10).is_some_and(|range| range.is_empty()), "{beyond}");
        }
        for ignored in ["bytes=5-4", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4", "bytes=-"] {
            assert_eq!(stretch(ignored, 10), None, "{ignored}");
        }
    }

    #[test]
    fn a_stretch_is_that_of_the_whole() {
        let size_bytes = 1 << 20;
        let whole = blocks(0..size_bytes, size_bytes).collect::<Vec<_>>().concat();
        assert_eq!(whole.len() as u64, size_bytes);
        for range in [0..1, 65_535..65_537, 100..300_000, size_bytes - 1..size_bytes] {
            let stretch = blocks(range.clone(), size_bytes).collect::<Vec<_>>().concat();
            assert_eq!(stretch, whole[range.start as usize..range.end as usize], "{range:?}");
        }
    }
}
