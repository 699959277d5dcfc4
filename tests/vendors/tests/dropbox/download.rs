//! Bytes of files.

use futures_util::StreamExt;
use orla_vendors::dropbox::{Content, File};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Bench, bad_input, body, sent, text};

fn result(response: &Response) -> Value {
    let header = response.headers()["dropbox-api-result"].to_str().expect("the header is ASCII");
    serde_json::from_str(header).expect("the header is JSON")
}

async fn bytes(response: Response) -> Vec<u8> {
    response.bytes().await.expect("the body arrives whole").to_vec()
}

#[tokio::test]
async fn files_are_what_they_claim() {
    let files = [
        ("/Square.png", Content::SquarePng, &b"\x89PNG\r\n"[..]),
        ("/Photo.jpg", Content::PhotoJpg, b"\xFF\xD8\xFF"),
        ("/Anim.gif", Content::AnimGif, b"GIF8"),
        ("/Big.png", Content::Png { size_bytes: 200_000 }, b"\x89PNG\r\n"),
        ("/Clip.mp4", Content::Mp4 { size_bytes: 5_000_001 }, b"\0\0\0\x18ftypisom"),
        ("/Words.txt", Content::Text("Hello".to_owned()), b"Hello"),
        ("/Empty.bin", Content::Noise { size_bytes: 0, seed: 0 }, b""),
        ("/Noise.bin", Content::Noise { size_bytes: 9_000_000, seed: 1 }, b""),
    ];
    let bench = Bench::of(files.iter().map(|(path, content, _)| File::new(path, content.clone())).collect()).await;
    let caller = bench.caller().await;
    let mut total = 0;
    for (path, content, begins) in files {
        let response = sent(caller.download(path)).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "application/octet-stream");
        let metadata = result(&response);
        let bytes = bytes(response).await;
        total += bytes.len() as u64;
        assert_eq!((bytes.len() as u64, bytes.starts_with(begins)), (content.size_bytes(), true), "{path}");
        let blocks = bytes.chunks(4 << 20).flat_map(Sha256::digest).collect::<Vec<u8>>();
        let hash = hex::encode(Sha256::digest(blocks));
        assert_eq!((&metadata["content_hash"], &metadata["size"]), (&json!(hash), &json!(bytes.len())), "{path}");
        assert_eq!(metadata.get(".tag"), None, "only a file can be downloaded");
    }
    let tally = bench.sim.tally();
    assert_eq!((tally.downloads, tally.bytes), (8, total));
}

#[tokio::test]
async fn names_beyond_ascii_are_escaped_both_ways() {
    let path = "/Größe “M” 'x' 🦀.png";
    let bench = Bench::of(vec![File::new(path, Content::SquarePng)]).await;
    let caller = bench.caller().await;
    let download = |header: &str| caller.post("files/download").header("dropbox-api-arg", header);
    let escaped = r#"{"path":"/Gr\u00f6\u00dfe \u201cM\u201d 'x' \ud83e\udd80.png"}"#;
    let response = sent(download(escaped)).await;
    assert!(response.headers()["dropbox-api-result"].to_str().unwrap().contains(r"\ud83e\udd80"));
    assert_eq!(result(&response)["path_display"], path);
    let raw = caller.post("files/download").header("dropbox-api-arg", json!({ "path": path }).to_string().into_bytes());
    assert!(bad_input(raw).await.contains("HTTP header \"Dropbox-API-Arg\": could not decode input as JSON"));

    let argument = json!({ "path": path }).to_string();
    let by_query = caller.post("files/download").query(&[("arg", argument.as_str())]);
    assert_eq!(result(&sent(by_query).await)["name"], path[1..]);
    bad_input(download(escaped).query(&[("arg", argument.as_str())])).await;
}

#[tokio::test]
async fn get_serves_as_well_and_knows_what_is_unchanged() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let get = || {
        let request = bench.http.request(Method::GET, bench.url("/2/files/download")).bearer_auth(&caller.token);
        request.header("dropbox-api-arg", r#"{"path":"/brand/logo.png"}"#)
    };
    let first = sent(get()).await;
    let etag = first.headers()["etag"].clone();
    assert!(bytes(first).await.starts_with(b"\x89PNG"));
    let second = sent(get().header("if-none-match", etag)).await;
    assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(bench.sim.tally().downloads, 1);
}

#[tokio::test]
async fn a_range_is_a_part_of_the_whole() {
    let bench = Bench::of(vec![File::noise("/n.bin", 300_000)]).await;
    let caller = bench.caller().await;
    let whole = bytes(sent(caller.download("/n.bin")).await).await;
    let ranged = |range: &str| caller.download("/n.bin").header("range", range);
    for (range, from, to) in
        [("bytes=0-0", 0, 1), ("bytes=65535-131072", 65_535, 131_073), ("bytes=-5", 299_995, 300_000)]
    {
        let response = sent(ranged(range)).await;
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(response.headers()["content-range"], format!("bytes {from}-{}/300000", to - 1));
        assert_eq!(result(&response)["size"], 300_000);
        assert_eq!(bytes(response).await, whole[from..to]);
    }
    let beyond = sent(ranged("bytes=300000-")).await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.headers()["content-range"], "bytes */300000");
}

#[tokio::test]
async fn a_file_may_be_larger_than_memory_should_be() {
    const SIZE_BYTES: u64 = 500 << 20;
    let bench = Bench::of(vec![File::noise("/large.bin", SIZE_BYTES)]).await;
    let caller = bench.caller().await;
    let response = sent(caller.download("/large.bin")).await;
    assert_eq!(response.headers()["content-length"], SIZE_BYTES.to_string());
    let hash = text(&result(&response)["content_hash"]);
    let mut pieces = response.bytes_stream();
    let (mut blocks, mut block, mut room) = (Sha256::new(), Sha256::new(), 4_usize << 20);
    while let Some(piece) = pieces.next().await {
        let mut piece = &piece.expect("the body arrives whole")[..];
        while !piece.is_empty() {
            let (now, later) = piece.split_at(room.min(piece.len()));
            block.update(now);
            room -= now.len();
            piece = later;
            if room == 0 {
                blocks.update(std::mem::take(&mut block).finalize());
                room = 4 << 20;
            }
        }
    }
    assert_eq!(hex::encode(blocks.finalize()), hash);
    assert_eq!(bench.sim.tally().bytes, SIZE_BYTES);
}

#[tokio::test]
async fn what_cannot_be_downloaded_is_refused() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let refusal = async |path: &str| {
        let refusal = body(sent(caller.download(path)).await, StatusCode::CONFLICT).await;
        text(&refusal["error_summary"])
    };
    assert_eq!(refusal("/nothing.png").await, "path/not_found/..");
    assert_eq!(refusal("/Brand").await, "path/not_file/..");
    assert_eq!(refusal("/Brand/").await, "path/malformed_path/..");
    assert_eq!(refusal("/Brand/Guide.gdoc").await, "unsupported_file/..");
    assert_eq!(refusal("id:nobody").await, "path/not_found/..");

    let download = || caller.download("/brand/logo.png");
    let bad = async |request: RequestBuilder, words: &str| {
        let said = bad_input(request).await;
        assert!(said.starts_with("Error in call to API function \"files/download\": "), "{said}");
        assert!(said.contains(words), "{said}");
    };
    bad(caller.post("files/download").json(&json!({ "path": "/x" })), "Bad HTTP \"Content-Type\" header").await;
    bad(download().header("content-type", "application/json"), "Bad HTTP \"Content-Type\" header").await;
    bad(download().body("x"), "The request body is supposed to be empty").await;
    bad(caller.post("files/download"), "Must provide HTTP header \"Dropbox-API-Arg\"").await;
    bad(caller.post("files/download").header("dropbox-api-arg", "{"), "could not decode input as JSON").await;
    bad(caller.post("files/download").header("dropbox-api-arg", r#"{"file":"/x"}"#), "unknown field `file`").await;
    bad(caller.download("x.png"), "did not match pattern").await;
    bad(caller.download(""), "The root folder is unsupported").await;
    for kind in ["application/octet-stream", "text/plain; charset=utf-8"] {
        assert_eq!(sent(download().header("content-type", kind)).await.status(), StatusCode::OK);
    }
}
