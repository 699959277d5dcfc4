//! The words of `video-model`.

/// The picture that a video begins with.
///
/// ```
/// fn is_photo(still: &orla_sdk::Still) -> bool {
///     still.content_type == "image/jpeg"
/// }
/// ```
pub use crate::bindings::films::exports::orla::connector::video_model::Still;

/// What is to be seen.
///
/// ```
/// let wish = orla_sdk::testing::video_wish("A lighthouse at dusk");
/// assert_eq!(wish.duration_s, None);
/// ```
pub use crate::bindings::films::exports::orla::connector::video_model::Wish as VideoWish;

/// What [`VideoModel::check`](crate::VideoModel::check) finds wrong; [`VideoViolation::new`] makes one.
///
/// ```
/// let violation = orla_sdk::VideoViolation::new("seed", "too-large", "A seed has 32 bits.");
/// assert_eq!(violation.code, "too-large");
/// ```
pub use crate::bindings::films::exports::orla::connector::video_model::Violation as VideoViolation;

/// How far the vendor is.
///
/// ```
/// let half = orla_sdk::VideoWorking { retry_after_ms: 10_000, percent: Some(50), message: None };
/// assert_eq!(half.percent, Some(50));
/// ```
pub use crate::bindings::films::exports::orla::connector::video_model::Working as VideoWorking;

/// What [`VideoModel::generate`](crate::VideoModel::generate) comes to in the end.
///
/// ```
/// use orla_sdk::{Api, Result, VideoMade};
///
/// fn made() -> Result<VideoMade> {
///     let video = Api::new("files").get("/v1/videos/7/content").read_blob()?;
///     Ok(VideoMade { videos: vec![video], model: "film-1".to_owned() })
/// }
/// ```
pub use crate::bindings::films::exports::orla::connector::video_model::Made as VideoMade;

/// What [`VideoModel::generate`](crate::VideoModel::generate) returns.
///
/// ```
/// use orla_sdk::{VideoProgress, VideoWorking};
///
/// fn again_in(progress: &VideoProgress) -> Option<u64> {
///     match progress {
///         VideoProgress::Done(_) => None,
///         VideoProgress::Pending(VideoWorking { retry_after_ms, .. }) => Some(*retry_after_ms),
///     }
/// }
/// ```
pub use crate::bindings::films::exports::orla::connector::video_model::Progress as VideoProgress;
