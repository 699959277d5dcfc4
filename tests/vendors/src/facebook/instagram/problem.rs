//! Refusals of Instagram's own. Subcodes are documented under "Error codes"; the codes beside them are from memory.

use super::super::problem::Problem;

fn refusal(code: u32, subcode: u32, title: &'static str, message: &'static str) -> Problem {
    Problem::new(code, message).with_subcode(subcode).with_words(title, message)
}

/// The image cannot be fetched, or is none.
pub(super) fn unfetched() -> Problem {
    refusal(9_004, 2_207_052, "Media download has failed", "The media could not be fetched from this URI.")
}

/// What is at the URL is no JPEG.
pub(super) fn bad_format() -> Problem {
    refusal(36_001, 2_207_005, "Unsupported format", "The image format is not supported. Supported formats are: JPEG.")
}

/// The image has more bytes than are taken.
pub(super) fn too_large() -> Problem {
    refusal(
        36_000,
        2_207_004,
        "Image size too large",
        "The image is too large to download. It should be less than 8 MiB.",
    )
}

/// The image is too wide or too high.
pub(super) fn bad_ratio() -> Problem {
    refusal(36_003, 2_207_009, "Invalid aspect ratio", "The submitted image has an aspect ratio that is not supported.")
}

/// The caption is too long, or has too many hashtags.
pub(super) fn caption() -> Problem {
    refusal(36_004, 2_207_010, "Caption too long", "The caption was too long, or has too many hashtags.")
}

/// The caption mentions too many accounts.
pub(super) fn mentions() -> Problem {
    refusal(100, 2_207_040, "Too many mentions", "Cannot use more than 20 mentions in a caption.")
}

/// The children of a carousel do not fit.
pub(super) fn carousel() -> Problem {
    refusal(100, 2_207_028, "Carousel invalid", "A carousel has 2 to 10 finished children that no other one has.")
}

/// There is no such container.
pub(super) fn no_container() -> Problem {
    refusal(24, 2_207_006, "Media not found", "The media container cannot be found, or was published already.")
}

/// The container is too old.
pub(super) fn expired() -> Problem {
    refusal(24, 2_207_008, "Media container expired", "The media builder with this creation id has expired.")
}

/// The container is still being worked on.
pub(super) fn not_ready() -> Problem {
    refusal(9_007, 2_207_027, "Media not ready", "The media is not ready for publishing, please wait for a moment.")
}

/// The account has published as much as it may in a day.
pub(super) fn quota() -> Problem {
    refusal(9, 2_207_042, "Limit reached", "You reached the maximum number of posts that is allowed to be published.")
}

/// The account has made as many containers as it may in a day (from memory, all of it).
pub(super) fn containers() -> Problem {
    refusal(9, 2_207_042, "Limit reached", "You reached the maximum number of containers that is allowed.")
}
