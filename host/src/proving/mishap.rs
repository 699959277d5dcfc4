//! What can go wrong with a request, and what a connector may make of it.

use super::outcome;
use super::script::Answer;
use crate::connectors::fault::{Fault, FaultKind};
use orla_manifest::Verdict;
use std::fmt;

/// Seconds that a vendor asks to wait who is asked too often.
pub(super) const RETRY_AFTER_S: u64 = 7;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    /// The vendor answers with this status.
    Status(u16),
    /// The vendor answers 200 with a page that is no JSON.
    Garbage,
    /// The vendor answers 200 with events that are no JSON.
    GarbageEvents,
    /// The vendor answers 200 with nothing.
    Empty,
    /// The vendor answers with more than a connector may have.
    Huge,
    /// The line goes dead before the vendor has the request.
    CutBefore,
    /// The vendor does what was asked, and the line goes dead before its answer.
    CutAfter,
    /// The line goes dead in the middle of the answer.
    CutWithin,
    /// The line goes dead after so many events.
    CutEvents(usize),
    /// The vendor does what was asked, and never answers.
    Silence,
    /// The run is cancelled while the vendor answers.
    Cancel,
}

/// What the vendor did of what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Did {
    All,
    /// Nothing, and it says so.
    Refused,
    /// Nothing, but nobody can know.
    Nothing,
}

impl Mishap {
    /// All that can go wrong with a request that is answered so.
    pub(super) fn of(answer: &Answer) -> Vec<Self> {
        let mut all = vec![
            Self::Status(500),
            Self::Status(503),
            Self::Status(429),
            Self::Status(401),
            Self::Status(403),
            Self::Garbage,
            Self::Empty,
            Self::Huge,
            Self::CutBefore,
            Self::CutAfter,
            Self::Silence,
            Self::Cancel,
        ];
        match answer.events() {
            Some(events) => {
                let mut after = vec![0, 1, events.len() / 2, events.len().saturating_sub(1)];
                after.retain(|count| *count < events.len());
                after.sort_unstable();
                after.dedup();
                all.push(Self::GarbageEvents);
                all.extend(after.into_iter().map(Self::CutEvents));
            }
            None => all.push(Self::CutWithin),
        }
        all
    }

    /// What the vendor did of a request that it would have done.
    pub(super) fn did(self, verdicts: &[Verdict]) -> Did {
        match self {
            Self::Status(status) => outcome::did(verdicts, &outcome::told_back(status, &[])),
            Self::CutBefore => Did::Nothing,
            Self::Garbage
            | Self::GarbageEvents
            | Self::Empty
            | Self::Huge
            | Self::CutAfter
            | Self::CutWithin
            | Self::CutEvents(_)
            | Self::Silence
            | Self::Cancel => Did::All,
        }
    }

    /// What is wrong with a fault that a connector makes of it; `None` where nothing is.
    pub(super) fn flaw(self, fault: &Fault) -> Option<String> {
        use FaultKind::{
            AuthExpired, Budget, Bug, Cancelled, Conflict, Invalid, NotFound, Quota, RateLimited, ScopeMissing,
            Uncertain, VendorDown,
        };
        match fault.kind {
            Bug => return Some("a connector must not break".to_owned()),
            Budget => return Some("a connector must not use up its limits over it".to_owned()),
            _ => {}
        }
        let fitting: &[FaultKind] = match self {
            Self::Status(401) => &[AuthExpired],
            Self::Status(403) => &[ScopeMissing, AuthExpired, Invalid, Conflict, Quota, NotFound],
            Self::Status(429) => &[RateLimited, Quota],
            Self::Status(500..) | Self::CutBefore | Self::CutAfter | Self::CutWithin | Self::CutEvents(_) => {
                &[VendorDown, Uncertain]
            }
            Self::Silence => &[VendorDown, Uncertain],
            Self::Cancel => &[Cancelled, VendorDown, Uncertain],
            Self::Status(_) | Self::Garbage | Self::GarbageEvents | Self::Empty | Self::Huge => &[],
        };
        if !fitting.is_empty() && !fitting.contains(&fault.kind) {
            let fitting: Vec<String> = fitting.iter().map(|kind| format!("{kind:?}")).collect();
            return Some(format!("its kind has to be {}", fitting.join(" or ")));
        }
        let wanted_ms = RETRY_AFTER_S * 1_000;
        let waits = fault.retry_after_ms.is_some_and(|wait_ms| wait_ms >= wanted_ms);
        if self == Self::Status(429) && fault.kind == RateLimited && !waits {
            return Some(format!("its `retry-after-ms` has to say the {wanted_ms} that the vendor asks for"));
        }
        None
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(429) => write!(out, "answered 429 with `Retry-After: {RETRY_AFTER_S}`"),
            Self::Status(status) => write!(out, "answered {status}"),
            Self::Garbage => write!(out, "answered 200 with a page of HTML"),
            Self::GarbageEvents => write!(out, "answered with events that are no JSON"),
            Self::Empty => write!(out, "answered 200 with an empty body"),
            Self::Huge => write!(out, "answered 200 with more than the manifest's `inline_answer_bytes`"),
            Self::CutBefore => write!(out, "cut off before the vendor had it"),
            Self::CutAfter => write!(out, "cut off before its answer"),
            Self::CutWithin => write!(out, "cut off in the middle of its answer"),
            Self::CutEvents(count) => write!(out, "cut off after {count} of its events"),
            Self::Silence => write!(out, "never answered"),
            Self::Cancel => write!(out, "answered while the run is cancelled"),
        }
    }
}
