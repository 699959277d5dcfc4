//! Uploaded media: sessions, segments, processing, and what may be attached to a post.
//!
//! Sizes and types are documented under "Media best practices"; the size of a chunk and the prefixes of media keys
//! are observed.

use std::collections::HashMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::clock::Moment;
use super::problem::Problem;
use super::segments::Segments;
use super::settings::Settings;

const MB: u64 = 1 << 20;
const LARGEST_CHUNK_BYTES: usize = 5 << 20;
const LONGEST_ALT_TEXT: usize = 1_000;

/// What media is for.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Category {
    AmplifyVideo,
    TweetGif,
    TweetImage,
    TweetVideo,
    DmGif,
    DmImage,
    DmVideo,
    Subtitles,
}

/// The kinds that a post can hold: four photos, or one GIF, or one video.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Photo,
    Gif,
    Video,
    Text,
}

impl Category {
    fn form(self) -> Form {
        match self {
            Self::TweetImage | Self::DmImage => Form::Photo,
            Self::TweetGif | Self::DmGif => Form::Gif,
            Self::AmplifyVideo | Self::TweetVideo | Self::DmVideo => Form::Video,
            Self::Subtitles => Form::Text,
        }
    }

    fn goes_into_posts(self) -> bool {
        matches!(self, Self::AmplifyVideo | Self::TweetGif | Self::TweetImage | Self::TweetVideo)
    }
}

impl Form {
    fn largest_bytes(self) -> u64 {
        match self {
            Self::Photo | Self::Text => 5 * MB,
            Self::Gif => 15 * MB,
            Self::Video => 512 * MB,
        }
    }

    fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::Photo => &["image/jpeg", "image/pjpeg", "image/png", "image/webp", "image/gif"],
            Self::Gif => &["image/gif"],
            Self::Video => &["video/mp4", "video/quicktime", "video/webm", "video/mp2t"],
            Self::Text => &["text/srt", "text/vtt"],
        }
    }

    /// The type as `includes.media` names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Photo | Self::Text => "photo",
            Self::Gif => "animated_gif",
            Self::Video => "video",
        }
    }
}

/// The body of `initialize`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Initialize {
    media_type: String,
    total_bytes: u64,
    media_category: Category,
    #[serde(default, rename = "shared")]
    _shared: bool,
    #[serde(default, rename = "additional_owners")]
    _additional_owners: Vec<String>,
}

/// One upload, from its session to its attachment.
pub(super) struct Media {
    pub(super) id: u64,
    pub(super) media_type: String,
    pub(super) alt_text: Option<String>,
    pub(super) attached_to: Option<u64>,
    pub(super) finished: Option<Finished>,
    owner: String,
    category: Category,
    total_bytes: u64,
    segments: Segments,
    expires: Moment,
}

/// What was assembled.
pub(super) struct Finished {
    at: Moment,
    pub(super) size_bytes: u64,
    pub(super) sha256: String,
}

impl Media {
    fn new(id: u64, owner: &str, initialize: Initialize, expires: Moment) -> Result<Self, Problem> {
        let Initialize { media_type, total_bytes, media_category: category, .. } = initialize;
        let form = category.form();
        if !form.media_types().contains(&media_type.as_str()) {
            let message = format!("media_type [{media_type}] does not fit media_category");
            return Err(Problem::invalid("media_type", &media_type, message));
        }
        if !(1..=form.largest_bytes()).contains(&total_bytes) {
            let message = format!("total_bytes must be between 1 and {}", form.largest_bytes());
            return Err(Problem::invalid("total_bytes", &total_bytes.to_string(), message));
        }
        Ok(Self {
            id,
            media_type,
            alt_text: None,
            attached_to: None,
            finished: None,
            owner: owner.to_owned(),
            category,
            total_bytes,
            segments: Segments::default(),
            expires,
        })
    }

    pub(super) fn form(&self) -> Form {
        self.category.form()
    }

    pub(super) fn key(&self) -> String {
        let prefix = match self.category {
            Category::AmplifyVideo => 13,
            Category::TweetGif | Category::DmGif => 16,
            Category::TweetVideo | Category::DmVideo => 7,
            Category::TweetImage | Category::DmImage | Category::Subtitles => 3,
        };
        format!("{prefix}_{}", self.id)
    }

    /// Store a segment.
    pub(super) fn append(&mut self, index: u16, bytes: Bytes) -> Result<(), Problem> {
        if self.finished.is_some() {
            return Err(Problem::malformed("The upload is finalized already."));
        }
        if index > 999 {
            return Err(Problem::invalid("segment_index", &index.to_string(), "segment_index must be 0 to 999"));
        }
        if bytes.len() > LARGEST_CHUNK_BYTES {
            return Err(Problem::too_large());
        }
        self.segments.insert(index, bytes, self.total_bytes).map_err(|words| Problem::invalid("media", "", words))
    }

    /// Assemble the segments. To finalize once more is harmless.
    pub(super) fn finalize(&mut self, now: Moment) -> Result<(), Problem> {
        if self.finished.is_some() {
            return Ok(());
        }
        let size_bytes = self.segments.size_bytes();
        if !self.segments.are_contiguous() || size_bytes != self.total_bytes {
            let total = self.total_bytes;
            let detail = format!("Segments are missing: {size_bytes} of {total} bytes are there, from index 0 on.");
            return Err(Problem::malformed(detail));
        }
        if !looks_like(&self.media_type, &self.segments.head()) {
            return Err(Problem::invalid("media_type", &self.media_type, "The bytes are not of this media_type."));
        }
        self.finished = Some(Finished { at: now, size_bytes, sha256: hex::encode(self.segments.finish()) });
        Ok(())
    }

    pub(super) fn describe(&mut self, alt_text: String) -> Result<(), Problem> {
        if !(1..=LONGEST_ALT_TEXT).contains(&alt_text.chars().count()) {
            return Err(Problem::invalid("metadata.alt_text.text", "", "The text must have 1 to 1000 characters."));
        }
        self.alt_text = Some(alt_text);
        Ok(())
    }

    /// The index of every segment that was taken, in the order of arrival.
    pub(super) fn arrivals(&self) -> &[u16] {
        self.segments.arrivals()
    }

    /// When the session ends, in seconds since 1970.
    pub(super) fn expires_at(&self) -> u64 {
        self.expires.unix_s()
    }

    /// The `data` of every answer about an upload.
    pub(super) fn data(&self, settings: &Settings, now: Moment) -> Value {
        let expires_after_secs = self.expires.s_since(now);
        let mut data =
            json!({ "id": self.id.to_string(), "media_key": self.key(), "expires_after_secs": expires_after_secs });
        if let Some(finished) = &self.finished {
            data["size"] = finished.size_bytes.into();
        }
        if let Some(processing) = self.processing(settings, now) {
            data["processing_info"] = processing;
        }
        data
    }

    /// Whether a post may hold it now.
    pub(super) fn attachable(&self, owner: &str, settings: &Settings, now: Moment) -> bool {
        let processed = || self.processing(settings, now).is_none_or(|info| info["state"] == "succeeded");
        self.owner == owner
            && self.finished.is_some()
            && self.attached_to.is_none()
            && now < self.expires
            && self.category.goes_into_posts()
            && processed()
    }

    /// `processing_info`; photos are ready at once and have none.
    fn processing(&self, settings: &Settings, now: Moment) -> Option<Value> {
        let elapsed_ms = now.ms_since(self.finished.as_ref()?.at);
        if !matches!(self.form(), Form::Gif | Form::Video) {
            return None;
        }
        let total_ms = settings.processing_ms;
        let left_ms = total_ms.saturating_sub(elapsed_ms);
        let check_after_secs = left_ms.div_ceil(1_000).max(1);
        Some(if left_ms == 0 && settings.processing_fails {
            let error = json!({ "code": 1, "name": "InvalidMedia", "message": "Unsupported video format" });
            json!({ "state": "failed", "error": error })
        } else if left_ms == 0 {
            json!({ "state": "succeeded", "progress_percent": 100 })
        } else if elapsed_ms * 3 < total_ms {
            json!({ "state": "pending", "check_after_secs": check_after_secs })
        } else {
            let percent = elapsed_ms * 100 / total_ms;
            json!({ "state": "in_progress", "check_after_secs": check_after_secs, "progress_percent": percent })
        })
    }
}

/// Whether a file that begins like this has the type it claims.
fn looks_like(media_type: &str, head: &[u8]) -> bool {
    match media_type {
        "image/jpeg" | "image/pjpeg" => head.starts_with(b"\xFF\xD8\xFF"),
        "image/png" => head.starts_with(b"\x89PNG\r\n\x1A\n"),
        "image/gif" => head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a"),
        "image/webp" => head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP"),
        "video/mp4" | "video/quicktime" => head.get(4..8) == Some(b"ftyp"),
        "video/webm" => head.starts_with(b"\x1A\x45\xDF\xA3"),
        "video/mp2t" => head.starts_with(b"\x47"),
        _ => true,
    }
}

/// All uploads.
#[derive(Default)]
pub(super) struct Shelf(HashMap<u64, Media>);

impl Shelf {
    pub(super) fn open(
        &mut self,
        id: u64,
        owner: &str,
        initialize: Initialize,
        expires: Moment,
    ) -> Result<&Media, Problem> {
        let media = Media::new(id, owner, initialize, expires)?;
        Ok(self.0.entry(id).insert_entry(media).into_mut())
    }

    pub(super) fn get(&self, id: u64) -> Option<&Media> {
        self.0.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Media> {
        self.0.get_mut(&id)
    }

    /// The upload of this owner, while it lasts.
    pub(super) fn owned(&mut self, id: u64, owner: &str, now: Moment) -> Result<&mut Media, Problem> {
        let found = self.0.get_mut(&id).filter(|media| media.owner == owner && now < media.expires);
        found.ok_or_else(|| Problem::not_found("media", "id", &id.to_string()))
    }
}
