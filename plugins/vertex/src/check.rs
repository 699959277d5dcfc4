//! What Veo does not take, told before anything is asked of it.

use crate::place::model;
use orla_sdk::{Fact, VideoViolation, VideoWish};

/// Longest prompt. Veo counts 1,024 tokens; so many characters are about that.
const MAX_PROMPT_CHARS: usize = 4_000;
/// Longest list of what must not be seen.
const MAX_NEGATIVE_CHARS: usize = 1_000;
const MAX_IMAGE_BYTES: u64 = 20_000_000;
const IMAGE_TYPES: [&str; 2] = ["image/jpeg", "image/png"];
const DURATIONS_S: [u32; 3] = [4, 6, 8];
const ASPECT_RATIOS: [&str; 2] = ["16:9", "9:16"];
const RESOLUTIONS: [&str; 2] = ["720p", "1080p"];
/// A seed has 32 bits.
const MAX_SEED: u64 = 4_294_967_295;
const MAX_MODEL_CHARS: usize = 64;

/// All that is wrong with a wish.
pub(crate) fn violations(wish: &VideoWish, settings: &[Fact]) -> Vec<VideoViolation> {
    let checks = [
        prompt(wish),
        negative_prompt(wish),
        image(wish),
        duration(wish),
        one_of("aspect_ratio", wish.aspect_ratio.as_deref(), ASPECT_RATIOS),
        one_of("resolution", wish.resolution.as_deref(), RESOLUTIONS),
        seed(wish),
        named_model(wish, settings),
    ];
    checks.into_iter().flatten().collect()
}

fn prompt(wish: &VideoWish) -> Option<VideoViolation> {
    if wish.prompt.trim().is_empty() {
        return Some(VideoViolation::new("prompt", "empty", "Say what is to be seen."));
    }
    too_long("prompt", &wish.prompt, MAX_PROMPT_CHARS)
}

fn negative_prompt(wish: &VideoWish) -> Option<VideoViolation> {
    too_long("negative_prompt", wish.negative_prompt.as_deref()?, MAX_NEGATIVE_CHARS)
}

fn too_long(field: &str, text: &str, most: usize) -> Option<VideoViolation> {
    let count = text.chars().count();
    let message = || format!("Veo takes {most} characters here; these are {count}.");
    (count > most).then(|| VideoViolation::new(field, "too-long", message()))
}

fn image(wish: &VideoWish) -> Option<VideoViolation> {
    let image = wish.image.as_ref()?;
    if !IMAGE_TYPES.contains(&image.content_type.as_str()) {
        let message = format!("Veo takes a JPEG or a PNG to begin with; this is {:.100}.", image.content_type);
        return Some(VideoViolation::new("image", "type", message));
    }
    if image.size == 0 || image.size > MAX_IMAGE_BYTES {
        let message = format!("Veo takes a picture of at most {MAX_IMAGE_BYTES} bytes; this one has {}.", image.size);
        return Some(VideoViolation::new("image", "too-large", message));
    }
    None
}

fn duration(wish: &VideoWish) -> Option<VideoViolation> {
    let seconds = wish.duration_s.filter(|seconds| !DURATIONS_S.contains(seconds))?;
    let message = format!("Veo makes videos of 4, 6 or 8 seconds, not of {seconds}.");
    Some(VideoViolation::new("duration_seconds", "unsupported", message))
}

fn one_of<const N: usize>(field: &str, word: Option<&str>, known: [&str; N]) -> Option<VideoViolation> {
    let word = word.filter(|word| !known.contains(word))?;
    let message = format!("Veo knows {}, not `{word:.50}`.", known.join(" and "));
    Some(VideoViolation::new(field, "unsupported", message))
}

fn seed(wish: &VideoWish) -> Option<VideoViolation> {
    let seed = wish.seed.filter(|seed| *seed > MAX_SEED)?;
    Some(VideoViolation::new("seed", "too-large", format!("A seed is 0 to {MAX_SEED}, not {seed}.")))
}

fn named_model(wish: &VideoWish, settings: &[Fact]) -> Option<VideoViolation> {
    let model = model(wish, settings);
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if (1..=MAX_MODEL_CHARS).contains(&model.len()) && model.bytes().all(is_part) {
        return None;
    }
    let message = format!("`{model:.50}` is no name of a model; one is like veo-3.1-generate-001.");
    Some(VideoViolation::new("model", "invalid", message))
}
