//! What tests of a video model need: wishes, pictures, and videos that the host took out of answers.

use crate::bindings::connector::orla::connector::http;
use crate::bindings::unbacked_blob;
use crate::{Response, Still, VideoWish};

/// A wish for a video that leaves everything but its prompt to the connector.
///
/// ```
/// use orla_sdk::VideoWish;
/// use orla_sdk::testing::video_wish;
///
/// let short = VideoWish { duration_s: Some(4), ..video_wish("A lighthouse at dusk") };
/// assert_eq!(short.prompt, "A lighthouse at dusk");
/// ```
#[must_use]
pub fn video_wish(prompt: &str) -> VideoWish {
    VideoWish {
        prompt: prompt.to_owned(),
        negative_prompt: None,
        image: None,
        duration_s: None,
        aspect_ratio: None,
        resolution: None,
        seed: None,
        audio: None,
        model: None,
    }
}

/// A picture without bytes behind it that a video is to begin with. It may only be dropped by the host: leak what holds it.
///
/// ```
/// use orla_sdk::testing::{still, video_wish};
/// use orla_sdk::VideoWish;
///
/// let wish = VideoWish { image: Some(still("image/png", 70_000)), ..video_wish("It begins to rain") };
/// assert_eq!(Box::leak(Box::new(wish)).image.as_ref().unwrap().size, 70_000);
/// ```
#[must_use]
pub fn still(content_type: &str, size: u64) -> Still {
    Still { blob: unbacked_blob(), content_type: content_type.to_owned(), size }
}

/// What a request gets that wants its answer stored: a blob, or JSON with one for each member that it wants to be one and that
/// the answer has.
pub(super) fn stored(request: &http::Request<'_>, answer: &Response) -> http::Answer {
    let http::AnswerKind::JsonToBlobs(pointers) = &request.answer else { return http::Answer::Blob(unbacked_blob()) };
    let document: serde_json::Value = answer.json().unwrap_or_default();
    let there = pointers.iter().filter(|pointer| document.pointer(pointer).is_some());
    http::Answer::JsonAndBlobs((answer.text().into_owned(), there.map(|_| unbacked_blob()).collect()))
}
