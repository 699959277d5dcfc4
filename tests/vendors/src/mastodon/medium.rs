//! Attachments: what may be uploaded, what becomes of it, and when it may be attached.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::parameters::{File, Parameters};
use super::problem::Problem;
use super::settings::{Account, Settings};
use crate::clock::Moment;

/// The types that Mastodon ships with (documented under "Instance").
pub(super) const MIME_TYPES: [&str; 28] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/heic",
    "image/heif",
    "image/webp",
    "image/avif",
    "video/webm",
    "video/mp4",
    "video/quicktime",
    "video/ogg",
    "audio/wave",
    "audio/wav",
    "audio/x-wav",
    "audio/x-pn-wave",
    "audio/vnd.wave",
    "audio/ogg",
    "audio/vorbis",
    "audio/mpeg",
    "audio/mp3",
    "audio/webm",
    "audio/flac",
    "audio/aac",
    "audio/m4a",
    "audio/x-m4a",
    "audio/mp4",
    "audio/3gpp",
    "video/x-ms-asf",
];

/// What an attachment is (documented under "MediaAttachment").
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    /// What was an animated GIF.
    Gifv,
    Video,
    Audio,
}

/// One attachment.
pub(super) struct Medium {
    pub(super) id: u64,
    pub(super) kind: Kind,
    pub(super) attached_to: Option<u64>,
    owner: String,
    created: Moment,
    mime_type: String,
    size_bytes: u64,
    sha256: String,
    description: Option<String>,
    focus: Option<(f64, f64)>,
}

/// An attachment as tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Uploaded {
    /// The media id.
    pub id: String,
    /// The type it was sent as, and is.
    pub mime_type: String,
    /// The bytes received.
    pub size_bytes: u64,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
    /// The alternative text.
    pub description: Option<String>,
    /// The status that has it.
    pub attached_to: Option<String>,
}

impl Uploaded {
    pub(super) fn of(medium: &Medium) -> Self {
        Self {
            id: medium.id.to_string(),
            mime_type: medium.mime_type.clone(),
            size_bytes: medium.size_bytes,
            sha256: medium.sha256.clone(),
            description: medium.description.clone(),
            attached_to: medium.attached_to.map(|id| id.to_string()),
        }
    }
}

impl Kind {
    fn of(mime_type: &str) -> Self {
        match mime_type.split('/').next() {
            _ if mime_type == "image/gif" => Self::Gifv,
            Some("video") => Self::Video,
            Some("audio") => Self::Audio,
            _ => Self::Image,
        }
    }

    pub(super) fn is_audio_or_video(self) -> bool {
        matches!(self, Self::Audio | Self::Video)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Gifv => "gifv",
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }
}

impl Medium {
    fn check(file: &File, settings: &Settings) -> Result<(), Problem> {
        let mime_type = file.content_type.as_deref().unwrap_or_default();
        let supported = settings.supported_mime_types.iter().any(|known| known == mime_type);
        if !supported || !looks_like(mime_type, &file.bytes) {
            return Err(Problem::validation("File content type is invalid, File is invalid"));
        }
        let limit = match Kind::of(mime_type) {
            Kind::Image | Kind::Gifv => settings.image_size_limit,
            Kind::Audio | Kind::Video => settings.video_size_limit,
        };
        if file.bytes.len() as u64 >= limit {
            // "less than", and the words twice (observed).
            let words = format!("must be less than {} MB", limit >> 20);
            return Err(Problem::validation(format!("File file size {words}, File {words}")));
        }
        Ok(())
    }

    /// Change what may be changed: description and focus. Nothing changes if one of them is wrong.
    pub(super) fn describe(&mut self, parameters: &Parameters, settings: &Settings) -> Result<(), Problem> {
        let description = parameters.text("description")?;
        if description.is_some_and(|words| words.chars().count() > settings.description_limit) {
            let limit = settings.description_limit;
            return Err(Problem::validation(format!("Description is too long (maximum is {limit} characters)")));
        }
        let focus = parameters.text("focus")?.map(|text| {
            let focus = focus(text);
            focus.ok_or_else(|| Problem::strict("focus must be two numbers from -1.0 to 1.0, such as 0.5,-0.25."))
        });
        let focus = focus.transpose()?;
        self.focus = focus.or(self.focus);
        self.description = description.map(str::to_owned).or(self.description.take());
        Ok(())
    }

    /// How far it is.
    pub(super) fn processing(&self, settings: &Settings, now: Moment) -> Processing {
        let takes_ms = if self.kind == Kind::Image { settings.image_processing_ms } else { settings.processing_ms };
        match now < self.created.after_ms(takes_ms) {
            true => Processing::UnderWay,
            false if settings.processing_fails && self.kind != Kind::Image => Processing::Failed,
            false => Processing::Done,
        }
    }

    /// A MediaAttachment.
    pub(super) fn view(&self, origin: &str, settings: &Settings, now: Moment) -> Value {
        let files = format!("{origin}/system/media_attachments/files/{}", self.id);
        let extension = self.mime_type.split('/').nth(1).unwrap_or("bin");
        let url = match self.processing(settings, now) {
            Processing::Done => json!(format!("{files}/original.{extension}")),
            Processing::UnderWay | Processing::Failed => Value::Null,
        };
        let mut meta = json!({});
        if let Some((x, y)) = self.focus {
            meta["focus"] = json!({ "x": x, "y": y });
        }
        json!({
            "id": self.id.to_string(), "type": self.kind.name(), "url": url,
            "preview_url": format!("{files}/small.png"), "remote_url": null, "preview_remote_url": null,
            "text_url": null, "meta": meta, "description": self.description, "blurhash": null,
        })
    }
}

/// How far the processing of an attachment is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Processing {
    UnderWay,
    Failed,
    Done,
}

fn focus(text: &str) -> Option<(f64, f64)> {
    let (x, y) = text.split_once(',')?;
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| (-1.0..=1.0).contains(number));
    Some((number(x)?, number(y)?))
}

/// Whether a file that begins like this has the type it claims.
fn looks_like(mime_type: &str, head: &[u8]) -> bool {
    let (kind, name) = mime_type.split_once('/').unwrap_or_default();
    let riff = |form: &[u8]| head.starts_with(b"RIFF") && head.get(8..12) == Some(form);
    match (kind, name) {
        (_, "jpeg") => head.starts_with(b"\xFF\xD8\xFF"),
        (_, "png") => head.starts_with(b"\x89PNG\r\n\x1A\n"),
        (_, "gif") => head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a"),
        (_, "webp") => riff(b"WEBP"),
        ("image", _) | (_, "mp4" | "quicktime" | "m4a" | "x-m4a" | "3gpp") => head.get(4..8) == Some(b"ftyp"),
        (_, "webm") => head.starts_with(b"\x1A\x45\xDF\xA3"),
        (_, "ogg" | "vorbis") => head.starts_with(b"OggS"),
        (_, "flac") => head.starts_with(b"fLaC"),
        (_, "x-ms-asf") => head.starts_with(b"\x30\x26\xB2\x75"),
        (_, "mpeg" | "mp3" | "aac") => head.starts_with(b"ID3") || head.starts_with(b"\xFF"),
        _ => riff(b"WAVE"),
    }
}

/// All attachments, by id.
#[derive(Default)]
pub(super) struct Shelf(BTreeMap<u64, Medium>);

impl Shelf {
    /// Take an upload, or say why not.
    pub(super) fn take(
        &mut self,
        id: u64,
        owner: &Account,
        file: &File,
        parameters: &Parameters,
        settings: &Settings,
        now: Moment,
    ) -> Result<&Medium, Problem> {
        Medium::check(file, settings)?;
        let mime_type = file.content_type.clone().unwrap_or_default();
        let mut medium = Medium {
            id,
            kind: Kind::of(&mime_type),
            attached_to: None,
            owner: owner.id.clone(),
            created: now,
            mime_type,
            size_bytes: file.bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(&file.bytes)),
            description: None,
            focus: None,
        };
        medium.describe(parameters, settings)?;
        Ok(self.0.entry(id).insert_entry(medium).into_mut())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Medium> {
        self.0.values()
    }

    pub(super) fn get(&self, id: u64) -> Option<&Medium> {
        self.0.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Medium> {
        self.0.get_mut(&id)
    }

    /// The attachment of this account, while no status has it.
    pub(super) fn unattached(&mut self, id: u64, owner: &Account) -> Option<&mut Medium> {
        self.0.get_mut(&id).filter(|medium| medium.owner == owner.id && medium.attached_to.is_none())
    }
}
