//! Making videos.

use crate::{Account, Fact, Result, VideoProgress, VideoViolation, VideoWish};

/// Makes videos with a model that takes minutes. Exported with [`export_video_model!`](crate::export_video_model).
///
/// ```
/// use orla_sdk::{
///     Account, Api, Fact, Fault, FaultKind, Result, VideoMade, VideoModel, VideoProgress, VideoViolation, VideoWish,
///     VideoWorking, path,
/// };
///
/// pub struct Vendor;
///
/// const API: Api = Api::new("api");
///
/// impl VideoModel for Vendor {
///     fn check(wish: &VideoWish, _settings: &[Fact]) -> Vec<VideoViolation> {
///         let long = wish.duration_s.filter(|seconds| *seconds > 8);
///         let told = |_| VideoViolation::new("duration_seconds", "too-long", "A video has at most 8 seconds.");
///         long.map(told).into_iter().collect()
///     }
///
///     fn generate(_account: &Account, wish: &VideoWish, _settings: &[Fact]) -> Result<VideoProgress> {
///         let begun: serde_json::Value = API.post("/v1/videos").json(&[&wish.prompt]).spend("start")?.json()?;
///         let id = begun["id"].as_str().unwrap_or_default();
///         let work: serde_json::Value = API.get(path!("/v1/videos/{}", id)).read()?.json()?;
///         match work["state"].as_str() {
///             Some("running") => {
///                 let percent = work["percent"].as_u64().and_then(|percent| u8::try_from(percent).ok());
///                 Ok(VideoProgress::Pending(VideoWorking { retry_after_ms: 10_000, percent, message: None }))
///             }
///             Some("made") => {
///                 let video = API.get(path!("/v1/videos/{}/content", id)).read_blob()?;
///                 Ok(VideoProgress::Done(VideoMade { videos: vec![video], model: "film-1".to_owned() }))
///             }
///             _ => Err(Fault::new(FaultKind::Vendor, "The vendor made no video.")),
///         }
///     }
/// }
/// ```
pub trait VideoModel {
    /// Tells what is wrong with a wish, without any request. `settings` are the operator's, by the names that the manifest
    /// declares; [`setting`](crate::setting) reads one.
    fn check(wish: &VideoWish, settings: &[Fact]) -> Vec<VideoViolation>;

    /// Has the video made, or goes on with it. The code is re-run from the top until it is done: what begins the vendor's work is
    /// one request of effect `spend` ([`Request::spend`](crate::Request::spend)), whose answer the journal keeps.
    ///
    /// # Errors
    /// `invalid` with code `content-filter` when the vendor withholds what it made, `not-found` when it no longer knows the work
    /// that was begun; else whatever the vendor's answer means.
    fn generate(account: &Account, wish: &VideoWish, settings: &[Fact]) -> Result<VideoProgress>;
}

impl VideoViolation {
    /// A rule that a member of the wish breaks.
    ///
    /// ```
    /// let violation = orla_sdk::VideoViolation::new("prompt", "empty", "A video needs a prompt.");
    /// assert_eq!(violation.field, "prompt");
    /// ```
    pub fn new(field: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into() }
    }
}
