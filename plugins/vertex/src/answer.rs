//! What an operation says of itself, and how it ended.

use orla_sdk::{Fault, FaultKind, Result};
use serde::Deserialize;
use serde_json::Value;

/// The vendor's words for a person are cut at this.
const MAX_WORDS: usize = 400;

/// A long running operation.
#[derive(Deserialize)]
pub(crate) struct Operation {
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) done: bool,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    error: Option<Status>,
    #[serde(default)]
    response: Option<Made>,
}

/// `google.rpc.Status`.
#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    #[serde(default)]
    rai_media_filtered_count: u32,
    #[serde(default)]
    rai_media_filtered_reasons: Vec<String>,
    #[serde(default)]
    videos: Vec<Video>,
}

/// A video that was made.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Video {
    pub(crate) gcs_uri: Option<String>,
}

impl Operation {
    /// How much is done. Google documents no such member of these operations; where there is one, it is shown.
    pub(crate) fn percent(&self) -> Option<u8> {
        let percent = self.metadata["progressPercent"].as_u64()?;
        u8::try_from(percent).ok().filter(|percent| *percent <= 100)
    }

    /// What is said of it, likewise.
    pub(crate) fn words(&self) -> Option<String> {
        let words = self.metadata["progressMessage"].as_str()?.trim();
        (!words.is_empty()).then(|| words.chars().take(MAX_WORDS).collect())
    }
}

/// The video of an operation that is done.
///
/// # Errors
/// There is none, and why.
pub(crate) fn end(operation: Operation) -> Result<Video> {
    if let Some(status) = operation.error {
        return Err(failed(&status));
    }
    let made = operation.response.ok_or_else(|| Fault::vendor("Vertex is done, and says nothing of a video."))?;
    match made.videos.into_iter().next() {
        Some(video) => Ok(video),
        None if made.rai_media_filtered_count > 0 || !made.rai_media_filtered_reasons.is_empty() => {
            Err(withheld(&made.rai_media_filtered_reasons.join(" ")))
        }
        None => Err(Fault::vendor("Vertex is done, and made no video.")),
    }
}

fn withheld(reasons: &str) -> Fault {
    let said = if reasons.trim().is_empty() { "it does not say why." } else { reasons };
    let said: String = said.chars().take(MAX_WORDS).collect();
    Fault::invalid("prompt", format!("Google made the video and withholds it: {said}")).with_code("content-filter")
}

/// What became of an operation that failed. It is over, so no kind that the host would ask again about.
fn failed(status: &Status) -> Fault {
    let words: String = status.message.chars().take(MAX_WORDS).collect();
    let words = if words.trim().is_empty() { format!("error {}", status.code) } else { words };
    let message = format!("Google could not make the video: {words}");
    // <https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>
    let fault = match status.code {
        3 => Fault::invalid("prompt", message),
        7 => Fault::new(FaultKind::ScopeMissing, message),
        8 => Fault::new(FaultKind::Quota, message),
        _ => Fault::vendor(message),
    };
    let is_filtered = status.message.to_lowercase().contains("usage guidelines");
    fault.with_code(if is_filtered { "content-filter".to_owned() } else { format!("rpc-{}", status.code) })
}
