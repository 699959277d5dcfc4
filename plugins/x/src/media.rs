//! Uploading media: initialise, append chunk by chunk, finalise, wait, describe.
//!
//! <https://docs.x.com/x-api/media/initialize-media-upload> and the pages after it.

use crate::{API, Envelope};
use orla_sdk::{Fault, FaultKind, Media, Multipart, Part, Result, forget, path};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// X keeps uploaded media for a day (`expires_after_secs`); the rest is for the post that uses them.
const VALID_FOR: Duration = Duration::from_secs(86_000);

/// X takes chunks of at most 5 MB.
const CHUNK_BYTES: u64 = 4 << 20;

/// How long to wait where X is still processing and does not say for how long.
const DEFAULT_WAIT_S: u64 = 5;

/// A part's media at X.
pub(crate) enum Upload {
    /// All may be posted, by their ids.
    Ready(Vec<String>),
    /// X is still processing one of them; ask again after this.
    Processing(Duration),
}

/// The answer to initialise, finalise and `STATUS`.
#[derive(Deserialize)]
struct Uploaded {
    id: String,
    processing_info: Option<Processing>,
}

#[derive(Deserialize)]
struct Processing {
    state: State,
    check_after_secs: Option<u64>,
    error: Option<ProcessingError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Pending,
    InProgress,
    Succeeded,
    Failed,
}

#[derive(Deserialize)]
struct ProcessingError {
    name: Option<String>,
    message: Option<String>,
}

/// Brings a part's media to X, as far as they are not there yet.
pub(crate) fn upload_all(part_index: usize, part: &Part) -> Result<Upload> {
    let mut ids = Vec::with_capacity(part.media.len());
    for (index, media) in part.media.iter().enumerate() {
        let step = format!("media/{part_index}/{index}");
        let uploaded = upload(&step, media)?;
        if uploaded.processing_info.is_some()
            && let Some(wait) = processing(&uploaded.id, &format!("parts/{part_index}/media/{index}"))?
        {
            return Ok(Upload::Processing(wait));
        }
        if let Some(alt_text) = media.alt_text.as_deref().filter(|text| !text.is_empty()) {
            let metadata = json!({ "id": uploaded.id, "metadata": { "alt_text": { "text": alt_text } } });
            API.post("/2/media/metadata").json(&metadata).prepare(format!("{step}/alt"), VALID_FOR)?;
        }
        ids.push(uploaded.id);
    }
    Ok(Upload::Ready(ids))
}

/// Drops every step of a part's media, so that the next [`upload_all`] brings them anew.
pub(crate) fn forget_all(part_index: usize, part: &Part) {
    for (index, media) in part.media.iter().enumerate() {
        let step = format!("media/{part_index}/{index}");
        forget(&format!("{step}/init"));
        for (chunk, _) in media.chunks(CHUNK_BYTES).enumerate() {
            forget(&format!("{step}/append/{chunk}"));
        }
        forget(&format!("{step}/finalize"));
        forget(&format!("{step}/alt"));
    }
}

/// What X calls a medium's use, by its media type.
pub(crate) fn category(content_type: &str) -> &'static str {
    match content_type {
        "image/gif" => "tweet_gif",
        image if image.starts_with("image/") => "tweet_image",
        _ => "tweet_video",
    }
}

fn upload(step: &str, media: &Media) -> Result<Uploaded> {
    let new = json!({
        "media_category": category(&media.content_type),
        "media_type": media.content_type,
        "total_bytes": media.size,
    });
    let begun = API.post("/2/media/upload/initialize").json(&new).prepare(format!("{step}/init"), VALID_FOR)?;
    let id = begun.json::<Envelope<Uploaded>>()?.data.id;
    for (index, chunk) in media.chunks(CHUNK_BYTES).enumerate() {
        let body = Multipart::new().text("segment_index", index.to_string()).blob(
            "media",
            "blob",
            "application/octet-stream",
            chunk,
        );
        API.post(path!("/2/media/upload/{}/append", id))
            .multipart(body)
            .prepare(format!("{step}/append/{index}"), VALID_FOR)?;
    }
    let finalized =
        API.post(path!("/2/media/upload/{}/finalize", id)).prepare(format!("{step}/finalize"), VALID_FOR)?;
    Ok(finalized.json::<Envelope<Uploaded>>()?.data)
}

/// Asks whether X is still processing a medium. The answer to finalise cannot tell: in a re-run it comes from the journal.
fn processing(id: &str, field: &str) -> Result<Option<Duration>> {
    let status = API.get("/2/media/upload").query("command", "STATUS").query("media_id", id).read();
    let processing = match status {
        Ok(answer) => answer.json::<Envelope<Uploaded>>()?.data.processing_info,
        // X forgot the medium. In a re-run its post may long be live, and the journal knows; else X will refuse the post.
        Err(fault) if matches!(fault.kind, FaultKind::NotFound | FaultKind::Invalid) => None,
        Err(fault) => return Err(fault),
    };
    let Some(Processing { state, check_after_secs, error }) = processing else { return Ok(None) };
    match state {
        State::Succeeded => Ok(None),
        State::Pending | State::InProgress => {
            Ok(Some(Duration::from_secs(check_after_secs.unwrap_or(DEFAULT_WAIT_S).max(1))))
        }
        State::Failed => {
            let words = error.as_ref().and_then(|error| error.message.clone().or_else(|| error.name.clone()));
            let words = words.unwrap_or_else(|| "it does not say why".to_owned());
            Err(Fault::invalid(field, format!("X could not process the file: {words}.")))
        }
    }
}
