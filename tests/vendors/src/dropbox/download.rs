//! Bytes: `files/download`, `files/get_temporary_link` and where such a link leads.

use std::ops::Range;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RANGE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::{Argument, HeaderArgument};
use super::content::Content;
use super::gate::Visit;
use super::grants::random;
use super::metadata;
use super::paths::{Accepts, Place, Shown};
use super::problem::Problem;
use super::state::{Dropbox, World};
use crate::clock::Moment;
use crate::videos::stretch;

/// A temporary link.
pub(super) struct Link {
    content: Content,
    name: String,
    expires: Moment,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    path: String,
    rev: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkAsked {
    path: String,
}

/// Send a file.
pub(super) async fn download(
    State(dropbox): State<Dropbox>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    HeaderArgument(asked): HeaderArgument<Asked>,
) -> Result<Response, Problem> {
    if asked.rev.is_some() {
        return Err(Problem::strict("rev is deprecated: give \"rev:…\" as the path."));
    }
    let (shown, content) = dropbox.world().file(&visit, &asked.path)?;
    let etag = format!("W/\"{}\"", shown.entry.version());
    let result = ascii(&metadata::of_file(&dropbox, shown).await?);
    let known = headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        send(&dropbox, &headers, &content, "application/octet-stream")
    };
    for (name, value) in [(ETAG, etag), (HeaderName::from_static("dropbox-api-result"), result)] {
        let value = HeaderValue::try_from(value).map_err(|_| Problem::bad("The result does not fit into a header."))?;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// Make a temporary link.
pub(super) async fn link(
    State(dropbox): State<Dropbox>,
    Extension(visit): Extension<Visit>,
    Argument(asked): Argument<LinkAsked>,
) -> Result<Json<Value>, Problem> {
    let (shown, link) = {
        let mut world = dropbox.world();
        let verified = world.settings.account(&visit.account_id).is_some_and(|account| account.email_verified);
        if !verified {
            return Err(Problem::conflict("email_not_verified"));
        }
        let (shown, content) = world.file(&visit, &asked.path)?;
        let (id, name) = (random(), shown.entry.name().to_owned());
        let expires = world.now().after_s(world.settings.link_lifetime_s);
        world.links.insert(id.clone(), Link { content, name, expires });
        world.tally.links += 1;
        (shown, format!("{}/cd/0/get/{id}/file", visit.origin))
    };
    let metadata = metadata::of_file(&dropbox, shown).await?;
    Ok(Json(json!({ "metadata": metadata, "link": link })))
}

/// Send the file that a temporary link leads to: to anybody, until it expires.
pub(super) async fn follow(State(dropbox): State<Dropbox>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let found = {
        let world = dropbox.world();
        let now = world.now();
        world.links.get(&id).map(|link| (now < link.expires, link.content.clone(), media_type(&link.name)))
    };
    match found {
        Some((true, content, media_type)) => send(&dropbox, &headers, &content, media_type),
        Some((false, ..)) => (StatusCode::GONE, "This link has expired.").into_response(),
        None => (StatusCode::NOT_FOUND, "There is no such link.").into_response(),
    }
}

impl World {
    /// The file at a path that can be read.
    fn file(&self, visit: &Visit, path: &str) -> Result<(Shown, Content), Problem> {
        let (view, place) = self.find(visit, path, Accepts::Read)?;
        let Place::Entry(entry) = place else { return Err(Problem::path("not_file")) };
        let stored = entry.stored.as_ref().ok_or_else(|| Problem::path("not_file"))?;
        if stored.file.export_as.is_some() {
            return Err(Problem::conflict("unsupported_file"));
        }
        Ok((view.show(&entry), stored.file.content.clone()))
    }
}

/// The bytes that are asked for, counted while they leave.
fn send(dropbox: &Dropbox, headers: &HeaderMap, content: &Content, media_type: &'static str) -> Response {
    let size_bytes = content.size_bytes();
    let asked = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let (status, range) = match asked.and_then(|range| stretch(range, size_bytes)) {
        None => (StatusCode::OK, 0..size_bytes),
        Some(range) if range.is_empty() => {
            let all = content_range(format!("bytes */{size_bytes}"));
            return (StatusCode::RANGE_NOT_SATISFIABLE, all).into_response();
        }
        Some(range) => (StatusCode::PARTIAL_CONTENT, range),
    };
    let mut response = (status, [(CONTENT_TYPE, media_type), (ACCEPT_RANGES, "bytes")]).into_response();
    response.headers_mut().insert(CONTENT_LENGTH, (range.end - range.start).into());
    if status == StatusCode::PARTIAL_CONTENT {
        response.headers_mut().extend(content_range(format!("bytes {}-{}/{size_bytes}", range.start, range.end - 1)));
    }
    dropbox.world().tally.downloads += 1;
    *response.body_mut() = body(dropbox.clone(), content, range);
    response
}

fn body(dropbox: Dropbox, content: &Content, range: Range<u64>) -> Body {
    let counted = content.pieces(range).map(move |piece: Bytes| {
        dropbox.world().tally.bytes += piece.len() as u64;
        Ok::<_, std::io::Error>(piece)
    });
    Body::from_stream(stream::iter(counted))
}

fn content_range(text: String) -> HeaderMap {
    HeaderValue::try_from(text).map(|value| HeaderMap::from_iter([(CONTENT_RANGE, value)])).unwrap_or_default()
}

/// What the name says that it is (documented: links have the type of the file).
fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "mp4" => "video/mp4",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// JSON for a header: ASCII alone, where everything else is escaped as UTF-16 (documented under "JSON encoding").
fn ascii(value: &Value) -> String {
    let mut safe = String::new();
    for c in value.to_string().chars() {
        match c {
            ' '..='~' => safe.push(c),
            _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| safe.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::ascii;

    #[test]
    fn a_header_carries_ascii_alone() {
        let value = json!({ "name": "é\u{7f}🦀\"" });
        assert_eq!(ascii(&value), r#"{"name":"\u00e9\u007f\ud83e\udd80\""}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&ascii(&value)).ok(), Some(value));
    }
}
