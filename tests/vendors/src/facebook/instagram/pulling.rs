//! What Instagram fetches: by one GET, without credentials and without redirects.

use std::time::Duration;

use axum::body::Bytes;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};
use sha2::{Digest, Sha256};
use url::Url;

use super::super::problem::Problem;
use super::{jpeg, problem};

const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest image, in bytes.
const LARGEST_IMAGE: usize = 8 << 20;
/// Width in percent of the height: 4:5 to 1.91:1.
const RATIO_PERCENT: std::ops::RangeInclusive<u32> = 80..=191;

/// What was fetched.
pub(super) struct Pulled {
    pub(super) size_bytes: u64,
    /// SHA-256 in hexadecimal.
    pub(super) sha256: String,
}

impl Pulled {
    fn of(bytes: &[u8]) -> Self {
        Self { size_bytes: bytes.len() as u64, sha256: hex::encode(Sha256::digest(bytes)) }
    }
}

/// An image that Instagram takes.
pub(super) async fn image(url: &str) -> Result<Pulled, Problem> {
    let (content_type, bytes) = fetched(url, LARGEST_IMAGE).await?;
    let (width, height) = jpeg::size(&bytes).ok_or_else(problem::bad_format)?;
    if content_type != "image/jpeg" {
        return Err(problem::bad_format());
    }
    let percent = u32::from(width) * 100 / u32::from(height).max(1);
    if RATIO_PERCENT.contains(&percent) { Ok(Pulled::of(&bytes)) } else { Err(problem::bad_ratio()) }
}

/// A film; nothing unless it is one.
pub(super) async fn film(url: &str) -> Result<Option<Pulled>, Problem> {
    let (content_type, bytes) = fetched(url, 64 << 20).await?;
    let is_film = content_type.starts_with("video/") && is_film(&bytes);
    Ok(is_film.then(|| Pulled::of(&bytes)))
}

/// Whether bytes begin as an MP4 or a QuickTime film does.
pub(super) fn is_film(head: &[u8]) -> bool {
    head.get(4..8) == Some(b"ftyp")
}

/// The media type and the bytes of what is at a URL.
async fn fetched(url: &str, most_bytes: usize) -> Result<(String, Bytes), Problem> {
    let parsed = Url::parse(url).ok().filter(|parsed| ["http", "https"].contains(&parsed.scheme()) && url.is_ascii());
    let parsed = parsed.ok_or_else(|| Problem::parameter("Param image_url must be a valid URI"))?;
    let response = get(parsed).await.filter(|response| response.status() == StatusCode::OK);
    let response = response.ok_or_else(problem::unfetched)?;
    let given = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let bytes = response.bytes().await.map_err(|_| problem::unfetched())?;
    if bytes.len() > most_bytes { Err(problem::too_large()) } else { Ok((content_type, bytes)) }
}

#[expect(clippy::disallowed_methods, reason = "a simulated vendor is the outside world, and has no egress policy")]
async fn get(url: Url) -> Option<Response> {
    let no_redirects = reqwest::redirect::Policy::none();
    let client = reqwest::Client::builder().redirect(no_redirects).timeout(TIMEOUT).build().ok()?;
    client.get(url).send().await.ok()
}
