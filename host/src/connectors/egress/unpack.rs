//! Compressed answers. They are unpacked while they are read, a small piece at a time, so whoever bounds what is read of an
//! answer bounds the unpacked bytes, and what blows up costs no memory.

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder};
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};
use http::response::Parts;
use hyper::body::{Body as _, Incoming};
use reqwest::Body;
use std::io;
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

/// What we ask for.
pub(super) const ACCEPTED: &str = "gzip, br, deflate";
pub(super) const AS_IT_IS: &str = "identity";
/// Bytes that are unpacked at once.
const PIECE_BYTES: usize = 16 << 10;

/// An answer in an encoding that nobody asked for.
#[derive(Debug, thiserror::Error)]
#[error("the answer is packed as `{0}`, which was not asked for")]
pub(super) struct Unknown(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Brotli,
    Zlib,
}

/// The body of an answer as it was before it was packed, with headers that fit it.
///
/// # Errors
/// Nobody here can unpack it.
pub(super) fn body<S>(parts: &mut Parts, body: Incoming, read: impl FnOnce(Incoming) -> S) -> Result<Body, Unknown>
where
    S: Stream<Item = io::Result<Bytes>> + Send + 'static,
{
    let packing = packing(&parts.headers)?;
    parts.headers.remove(CONTENT_ENCODING);
    if body.is_end_stream() {
        return Ok(Body::default());
    }
    if packing != Packing::None {
        // It counts the packed bytes.
        parts.headers.remove(CONTENT_LENGTH);
    }
    let packed = read(body);
    Ok(match packing {
        Packing::None => Body::wrap_stream(packed),
        Packing::Gzip => {
            let mut decoder = GzipDecoder::new(reader(packed));
            // RFC 1952 allows several members in a row.
            decoder.multiple_members(true);
            unpacked(decoder)
        }
        Packing::Brotli => unpacked(BrotliDecoder::new(reader(packed))),
        Packing::Zlib => unpacked(ZlibDecoder::new(reader(packed))),
    })
}

/// How an answer is packed: once at most, for who packs twice wants to blow something up.
fn packing(headers: &HeaderMap) -> Result<Packing, Unknown> {
    let values = headers.get_all(CONTENT_ENCODING).iter().map(|value| value.to_str().unwrap_or("?"));
    let names = values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase());
    let names: Vec<String> = names.filter(|name| !matches!(name.as_str(), "" | "identity")).collect();
    match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(Packing::None),
        ["gzip" | "x-gzip"] => Ok(Packing::Gzip),
        ["br"] => Ok(Packing::Brotli),
        ["deflate"] => Ok(Packing::Zlib),
        _ => Err(Unknown(names.join(", ").chars().take(100).collect())),
    }
}

type Packed = StreamReader<BoxStream<'static, io::Result<Bytes>>, Bytes>;

fn reader(packed: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Packed {
    StreamReader::new(Box::pin(packed))
}

fn unpacked(decoder: impl AsyncRead + Send + 'static) -> Body {
    Body::wrap_stream(ReaderStream::with_capacity(decoder, PIECE_BYTES))
}
