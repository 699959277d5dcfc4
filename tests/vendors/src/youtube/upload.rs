//! Resumable uploads: `POST /upload/youtube/v3/videos?uploadType=resumable`, and `PUT` to the address that it gives.

use std::mem;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, LOCATION, RANGE, TRANSFER_ENCODING};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::Serialize;

use super::body::{self, NewVideo};
use super::content::{Content, GRANULE_BYTES};
use super::gate::{Call, Method, origin};
use super::problem::Problem;
use super::quota::Cost;
use super::state::{World, YouTube};
use super::videos::{PARTS, Wish, resource};
use super::{FORCE_SSL, UPLOAD};
use crate::clock::Moment;
use crate::door::Visitor;
use crate::google::{Form, random};

/// Where uploads begin and go on.
pub(super) const PATH: &str = "/upload/youtube/v3/videos";

/// The largest video, in bytes (documented).
const LIMIT_BYTES: u64 = 256 << 30;

const BEGIN: Method = Method {
    scopes: &[UPLOAD, FORCE_SSL],
    cost: Cost::Video,
    parameters: &["part", "uploadType", "notifySubscribers"],
    parts: &["snippet", "status"],
};

/// An upload that was begun, as tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Upload {
    /// The bytes that were promised.
    pub size_bytes: u64,
    /// The bytes that have arrived and are kept.
    pub kept_bytes: u64,
    /// The stretches that came whole, each by its first byte and its end.
    pub stretches: Vec<(u64, u64)>,
    /// How often it was asked how much has arrived.
    pub questions: u32,
    /// The id of the video that it became.
    pub video_id: Option<String>,
}

/// An upload, which whoever has its address goes on with.
pub(super) struct Session {
    id: String,
    channel_id: String,
    account: String,
    wish: Wish,
    pub(super) shown: Upload,
    /// What has come; absent while a stretch comes.
    content: Option<Content>,
    begun: Moment,
    finished: Option<Moment>,
    is_forgotten: bool,
}

impl Session {
    pub(super) fn forget(&mut self) {
        self.is_forgotten = true;
    }

    fn is_alive(&self, world: &World) -> bool {
        let settings = &world.settings;
        let until = match self.finished {
            Some(finished) => finished.after_s(settings.finished_upload_s),
            None => self.begun.after_s(settings.upload_lifetime_s),
        };
        !self.is_forgotten && world.now() < until
    }
}

/// `POST`: what is to come, and its words.
pub(super) async fn begin(
    State(youtube): State<YouTube>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let call = Call::admit(&youtube, &visitor, &headers, query, &BEGIN)?;
    let channel = call.own()?.clone();
    if call.required("uploadType")? != "resumable" {
        return Err(Problem::strict("videos are uploaded with uploadType=resumable here."));
    }
    let notified = match call.query.get("notifySubscribers") {
        None | Some("true") => true,
        Some("false") => false,
        Some(_) => return Err(Problem::parameter("invalidParameter", "Invalid value for notifySubscribers.")),
    };
    let declared = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let size_bytes = declared("x-upload-content-length").and_then(|length| length.parse().ok());
    let size_bytes: u64 =
        size_bytes.ok_or_else(|| Problem::strict("X-Upload-Content-Length must say how long the video is."))?;
    if !(1..=LIMIT_BYTES).contains(&size_bytes) {
        return Err(Problem::of(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let content_type = declared("x-upload-content-type").unwrap_or_default();
    if !content_type.starts_with("video/") && content_type != "application/octet-stream" {
        let message = format!("Media type '{content_type}' is not supported. Valid media types: [video/*]");
        return Err(Problem::member("global", "badContent", message));
    }
    let new: NewVideo = body::read(&headers, &body)?;
    let wish = Wish::read(&call, new, notified)?;
    let origin = origin(&headers)?;
    let mut world = youtube.world();
    let today = world.videos.iter().filter(|video| video.channel_id == channel.id && video.is_of_today(call.now));
    if today.count() as u64 >= world.settings.uploads_a_channel {
        let message = "The user has exceeded the number of videos they may upload.";
        return Err(Problem::member("youtube.video", "uploadLimitExceeded", message));
    }
    let (account, _) = world.caller(&headers)?;
    let id = format!("ABPtcPorla{}", random());
    let shown = Upload { size_bytes, kept_bytes: 0, stretches: Vec::new(), questions: 0, video_id: None };
    world.sessions.push(Session {
        id: id.clone(),
        channel_id: channel.id,
        account,
        wish,
        shown,
        content: Some(Content::default()),
        begun: call.now,
        finished: None,
        is_forgotten: false,
    });
    world.made.uploads += 1;
    let origin = if world.settings.upload_origin.is_empty() { origin } else { world.settings.upload_origin.clone() };
    let location = format!("{origin}{PATH}?uploadType=resumable&part=snippet%2Cstatus&upload_id={id}");
    let headers =
        [(LOCATION.as_str(), location), ("x-guploader-uploadid", id), (CONTENT_LENGTH.as_str(), "0".to_owned())];
    Ok((StatusCode::OK, headers).into_response())
}

/// What a `PUT` says of its body.
enum Piece {
    /// There is none: how much has arrived?
    Question { total: u64 },
    /// It is this stretch.
    Stretch { from: u64, to: u64, total: u64 },
}

impl Piece {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let length = text(CONTENT_LENGTH).filter(|_| !headers.contains_key(TRANSFER_ENCODING));
        let length: u64 =
            length.and_then(|length| length.parse().ok()).ok_or_else(|| Problem::of(StatusCode::LENGTH_REQUIRED))?;
        let unreadable = || Problem::strict("Content-Range must be `bytes first-last/total` or `bytes */total`.");
        let range = text(CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes ")).ok_or_else(unreadable)?;
        let (range, total) = range.split_once('/').ok_or_else(unreadable)?;
        let total: u64 = total.parse().map_err(|_| unreadable())?;
        if range == "*" {
            return match length {
                0 => Ok(Self::Question { total }),
                _ => Err(Problem::strict("a question how much has arrived has no body.")),
            };
        }
        let (from, last) = range.split_once('-').ok_or_else(unreadable)?;
        let (from, last): (u64, u64) =
            (from.parse().map_err(|_| unreadable())?, last.parse().map_err(|_| unreadable())?);
        let to = last.checked_add(1).filter(|to| from < *to).ok_or_else(unreadable)?;
        if length != to - from {
            return Err(Problem::strict(format!(
                "Content-Range names {} bytes, and the body has {length}.",
                to - from
            )));
        }
        if to < total && !length.is_multiple_of(GRANULE_BYTES as u64) {
            return Err(Problem::strict("all stretches but the last are multiples of 256 KiB."));
        }
        Ok(Self::Stretch { from, to, total })
    }
}

/// `PUT`: a stretch, or the question how much has arrived.
pub(super) async fn go_on(
    State(youtube): State<YouTube>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let admitted = admit(&youtube, &visitor, query, &headers);
    let (at, mut content, piece) = match admitted {
        Ok(Admitted::Stretch(at, content, piece)) => (at, content, piece),
        Ok(Admitted::Answered(response)) => return drained(body, response).await,
        Err(problem) => return drained(body, problem.into_response()).await,
    };
    let mut pieces = body.into_data_stream();
    let (mut came_bytes, mut is_whole) = (0, true);
    while let Some(piece) = pieces.next().await {
        let Ok(piece) = piece else {
            is_whole = false;
            break;
        };
        came_bytes += piece.len() as u64;
        content.take(&piece);
    }
    let Piece::Stretch { from, to, total } = piece else { return Problem::of(StatusCode::BAD_REQUEST).into_response() };
    if !is_whole {
        content.break_off();
    } else if to == total {
        content.end();
    }
    let mut world = youtube.world();
    world.made.upload_bytes += came_bytes;
    let session = &mut world.sessions[at];
    session.shown.kept_bytes = content.kept_bytes();
    if is_whole {
        session.shown.stretches.push((from, to));
    }
    session.content = Some(content);
    if to == total && is_whole { world.finish(at) } else { world.sessions[at].incomplete() }
}

/// Read what there is of a body before it is answered: a caller who is still sending would not hear.
async fn drained(body: Body, response: Response) -> Response {
    let mut pieces = body.into_data_stream();
    while let Some(Ok(_)) = pieces.next().await {}
    response
}

enum Admitted {
    /// The session, what has come of it, and what comes now.
    Stretch(usize, Content, Piece),
    Answered(Response),
}

fn admit(
    youtube: &YouTube,
    visitor: &Visitor,
    query: Option<String>,
    headers: &HeaderMap,
) -> Result<Admitted, Problem> {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let mut world = youtube.world();
    let caller = match headers.contains_key(AUTHORIZATION) {
        // The address is proof enough; another one, though, has to be right.
        false => None,
        true => Some(world.caller(headers)?.0),
    };
    if let Some(fault) = query.fault(&["uploadType", "part", "upload_id", "alt", "notifySubscribers"]) {
        return Err(Problem::strict(fault));
    }
    let id = query.get("upload_id").ok_or_else(|| Problem::strict("there is no upload_id."))?;
    let at = world.sessions.iter().position(|session| session.id == id && session.is_alive(&world));
    let at = at.ok_or_else(|| Problem::of(StatusCode::NOT_FOUND))?;
    let session = &mut world.sessions[at];
    visitor.is(&session.account);
    if caller.is_some_and(|caller| caller != session.account) {
        return Err(Problem::of(StatusCode::NOT_FOUND));
    }
    let piece = Piece::read(headers)?;
    let (Piece::Question { total } | Piece::Stretch { total, .. }) = piece;
    if total != session.shown.size_bytes {
        let promised = session.shown.size_bytes;
        return Err(Problem::strict(format!("the upload is of {promised} bytes, and not of {total}.")));
    }
    if let Piece::Question { .. } = piece {
        session.shown.questions += 1;
    }
    if session.finished.is_some() {
        return Ok(Admitted::Answered(world.made_by(at)));
    }
    match piece {
        Piece::Question { .. } => Ok(Admitted::Answered(session.incomplete())),
        Piece::Stretch { from, .. } if session.content.is_some() && from != session.shown.kept_bytes => {
            let kept = session.shown.kept_bytes;
            Err(Problem::strict(format!("{kept} bytes have arrived, so the stretch cannot begin at {from}.")))
        }
        piece => match session.content.take() {
            Some(content) => Ok(Admitted::Stretch(at, content, piece)),
            // Another one is coming.
            None => Err(Problem::of(StatusCode::SERVICE_UNAVAILABLE)),
        },
    }
}

impl Session {
    /// 308, and what has arrived.
    fn incomplete(&self) -> Response {
        let mut response = (StatusCode::PERMANENT_REDIRECT, [(CONTENT_LENGTH, "0")]).into_response();
        if let Some(last) = self.shown.kept_bytes.checked_sub(1)
            && let Ok(range) = format!("bytes=0-{last}").parse()
        {
            response.headers_mut().insert(RANGE, range);
        }
        response
    }
}

impl World {
    /// A video whose content has come whole.
    fn finish(&mut self, at: usize) -> Response {
        let (id, now) = (self.id(11), self.now());
        let session = &mut self.sessions[at];
        let content = mem::take(&mut session.content).unwrap_or_default();
        let (wish, channel_id) = (mem::take(&mut session.wish), session.channel_id.clone());
        session.shown.video_id = Some(id.clone());
        session.finished = Some(now);
        self.keep_video(id, channel_id, wish, &content);
        self.made_by(at)
    }

    /// The video that a finished upload made.
    fn made_by(&self, at: usize) -> Response {
        let id = self.sessions[at].shown.video_id.as_deref().unwrap_or_default();
        match self.videos.iter().find(|video| video.id == id) {
            Some(video) => axum::Json(resource(self, video, PARTS)).into_response(),
            None => Problem::of(StatusCode::NOT_FOUND).into_response(),
        }
    }
}
