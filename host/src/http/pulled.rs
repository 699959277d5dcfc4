//! Media for networks that fetch them: `/media/{token}`. Nobody signs in; the token is all, and a network gets it for hours.

use super::body::Path;
use crate::app::App;
use crate::connectors::blob::Blob;
use crate::error::{Error, Problem, Result};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum_extra::headers::{self, HeaderMapExt as _};
use std::ops::Bound;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(medium))
}

/// A medium, for a network that was told of it. `Range` gives a stretch.
#[utoipa::path(get, path = "/media/{token}", tag = "publishing",
    params(("token" = String, Path, description = "What the network was given; it is good for hours")),
    responses(
        (status = 200, description = "The bytes", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A stretch of the bytes", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "The token opens nothing, or nothing any more", body = Problem),
        (status = 416, description = "The stretch lies behind the end", body = Problem),
        (status = 500, description = "The bytes cannot be read", body = Problem),
    ))]
async fn medium(State(app): State<App>, Path(token): Path<String>, asked: HeaderMap) -> Result<Response> {
    let found = app.connectors().published_blob(&token).await?;
    let blob = found.ok_or(Error::NotFound("medium"))?;
    send(&app, &blob, &asked).await
}

/// A blob's bytes, or the stretch of them that is asked for.
pub(super) async fn send(app: &App, blob: &Blob, asked: &HeaderMap) -> Result<Response> {
    let (from, to) = stretch(asked, blob.size())?;
    let bytes = app.connectors().services().blobs.read(blob, from, to - from).await?;
    let status = if to - from == blob.size() { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    let mut response = (status, head(blob)?, Body::from_stream(bytes)).into_response();
    response.headers_mut().typed_insert(headers::ContentLength(to - from));
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(range) = headers::ContentRange::bytes(from..to, blob.size())
    {
        response.headers_mut().typed_insert(range);
    }
    Ok(response)
}

/// The stretch that is asked for, its end excluded: the whole unless it is one range (RFC 9110, section 14.2).
fn stretch(asked: &HeaderMap, size: u64) -> Result<(u64, u64)> {
    // There is nothing here that changes, and so nothing to compare with: who makes a condition gets the whole.
    let range = asked.typed_get::<headers::Range>().filter(|_| !asked.contains_key(header::IF_RANGE));
    let Some(range) = range else { return Ok((0, size)) };
    let ranges: Vec<(Bound<u64>, Bound<u64>)> = range.satisfiable_ranges(size).take(2).collect();
    let [(from, to)] = ranges.as_slice() else {
        return if ranges.is_empty() { Err(Error::NoSuchRange(size)) } else { Ok((0, size)) };
    };
    let from = match *from {
        Bound::Included(from) => from,
        Bound::Excluded(_) | Bound::Unbounded => 0,
    };
    let to = match *to {
        Bound::Included(last) => last.saturating_add(1).min(size),
        Bound::Excluded(to) => to.min(size),
        Bound::Unbounded => size,
    };
    if from < to { Ok((from, to)) } else { Err(Error::NoSuchRange(size)) }
}

/// What is said of a medium whichever stretch of it is sent. A browser that is led here runs nothing of it.
fn head(blob: &Blob) -> Result<[(HeaderName, HeaderValue); 4]> {
    let content_type = HeaderValue::from_str(&blob.content_type).map_err(anyhow::Error::from)?;
    Ok([
        (header::CONTENT_TYPE, content_type),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ])
}

#[cfg(test)]
mod tests {
    use super::stretch;
    use axum::http::{HeaderMap, HeaderValue, header};

    fn of_ten(range: &str) -> Option<(u64, u64)> {
        let mut asked = HeaderMap::new();
        asked.insert(header::RANGE, HeaderValue::from_str(range).expect("a header"));
        stretch(&asked, 10).ok()
    }

    #[test]
    fn one_range_is_a_stretch_and_what_is_none_is_the_whole() {
        assert_eq!(stretch(&HeaderMap::new(), 10).ok(), Some((0, 10)));
        for (range, wanted) in [
            ("bytes=0-0", Some((0, 1))),
            ("bytes=2-5", Some((2, 6))),
            ("bytes=2-", Some((2, 10))),
            ("bytes=-3", Some((7, 10))),
            ("bytes=2-99", Some((2, 10))),
            ("bytes=10-", None),
            ("bytes=99-100", None),
            ("bytes=5-2", None),
            ("bytes=0-1,4-5", Some((0, 10))),
            ("apples=1-2", Some((0, 10))),
            ("nonsense", Some((0, 10))),
        ] {
            assert_eq!(of_ten(range), wanted, "{range}");
        }
    }
}
