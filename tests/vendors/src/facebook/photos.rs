//! Photos: `/{page}/photos`, by URL or as a file.

use axum::body::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::fetch::{self, Fetched};
use super::fields;
use super::gate::Call;
use super::posts::{Timing, message, time};
use super::problem::Problem;
use super::state::{Facebook, World};

/// The largest photo, in bytes.
const LIMIT_BYTES: usize = 4 << 20;

/// A photo that was uploaded, as tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Photo {
    /// The id: digits.
    pub id: String,
    /// The page's id.
    pub page_id: String,
    /// What it is, by its first bytes.
    pub mime_type: &'static str,
    /// The bytes received.
    pub size_bytes: u64,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
    /// Its words.
    pub caption: Option<String>,
    /// What stands for it where it cannot be seen.
    pub alt_text: Option<String>,
    /// Whether it was published at once, as a post of its own.
    pub published: bool,
    /// The post that has it.
    pub post_id: Option<String>,
    /// When it was uploaded, in milliseconds since 1970, on the simulator's clock.
    pub created_ms: u64,
}

const PARAMETERS: [&str; 7] = ["source", "url", "caption", "message", "alt_text_custom", "temporary", "no_story"];

/// `POST /{page}/photos`
pub(super) async fn upload(facebook: &Facebook, call: &Call) -> Result<Value, Problem> {
    let parameters = &call.parameters;
    parameters.only(&[&PARAMETERS[..], &Timing::PARAMETERS].concat())?;
    call.caller.may_post(&facebook.settings(), &call.node)?;
    let timing = Timing::read(parameters, call.now)?;
    let caption = match (message(parameters, "caption")?, message(parameters, "message")?) {
        (Some(_), Some(_)) => return Err(Problem::strict("caption and message are the same thing.")),
        (caption, message) => caption.or(message),
    };
    if parameters.flag("temporary")? == Some(true) && timing.published {
        return Err(Problem::parameter("A temporary photo cannot be published"));
    }
    parameters.flag("no_story")?;
    let bytes = match (parameters.file("source"), parameters.get("url")) {
        (Some(file), None) => file.bytes.clone(),
        (None, Some(url)) => fetched(url).await?,
        (None, None) => return Err(Problem::new(324, "(#324) Requires upload file")),
        (Some(_), Some(_)) => return Err(Problem::strict("a photo has a url or a source, and not both.")),
    };
    let mime_type = mime_type(&bytes).filter(|_| bytes.len() <= LIMIT_BYTES);
    let mime_type = mime_type.ok_or_else(Problem::unreadable_photo)?;
    let mut world = facebook.world();
    let id = world.next_id().to_string();
    let shown = timing.published || timing.scheduled_s.is_some();
    let words = caption.clone().unwrap_or_default();
    let post_id = shown.then(|| world.post(&call.node, words, None, vec![id.clone()], timing));
    let created_ms = world.now().unix_ms();
    world.made.photos += 1;
    world.photos.push(Photo {
        id: id.clone(),
        page_id: call.node.clone(),
        mime_type,
        size_bytes: bytes.len() as u64,
        sha256: hex::encode(Sha256::digest(&bytes)),
        caption,
        alt_text: parameters.get("alt_text_custom").map(str::to_owned),
        published: timing.published,
        post_id: post_id.clone(),
        created_ms,
    });
    Ok(match post_id {
        Some(post_id) => json!({ "id": id, "post_id": post_id }),
        None => json!({ "id": id }),
    })
}

async fn fetched(url: &str) -> Result<Bytes, Problem> {
    let url = fetch::url(url).ok_or_else(|| Problem::parameter("url should represent a valid URL"))?;
    match fetch::whole(url, LIMIT_BYTES).await {
        Some(Fetched::Whole(bytes)) => Ok(bytes),
        Some(Fetched::TooLarge) => Err(Problem::unreadable_photo()),
        None => Err(Problem::unfetched_photo()),
    }
}

/// The type of a photo that begins like this: JPEG, PNG, GIF, BMP and TIFF are taken.
fn mime_type(head: &[u8]) -> Option<&'static str> {
    const TYPES: [(&[u8], &str); 7] = [
        (b"\xFF\xD8\xFF", "image/jpeg"),
        (b"\x89PNG\r\n\x1A\n", "image/png"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"BM", "image/bmp"),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
    ];
    TYPES.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name)
}

/// `GET /{photo}`
pub(super) fn show(world: &World, call: &Call, at: usize) -> Result<Value, Problem> {
    call.parameters.only(&["fields", "pretty"])?;
    call.caller.may_read("pages_read_engagement")?;
    let photo = &world.photos[at];
    let page = world.settings.page(&photo.page_id);
    let source = format!("{}/pictures/photo.jpg", call.origin);
    let node = json!({
        "id": photo.id, "name": photo.caption, "alt_text": photo.alt_text, "alt_text_custom": photo.alt_text,
        "created_time": time(photo.created_ms), "updated_time": time(photo.created_ms),
        "from": page.map(|page| json!({ "name": page.name, "id": page.id })),
        "link": format!("https://www.facebook.com/photo.php?fbid={}", photo.id), "page_story_id": photo.post_id,
        "picture": source, "images": [{ "height": 1, "source": source, "width": 1 }], "height": 1, "width": 1,
    });
    fields::show(call, &node, "Photo", &["created_time", "name", "id"])
}
