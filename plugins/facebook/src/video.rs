//! Videos: begin an upload, send the stretches that Facebook asks for, end it, and wait until the video is ready.
//!
//! <https://developers.facebook.com/docs/video-api/guides/publishing> (resumable upload). The beginning names the video,
//! the end publishes it and names nothing; so the key of that commit is the video's id, by which a video whose answer was
//! lost is found for certain.

use crate::problem::{self, Problem};
use crate::publish::at_field;
use crate::{API, Page, Success, VERSION, WEB};
use orla_sdk::{
    Api, Committed, Confirmed, Fault, FaultKind, Media, Multipart, Part, Response, Result, Step, Verdict, path,
};
use serde::Deserialize;
use std::time::Duration;

const VIDEO_API: Api = Api::new("video").explain(problem::explain);

/// Longer than any run lives: the video's id is the key of the commit, which stays the same within a run.
const UPLOAD_STANDS: Duration = Duration::from_secs(30 * 86_400);

/// How long Facebook is given to work on a video before it is asked again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The subcode by which Facebook says that it has a stretch already, and which it wants instead.
pub(crate) const MISPLACED: u32 = 1_363_037;

/// An upload that was begun.
#[derive(Deserialize)]
struct Begun {
    video_id: String,
    upload_session_id: String,
    #[serde(flatten)]
    wanted: Wanted,
}

/// The stretch that Facebook wants next; empty where it has all.
#[derive(Deserialize)]
struct Wanted {
    start_offset: Offset,
    end_offset: Offset,
}

/// A number of bytes: a text in answers, a number in refusals.
#[derive(Deserialize)]
#[serde(untagged)]
enum Offset {
    Number(u64),
    Text(String),
}

impl Offset {
    fn bytes(&self) -> Option<u64> {
        match self {
            Self::Number(bytes) => Some(*bytes),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// Posts a part that is a video, with its text as description.
pub(crate) fn post(page: &Page<'_>, index: usize, part: &Part, video: &Media) -> Result<Step> {
    let field = format!("parts/{index}/media/0");
    let ended = upload(page, index, part, video).map_err(|fault| at_field(fault, &field))?;
    let id = &ended.committed.id;
    let told = match status(page, id) {
        Ok(told) => told,
        // The video is published, whatever else is said of it.
        Err(fault) if !passes(fault.kind) => return Ok(Step::Done(ended)),
        Err(fault) => return Err(fault),
    };
    match told.state() {
        State::Uploading | State::Working => Ok(Step::Wait(LOOK_AGAIN)),
        State::Failed => Err(Fault::invalid(field, format!("Facebook could not process the video: {}.", told.words()))),
        State::Ready | State::Unsaid => {
            let committed = Committed { url: told.address().or(ended.committed.url), id: ended.committed.id };
            Ok(Step::Done(Confirmed { key: ended.key, committed }))
        }
    }
}

/// Whether a failure may be over when the run is executed again.
fn passes(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::VendorDown | FaultKind::RateLimited | FaultKind::Cancelled)
}

/// Brings a video to Facebook and publishes it.
fn upload(page: &Page<'_>, index: usize, part: &Part, video: &Media) -> Result<Confirmed> {
    let request = || page.sign(VIDEO_API.post(page.edge("videos")));
    let step = format!("media/{index}/0");
    let start = request().form([("upload_phase", "start".to_owned()), ("file_size", video.size.to_string())]);
    let begun = start.prepare(format!("{step}/start"), UPLOAD_STANDS)?;
    let Begun { video_id, upload_session_id: session, wanted } = begun.json()?;
    if video_id.is_empty() || !video_id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::vendor("Facebook began an upload, but names no video."));
    }
    let mut next = stretch(&wanted, video.size)?;
    while let Some((from, to)) = next {
        let chunk = video.blob.slice(from, to - from);
        let body = Multipart::new()
            .text("upload_phase", "transfer")
            .text("upload_session_id", &session)
            .text("start_offset", from.to_string())
            .blob("video_file_chunk", "video", &video.content_type, chunk);
        let sent = request().multipart(body).accept(400).prepare(format!("{step}/transfer/{from}"), UPLOAD_STANDS)?;
        next = stretch(&after(&sent)?, video.size)?;
        if next.is_some_and(|(further, _)| further <= from) {
            return Err(Fault::vendor("Facebook asks for the same stretch of the video again."));
        }
    }
    let mut finish = vec![("upload_phase", "finish".to_owned()), ("upload_session_id", session)];
    if !part.text.is_empty() {
        finish.push(("description", part.text.clone()));
    }
    let made = |answer: &Response| match answer.json()? {
        Success { success: true } => Ok(committed(page, &video_id)),
        Success { success: false } => Err(Fault::vendor("Facebook did not publish the video, and does not say why.")),
    };
    request().form(finish).commit(video_id.as_str(), made)
}

/// What Facebook wants after a stretch was sent. Where the answer to an earlier sending was lost, it refuses the stretch,
/// and says where to go on.
fn after(sent: &Response) -> Result<Wanted> {
    if sent.is_success() {
        return sent.json();
    }
    let problem = Problem::of(sent);
    let told = (problem.error_subcode == Some(MISPLACED)).then_some(problem.error_data);
    told.and_then(|data| serde_json::from_value(data).ok()).ok_or_else(|| problem::refusal(sent))
}

/// First byte and end of what is wanted, within the video; none where all has arrived.
fn stretch(wanted: &Wanted, size: u64) -> Result<Option<(u64, u64)>> {
    let (Some(from), Some(to)) = (wanted.start_offset.bytes(), wanted.end_offset.bytes()) else {
        return Err(Fault::vendor("Facebook does not say which stretch of the video it wants."));
    };
    if from >= size {
        return Ok(None);
    }
    let to = to.min(size);
    if from < to { Ok(Some((from, to))) } else { Err(Fault::vendor("Facebook wants nothing more of half a video.")) }
}

/// What Facebook tells of a video: <https://developers.facebook.com/docs/graph-api/reference/video>.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    status: Status,
    /// A path.
    permalink_url: Option<String>,
}

#[derive(Deserialize, Default)]
struct Status {
    video_status: Option<String>,
    #[serde(default)]
    processing_phase: Phase,
}

#[derive(Deserialize, Default)]
struct Phase {
    #[serde(default)]
    errors: Vec<PhaseError>,
}

#[derive(Deserialize)]
struct PhaseError {
    message: Option<String>,
}

/// How far a video is.
enum State {
    /// The upload was not ended, or not long ago.
    Uploading,
    Working,
    Ready,
    Failed,
    /// Facebook does not say it in words that we know.
    Unsaid,
}

impl Told {
    fn state(&self) -> State {
        match self.status.video_status.as_deref() {
            Some("uploading" | "upload_complete" | "upload_failed" | "expired") => State::Uploading,
            Some("processing") => State::Working,
            Some("ready") => State::Ready,
            Some("error") => State::Failed,
            _ => State::Unsaid,
        }
    }

    fn words(&self) -> &str {
        let said = self.status.processing_phase.errors.iter().find_map(|error| error.message.as_deref());
        said.map_or("it does not say why", |words| words.trim_end_matches('.'))
    }

    fn address(&self) -> Option<String> {
        let place = self.permalink_url.as_deref()?;
        if place.starts_with('/') { Some(format!("{WEB}{place}")) } else { Some(place.to_owned()) }
    }
}

fn status(page: &Page<'_>, id: &str) -> Result<Told> {
    let request = API.get(path!("/{}/{}", VERSION, id)).query("fields", "status,permalink_url");
    page.sign(request).read()?.json()
}

fn committed(page: &Page<'_>, id: &str) -> Committed {
    Committed { id: id.to_owned(), url: Some(format!("{WEB}{}/", path!("/{}/videos/{}", page.id, id))) }
}

/// Whether the upload of a video was ended. Sent again, the end cannot publish a second one: it ends the same upload.
pub(crate) fn find(page: &Page<'_>, id: &str) -> Result<Verdict> {
    let told = match status(page, id) {
        Ok(told) => told,
        // Facebook says so with a code of its own; a mere 404 may be anybody's.
        Err(fault) if fault.kind == FaultKind::NotFound && fault.code.is_some() => return Ok(Verdict::Absent),
        Err(fault) => return Err(fault),
    };
    Ok(match told.state() {
        State::Ready | State::Working | State::Failed => {
            let known = committed(page, id);
            Verdict::Done(Committed { url: told.address().or(known.url), ..known })
        }
        State::Uploading => Verdict::Absent,
        State::Unsaid => Verdict::Unknown,
    })
}
