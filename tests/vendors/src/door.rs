//! A front door: logs every request, lets faults have their way, and runs what is left of it.
//!
//! A request that was received whole is executed in a task of its own, as at any real vendor: a caller who hangs up
//! does not take back what he asked for. What a vendor is and says stays with the vendor's module.

mod faults;
mod hostile;
mod traffic;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use tokio::sync::watch;

pub(crate) use self::faults::Faults;
pub use self::faults::{Canned, Fault, Mode};
pub(crate) use self::traffic::Visitor;
pub use self::traffic::{Answer, Received};

use self::traffic::{Entry, Traffic};
use crate::wire::Cut;

/// More than any request may have: the largest is a video of 99 MiB with its multipart frame.
const BODY_LIMIT_BYTES: usize = 128 << 20;

/// The door of one simulator: a cheap handle.
#[derive(Clone)]
pub(crate) struct Door(Arc<Shared>);

struct Shared {
    /// An answer with this status in the vendor's manner.
    manner: fn(StatusCode) -> Response,
    /// Whose bodies are handed on while they come, by method and path: what has come counts though the rest never does.
    streams: fn(&str, &str) -> bool,
    log: Mutex<Log>,
    /// Changes when hanging requests are to be let go.
    released: watch::Sender<()>,
}

#[derive(Default)]
struct Log {
    faults: Faults,
    traffic: Traffic,
}

impl Door {
    pub(crate) fn new(manner: fn(StatusCode) -> Response) -> Self {
        Self::streaming(manner, |_method, _path| false)
    }

    /// One that hands the bodies of some requests on while they come, however large they are.
    pub(crate) fn streaming(manner: fn(StatusCode) -> Response, streams: fn(&str, &str) -> bool) -> Self {
        Self(Arc::new(Shared { manner, streams, log: Mutex::default(), released: watch::Sender::new(()) }))
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.log().traffic.received().to_vec()
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.log().traffic.counts()
    }

    /// # Panics
    ///
    /// If the fault could never be carried out, such as a status that is none.
    pub(crate) fn fault(&self, fault: Fault) {
        self.order(fault).expect("a test asks for faults that can happen");
    }

    /// Orders a fault, or says why it could never be carried out.
    pub(crate) fn order(&self, fault: Fault) -> Result<(), String> {
        fault.mode.check()?;
        self.log().faults.add(fault);
        Ok(())
    }

    pub(crate) fn faults(&self) -> Vec<Fault> {
        self.log().faults.pending()
    }

    pub(crate) fn clear_faults(&self) {
        self.log().faults = Faults::default();
        self.release();
    }

    /// Let go of whatever hangs or has no end: those connections are cut.
    pub(crate) fn release(&self) {
        self.0.released.send_replace(());
    }

    /// Forget faults and log.
    pub(crate) fn reset(&self) {
        *self.log() = Log::default();
        self.release();
    }

    /// Tells of the next [`Door::release`], even of one between this call and the wait.
    fn releases(&self) -> watch::Receiver<()> {
        self.0.released.subscribe()
    }

    fn answer(&self, canned: Canned) -> Response {
        canned.into_response(self.0.manner)
    }
}

enum Outcome {
    Answer(Response),
    Cut,
    Hang(Entry),
}

/// Receive a request.
pub(crate) async fn receive(
    State(door): State<Door>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut releases = door.releases();
    let entry = Entry::open(&door, &request);
    request.extensions_mut().insert(entry.visitor());
    let mode = door.log().faults.take(request.method().as_str(), request.uri().path());
    if matches!(mode, Some(Mode::CutBefore)) {
        entry.answer(Answer::Cut);
        return cut.pull();
    }
    let (parts, body) = request.into_parts();
    let body = match mode {
        Some(Mode::CutWithin { bytes }) => hostile::only(body, bytes),
        _ => body,
    };
    let body = if (door.0.streams)(parts.method.as_str(), parts.uri.path()) {
        body
    } else {
        match whole(body, BODY_LIMIT_BYTES).await {
            Ok(bytes) => bytes.into(),
            // A connection that broke while it was read leaves nobody to answer, and the entry as abandoned.
            Err(Unread::Broken) => return cut.pull(),
            Err(Unread::TooLarge) => {
                entry.answer(Answer::Status(StatusCode::PAYLOAD_TOO_LARGE.as_u16()));
                return (door.0.manner)(StatusCode::PAYLOAD_TOO_LARGE);
            }
        }
    };
    let request = Request::from_parts(parts, body);
    let cut_during = matches!(mode, Some(Mode::CutDuring { .. }));
    let execution = tokio::spawn(execute(door.clone(), entry, mode, request, next));
    if cut_during {
        return cut.pull();
    }
    match execution.await {
        Ok(Outcome::Answer(response)) => response,
        Ok(Outcome::Cut) => cut.pull(),
        Ok(Outcome::Hang(entry)) => {
            // An error says that the simulator is gone, which lets go as well.
            let _ = releases.changed().await;
            entry.answer(Answer::Cut);
            cut.pull()
        }
        Err(_) => (door.0.manner)(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Why a body is not read.
pub(crate) enum Unread {
    /// The connection broke.
    Broken,
    TooLarge,
}

/// Reads a body of at most so many bytes.
pub(crate) async fn whole(body: Body, limit_bytes: usize) -> Result<Vec<u8>, Unread> {
    let mut pieces = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece.map_err(|_| Unread::Broken)?);
        if bytes.len() > limit_bytes {
            return Err(Unread::TooLarge);
        }
    }
    Ok(bytes)
}

async fn execute(door: Door, entry: Entry, mode: Option<Mode>, request: Request, next: Next) -> Outcome {
    match mode {
        Some(Mode::DelayMs(ms)) => tokio::time::sleep(Duration::from_millis(ms)).await,
        Some(Mode::CutDuring { ms }) => {
            entry.answer(Answer::Cut);
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        _ => {}
    }
    let headers = request.headers().clone();
    let genuine = if mode.as_ref().is_none_or(Mode::executes) { next.run(request).await } else { ().into_response() };
    match mode {
        Some(Mode::CutBefore | Mode::CutWithin { .. } | Mode::CutDuring { .. } | Mode::CutAfter) => {
            entry.answer(Answer::Cut);
            Outcome::Cut
        }
        Some(Mode::Hang { .. }) => {
            entry.answer(Answer::Hanging);
            Outcome::Hang(entry)
        }
        Some(Mode::TruncatedBody) => {
            entry.answer(Answer::Cut);
            Outcome::Answer(hostile::truncate(genuine).await)
        }
        mode => {
            let response = respond(&door, mode, genuine, &headers).await;
            entry.answer(Answer::Status(response.status().as_u16()));
            Outcome::Answer(response)
        }
    }
}

/// The answer of a request whose connection lives: the genuine one, unless a fault has another.
async fn respond(door: &Door, mode: Option<Mode>, genuine: Response, headers: &HeaderMap) -> Response {
    match mode {
        Some(Mode::Status(canned) | Mode::ExecutedThenStatus(canned)) => door.answer(canned),
        Some(Mode::Redirect { status, location }) => hostile::redirect(status, &location),
        Some(Mode::ForeignLink { origin }) => hostile::foreign_link(genuine, &origin),
        Some(Mode::EchoToken) => hostile::echo(headers),
        Some(Mode::NotJson) => hostile::page(),
        Some(Mode::HugeBody { bytes }) => hostile::huge(bytes),
        Some(Mode::EndlessBody { pause_ms }) => hostile::endless(pause_ms, door.releases()),
        Some(Mode::SlowBody { pause_ms }) => hostile::slow(genuine, pause_ms).await,
        _ => genuine,
    }
}
