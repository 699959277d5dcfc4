//! The rules of a server with the usual limits. A server may have others; what it refuses then, it says itself.

use crate::count;
use orla_sdk::{Media, Part, Variant, Violation};

/// Most posts of a thread. Mastodon has no limit; this one keeps a thread well within what a server takes in five minutes.
pub(crate) const MAX_PARTS: u32 = 25;

/// Most media of a post.
pub(crate) const MAX_MEDIA: u32 = 4;

/// Most characters of a post.
pub(crate) const MAX_CHARS: usize = 500;

/// Most characters of a medium's description.
pub(crate) const MAX_ALT_CHARS: usize = 1_500;

const IMAGE_BYTES: u64 = 16 << 20;
const VIDEO_BYTES: u64 = 99 << 20;

/// What a server takes, by media type, with the largest size in bytes.
pub(crate) const MEDIA: [(&str, u64); 20] = [
    ("image/jpeg", IMAGE_BYTES),
    ("image/png", IMAGE_BYTES),
    ("image/gif", IMAGE_BYTES),
    ("image/heic", IMAGE_BYTES),
    ("image/heif", IMAGE_BYTES),
    ("image/webp", IMAGE_BYTES),
    ("image/avif", IMAGE_BYTES),
    ("video/mp4", VIDEO_BYTES),
    ("video/webm", VIDEO_BYTES),
    ("video/quicktime", VIDEO_BYTES),
    ("video/ogg", VIDEO_BYTES),
    ("audio/mpeg", VIDEO_BYTES),
    ("audio/ogg", VIDEO_BYTES),
    ("audio/wav", VIDEO_BYTES),
    ("audio/x-wav", VIDEO_BYTES),
    ("audio/flac", VIDEO_BYTES),
    ("audio/aac", VIDEO_BYTES),
    ("audio/mp4", VIDEO_BYTES),
    ("audio/webm", VIDEO_BYTES),
    ("audio/3gpp", VIDEO_BYTES),
];

/// What is wrong with a variant.
pub(crate) fn violations(variant: &Variant) -> Vec<Violation> {
    let mut found = Vec::new();
    let count = variant.parts.len();
    if count > MAX_PARTS as usize {
        let message = format!("A thread may have {MAX_PARTS} posts; this one has {count}.");
        found.push(Violation::new("parts", "too_many_parts", message));
    }
    for (index, part) in variant.parts.iter().enumerate() {
        check_text(index, part, &mut found);
        check_number_of_media(index, part, &mut found);
        for (at, media) in part.media.iter().enumerate() {
            check_medium(&format!("parts/{index}/media/{at}"), media, &mut found);
        }
    }
    found
}

fn check_text(index: usize, part: &Part, found: &mut Vec<Violation>) {
    let field = format!("parts/{index}/text");
    let count = count::characters(&part.text);
    if part.text.trim().is_empty() && part.media.is_empty() {
        found.push(Violation::new(field, "empty", "A post needs a text or a medium; this one has neither."));
    } else if count > MAX_CHARS {
        let message = format!("A post may have {MAX_CHARS} characters; this one has {count}.");
        found.push(Violation::new(field, "text_too_long", message));
    }
}

fn check_number_of_media(index: usize, part: &Part, found: &mut Vec<Violation>) {
    let field = format!("parts/{index}/media");
    let count = part.media.len();
    if count > MAX_MEDIA as usize {
        let message = format!("A post may have {MAX_MEDIA} media; this one has {count}.");
        found.push(Violation::new(&field, "too_many_media", message));
    }
    for (kind, prefix) in [("video", "video/"), ("sound", "audio/")] {
        let count = part.media.iter().filter(|media| media.content_type.starts_with(prefix)).count();
        if count > 1 {
            let message = format!("A post may have 1 {kind}; this one has {count}.");
            found.push(Violation::new(&field, "too_many_media", message));
        }
    }
}

fn check_medium(field: &str, media: &Media, found: &mut Vec<Violation>) {
    let Media { content_type, size, .. } = media;
    match MEDIA.iter().find(|(known, _)| known == content_type) {
        None => {
            let message = format!("Mastodon takes no media of the type {content_type}.");
            found.push(Violation::new(field, "media_type", message));
        }
        Some((_, most)) if size > most => {
            let message = format!("A medium of the type {content_type} may have {most} bytes; this one has {size}.");
            found.push(Violation::new(field, "media_too_large", message));
        }
        Some(_) => {}
    }
    let count = media.alt_text.as_deref().map_or(0, count::graphemes);
    if count > MAX_ALT_CHARS {
        let message = format!("A description may have {MAX_ALT_CHARS} characters; this one has {count}.");
        found.push(Violation::new(format!("{field}/alt_text"), "alt_text_too_long", message));
    }
}
