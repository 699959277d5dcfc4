//! Posting to a page: <https://developers.facebook.com/docs/pages-api/posts>.

use crate::{API, Page, WEB, check, video};
use orla_sdk::{Committed, Fault, FaultKind, Media, Multipart, Part, Response, Result, Step, path};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// How long a photo that no post shows yet is counted upon. Facebook keeps it for about a day.
const PHOTO_KEPT: Duration = Duration::from_secs(12 * 3_600);

/// The key of the commit that posts a part, unless it is a video: that one is named by its id.
pub(crate) fn key(index: usize) -> String {
    format!("part/{index}")
}

/// Posts one part as what it is.
pub(crate) fn post(page: &Page<'_>, index: usize, part: &Part) -> Result<Step> {
    match part.media.as_slice() {
        [] => text(page, index, part),
        [medium] if check::is_video(medium) => video::post(page, index, part, medium),
        [photo] => one_photo(page, index, part, photo),
        photos => several_photos(page, index, part, photos),
    }
}

fn text(page: &Page<'_>, index: usize, part: &Part) -> Result<Step> {
    let request = page.sign(API.post(page.edge("feed"))).form([("message", part.text.as_str())]);
    let posted = request.commit(key(index), made);
    posted.map(Step::Done).map_err(|fault| at_field(fault, &format!("parts/{index}/text")))
}

/// A photo that is a post of its own.
fn one_photo(page: &Page<'_>, index: usize, part: &Part, photo: &Media) -> Result<Step> {
    let mut body = source(photo);
    if !part.text.is_empty() {
        body = body.text("message", &part.text);
    }
    let posted = page.sign(API.post(page.edge("photos"))).multipart(body).commit(key(index), made);
    posted.map(Step::Done).map_err(|fault| at_field(fault, &format!("parts/{index}/media/0")))
}

/// Photos that nobody sees yet, and then the post that shows them.
fn several_photos(page: &Page<'_>, index: usize, part: &Part, photos: &[Media]) -> Result<Step> {
    let mut attached = Vec::with_capacity(photos.len());
    for (position, photo) in photos.iter().enumerate() {
        let body = source(photo).text("published", "false");
        let request = page.sign(API.post(page.edge("photos"))).multipart(body);
        let uploaded = request.prepare(format!("media/{index}/{position}"), PHOTO_KEPT);
        let uploaded = uploaded.map_err(|fault| at_field(fault, &format!("parts/{index}/media/{position}")))?;
        attached.push(json!({ "media_fbid": uploaded.json::<Made>()?.id }));
    }
    let mut form = vec![("attached_media", json!(attached).to_string())];
    if !part.text.is_empty() {
        form.push(("message", part.text.clone()));
    }
    let posted = page.sign(API.post(page.edge("feed"))).form(form).commit(key(index), made);
    posted.map(Step::Done).map_err(|fault| at_field(fault, &format!("parts/{index}")))
}

fn source(photo: &Media) -> Multipart<'_> {
    let whole = photo.blob.slice(0, photo.size);
    let body = Multipart::new().blob("source", "photo", &photo.content_type, whole);
    match photo.alt_text.as_deref().filter(|words| !words.is_empty()) {
        Some(words) => body.text("alt_text_custom", words),
        None => body,
    }
}

/// The answer to what makes something.
#[derive(Deserialize)]
struct Made {
    id: String,
    /// Of a photo, the post that shows it.
    post_id: Option<String>,
}

fn made(answer: &Response) -> Result<Committed> {
    let Made { id, post_id } = answer.json()?;
    Ok(committed(&post_id.filter(|id| !id.is_empty()).unwrap_or(id)))
}

/// What Facebook calls a post, and where a person finds it. The id of a page's post is the page's, an underscore, and the
/// post's own.
pub(crate) fn committed(id: &str) -> Committed {
    let place = match id.split_once('_') {
        Some((page, post)) => path!("/{}/posts/{}", page, post),
        None => path!("/{}", id),
    };
    Committed { id: id.to_owned(), url: Some(format!("{WEB}{place}")) }
}

/// The fault, naming the member that it is about where Facebook refuses that member.
pub(crate) fn at_field(fault: Fault, field: &str) -> Fault {
    match fault.kind {
        FaultKind::Invalid | FaultKind::TooLarge if fault.field.is_none() => fault.with_field(field),
        _ => fault,
    }
}
