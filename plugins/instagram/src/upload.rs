//! Films go to Instagram in one piece, and go on where a piece broke off:
//! <https://developers.facebook.com/docs/instagram-platform/content-publishing/resumable-uploads>.

use crate::container::{Container, prepared};
use crate::{API, VERSION, problem};
use orla_sdk::{Api, Fault, Media, Result, forget, path};
use serde::Deserialize;
use std::time::Duration;

const UPLOAD: Api = Api::new("upload").explain(problem::explain_upload);

/// Longer than a container lives.
const STANDS: Duration = Duration::from_secs(24 * 3_600);
/// How much is there is asked anew by each execution, for the one before may have brought more and died. Only while the post
/// stands is it answered from the journal.
const ASKED: Duration = Duration::ZERO;

/// Brings a film to its container.
///
/// How much is there already is asked before, for an earlier execution may have brought a part of it; the journal knows when
/// all has arrived.
pub(crate) fn bring(container: &Container, film: &Media) -> Result<()> {
    #[derive(Deserialize)]
    struct Taken {
        success: bool,
    }
    let from = uploaded(container)?;
    if from >= film.size {
        return Ok(());
    }
    let request = UPLOAD.post(path!("/ig-api-upload/{}/{}", VERSION, container.id));
    let request = request.header("offset", from.to_string()).header("file_size", film.size.to_string());
    let request = request.blob(film.blob.slice(from, film.size - from));
    let sent = prepared(request, &container.key("upload"), STANDS).and_then(|Taken { success }| {
        let silent = || Fault::vendor("Instagram did not take the video, and does not say why.");
        success.then_some(()).ok_or_else(silent)
    });
    sent.inspect_err(|_| {
        // Whatever became of it, only Instagram knows how much is there now.
        forget(&container.key("upload"));
        forget(&container.key("uploaded"));
    })
}

/// How many bytes have arrived.
fn uploaded(container: &Container) -> Result<u64> {
    #[derive(Deserialize)]
    struct Told {
        #[serde(default)]
        video_status: VideoStatus,
    }
    #[derive(Deserialize, Default)]
    struct VideoStatus {
        #[serde(default)]
        uploading_phase: Phase,
    }
    #[derive(Deserialize, Default)]
    struct Phase {
        #[serde(default)]
        bytes_transferred: u64,
    }
    let request = API.get(path!("/{}/{}", VERSION, container.id)).query("fields", "video_status");
    let told: Told = prepared(request, &container.key("uploaded"), ASKED)?;
    Ok(told.video_status.uploading_phase.bytes_transferred)
}
