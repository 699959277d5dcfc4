//! Pictures from the web.

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::Bench;

#[tokio::test]
async fn pictures_are_what_they_say_and_as_long_as_they_say() {
    let bench = Bench::start().await;
    for (name, content_type, begins, size) in [
        ("square.png", "image/png", &b"\x89PNG"[..], None),
        ("photo.jpg", "image/jpeg", b"\xFF\xD8\xFF", None),
        ("anim.gif", "image/gif", b"GIF89a", None),
        ("not-an-image.txt", "text/plain; charset=utf-8", b"This", None),
        ("big-200000.png", "image/png", b"\x89PNG", Some(200_000)),
        ("clip-5242880.mp4", "video/mp4", b"\0\0\0\x18ftyp", Some(5_242_880)),
    ] {
        let url = bench.url(&format!("/pictures/{name}"));
        let head = bench.http.head(&url).send().await.unwrap();
        let whole = bench.http.get(&url).send().await.unwrap();
        assert_eq!(head.headers()["content-length"], whole.headers()["content-length"], "{name}");
        assert_eq!(whole.headers()["content-type"], content_type);
        let bytes = whole.bytes().await.unwrap();
        assert!(bytes.starts_with(begins), "{name}");
        assert!(size.is_none_or(|size| bytes.len() == size), "{name} has {} bytes", bytes.len());
    }
    for name in ["big-10.png", "big-x.png", "clip-31.mp4", "clip-99999999999999999999.mp4", "nothing.png"] {
        let response = bench.http.get(bench.url(&format!("/pictures/{name}"))).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{name}");
    }
}

#[tokio::test]
async fn videos_are_served_whole_and_by_ranges() {
    let bench = Bench::start().await;
    let url = bench.url("/videos/2.mp4");
    let head = bench.http.head(&url).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], "2097152");
    assert_eq!(head.headers()["accept-ranges"], "bytes");
    let whole = bench.http.get(&url).send().await.unwrap();
    assert_eq!(whole.headers()["content-type"], "video/mp4");
    let whole = whole.bytes().await.unwrap();
    assert!(whole.starts_with(b"\0\0\0\x18ftyp"));
    assert_eq!(whole.len(), 2 << 20);

    let part = bench.http.get(&url).header("range", "bytes=100000-199999").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()["content-range"], "bytes 100000-199999/2097152");
    assert_eq!(part.headers()["content-length"], "100000");
    assert_eq!(part.bytes().await.unwrap(), whole[100_000..200_000]);
    let beyond = bench.http.get(&url).header("range", "bytes=2097152-").send().await.unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.headers()["content-range"], "bytes */2097152");
    for name in ["0.mp4", "1025.mp4", "x.mp4", "2"] {
        let response = bench.http.get(bench.url(&format!("/videos/{name}"))).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{name}");
    }
}

#[tokio::test]
async fn some_are_slow_and_some_are_elsewhere() {
    let bench = Bench::start().await;
    let begun = Instant::now();
    let slow = bench.http.get(bench.url("/pictures/slow?pause_ms=120")).send().await.unwrap();
    assert!(slow.bytes().await.unwrap().starts_with(b"\x89PNG"));
    assert!(begun.elapsed() >= Duration::from_millis(120));
    let redirect = bench.url("/pictures/redirect-to?url=http%3A%2F%2F169.254.169.254%2F");
    let redirect = bench.http.get(redirect).send().await.unwrap();
    assert_eq!(redirect.status(), StatusCode::FOUND);
    assert_eq!(redirect.headers()["location"], "http://169.254.169.254/");
}
