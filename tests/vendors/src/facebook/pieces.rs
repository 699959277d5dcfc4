//! Resumable uploads of videos: `upload_phase` start, transfer and finish (documented under "Video API"; the subcodes
//! of refusals are from memory).

use serde_json::{Value, json};

use super::gate::Call;
use super::posts::Timing;
use super::problem::Problem;
use super::state::World;
use super::videos::{Content, Words};

/// The largest video, in bytes.
const LIMIT_BYTES: u64 = 10 << 30;

/// An upload that is not finished yet.
pub(super) struct Upload {
    session_id: String,
    video_id: String,
    page_id: String,
    size_bytes: u64,
    content: Content,
}

impl Upload {
    /// The piece that is to come next.
    fn next(&self, chunk_bytes: u64) -> (u64, u64) {
        let start = self.content.size_bytes;
        (start, start.saturating_add(chunk_bytes).min(self.size_bytes))
    }
}

/// The answer that asks for the next piece; numbers are strings (documented).
fn offsets((start, end): (u64, u64)) -> Value {
    json!({ "start_offset": start.to_string(), "end_offset": end.to_string() })
}

/// One request of a resumable upload.
pub(super) fn take(world: &mut World, call: &Call) -> Result<Value, Problem> {
    match call.parameters.get("upload_phase") {
        Some("start") => start(world, call),
        Some("transfer") => transfer(world, call),
        Some("finish") => finish(world, call),
        _ => Err(Problem::parameter("Param upload_phase must be one of {start, transfer, finish}")),
    }
}

fn start(world: &mut World, call: &Call) -> Result<Value, Problem> {
    call.parameters.only(&["upload_phase", "file_size"])?;
    let size_bytes = call.parameters.required_number("file_size")?;
    if !(1..=LIMIT_BYTES).contains(&size_bytes) {
        return Err(Problem::upload(1_363_023, "The video file you selected is too large or empty.", None));
    }
    let upload = Upload {
        session_id: world.next_id().to_string(),
        video_id: world.next_id().to_string(),
        page_id: call.node.clone(),
        size_bytes,
        content: Content::default(),
    };
    let mut answer = offsets(upload.next(world.settings.video_chunk_bytes));
    answer["upload_session_id"] = upload.session_id.as_str().into();
    answer["video_id"] = upload.video_id.as_str().into();
    world.uploads.push(upload);
    Ok(answer)
}

/// Where the upload is that the call names.
fn session(world: &World, call: &Call) -> Result<usize, Problem> {
    let id = call.parameters.required("upload_session_id")?;
    let own = |upload: &Upload| upload.session_id == id && upload.page_id == call.node;
    let lost = || Problem::upload(1_363_026, "This video upload session does not exist, or it is finished.", None);
    world.uploads.iter().position(own).ok_or_else(lost)
}

fn transfer(world: &mut World, call: &Call) -> Result<Value, Problem> {
    call.parameters.only(&["upload_phase", "upload_session_id", "start_offset", "video_file_chunk"])?;
    let chunk_bytes = world.settings.video_chunk_bytes;
    let at = session(world, call)?;
    let upload = &mut world.uploads[at];
    let (begin, end) = upload.next(chunk_bytes);
    let given = call.parameters.required_number("start_offset")?;
    let chunk = call.parameters.file("video_file_chunk");
    let chunk = chunk.ok_or_else(|| Problem::parameter("The parameter video_file_chunk is required"))?;
    let size_bytes = chunk.bytes.len() as u64;
    if given != begin || size_bytes == 0 || size_bytes > end - begin {
        let message = "The chunk does not continue the upload: go on from the start_offset of error_data.";
        return Err(Problem::upload(1_363_037, message, Some((begin, end))));
    }
    upload.content.take(&chunk.bytes);
    Ok(offsets(upload.next(chunk_bytes)))
}

fn finish(world: &mut World, call: &Call) -> Result<Value, Problem> {
    let known = ["upload_phase", "upload_session_id", "title", "description"];
    call.parameters.only(&[&known[..], &Timing::PARAMETERS].concat())?;
    let words = Words::read(call)?;
    let at = session(world, call)?;
    let upload = &world.uploads[at];
    if upload.content.size_bytes < upload.size_bytes {
        let next = upload.next(world.settings.video_chunk_bytes);
        return Err(Problem::upload(1_363_033, "The video was not uploaded whole.", Some(next)));
    }
    upload.content.check()?;
    let Upload { video_id, page_id, content, .. } = world.uploads.remove(at);
    world.keep_video(video_id, &page_id, words, content);
    Ok(json!({ "success": true }))
}
