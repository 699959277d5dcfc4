//! How a call ended, and how a case says that it has to.

use super::lists::{Listed, WantedList};
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::filming::{Film, Made};
use crate::connectors::variant::Violation;
use crate::connectors::work::{PartOutcome, Profile, Progress, Verdict};
use crate::connectors::writing::Completion;
use serde::Deserialize;
use std::time::Duration;

/// How a call ended.
#[derive(Debug)]
pub(super) enum End {
    Profile(Profile),
    Violations(Vec<Violation>),
    Published(Vec<PartOutcome>),
    /// To be executed again after this.
    Pending(Duration),
    Completion(Completion),
    Verdict(Verdict),
    Entries(Listed),
    Comments(Listed),
    Video(Box<Made>),
    Fault(Fault),
}

/// How a call has to end.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Ends {
    /// Of `whoami`.
    Profile(WantedProfile),
    /// Of `check` and `check_video`: all of them, in order.
    Violations(Vec<WantedViolation>),
    /// Of `publish`: what becomes of each part, in order. Of `reply`, the one that is said.
    Published(Vec<WantedPart>),
    /// Of `complete`.
    Completion(WantedCompletion),
    /// Of `reconcile` and `find_reply`.
    Verdict(WantedVerdict),
    /// Of `list`.
    Entries(WantedList),
    /// Of `comments`.
    Comments(WantedList),
    /// Of `generate_video`.
    Video(WantedVideo),
    /// Of any.
    Fault(WantedFault),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedProfile {
    vendor_id: String,
    handle: String,
    #[serde(default)]
    name: Option<String>,
    /// The ids of its targets, in order; any where absent.
    #[serde(default)]
    targets: Option<Vec<String>>,
}

impl WantedProfile {
    fn is_met_by(&self, profile: &Profile) -> bool {
        let Self { vendor_id, handle, name, targets } = self;
        let are_met = |ids: &Vec<String>| ids.iter().eq(profile.targets.iter().map(|target| &target.id));
        (vendor_id, handle, name) == (&profile.vendor_id, &profile.handle, &profile.name)
            && targets.as_ref().is_none_or(are_met)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedViolation {
    field: String,
    /// A stretch of its message.
    #[serde(default)]
    message: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum WantedPart {
    Done(WantedPost),
    Missing(WantedFault),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedPost {
    pub(super) id: String,
    #[serde(default)]
    pub(super) url: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedCompletion {
    text: String,
    model: String,
    #[serde(default)]
    cut_off: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedVideo {
    model: String,
    /// As the host tells it from the bytes.
    content_type: String,
    size_bytes: i64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum WantedVerdict {
    Done(WantedPost),
    Absent,
    Unknown,
}

/// A fault; what is absent is not looked at.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedFault {
    kind: FaultKind,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    field: Option<String>,
    #[serde(default)]
    retry_after_ms: Option<u64>,
    /// A stretch of its message.
    #[serde(default)]
    message: String,
}

impl Ends {
    /// The calls that can end so; any where empty.
    pub(super) fn of(&self) -> &'static [&'static str] {
        match self {
            Self::Profile(_) => &["whoami"],
            Self::Violations(_) => &["check", "check_video"],
            Self::Published(_) => &["publish", "reply"],
            Self::Completion(_) => &["complete"],
            Self::Verdict(_) => &["reconcile", "find_reply"],
            Self::Entries(_) => &["list"],
            Self::Comments(_) => &["comments"],
            Self::Video(_) => &["generate_video"],
            Self::Fault(_) => &[],
        }
    }

    /// Whether a call that ended so ended as it has to, at whatever time.
    pub(super) fn are(&self, end: &End) -> bool {
        match (self, end) {
            (Self::Profile(wanted), End::Profile(profile)) => wanted.is_met_by(profile),
            (Self::Violations(wanted), End::Violations(found)) => {
                wanted.len() == found.len()
                    && wanted
                        .iter()
                        .zip(found)
                        .all(|(wanted, found)| wanted.field == found.field && found.message.contains(&wanted.message))
            }
            (Self::Published(wanted), End::Published(parts)) => {
                wanted.len() == parts.len() && wanted.iter().zip(parts).all(|(wanted, part)| wanted.is(part))
            }
            (Self::Completion(wanted), End::Completion(completion)) => {
                wanted.text == completion.text
                    && wanted.model == completion.model
                    && wanted.cut_off == completion.cut_off
            }
            (Self::Verdict(wanted), End::Verdict(verdict)) => wanted.is(verdict),
            (Self::Entries(wanted), End::Entries(found)) | (Self::Comments(wanted), End::Comments(found)) => {
                wanted.is(found)
            }
            (Self::Video(wanted), End::Video(made)) => {
                wanted.model == made.model
                    && wanted.content_type == made.blob.content_type
                    && wanted.size_bytes == made.blob.size_bytes
            }
            (Self::Fault(wanted), End::Fault(fault)) => wanted.is(fault),
            _ => false,
        }
    }

    /// Whether a fault says when to come again as it has to. It may say otherwise later.
    pub(super) fn say_when(&self, end: &End) -> bool {
        match (self, end) {
            (Self::Fault(wanted), End::Fault(fault)) => {
                wanted.retry_after_ms.is_none() || wanted.retry_after_ms == fault.retry_after_ms
            }
            _ => true,
        }
    }

    /// Whether parts of this are live, and what is not is missing with a fault.
    pub(super) fn are_in_part(&self, end: &End) -> bool {
        let (Self::Published(wanted), End::Published(parts)) = (self, end) else { return false };
        wanted.len() == parts.len()
            && wanted.iter().zip(parts).all(|(wanted, part)| match part {
                PartOutcome::Done { .. } => wanted.is(part),
                PartOutcome::Missing { .. } => true,
            })
    }

    /// The address of a post that the case expects.
    pub(super) fn url_of(&self, id: &str) -> Option<String> {
        let Self::Published(parts) = self else { return None };
        parts.iter().find_map(|part| match part {
            WantedPart::Done(post) if post.id == id => post.url.clone(),
            WantedPart::Done(_) | WantedPart::Missing(_) => None,
        })
    }
}

impl WantedPart {
    fn is(&self, part: &PartOutcome) -> bool {
        match (self, part) {
            (Self::Done(wanted), PartOutcome::Done { committed, .. }) => {
                wanted.id == committed.id && wanted.url == committed.url
            }
            (Self::Missing(wanted), PartOutcome::Missing { fault }) => wanted.is(fault),
            _ => false,
        }
    }
}

impl WantedVerdict {
    fn is(&self, verdict: &Verdict) -> bool {
        match (self, verdict) {
            (Self::Done(wanted), Verdict::Done(found)) => wanted.id == found.id && wanted.url == found.url,
            (Self::Absent, Verdict::Absent) | (Self::Unknown, Verdict::Unknown) => true,
            _ => false,
        }
    }
}

impl WantedFault {
    fn is(&self, fault: &Fault) -> bool {
        let same = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        self.kind == fault.kind
            && same(&self.code, &fault.code)
            && same(&self.field, &fault.field)
            && fault.message.contains(&self.message)
    }
}

impl From<Progress> for End {
    fn from(progress: Progress) -> Self {
        match progress {
            Progress::Published(parts) => Self::Published(parts),
            Progress::Pending(wait) => Self::Pending(wait),
        }
    }
}

impl From<Film> for End {
    fn from(film: Film) -> Self {
        match film {
            Film::Done(made) => Self::Video(Box::new(made)),
            Film::Pending(working) => Self::Pending(working.wait),
        }
    }
}

impl End {
    /// The faults that it tells.
    pub(super) fn faults(&self) -> Vec<&Fault> {
        match self {
            Self::Fault(fault) => vec![fault],
            Self::Published(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    PartOutcome::Missing { fault } => Some(fault),
                    PartOutcome::Done { .. } => None,
                })
                .collect(),
            Self::Profile(_)
            | Self::Violations(_)
            | Self::Pending(_)
            | Self::Completion(_)
            | Self::Verdict(_)
            | Self::Entries(_)
            | Self::Comments(_)
            | Self::Video(_) => Vec::new(),
        }
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fault(fault) => told(fault, out),
            Self::Pending(wait) => write!(out, "a pause of {} ms", wait.as_millis()),
            Self::Profile(profile) => {
                let Profile { vendor_id, handle, name, targets } = profile;
                write!(out, "the account {vendor_id} ({handle}, {name:?}) with {} targets", targets.len())?;
                targets.iter().try_for_each(|target| write!(out, " {}", target.id))
            }
            Self::Violations(violations) => {
                write!(out, "{} violations", violations.len())?;
                violations.iter().try_for_each(|found| write!(out, "; {}: {}", found.field, found.message))
            }
            Self::Published(parts) => {
                write!(out, "a receipt of {} parts", parts.len())?;
                parts.iter().try_for_each(|part| match part {
                    PartOutcome::Done { key, committed } => {
                        let url = committed.url.as_deref().unwrap_or("no address");
                        write!(out, "; `{key}` is {} ({url})", committed.id)
                    }
                    PartOutcome::Missing { fault } => {
                        write!(out, "; missing by ")?;
                        told(fault, out)
                    }
                })
            }
            Self::Completion(Completion { text, model, cut_off }) => {
                write!(out, "a text of {model}{}: {text:?}", if *cut_off { ", cut off" } else { "" })
            }
            Self::Entries(listed) | Self::Comments(listed) => write!(out, "{listed}"),
            Self::Video(made) => {
                let blob = &made.blob;
                write!(out, "a video of {}: {} of {} bytes", made.model, blob.content_type, blob.size_bytes)
            }
            Self::Verdict(Verdict::Done(found)) => write!(out, "the verdict that it is there as {}", found.id),
            Self::Verdict(Verdict::Absent) => write!(out, "the verdict that it is absent"),
            Self::Verdict(Verdict::Unknown) => write!(out, "the verdict that nobody can tell"),
        }
    }
}

fn told(fault: &Fault, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    write!(out, "a fault {:?}", fault.kind)?;
    if let Some(code) = &fault.code {
        write!(out, ", code `{code}`")?;
    }
    if let Some(field) = &fault.field {
        write!(out, ", field `{field}`")?;
    }
    if let Some(wait) = fault.retry_after_ms {
        write!(out, ", again after {wait} ms")?;
    }
    write!(out, ": {}", fault.message)
}
