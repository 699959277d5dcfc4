//! Compressed answers: what was asked for comes out, and what blows up does so in small pieces.

use super::super::{NoAnswer, Stage};
use super::stage::{Raw, body, egress};
use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZlibEncoder};
use futures_util::TryStreamExt as _;
use reqwest::Response;
use tokio::io::{AsyncRead, AsyncReadExt as _};

const TEXT: &str = "{\"data\":\"what a vendor says, again and again and again\"}";
const BOMB_BYTES: u64 = 64 << 20;

async fn all(mut packed: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    packed.read_to_end(&mut bytes).await.expect("bytes");
    bytes
}

fn answer(packing: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {packing}\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

async fn fetched(packing: &str, body: &[u8]) -> Result<Response, NoAnswer> {
    let server = Raw::answering(answer(packing, body)).await;
    let fetched = egress(&[&server]).fetch(server.url("/")).await;
    assert!(server.heads()[0].contains("\r\naccept-encoding: gzip, br, deflate\r\n"));
    fetched
}

#[tokio::test]
async fn answers_are_unpacked() {
    for (packing, packed) in [
        ("gzip", all(GzipEncoder::new(TEXT.as_bytes())).await),
        ("GZip", all(GzipEncoder::new(TEXT.as_bytes())).await),
        ("br", all(BrotliEncoder::new(TEXT.as_bytes())).await),
        ("deflate", all(ZlibEncoder::new(TEXT.as_bytes())).await),
        ("identity", TEXT.as_bytes().to_vec()),
    ] {
        let answer = fetched(packing, &packed).await.expect("an answer");
        assert!(!answer.headers().contains_key("content-encoding"), "{packing}");
        let length = answer.headers().get("content-length").map(|length| length.to_str().expect("text").to_owned());
        assert_eq!(length, (packing == "identity").then(|| TEXT.len().to_string()), "{packing}");
        assert_eq!(body(Ok(answer)).await.expect("a body"), TEXT.as_bytes(), "{packing}");
    }
}

#[tokio::test]
async fn an_answer_that_nobody_can_read_says_so() {
    let once = all(GzipEncoder::new(TEXT.as_bytes())).await;
    let twice = all(GzipEncoder::new(&*once)).await;
    for (packing, packed) in [("zstd", &once), ("gzip, gzip", &twice), ("rot13", &once)] {
        let none = fetched(packing, packed).await.expect_err("packed in another way");
        assert_eq!(none.stage, Stage::Lost);
        assert_eq!(none.message, format!("the answer is packed as `{packing}`, which was not asked for"));
    }
    for broken in [&once[..once.len() / 2], TEXT.as_bytes()] {
        body(fetched("gzip", broken).await).await.expect_err("no gzip");
    }
}

#[tokio::test]
async fn a_bomb_goes_off_piece_by_piece() {
    let zeros = || tokio::io::repeat(0).take(BOMB_BYTES);
    for (packing, packed) in [
        ("gzip", all(GzipEncoder::new(tokio::io::BufReader::new(zeros()))).await),
        (
            "br",
            all(BrotliEncoder::with_quality(tokio::io::BufReader::new(zeros()), async_compression::Level::Fastest))
                .await,
        ),
    ] {
        assert!((packed.len() as u64) < BOMB_BYTES / 100, "{packing}: {}", packed.len());
        let pieces = fetched(packing, &packed).await.expect("an answer").bytes_stream();
        let read = pieces.try_fold(0, |sum, piece| {
            assert!(piece.len() <= 64 << 10, "{packing}: a piece of {} bytes", piece.len());
            std::future::ready(Ok(sum + piece.len() as u64))
        });
        // Whoever reads it decides when it is enough; this one wants it all.
        assert_eq!(read.await.expect("a body"), BOMB_BYTES, "{packing}");
    }
}
