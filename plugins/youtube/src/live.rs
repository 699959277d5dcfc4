//! What follows once a video exists: its thumbnail, and YouTube's verdict on it.
//!
//! <https://developers.google.com/youtube/v3/docs/thumbnails/set> and
//! <https://developers.google.com/youtube/v3/docs/videos#status.uploadStatus>.

use crate::upload::Ended;
use crate::{API, List, STANDS};
use orla_sdk::{Fault, FaultKind, Media, Response, Result, time};
use serde::Deserialize;
use std::time::Duration;

/// How long YouTube is asked whether a video was processed. Long ones take hours; they show meanwhile, in low quality.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// Sets a picture as the thumbnail, which may be done again. Gives the refusal where YouTube takes none, for which the video
/// is live all the same.
pub(crate) fn thumbnail(video: &str, picture: &Media) -> Result<Option<Fault>> {
    let request = API.post("/upload/youtube/v3/thumbnails/set").query("videoId", video).query("uploadType", "media");
    let request = request.blob(picture.blob.slice(0, picture.size)).discard();
    match request.prepare("media/0/1/thumbnail", STANDS) {
        Ok(_) => Ok(None),
        Err(fault) if passes(fault.kind) => Err(fault),
        Err(fault) => {
            let message = format!("The video is live, but YouTube refuses its thumbnail: {}", fault.message);
            Ok(Some(Fault { message, ..fault }.with_field("parts/0/media/1")))
        }
    }
}

/// Whether a failure may be over when the run is executed again.
fn passes(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::VendorDown | FaultKind::RateLimited | FaultKind::Cancelled)
}

#[derive(Deserialize)]
struct Video {
    #[serde(default)]
    snippet: Snippet,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Snippet {
    published_at: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    upload_status: String,
    failure_reason: Option<String>,
    rejection_reason: Option<String>,
    privacy_status: Option<String>,
}

/// Asks what became of a video whose upload was ended: how long to wait until it is asked again, or nothing where it is live.
///
/// # Errors
/// YouTube has rejected it, cannot process it, shows it to nobody though it was to be seen, or does not tell.
pub(crate) fn verdict(ended: &Ended, wanted: &str) -> Result<Option<Duration>> {
    let request =
        API.get("/youtube/v3/videos").query("part", "snippet,status").query("id", &ended.confirmed.committed.id);
    let told = request.read().and_then(|answer| Ok((answer.json::<List<Video>>()?, answer)));
    let (List { items, .. }, answer) = match told {
        Ok(told) => told,
        Err(fault) if fault.kind == FaultKind::Quota => return Ok(Some(LONGEST_WAIT)),
        Err(fault) => return Err(unheard(fault)),
    };
    let Some(Video { snippet, status }) = items.into_iter().next() else {
        return Ok(wait(age(&answer, ended, None)));
    };
    match status.upload_status.as_str() {
        "rejected" => Err(refused("rejected the video", status.rejection_reason)),
        "failed" => Err(refused("could not process the video", status.failure_reason)),
        "deleted" => Err(refused("has deleted the video", None)),
        "uploaded" => match wait(age(&answer, ended, snippet.published_at.as_deref())) {
            None => shown(wanted, status.privacy_status.as_deref()).map(|()| None),
            wait => Ok(wait),
        },
        _ => shown(wanted, status.privacy_status.as_deref()).map(|()| None),
    }
}

/// The fault where YouTube does not tell. The run is executed again: that the video is uploaded stands in the journal.
fn unheard(fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::NotFound | FaultKind::Invalid | FaultKind::Vendor | FaultKind::TooLarge => {
            Fault::new(FaultKind::VendorDown, "It is uploaded, but YouTube does not say yet what became of it.")
        }
        _ => fault,
    }
}

fn refused(what: &str, reason: Option<String>) -> Fault {
    let words = reason.as_deref().map_or("it does not say why", words);
    let fault = Fault::invalid("parts/0/media/0", format!("YouTube {what}: {words}."));
    match reason {
        Some(reason) => fault.with_code(reason),
        None => fault,
    }
}

/// A reason in words, as far as it is known.
fn words(reason: &str) -> &str {
    match reason {
        "claim" => "somebody claims its content",
        "codec" => "its codec is not known",
        "conversion" => "it cannot be converted",
        "copyright" => "it infringes a copyright",
        "duplicate" => "it is a duplicate of another video",
        "emptyFile" => "its file is empty",
        "inappropriate" => "its content is inappropriate",
        "invalidFile" => "its file is none of a video",
        "legal" => "a law forbids it",
        "length" => {
            "it is longer than this channel may upload; whoever verifies the channel by phone may upload 12 hours"
        }
        "termsOfUse" => "it breaks the terms of use",
        "tooSmall" => "its file is too small",
        "trademark" => "it infringes a trademark",
        "uploadAborted" => "its upload was aborted",
        "uploaderAccountClosed" => "the account is closed",
        "uploaderAccountSuspended" => "the account is suspended",
        other => other,
    }
}

/// How long ago the upload was ended, by YouTube's clock.
fn age(answer: &Response, ended: &Ended, published_at: Option<&str>) -> Option<Duration> {
    let ended_ms = ended.at_ms.or_else(|| published_at.and_then(time::rfc3339_ms))?;
    Some(Duration::from_millis(answer.date_ms()?.saturating_sub(ended_ms)))
}

/// How long to wait for a video that is processed since then; none where that was long enough, or where nobody can tell.
fn wait(age: Option<Duration>) -> Option<Duration> {
    let seconds = match age?.as_secs() {
        0..30 => 3,
        30..600 => 20,
        _ => 60,
    };
    age.filter(|age| *age < LONGEST_WAIT).map(|_| Duration::from_secs(seconds))
}

/// Whether those see the video who are to see it.
fn shown(wanted: &str, told: Option<&str>) -> Result<()> {
    if wanted == "private" || told != Some("private") {
        return Ok(());
    }
    let message = format!(
        "YouTube keeps the video private instead of {wanted}. It does so with all videos of an app that has not passed its \
         audit: the operator of this server asks for that at https://support.google.com/youtube/contact/yt_api_form."
    );
    Err(Fault::new(FaultKind::Conflict, message).with_code("forcedPrivate").with_field("privacy"))
}
