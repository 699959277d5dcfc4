//! What Facebook's refusals mean: <https://developers.facebook.com/docs/graph-api/guides/error-handling>.
//!
//! The status says little (most refusals are 400), the code in the body much.

use orla_sdk::{Explained, Fault, FaultKind, Response};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// How long to leave a limit alone that does not say when it ends: asking meanwhile lengthens it.
const LIMITED_MS: u64 = 5 * 60 * 1_000;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    error: Problem,
}

/// Facebook's account of what went wrong, in the members that are read.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Problem {
    message: Option<String>,
    /// For the person who uses the app.
    error_user_msg: Option<String>,
    pub(crate) code: Option<u32>,
    pub(crate) error_subcode: Option<u32>,
    pub(crate) error_data: Value,
    is_transient: bool,
}

impl Problem {
    pub(crate) fn of(answer: &Response) -> Self {
        answer.json::<Answer>().unwrap_or_default().error
    }

    fn kind(&self) -> Option<FaultKind> {
        let kind = match (self.code?, self.error_subcode) {
            (102 | 190, _) => FaultKind::AuthExpired,
            (10 | 200..=299, _) => FaultKind::ScopeMissing,
            // Of the app, the person, a page, calls of one kind; and from 80000 on of each use case.
            (4 | 17 | 32 | 341 | 613 | 80_000..=80_014, _) => FaultKind::RateLimited,
            (1 | 2, _) => FaultKind::VendorDown,
            // Blocked for a while for what was posted before.
            (368, _) => FaultKind::Quota,
            (506, _) => FaultKind::Conflict,
            (100, Some(33)) | (803, _) => FaultKind::NotFound,
            // The version is not served any more.
            (2_635, _) => FaultKind::Vendor,
            _ if self.is_transient => FaultKind::VendorDown,
            (100 | 324 | 352 | 1_500 | 6_000 | 1_609_005 | 1_609_008, _) => FaultKind::Invalid,
            _ => return None,
        };
        Some(kind)
    }

    /// Such as `190/463`.
    fn name(&self) -> Option<String> {
        let code = self.code?;
        Some(self.error_subcode.map_or_else(|| code.to_string(), |subcode| format!("{code}/{subcode}")))
    }
}

/// A refusal in Facebook's own words.
pub(crate) fn explain(answer: &Response) -> Explained {
    let problem = Problem::of(answer);
    let (kind, code) = (problem.kind(), problem.name());
    let is_said = |words: &String| !words.trim().is_empty();
    let message = problem.error_user_msg.filter(is_said).or(problem.message);
    let wait_ms = || regain_ms(answer).or_else(|| answer.retry_after_ms()).unwrap_or(LIMITED_MS);
    let retry_after_ms = (kind == Some(FaultKind::RateLimited)).then(wait_ms);
    Explained { kind, code, message, field: None, retry_after_ms }
}

/// The fault that an answer means which was accepted first.
pub(crate) fn refusal(answer: &Response) -> Fault {
    let Explained { kind, code, message, retry_after_ms, .. } = explain(answer);
    let silent = || format!("Facebook answered {} to {}.", answer.status(), answer.asked());
    let kind = kind.unwrap_or(FaultKind::Invalid);
    Fault { code, retry_after_ms, ..Fault::new(kind, message.unwrap_or_else(silent)) }
}

/// The time until a page may be used again, which Facebook tells in minutes:
/// <https://developers.facebook.com/docs/graph-api/overview/rate-limiting#headers-2>.
fn regain_ms(answer: &Response) -> Option<u64> {
    #[derive(Deserialize)]
    struct Usage {
        #[serde(default)]
        estimated_time_to_regain_access: u64,
    }
    let header = answer.header("x-business-use-case-usage")?;
    let usages: BTreeMap<String, Vec<Usage>> = serde_json::from_str(header).ok()?;
    let minutes = usages.values().flatten().map(|usage| usage.estimated_time_to_regain_access).max()?;
    (minutes > 0).then(|| minutes.saturating_mul(60_000))
}
