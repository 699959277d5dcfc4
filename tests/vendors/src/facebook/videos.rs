//! Videos: `/{page}/videos`, by URL, as a file or in pieces. Their content is hashed and not kept.

use futures_util::StreamExt;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::gate::Call;
use super::posts::{Timing, message, time};
use super::problem::Problem;
use super::state::{Facebook, World};
use super::{fetch, fields, pieces};

const PARAMETERS: [&str; 5] = ["source", "file_url", "title", "description", "upload_phase"];
/// The longest title, in characters.
const LONGEST_TITLE: usize = 255;
/// What tells the type of a file, in bytes.
const HEAD_BYTES: usize = 12;

/// A video that was uploaded, as tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Video {
    /// The id: digits.
    pub id: String,
    /// The page's id.
    pub page_id: String,
    /// Its title.
    pub title: Option<String>,
    /// Its words.
    pub description: Option<String>,
    /// The bytes received.
    pub size_bytes: u64,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
    /// The post that has it, unless it was neither published nor scheduled.
    pub post_id: Option<String>,
    /// When the upload was finished, in milliseconds since 1970, on the simulator's clock.
    pub created_ms: u64,
    /// How often its status was read.
    pub reads: u32,
}

/// The digest of a content that comes in pieces.
#[derive(Default)]
pub(super) struct Content {
    pub(super) size_bytes: u64,
    head: Vec<u8>,
    hash: Sha256,
}

impl Content {
    pub(super) fn take(&mut self, piece: &[u8]) {
        let missing = HEAD_BYTES.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(&piece[..missing]);
        self.hash.update(piece);
        self.size_bytes += piece.len() as u64;
    }

    /// MP4 and its kin, WebM and Matroska, AVI and MPEG are taken; Facebook takes more.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let starts = |magic: &[u8]| self.head.starts_with(magic);
        let known = self.head.get(4..8) == Some(b"ftyp")
            || starts(b"\x1A\x45\xDF\xA3")
            || (starts(b"RIFF") && self.head.get(8..12) == Some(b"AVI "))
            || starts(b"\0\0\x01\xBA");
        let message = "(#352) Sorry, the video file you selected is in a format that we don't support.";
        if known { Ok(()) } else { Err(Problem::new(352, message).with_subcode(1_363_024)) }
    }
}

/// What is said of a video.
pub(super) struct Words {
    title: Option<String>,
    description: Option<String>,
    timing: Timing,
}

impl Words {
    pub(super) fn read(call: &Call) -> Result<Self, Problem> {
        let title = call.parameters.get("title").map(str::to_owned);
        if title.as_ref().is_some_and(|title| title.chars().count() > LONGEST_TITLE) {
            return Err(Problem::parameter(format!("Param title must be no longer than {LONGEST_TITLE} characters")));
        }
        let description = message(&call.parameters, "description")?;
        Ok(Self { title, description, timing: Timing::read(&call.parameters, call.now)? })
    }
}

/// `POST /{page}/videos`
pub(super) async fn upload(facebook: &Facebook, call: &Call) -> Result<Value, Problem> {
    call.caller.may_post(&facebook.settings(), &call.node)?;
    let parameters = &call.parameters;
    if parameters.get("upload_phase").is_some() {
        return pieces::take(&mut facebook.world(), call);
    }
    parameters.only(&[&PARAMETERS[..], &Timing::PARAMETERS].concat())?;
    let words = Words::read(call)?;
    let content = match (parameters.file("source"), parameters.get("file_url")) {
        (Some(file), None) => {
            let mut content = Content::default();
            content.take(&file.bytes);
            content
        }
        (None, Some(url)) => fetched(url).await?,
        (None, None) => return Err(Problem::parameter("No video file was selected").with_subcode(1_363_041)),
        (Some(_), Some(_)) => return Err(Problem::strict("a video has a file_url or a source, and not both.")),
    };
    content.check()?;
    let mut world = facebook.world();
    let id = world.next_id().to_string();
    world.keep_video(id.clone(), &call.node, words, content);
    Ok(json!({ "id": id }))
}

async fn fetched(url: &str) -> Result<Content, Problem> {
    let unfetched = || Problem::new(389, "(#389) Unable to fetch video file from URL.");
    let url = fetch::url(url).ok_or_else(unfetched)?;
    let mut arriving = Box::pin(fetch::get(url).await.ok_or_else(unfetched)?);
    let mut content = Content::default();
    while let Some(piece) = arriving.next().await {
        content.take(&piece.ok_or_else(unfetched)?);
    }
    Ok(content)
}

/// How far a video is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Processing,
    Ready,
    Failed,
}

impl Video {
    fn status(&self, world: &World) -> Status {
        let settings = &world.settings;
        let done_ms = self.created_ms.saturating_add(settings.video_processing_s.saturating_mul(1_000));
        match world.now().unix_ms() < done_ms || self.reads < settings.video_processing_reads {
            true => Status::Processing,
            false if settings.video_processing_fails => Status::Failed,
            false => Status::Ready,
        }
    }

    pub(super) fn is_ready(&self, world: &World) -> bool {
        self.status(world) == Status::Ready
    }

    /// A VideoStatus (documented; the members of the phases are observed).
    fn status_node(&self, world: &World) -> Value {
        let uploading = json!({ "status": "complete", "bytes_transferred": self.size_bytes });
        let (status, processing, publishing) = match self.status(world) {
            Status::Processing => {
                ("processing", json!({ "status": "in_progress" }), json!({ "status": "not_started" }))
            }
            Status::Ready => {
                let published = json!({
                    "status": "complete", "publish_status": "published", "publish_time": time(self.created_ms),
                });
                ("ready", json!({ "status": "complete" }), published)
            }
            Status::Failed => {
                let errors = json!([{ "code": 1_363_024, "message": "The simulator was told to fail." }]);
                ("error", json!({ "status": "error", "errors": errors }), json!({ "status": "not_started" }))
            }
        };
        json!({
            "video_status": status, "uploading_phase": uploading, "processing_phase": processing,
            "publishing_phase": publishing,
        })
    }
}

impl World {
    /// Keep a video whose content has come whole, and its post.
    pub(super) fn keep_video(&mut self, id: String, page_id: &str, words: Words, content: Content) {
        let Words { title, description, timing } = words;
        let shown = timing.published || timing.scheduled_s.is_some();
        let text = description.clone().unwrap_or_default();
        let post_id = shown.then(|| self.post(page_id, text, None, vec![id.clone()], timing));
        self.made.videos += 1;
        let created_ms = self.now().unix_ms();
        self.videos.push(Video {
            id,
            page_id: page_id.to_owned(),
            title,
            description,
            size_bytes: content.size_bytes,
            sha256: hex::encode(content.hash.finalize()),
            post_id,
            created_ms,
            reads: 0,
        });
    }
}

/// `GET /{video}`. Its `permalink_url` is a path, unlike a post's (observed).
pub(super) fn show(world: &mut World, call: &Call, at: usize) -> Result<Value, Problem> {
    call.parameters.only(&["fields", "pretty"])?;
    call.caller.may_read("pages_read_engagement")?;
    let video = &world.videos[at];
    let node = json!({
        "id": video.id, "title": video.title, "description": video.description, "status": video.status_node(world),
        "created_time": time(video.created_ms), "updated_time": time(video.created_ms),
        "permalink_url": format!("/{}/videos/{}/", video.page_id, video.id), "post_id": video.post_id,
        "published": video.post_id.is_some(), "length": 1.0, "from": { "id": video.page_id },
    });
    let shown = fields::show(call, &node, "Video", &["description", "updated_time", "id"])?;
    if shown.get("status").is_some() {
        world.videos[at].reads += 1;
    }
    Ok(shown)
}
