//! Containers: what Instagram makes ready before it is published.
//!
//! <https://developers.facebook.com/docs/instagram-platform/content-publishing>. A container is seen by nobody and lives for a
//! day, so all that is done to it is prepared: a re-run is answered from the journal, also that it is finished. One that has
//! expired or failed is forgotten with everything that was known of it, and made anew.

use crate::problem;
use crate::{API, Professional, VERSION, check, upload};
use orla_sdk::{Fault, FaultKind, Media, Request, Result, forget, path};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long a container is counted upon. Instagram keeps it for a day.
const KEPT: Duration = Duration::from_secs(23 * 3_600);

/// How long it is taken as read that a container is finished.
const READY: Duration = Duration::from_secs(5 * 60);

/// What a container is to become.
pub(crate) enum Plan<'a> {
    /// A medium, with the other fields of its container.
    Medium(&'a Media, Vec<(&'static str, String)>),
    /// A carousel of these containers, with the other fields of its own.
    Carousel(Vec<String>, Vec<(&'static str, String)>),
}

/// How far a container is.
pub(crate) enum State {
    Ready,
    Working,
    /// Instagram does not have it, or could not make it ready: it is forgotten, and this is why.
    Lost(Fault),
}

/// A container, by the step that made it.
pub(crate) struct Container {
    step: String,
    pub(crate) id: String,
}

impl Container {
    /// Makes a container, and brings it its film.
    pub(crate) fn make(account: &Professional<'_>, step: String, plan: &Plan<'_>) -> Result<Self> {
        #[derive(Deserialize)]
        struct Made {
            id: String,
        }
        let request = API.post(account.edge("media")).form(fields(plan)?);
        let Made { id } = prepared(request, &key(&step, "container"), KEPT)?;
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            forget(&key(&step, "container"));
            return Err(Fault::vendor("Instagram made a container, but names none."));
        }
        let container = Self { step, id };
        if let Plan::Medium(film, _) = plan
            && check::is_film(film)
        {
            upload::bring(&container, film)?;
        }
        Ok(container)
    }

    /// How far it is. One that is lost is forgotten, so that the next execution makes it anew.
    ///
    /// # Errors
    /// As any request; `conflict` where it is published already.
    pub(crate) fn look(&self) -> Result<State> {
        #[derive(Deserialize)]
        struct Told {
            status_code: String,
            #[serde(default)]
            status: String,
        }
        let request = API.get(path!("/{}/{}", VERSION, self.id)).query("fields", "status_code,status");
        let Told { status_code, status } = match prepared(request, &self.key("ready"), READY) {
            Ok(told) => told,
            // Said with a code of its own; a mere 404 may be anybody's.
            Err(fault) if fault.kind == FaultKind::NotFound && fault.code.is_some() => return Ok(self.lost(stale())),
            Err(fault) => return Err(fault),
        };
        if status_code == "FINISHED" {
            return Ok(State::Ready);
        }
        forget(&self.key("ready"));
        match status_code.as_str() {
            "IN_PROGRESS" => Ok(State::Working),
            "EXPIRED" => Ok(self.lost(stale())),
            "ERROR" => Ok(self.lost(problem::of_status(&status))),
            "PUBLISHED" => Err(Fault::new(
                FaultKind::Conflict,
                "Instagram says that it has published this, but does not show it. Look at the account.",
            )),
            _ => Err(Fault::vendor("Instagram says in no known words how far a container is.")),
        }
    }

    fn lost(&self, why: Fault) -> State {
        self.forget();
        State::Lost(why)
    }

    /// Drops all that is known of it, so that it is made anew.
    pub(crate) fn forget(&self) {
        for what in ["container", "uploaded", "upload", "ready"] {
            forget(&self.key(what));
        }
    }

    pub(crate) fn key(&self, what: &str) -> String {
        key(&self.step, what)
    }
}

/// The fault of a container that Instagram does not keep any more: the run is executed again, and makes another.
pub(crate) fn stale() -> Fault {
    Fault::new(FaultKind::VendorDown, "Instagram has let what was prepared expire. It is prepared anew.")
}

fn key(step: &str, what: &str) -> String {
    format!("{step}/{what}")
}

/// The form of a container.
fn fields(plan: &Plan<'_>) -> Result<Vec<(&'static str, String)>> {
    let (source, other) = match plan {
        Plan::Medium(film, other) if check::is_film(film) => (("upload_type", "resumable".to_owned()), other),
        Plan::Medium(image, other) => (("image_url", image.public_url()?), other),
        Plan::Carousel(children, other) => (("children", children.join(",")), other),
    };
    Ok(std::iter::once(source).chain(other.iter().cloned()).collect())
}

/// A prepared step's answer. One that makes no sense is not kept.
pub(crate) fn prepared<T: DeserializeOwned>(request: Request<'_>, key: &str, valid_for: Duration) -> Result<T> {
    let answer = request.prepare(key, valid_for)?;
    answer.json().inspect_err(|_| forget(key))
}
