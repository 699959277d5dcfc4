//! Posting a thread: its media first, all of them, then its statuses one after the other.

use crate::{API, Attachment, Status};
use orla_sdk::{
    Committed, Confirmed, Fault, FaultKind, Media, Multipart, Part, Progress, Response, Result, Step, Variant, forget,
    in_order, path, time,
};
use serde_json::json;
use std::time::Duration;

/// How long an uploaded medium is counted upon. A server keeps media that no status uses for about a day.
const MEDIUM_KEPT: Duration = Duration::from_secs(12 * 3_600);

/// How long a server is given to work on a medium before it is asked again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Publishes a variant. No status is posted before all media are ready, so that a medium which the server refuses does
/// not leave half a thread behind.
pub(crate) fn publish(variant: &Variant) -> Result<Progress> {
    let mut media_ids = Vec::with_capacity(variant.parts.len());
    for (index, part) in variant.parts.iter().enumerate() {
        let upload = |(at, media)| upload(index, at, media);
        media_ids.push(part.media.iter().enumerate().map(upload).collect::<Result<Vec<Upload>>>()?);
    }
    let mut waiting = false;
    for upload in media_ids.iter().flatten() {
        waiting |= !is_ready(upload)?;
    }
    if waiting {
        return Ok(Progress::Pending(u64::try_from(LOOK_AGAIN.as_millis()).unwrap_or(u64::MAX)));
    }
    in_order(&variant.parts, |index, part, previous| {
        let ids: Vec<&str> = media_ids[index].iter().map(|upload| upload.id.as_str()).collect();
        post(index, part, &ids, previous).map(Step::Done)
    })
}

/// The key of the commit that posts a part.
pub(crate) fn key(index: usize) -> String {
    format!("part/{index}")
}

/// A medium that was uploaded.
struct Upload {
    id: String,
    /// The key of the step that uploaded it.
    key: String,
    /// The member of the input that it is.
    field: String,
    /// Whether the server is still working on it, or was when it answered.
    processing: bool,
}

fn upload(index: usize, at: usize, media: &Media) -> Result<Upload> {
    let field = format!("parts/{index}/media/{at}");
    let key = format!("media/{index}/{at}");
    let whole = media.blob.slice(0, media.size);
    let mut body = Multipart::new().blob("file", "file", &media.content_type, whole);
    if let Some(alt_text) = &media.alt_text {
        body = body.text("description", alt_text);
    }
    let sent = API.post("/api/v2/media").multipart(body).prepare(&key, MEDIUM_KEPT);
    let answer = sent.map_err(|fault| at_field(fault, &field))?;
    let Attachment { id } = answer.json()?;
    Ok(Upload { id, key, field, processing: answer.status() == 202 })
}

/// Asks whether the server has worked on a medium. Once a status shows the medium it is no longer found here, so that in a
/// re-run an answer of 404 says that nothing is left to wait for; were the medium gone, the server would refuse the status.
fn is_ready(upload: &Upload) -> Result<bool> {
    if !upload.processing {
        return Ok(true);
    }
    match API.get(path!("/api/v1/media/{}", upload.id)).accept(404).read() {
        Ok(answer) => Ok(answer.status() != 206),
        Err(fault) => {
            if fault.kind == FaultKind::Invalid {
                // The server could not read it, so another run has to upload it once more.
                forget(&upload.key);
            }
            Err(at_field(fault, &upload.field))
        }
    }
}

fn post(index: usize, part: &Part, media_ids: &[&str], previous: Option<&Committed>) -> Result<Confirmed> {
    let mut status = json!({ "status": part.text });
    if !media_ids.is_empty() {
        status["media_ids"] = json!(media_ids);
    }
    if let Some(previous) = previous {
        status["in_reply_to_id"] = json!(previous.id);
    }
    let made = |answer: &Response| answer.json().map(Status::committed);
    let request = API.post("/api/v1/statuses").header("Idempotency-Key", idempotency_key(index, &part.text));
    request.json(&status).commit(key(index), made).map_err(|fault| at_field(fault, &format!("parts/{index}")))
}

/// The same in every re-run, as the run's clock stands still, and another one for every other post of the account.
fn idempotency_key(index: usize, text: &str) -> String {
    // FNV-1a: the hash has to stay the same from one build to the next, which that of the standard library does not promise.
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
    format!("orla-{}-{index}-{hash:016x}", time::now_ms())
}

/// The fault, naming the member that it is about where the server refuses that member.
fn at_field(fault: Fault, field: &str) -> Fault {
    match fault.kind {
        FaultKind::Invalid | FaultKind::TooLarge | FaultKind::NotFound if fault.field.is_none() => {
            fault.with_field(field)
        }
        _ => fault,
    }
}
