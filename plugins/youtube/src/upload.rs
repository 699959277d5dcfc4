//! Bringing a video: begin an upload, send stretch by stretch, end it.
//!
//! <https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol>. An upload has an address of its own.
//! What is not ended shows nowhere, so all that goes before the last stretch is prepared and may be sent again; the last
//! stretch makes the video exist, and is the commit. It is as short as the protocol allows, so that a line which breaks
//! while gigabytes flow breaks where nothing is uncertain.
//!
//! How much has arrived is asked at each execution and after each stretch that went wrong. While the commit stands, all of
//! this is answered from the journal, and YouTube is asked for nothing.

use crate::wish::{self, NOTIFY};
use crate::{API, STANDS, committed};
use orla_sdk::{Committed, Confirmed, Fault, FaultKind, Media, Part, Request, Response, Result, Variant, forget};
use serde::Deserialize;
use std::time::Duration;

/// The key of the commit.
pub(crate) const COMMIT: &str = "part/0";

/// The keys of what is prepared for it.
const BEGUN: &str = "media/0/0/begun";
const REACHED: &str = "media/0/0/reached";

/// An answer that tells how things are now: a later execution asks again, unless the commit was sent after it.
const NOW: Duration = Duration::ZERO;

/// What stretches are multiples of, but for the last.
const GRANULE_BYTES: u64 = 256 << 10;
/// How much is sent at once.
const STRETCH_BYTES: u64 = 16 << 20;
/// Most stretches of a video: those of a large one are longer.
const MOST_STRETCHES: u64 = 1_000;

/// An upload that was ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) confirmed: Confirmed,
    /// When, by YouTube's clock; none where the answer was lost.
    pub(crate) at_ms: Option<u64>,
}

/// How far an upload is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// So many bytes have arrived, and more are to come.
    At(u64),
    /// It was ended, and made this.
    Ended(Committed),
    /// YouTube does not know it any more.
    Gone,
}

/// What can be said of a video before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Brought {
    /// All but the last stretch has arrived, or the upload was ended.
    AllButTheEnd,
    /// The upload cannot go on.
    Nothing,
}

/// Brings a video to YouTube, as far as it is not there yet.
pub(crate) fn bring(variant: &Variant, part: &Part, video: &Media) -> Result<Ended> {
    let first = attempt(variant, part, video);
    let (brought, ended) = first.map_err(at_video)?;
    match ended {
        // The upload is gone, and YouTube certainly made nothing of it: begin anew, once. The end was asked for before that,
        // since only so the journal can say that it was reached.
        Err(fault) if fault.sent && is_over(&fault, brought) => {
            forget(BEGUN);
            attempt(variant, part, video).and_then(|(_, ended)| ended).map_err(at_video)
        }
        ended => ended.map_err(at_video),
    }
}

fn is_over(fault: &Fault, brought: Brought) -> bool {
    fault.kind == FaultKind::NotFound || brought == Brought::Nothing && fault.kind == FaultKind::Invalid
}

/// The fault, naming the video where YouTube refuses what it is.
fn at_video(fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::Invalid | FaultKind::TooLarge if fault.field.is_none() => fault.with_field("parts/0/media/0"),
        _ => fault,
    }
}

/// Goes on with the upload of this run, and ends it.
fn attempt(variant: &Variant, part: &Part, video: &Media) -> Result<(Brought, Result<Ended>)> {
    let upload = begin(variant, part, video)?;
    let brought = stretches(&upload, video)?;
    Ok((brought, end(&upload, video)))
}

/// Begins an upload, and gives its address.
fn begin(variant: &Variant, part: &Part, video: &Media) -> Result<String> {
    let mut request =
        API.post("/upload/youtube/v3/videos").query("uploadType", "resumable").query("part", "snippet,status");
    if wish::extra(variant, NOTIFY) == Some(false) {
        request = request.query("notifySubscribers", "false");
    }
    let request = request
        .header("x-upload-content-length", video.size.to_string())
        .header("x-upload-content-type", video.content_type.as_str())
        .json(&wish::resource(variant, part));
    let begun = request.discard().prepare(BEGUN, STANDS)?;
    match begun.header("location") {
        Some(upload) => Ok(upload.to_owned()),
        None => {
            forget(BEGUN);
            Err(Fault::vendor("YouTube began an upload, and gives no address at Google where it goes on."))
        }
    }
}

/// Sends what has not arrived yet, but for the end.
fn stretches(upload: &str, video: &Media) -> Result<Brought> {
    let end = last_stretch(video.size);
    if end == 0 {
        return Ok(Brought::AllButTheEnd);
    }
    let ask = || told(&question(upload, video).prepare(REACHED, NOW)?);
    let mut reached = ask()?;
    loop {
        let at = match reached {
            Reached::Ended(_) => return Ok(Brought::AllButTheEnd),
            Reached::At(at) if at == end => return Ok(Brought::AllButTheEnd),
            Reached::At(at) if at < end => at,
            Reached::At(_) | Reached::Gone => return Ok(Brought::Nothing),
        };
        let to = end.min(at + stretch_bytes(video.size));
        let key = format!("media/0/0/from/{at}");
        let sent = stretch(upload, video, at, to).prepare(key, NOW).and_then(|answer| told(&answer));
        reached = match sent {
            Ok(Reached::At(next)) if next <= at => {
                return Err(Fault::new(FaultKind::VendorDown, "YouTube took nothing of a stretch of the video."));
            }
            Ok(reached) => reached,
            // How much of it has arrived? Where that is something, it goes on from there at once.
            Err(fault) if fault.kind == FaultKind::VendorDown => match ask() {
                Ok(Reached::At(next)) if next > at => Reached::At(next),
                _ => return Err(fault),
            },
            Err(fault) => return Err(fault),
        };
    }
}

/// Sends the last stretch, which makes the video exist.
fn end(upload: &str, video: &Media) -> Result<Ended> {
    let mut at_ms = None;
    let made = |answer: &Response| match told(answer)? {
        Reached::Ended(video) => {
            at_ms = answer.date_ms();
            Ok(video)
        }
        Reached::At(_) => Err(Fault::new(
            FaultKind::VendorDown,
            "YouTube lacks a part of the video though all was sent; it goes on later.",
        )),
        Reached::Gone => Err(Fault::new(FaultKind::NotFound, "YouTube no longer knows the upload of the video.")),
    };
    let last = stretch(upload, video, last_stretch(video.size), video.size);
    let confirmed = last.commit(COMMIT, made)?;
    Ok(Ended { confirmed, at_ms })
}

/// How far the upload of a run is whose last answer was lost; none where the run's journal has no upload.
pub(crate) fn recall(variant: &Variant, part: &Part, video: &Media) -> Result<Option<Reached>> {
    match begin(variant, part, video) {
        Ok(upload) => told(&question(&upload, video).read()?).map(Some),
        // Whoever looks is answered from the journal alone.
        Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The question how far an upload is.
fn question<'a>(upload: &str, video: &Media) -> Request<'a> {
    let request = API.put_to(upload).header("content-range", format!("bytes */{}", video.size));
    request.accept(308).accept(404).accept(410)
}

/// A request that brings a stretch of the video.
fn stretch<'a>(upload: &str, video: &'a Media, from: u64, to: u64) -> Request<'a> {
    let range = format!("bytes {from}-{}/{}", to.saturating_sub(1), video.size);
    let request = API.put_to(upload).header("content-range", range).blob(video.blob.slice(from, to - from));
    request.accept(308).accept(404).accept(410)
}

/// What an answer says of an upload.
fn told(answer: &Response) -> Result<Reached> {
    #[derive(Deserialize)]
    struct Video {
        id: String,
    }
    match answer.status() {
        308 => arrived(answer.header("range")).map(Reached::At),
        404 | 410 => Ok(Reached::Gone),
        _ => match answer.json()? {
            Video { id } if !id.is_empty() => Ok(Reached::Ended(committed(&id))),
            Video { .. } => Err(Fault::vendor("YouTube took the video, and does not name it.")),
        },
    }
}

/// The bytes that have arrived, such as 524,288 for `bytes=0-524287`; without the header there are none.
fn arrived(range: Option<&str>) -> Result<u64> {
    let Some(range) = range else { return Ok(0) };
    let last: Option<u64> = range.strip_prefix("bytes=0-").and_then(|last| last.parse().ok());
    last.and_then(|last| last.checked_add(1))
        .ok_or_else(|| Fault::vendor("YouTube does not say in a readable way how much of the video has arrived."))
}

/// Where the last stretch begins.
fn last_stretch(size: u64) -> u64 {
    size.saturating_sub(1) / GRANULE_BYTES * GRANULE_BYTES
}

fn stretch_bytes(size: u64) -> u64 {
    size.div_ceil(MOST_STRETCHES).next_multiple_of(GRANULE_BYTES).max(STRETCH_BYTES)
}

#[cfg(test)]
mod tests {
    use super::{GRANULE_BYTES, MOST_STRETCHES, STRETCH_BYTES, arrived, last_stretch, stretch_bytes};

    #[test]
    fn the_last_stretch_is_short_and_begins_where_stretches_may_end() {
        for (size, begins) in
            [(1, 0), (GRANULE_BYTES, 0), (GRANULE_BYTES + 1, GRANULE_BYTES), (3 * GRANULE_BYTES, 2 * GRANULE_BYTES)]
        {
            assert_eq!(last_stretch(size), begins, "{size}");
        }
    }

    #[test]
    fn a_large_video_goes_in_longer_stretches() {
        assert_eq!(stretch_bytes(1 << 30), STRETCH_BYTES);
        let largest = 256 << 30;
        let bytes = stretch_bytes(largest);
        assert_eq!(bytes % GRANULE_BYTES, 0);
        assert!(largest.div_ceil(bytes) <= MOST_STRETCHES);
    }

    #[test]
    fn what_has_arrived_is_read_from_the_range() {
        assert_eq!(arrived(None), Ok(0));
        assert_eq!(arrived(Some("bytes=0-524287")), Ok(524_288));
        for unreadable in ["bytes=1-5", "0-5", "bytes=0-", "bytes=0-18446744073709551615", "bytes=0-5,7-9"] {
            assert!(arrived(Some(unreadable)).is_err(), "{unreadable}");
        }
    }
}
