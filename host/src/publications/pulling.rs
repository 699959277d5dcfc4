//! Media that the network fetches from this host. Where it could not reach the host, the post is refused with the cure: before
//! it is taken in where its URL tells the medium's type, and before anything is sent in any case.

use super::Part;
use crate::app::App;
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::release::Release;
use crate::connectors::variant::Variant;
use crate::error::{Error, Result};
use orla_manifest::MediaRule;
use url::Url;

/// How the names of files end.
const ENDINGS: [(&str, &str); 9] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
];

/// Refuses what is asked for where its media would have to be fetched from here, and cannot be.
pub(super) fn check_wish(app: &App, release: &Release, parts: &[Part]) -> Result<()> {
    let Some(why) = app.connectors().unreachable_by(release) else { return Ok(()) };
    for (index, part) in parts.iter().enumerate() {
        let is_pulled = |url: &str| match content_type(url) {
            Some(content_type) => rules(release).iter().any(|rule| rule.pulled && rule.content_type == content_type),
            None => !rules(release).is_empty() && rules(release).iter().all(|rule| rule.pulled),
        };
        if let Some(position) = part.media.iter().position(|source| is_pulled(&source.url)) {
            return Err(Error::invalid(format!("parts/{index}/media/{position}"), why));
        }
    }
    Ok(())
}

/// The same for media that are at hand.
pub(super) fn check(app: &App, release: &Release, variant: &Variant) -> Result<(), Fault> {
    let Some(why) = app.connectors().unreachable_by(release) else { return Ok(()) };
    for (index, part) in variant.parts.iter().enumerate() {
        let is_pulled =
            |content_type: &str| rules(release).iter().any(|rule| rule.pulled && rule.content_type == content_type);
        if let Some(position) = part.media.iter().position(|medium| is_pulled(&medium.blob.content_type)) {
            let field = Some(format!("parts/{index}/media/{position}"));
            return Err(Fault { field, ..Fault::new(FaultKind::Invalid, why) });
        }
    }
    Ok(())
}

fn rules(release: &Release) -> &[MediaRule] {
    release.manifest.publishing.as_ref().map(|publishing| publishing.media.as_slice()).unwrap_or_default()
}

/// The media type that a URL promises; the bytes have the last word.
fn content_type(url: &str) -> Option<&'static str> {
    let url = Url::parse(url).ok()?;
    let (_, ending) = url.path_segments()?.next_back()?.rsplit_once('.')?;
    ENDINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(ending)).map(|(_, content_type)| *content_type)
}
