//! What YouTube takes: <https://developers.google.com/youtube/v3/docs/videos#properties>,
//! <https://support.google.com/youtube/troubleshooter/2888402> and
//! <https://developers.google.com/youtube/v3/docs/thumbnails/set>.

use crate::wish;
use orla_sdk::manifest::{self, Bounds, MediaRule};
use orla_sdk::{Fault, Media, Part, Variant, Violation};

const TITLE_CHARS: usize = 100;
const DESCRIPTION_BYTES: usize = 5_000;
/// All tags together, as YouTube counts them.
const TAGS_CHARS: usize = 500;
/// Most characters of a comment, as clients report; the documentation names no limit.
pub(crate) const COMMENT_CHARS: usize = 10_000;

const VIDEO_BYTES: u64 = 256 << 30;
const VIDEO_MS: u64 = 12 * 3_600 * 1_000;
/// The API takes 50 MB, YouTube's help speaks of 2 MB.
const THUMBNAIL_BYTES: u64 = 2 << 20;

const VIDEOS: [&str; 8] = [
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "video/x-matroska",
    "video/x-msvideo",
    "video/mpeg",
    "video/x-flv",
    "video/x-ms-wmv",
];
const THUMBNAILS: [&str; 2] = ["image/jpeg", "image/png"];

const PRIVACIES: [&str; 3] = ["public", "unlisted", "private"];

/// The rules of media.
pub(crate) fn media() -> Vec<MediaRule> {
    let video = |content_type: &str| MediaRule {
        content_type: content_type.to_owned(),
        max_bytes: VIDEO_BYTES,
        duration_ms: Some(Bounds { min: None, max: Some(VIDEO_MS) }),
        ..MediaRule::default()
    };
    let thumbnails = manifest::media(THUMBNAILS.map(|content_type| (content_type, THUMBNAIL_BYTES)));
    VIDEOS.map(video).into_iter().chain(thumbnails).collect()
}

/// The fault of a post without a video.
pub(crate) fn no_video() -> Fault {
    Fault::invalid("parts/0/media", "A post on YouTube is a video; this one has none.")
}

/// What is wrong with a variant.
pub(crate) fn violations(variant: &Variant) -> Vec<Violation> {
    let mut found = Vec::new();
    match variant.parts.as_slice() {
        [] => found.push(Violation::new("parts", "empty", "There is nothing to post.")),
        [_] => {}
        parts => {
            let message = format!("YouTube has no threads: a post is 1 video; this one has {} parts.", parts.len());
            found.push(Violation::new("parts", "too_many_parts", message));
        }
    }
    check_title(variant.title.as_deref().unwrap_or_default(), &mut found);
    for (index, part) in variant.parts.iter().enumerate() {
        check_part(&format!("parts/{index}"), part, &mut found);
    }
    check_privacy(variant, &mut found);
    check_extras(variant, &mut found);
    found
}

fn check_title(title: &str, found: &mut Vec<Violation>) {
    let count = title.trim().chars().count();
    if count == 0 {
        let message = format!("A video needs a title of at most {TITLE_CHARS} characters; this one has none.");
        found.push(Violation::new("title", "empty", message));
    } else if count > TITLE_CHARS {
        let excess = count - TITLE_CHARS;
        let message = format!("A title may have {TITLE_CHARS} characters; this one has {count}, {excess} too many.");
        found.push(Violation::new("title", "title_too_long", message));
    }
    check_brackets("title", title, found);
}

/// Neither titles nor descriptions nor tags may have them.
fn check_brackets(field: &str, text: &str, found: &mut Vec<Violation>) {
    if text.contains(['<', '>']) {
        found.push(Violation::new(field, "angle_brackets", "YouTube takes no < and no > here."));
    }
}

fn check_part(at: &str, part: &Part, found: &mut Vec<Violation>) {
    let field = format!("{at}/text");
    let size = part.text.len();
    if size > DESCRIPTION_BYTES {
        let excess = size - DESCRIPTION_BYTES;
        let message =
            format!("A description may have {DESCRIPTION_BYTES} bytes; this one has {size}, {excess} too many.");
        found.push(Violation::new(&field, "text_too_long", message));
    }
    check_brackets(&field, &part.text, found);
    let field = format!("{at}/media");
    let videos = part.media.iter().filter(|media| !is_picture(media)).count();
    let pictures = part.media.len() - videos;
    if videos != 1 {
        let message = format!("A post on YouTube is 1 video; this one has {videos}.");
        found.push(Violation::new(&field, "one_video", message));
    }
    if pictures > 1 {
        let message = format!("A video may have 1 picture as its thumbnail; this one has {pictures}.");
        found.push(Violation::new(&field, "too_many_pictures", message));
    }
    if videos == 1 && part.media.first().is_some_and(is_picture) {
        found.push(Violation::new(&field, "video_first", "The video comes first, its thumbnail after it."));
    }
    for (position, media) in part.media.iter().enumerate() {
        check_medium(&format!("{field}/{position}"), media, found);
    }
}

fn is_picture(media: &Media) -> bool {
    media.content_type.starts_with("image/")
}

fn check_medium(field: &str, media: &Media, found: &mut Vec<Violation>) {
    let Media { content_type, size, .. } = media;
    let most = match content_type.as_str() {
        video if VIDEOS.contains(&video) => VIDEO_BYTES,
        picture if THUMBNAILS.contains(&picture) => THUMBNAIL_BYTES,
        _ => {
            let message = format!("YouTube takes no media of the type {content_type}.");
            return found.push(Violation::new(field, "media_type", message));
        }
    };
    if *size == 0 {
        found.push(Violation::new(field, "media_empty", "A medium has at least 1 byte; this one has none."));
    } else if *size > most {
        let message = format!(
            "A medium of the type {content_type} may have {most} bytes; this one has {size}, {} too many.",
            size - most
        );
        found.push(Violation::new(field, "media_too_large", message));
    }
}

fn check_privacy(variant: &Variant, found: &mut Vec<Violation>) {
    let privacy = wish::privacy(variant);
    if !PRIVACIES.contains(&privacy) {
        let message = format!("A video is one of {}, not `{privacy:.50}`.", PRIVACIES.join(", "));
        found.push(Violation::new("privacy", "privacy", message));
    }
    let Some(words) = &variant.first_comment else { return };
    let count = words.chars().count();
    if words.trim().is_empty() {
        found.push(Violation::new("first_comment", "empty", "A comment needs words."));
    }
    if count > COMMENT_CHARS {
        let excess = count - COMMENT_CHARS;
        let message =
            format!("A comment may have {COMMENT_CHARS} characters; this one has {count}, {excess} too many.");
        found.push(Violation::new("first_comment", "text_too_long", message));
    }
    if privacy == "private" {
        found.push(Violation::new("first_comment", "comments_off", "A private video takes no comments."));
    }
    if wish::extra(variant, wish::MADE_FOR_KIDS) == Some(true) {
        found.push(Violation::new("first_comment", "comments_off", "A video made for kids takes no comments."));
    }
}

fn check_extras(variant: &Variant, found: &mut Vec<Violation>) {
    if let Some(tags) = wish::extra::<Vec<String>>(variant, wish::TAGS) {
        let count = tags_chars(&tags);
        let field = format!("extras/{}", wish::TAGS);
        if count > TAGS_CHARS {
            let excess = count - TAGS_CHARS;
            let message = format!(
                "All tags may have {TAGS_CHARS} characters, with a comma between them and quotation marks around those with \
                 spaces; these have {count}, {excess} too many."
            );
            found.push(Violation::new(&field, "tags_too_long", message));
        }
        if tags.iter().any(|tag| tag.trim().is_empty()) {
            found.push(Violation::new(&field, "empty", "A tag needs a word."));
        }
        check_brackets(&field, &tags.concat(), found);
    }
    if let Some(category) = wish::extra::<String>(variant, wish::CATEGORY)
        && (category.is_empty() || category.len() > 10 || !category.bytes().all(|byte| byte.is_ascii_digit()))
    {
        let field = format!("extras/{}", wish::CATEGORY);
        found.push(Violation::new(field, "category", "A category is a number of YouTube's, such as 22."));
    }
}

/// The length of tags as YouTube counts it: as one text, separated by commas, in which quotation marks stand around a tag
/// with a space.
fn tags_chars(tags: &[String]) -> usize {
    let chars = tags.iter().map(|tag| tag.chars().count() + if tag.contains(' ') { 2 } else { 0 });
    chars.sum::<usize>() + tags.len().saturating_sub(1)
}
