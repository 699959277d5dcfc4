//! What Facebook fetches from the web: photos and videos that are given by their URL.

use std::time::Duration;

use axum::body::Bytes;
use futures_util::{Stream, StreamExt};
use url::Url;

const TIMEOUT: Duration = Duration::from_secs(60);

/// A URL that could be fetched.
pub(super) fn url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host())
}

/// The pieces of what is at a URL; nothing unless it answers with success.
#[expect(clippy::disallowed_methods, reason = "a simulated vendor is the outside world, and has no egress policy")]
pub(super) async fn get(url: Url) -> Option<impl Stream<Item = Option<Bytes>>> {
    let client = reqwest::Client::builder().timeout(TIMEOUT).build().ok()?;
    let response = client.get(url).send().await.ok()?.error_for_status().ok()?;
    Some(response.bytes_stream().map(Result::ok))
}

/// The whole of it, if it is not larger than this.
pub(super) async fn whole(url: Url, limit_bytes: usize) -> Option<Fetched> {
    let mut pieces = Box::pin(get(url).await?);
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() > limit_bytes {
            return Some(Fetched::TooLarge);
        }
    }
    Some(Fetched::Whole(bytes.into()))
}

/// What was fetched.
pub(super) enum Fetched {
    Whole(Bytes),
    TooLarge,
}
