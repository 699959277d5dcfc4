//! What a page takes: <https://developers.facebook.com/docs/graph-api/reference/page/photos> and
//! <https://developers.facebook.com/docs/graph-api/reference/page/videos>.

use orla_sdk::{Media, Part, Variant, Violation};

/// Most characters of a text.
pub(crate) const MAX_CHARS: usize = 63_206;

/// Most photos of a post; a video stands alone.
pub(crate) const MAX_PHOTOS: usize = 10;

const PHOTO_BYTES: u64 = 4 << 20;
/// Facebook takes 10 GB, which is more than one run should send.
const VIDEO_BYTES: u64 = 1 << 30;

/// What is taken of each media type, in bytes.
pub(crate) const MEDIA: [(&str, u64); 11] = [
    ("image/jpeg", PHOTO_BYTES),
    ("image/png", PHOTO_BYTES),
    ("image/gif", PHOTO_BYTES),
    ("image/bmp", PHOTO_BYTES),
    ("image/tiff", PHOTO_BYTES),
    ("video/mp4", VIDEO_BYTES),
    ("video/quicktime", VIDEO_BYTES),
    ("video/webm", VIDEO_BYTES),
    ("video/x-matroska", VIDEO_BYTES),
    ("video/x-msvideo", VIDEO_BYTES),
    ("video/mpeg", VIDEO_BYTES),
];

/// Whether a medium is posted as a video.
pub(crate) fn is_video(media: &Media) -> bool {
    media.content_type.starts_with("video/")
}

/// What is wrong with a variant.
pub(crate) fn violations(variant: &Variant) -> Vec<Violation> {
    let mut found = Vec::new();
    let count = variant.parts.len();
    if count == 0 {
        found.push(Violation::new("parts", "empty", "There is nothing to post."));
    }
    if count > 1 {
        let message = format!("A page has no threads: a publication may have 1 post; this one has {count}.");
        found.push(Violation::new("parts", "too_many_parts", message));
    }
    for (index, part) in variant.parts.iter().enumerate() {
        let at = format!("parts/{index}");
        check_text(&at, part, &mut found);
        check_number_of_media(&at, part, &mut found);
        for (position, media) in part.media.iter().enumerate() {
            check_medium(&format!("{at}/media/{position}"), media, &mut found);
        }
    }
    found
}

fn check_text(at: &str, part: &Part, found: &mut Vec<Violation>) {
    let field = format!("{at}/text");
    let count = part.text.chars().count();
    if part.text.trim().is_empty() && part.media.is_empty() {
        found.push(Violation::new(field, "empty", "A post needs a text or a medium; this one has neither."));
    } else if count > MAX_CHARS {
        let excess = count - MAX_CHARS;
        let message = format!("A post may have {MAX_CHARS} characters; this one has {count}, {excess} too many.");
        found.push(Violation::new(field, "text_too_long", message));
    }
}

fn check_number_of_media(at: &str, part: &Part, found: &mut Vec<Violation>) {
    let field = format!("{at}/media");
    let count = part.media.len();
    if count > 1 && part.media.iter().any(is_video) {
        let message = format!("A video stands alone in a post; this one has {count} media.");
        found.push(Violation::new(field, "mixed_media", message));
    } else if count > MAX_PHOTOS {
        let excess = count - MAX_PHOTOS;
        let message = format!("A post may have {MAX_PHOTOS} photos; this one has {count}, {excess} too many.");
        found.push(Violation::new(field, "too_many_media", message));
    }
}

fn check_medium(field: &str, media: &Media, found: &mut Vec<Violation>) {
    let Media { content_type, size, .. } = media;
    match MEDIA.iter().find(|(taken, _)| taken == content_type) {
        None => {
            let message = format!("A page takes no media of the type {content_type}.");
            found.push(Violation::new(field, "media_type", message));
        }
        Some(_) if *size == 0 => {
            found.push(Violation::new(field, "media_empty", "A medium has at least 1 byte; this one has none."));
        }
        Some((_, most)) if size > most => {
            let message = format!(
                "A medium of the type {content_type} may have {most} bytes; this one has {size}, {} too many.",
                size - most
            );
            found.push(Violation::new(field, "media_too_large", message));
        }
        Some(_) => {}
    }
}
