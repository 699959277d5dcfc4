//! Having videos made: the contract's `video-model` in the host's own words.

use super::Connectors;
use super::bindings::connector::orla::connector::types::Fact;
use super::bindings::films::exports::orla::connector::video_model as wit;
use super::blob::{Blob, Handle};
use super::credentials::Credentials;
use super::drive::discard_all;
use super::fault::{Fault, FaultKind, plain};
use super::guest::Guest;
use super::journal::{Effect, Journal};
use super::meter::Meter;
use super::release::Release;
use super::run::{Pinned, Run};
use super::runtime::Called;
use super::variant::Violation;
use super::work::Account;
use crate::id::{BlobId, RunId, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::Store;

/// Longest and shortest pause that a connector may ask for.
const MAX_PAUSE: Duration = Duration::from_secs(60 * 60);
const MIN_PAUSE: Duration = Duration::from_millis(20);
const MAX_VIOLATIONS: usize = 100;
const MAX_FIELD_CHARS: usize = 100;
const MAX_MESSAGE_CHARS: usize = 1_000;
const MAX_WORDS_CHARS: usize = 500;
const MAX_MODEL_CHARS: usize = 100;

/// What is to be seen. What is absent is the model's choice, or the operator's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VideoWish {
    /// What happens in it.
    pub prompt: String,
    /// What must not be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative_prompt: Option<String>,
    /// How long it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u32>,
    /// Width to height, such as `16:9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<String>,
    /// Such as `720p`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// Makes the model's choices the same each time, where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Whether it has sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<bool>,
    /// The vendor's name of a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// A wish with all that a connector is handed of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filmed<'a> {
    pub(crate) wish: &'a VideoWish,
    /// What it begins with.
    pub(crate) image: Option<&'a Arc<Blob>>,
    /// The operator's settings, the same in every execution.
    pub(crate) settings: &'a BTreeMap<String, String>,
}

/// How far a video is.
#[derive(Debug)]
pub(crate) enum Film {
    Done(Made),
    Pending(Working),
}

/// A video that was made. Its blob is still the run's, until somebody keeps it.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) blob: Blob,
    pub(crate) model: String,
}

/// What the vendor says of a video that is not made yet.
#[derive(Debug, Clone)]
pub(crate) struct Working {
    pub(crate) wait: Duration,
    pub(crate) percent: Option<i64>,
    pub(crate) words: Option<String>,
}

impl Connectors {
    /// Tells all that is wrong with a wish, by the connector. No request is possible.
    pub(crate) async fn check_video(
        &self,
        release: &Arc<Release>,
        workspace: WorkspaceId,
        filmed: Filmed<'_>,
    ) -> Result<Vec<Violation>, Fault> {
        let Some(indices) = &release.films else { return Err(no_films()) };
        let settings = facts(filmed.settings);
        let now = self.services.clock.now();
        let pinned = Pinned { id: RunId::new(), workspace, seed: now.0, started_at: now };
        let mut run = self.execution(pinned, release.clone(), Credentials::Operator, None);
        // `check` promises to send nothing, and is held to it.
        run.limits.requests = 0;
        let called: Called<Vec<wit::Violation>> = self
            .runtime
            .run(Arc::new(run), async |store, instance| {
                let world = indices.load(&mut *store, instance)?;
                let wish = hand_over(store, filmed)?;
                world.orla_connector_video_model().call_check(store, &wish, &settings).await.map(Ok)
            })
            .await;
        let told = |violation: wit::Violation| Violation {
            field: plain(&violation.field, MAX_FIELD_CHARS),
            message: plain(&violation.message, MAX_MESSAGE_CHARS),
        };
        Ok(called.result?.into_iter().take(MAX_VIOLATIONS).map(told).collect())
    }

    /// Has a video made, or looks at how far it is. Whatever else the connector had the host store is deleted.
    pub(crate) async fn film(&self, run: &Arc<Run>, account: &Account, filmed: Filmed<'_>) -> Called<Film> {
        let Some(indices) = &run.release.films else {
            return Called { result: Err(no_films()), meter: Meter::default() };
        };
        let (account, settings) = (account.to_wit(), facts(filmed.settings));
        let called: Called<Said> = self
            .runtime
            .run(run.clone(), async |store, instance| {
                let world = indices.load(&mut *store, instance)?;
                let wish = hand_over(store, filmed)?;
                let answer =
                    world.orla_connector_video_model().call_generate(&mut *store, &account, &wish, &settings).await?;
                Ok(match answer {
                    Ok(wit::Progress::Pending(working)) => Ok(Said::Pending(working)),
                    Ok(wit::Progress::Done(made)) => {
                        let table = &mut store.data_mut().table;
                        let mut blobs = Vec::with_capacity(made.videos.len());
                        for blob in made.videos {
                            blobs.push(table.delete(blob)?.0.id);
                        }
                        Ok(Said::Done(blobs, made.model))
                    }
                    Err(fault) => Err(Fault::from(fault)),
                })
            })
            .await;
        run.settle().await;
        let received = run.received.take();
        let (result, others) = match called.result {
            Ok(Said::Done(videos, model)) => made(run, &videos, &model, received),
            Ok(Said::Pending(said)) => (Ok(Film::Pending(working(said))), received),
            Err(fault) => (Err(fault), received),
        };
        discard_all(&run.services, others).await;
        Called { result, meter: called.meter }
    }
}

/// What a connector says, before it is believed.
enum Said {
    Done(Vec<BlobId>, String),
    Pending(wit::Working),
}

fn no_films() -> Fault {
    Fault::bug("the connector makes no videos")
}

/// Holds a result against what was received and what the journal has; gives along the blobs that nobody wants.
fn made(run: &Run, videos: &[BlobId], model: &str, received: Vec<Blob>) -> (Result<Film, Fault>, Vec<Blob>) {
    let effects = run.journal.as_ref().map(Journal::effects).unwrap_or_default();
    if !has_begun(&effects) {
        return (Err(Fault::bug("the connector claims a video that no request of this run began")), received);
    }
    let (its, others): (Vec<Blob>, Vec<Blob>) =
        received.into_iter().partition(|blob| videos.first().is_some_and(|first| *first == blob.id));
    match its.into_iter().next() {
        Some(blob) if blob.content_type.starts_with("video/") => {
            (Ok(Film::Done(Made { blob, model: plain(model, MAX_MODEL_CHARS) })), others)
        }
        Some(blob) => {
            let words = format!("the vendor handed out {} in place of a video", blob.content_type);
            (Err(Fault::new(FaultKind::Vendor, words)), others.into_iter().chain([blob]).collect())
        }
        None => (Err(Fault::bug("the connector returns no video that this call received")), others),
    }
}

fn working(said: wit::Working) -> Working {
    let words = said.message.map(|words| plain(&words, MAX_WORDS_CHARS)).filter(|words| !words.trim().is_empty());
    Working {
        wait: Duration::from_millis(said.retry_after_ms).clamp(MIN_PAUSE, MAX_PAUSE),
        percent: said.percent.filter(|percent| *percent <= 100).map(i64::from),
        words,
    }
}

fn facts(settings: &BTreeMap<String, String>) -> Vec<Fact> {
    let facts = settings.iter();
    facts.map(|(name, text)| Fact { name: name.clone(), value: Value::from(text.as_str()).to_string() }).collect()
}

/// Gives a guest the wish, with a handle of its picture.
fn hand_over(store: &mut Store<Guest>, filmed: Filmed<'_>) -> wasmtime::Result<wit::Wish> {
    let image = match filmed.image {
        Some(blob) => Some(wit::Still {
            blob: store.data_mut().table.push(Handle(blob.clone()))?,
            content_type: blob.content_type.clone(),
            size: blob.size(),
        }),
        None => None,
    };
    let VideoWish { prompt, negative_prompt, duration_seconds, aspect_ratio, resolution, seed, audio, model } =
        filmed.wish.clone();
    Ok(wit::Wish {
        prompt,
        negative_prompt,
        image,
        duration_s: duration_seconds,
        aspect_ratio,
        resolution,
        seed,
        audio,
        model,
    })
}

/// Whether an effect began the vendor's work.
pub(crate) fn has_begun(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| effect.is_once() && effect.is_done())
}
