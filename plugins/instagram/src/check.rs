//! What Instagram takes: <https://developers.facebook.com/docs/instagram-platform/content-publishing> and
//! <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media>.
//!
//! How wide, high and long media are is in the manifest, and checked by the host.

use orla_sdk::{Media, Part, Variant, Violation};

/// Most characters of a caption, and of a comment.
pub(crate) const MAX_CHARS: usize = 2_200;
const MAX_HASHTAGS: usize = 30;
const MAX_MENTIONS: usize = 20;
const MAX_ALT_CHARS: usize = 1_000;
/// Most media of a carousel.
pub(crate) const MAX_MEDIA: usize = 10;

pub(crate) const IMAGE_BYTES: u64 = 8 << 20;
pub(crate) const FILM_BYTES: u64 = 300 << 20;
const STORY_FILM_BYTES: u64 = 100 << 20;

/// What is taken of each media type, in bytes.
const MEDIA: [(&str, u64); 3] =
    [("image/jpeg", IMAGE_BYTES), ("video/mp4", FILM_BYTES), ("video/quicktime", FILM_BYTES)];

/// What a person chose for a post at Instagram alone.
#[derive(Default)]
pub(crate) struct Choices {
    pub(crate) story: bool,
    pub(crate) share_to_feed: Option<bool>,
}

impl Choices {
    pub(crate) fn of(variant: &Variant) -> Self {
        let flag = |name: &str| {
            let extra = variant.extras.iter().find(|extra| extra.name == name)?;
            extra.value.parse().ok()
        };
        Self { story: flag("story").unwrap_or_default(), share_to_feed: flag("share_to_feed") }
    }
}

/// Whether a medium is a film.
pub(crate) fn is_film(media: &Media) -> bool {
    media.content_type.starts_with("video/")
}

/// What is wrong with a variant.
pub(crate) fn violations(variant: &Variant) -> Vec<Violation> {
    let mut found = Vec::new();
    let choices = Choices::of(variant);
    let count = variant.parts.len();
    if count == 0 {
        found.push(Violation::new("parts", "empty", "There is nothing to post."));
    }
    if count > 1 {
        let message = format!("Instagram has no threads: a publication may have 1 post; this one has {count}.");
        found.push(Violation::new("parts", "too_many_parts", message));
    }
    for (index, part) in variant.parts.iter().enumerate() {
        let at = format!("parts/{index}");
        check_text(&format!("{at}/text"), "A caption", &part.text, &mut found);
        check_number_of_media(&at, part, &choices, &mut found);
        for (position, media) in part.media.iter().enumerate() {
            check_medium(&format!("{at}/media/{position}"), media, &choices, &mut found);
        }
    }
    check_extras(variant, &choices, &mut found);
    found
}

fn check_text(field: &str, what: &str, text: &str, found: &mut Vec<Violation>) {
    let counts = [
        ("text_too_long", text.chars().count(), MAX_CHARS, "characters"),
        ("too_many_hashtags", tagged(text, '#'), MAX_HASHTAGS, "hashtags"),
        ("too_many_mentions", tagged(text, '@'), MAX_MENTIONS, "mentions"),
    ];
    for (code, count, most, unit) in counts.into_iter().filter(|(_, count, most, _)| count > most) {
        let excess = count - most;
        let message = format!("{what} may have {most} {unit}; this one has {count}, {excess} too many.");
        found.push(Violation::new(field, code, message));
    }
}

/// How many words begin with a sign, such as hashtags.
fn tagged(text: &str, sign: char) -> usize {
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    let signs = text.match_indices(sign);
    let begins = signs.filter(|(at, sign)| {
        let before = text[..*at].chars().next_back();
        let after = text[at + sign.len()..].chars().next();
        after.is_some_and(is_letter) && !before.is_some_and(is_letter)
    });
    begins.count()
}

fn check_number_of_media(at: &str, part: &Part, choices: &Choices, found: &mut Vec<Violation>) {
    let field = format!("{at}/media");
    let count = part.media.len();
    if count == 0 {
        found.push(Violation::new(
            field,
            "no_media",
            "An Instagram post needs an image or a video; this one has none.",
        ));
    } else if count > 1 && choices.story {
        let message = format!("A story may have 1 medium; this one has {count}, {} too many.", count - 1);
        found.push(Violation::new(field, "too_many_media", message));
    } else if count > MAX_MEDIA {
        let excess = count - MAX_MEDIA;
        let message = format!("A post may have {MAX_MEDIA} media; this one has {count}, {excess} too many.");
        found.push(Violation::new(field, "too_many_media", message));
    }
}

fn check_medium(field: &str, media: &Media, choices: &Choices, found: &mut Vec<Violation>) {
    let Media { content_type, size, alt_text, .. } = media;
    let most = MEDIA.iter().find(|(taken, _)| taken == content_type).map(|(_, most)| *most);
    let most = if choices.story && is_film(media) { most.map(|_| STORY_FILM_BYTES) } else { most };
    match most {
        None => {
            let message = format!("Instagram takes JPEG images and MP4 or QuickTime videos, no {content_type}.");
            found.push(Violation::new(field, "media_type", message));
        }
        Some(_) if *size == 0 => {
            found.push(Violation::new(field, "media_empty", "A medium has at least 1 byte; this one has none."));
        }
        Some(most) if *size > most => {
            let excess = size - most;
            let message = format!(
                "A medium of the type {content_type} may have {most} bytes; this one has {size}, {excess} too many."
            );
            found.push(Violation::new(field, "media_too_large", message));
        }
        Some(_) => {}
    }
    let count = alt_text.as_ref().map_or(0, |words| words.chars().count());
    if count > MAX_ALT_CHARS && !is_film(media) {
        let excess = count - MAX_ALT_CHARS;
        let message =
            format!("A description may have {MAX_ALT_CHARS} characters; this one has {count}, {excess} too many.");
        found.push(Violation::new(format!("{field}/alt_text"), "alt_text_too_long", message));
    }
}

fn check_extras(variant: &Variant, choices: &Choices, found: &mut Vec<Violation>) {
    if let Some(words) = &variant.first_comment {
        if words.trim().is_empty() {
            found.push(Violation::new("first_comment", "empty", "A first comment needs words; leave it out instead."));
        }
        check_text("first_comment", "A comment", words, found);
    }
    let media: Vec<&Media> = variant.parts.iter().flat_map(|part| &part.media).collect();
    if choices.story {
        if variant.parts.iter().any(|part| !part.text.trim().is_empty()) {
            found.push(Violation::new("parts/0/text", "story_text", "A story shows no caption. Leave the text out."));
        }
        if variant.first_comment.is_some() {
            let message = "Nobody can comment on a story. Leave the first comment out.";
            found.push(Violation::new("first_comment", "story_comment", message));
        }
    }
    let is_reel = !choices.story && matches!(media.as_slice(), [only] if is_film(only));
    if choices.share_to_feed.is_some() && !is_reel {
        let message = "Only a single video is a reel, which can be shared to the feed. Leave the choice out.";
        found.push(Violation::new("extras/share_to_feed", "no_reel", message));
    }
}
