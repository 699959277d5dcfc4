//! What Instagram's refusals mean:
//! <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/error-codes> and, for what the Graph
//! API says of every request, <https://developers.facebook.com/docs/graph-api/guides/error-handling>.
//!
//! The status says little (most refusals are 400), code and subcode in the body much.

use orla_sdk::{Explained, Fault, FaultKind, Response};
use serde::Deserialize;
use std::collections::BTreeMap;

/// How long to leave a limit alone that does not say when it ends: asking meanwhile lengthens it.
const LIMITED_MS: u64 = 5 * 60 * 1_000;

/// Subcodes of containers that Instagram does not keep any more, or does not find.
const STALE: [u32; 3] = [2_207_006, 2_207_008, 2_207_020];
/// The subcode of one that it still works on.
const NOT_READY: u32 = 2_207_027;
/// The subcode of a carousel whose children do not fit, for they are not what they were.
const CAROUSEL: u32 = 2_207_028;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    error: Problem,
}

/// The account of what went wrong, in the members that are read.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    message: Option<String>,
    /// For the person who uses the app.
    error_user_msg: Option<String>,
    code: Option<u32>,
    error_subcode: Option<u32>,
    is_transient: bool,
}

impl Problem {
    fn kind(&self) -> Option<FaultKind> {
        if let Some(kind) = self.error_subcode.and_then(of_subcode) {
            return Some(kind);
        }
        let kind = match (self.code?, self.error_subcode) {
            (102 | 190, _) => FaultKind::AuthExpired,
            (10 | 200..=299, _) => FaultKind::ScopeMissing,
            // Of the app, the person, calls of one kind; and from 80000 on of each use case.
            (4 | 17 | 32 | 341 | 613 | 80_000..=80_014, _) => FaultKind::RateLimited,
            (1 | 2, _) => FaultKind::VendorDown,
            // As much as may be published in a day; or blocked for a while for what was posted before.
            (9 | 368, _) => FaultKind::Quota,
            (100, Some(33)) | (803, _) => FaultKind::NotFound,
            // The version is not served any more.
            (2_635, _) => FaultKind::Vendor,
            _ if self.is_transient => FaultKind::VendorDown,
            (100 | 9_004 | 36_000..=36_004, _) => FaultKind::Invalid,
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

/// What a subcode of publishing means, in an answer or in the status of a container.
fn of_subcode(subcode: u32) -> Option<FaultKind> {
    Some(match subcode {
        // Timeouts and failures in passing, of fetching, too: the next container may do better.
        2_207_001 | 2_207_003 | 2_207_032 | 2_207_052 | 2_207_053 | 2_207_082 | NOT_READY => FaultKind::VendorDown,
        2_207_042 => FaultKind::Quota,
        2_207_050 | 2_207_051 => FaultKind::ScopeMissing,
        2_207_004 => FaultKind::TooLarge,
        2_207_005 | 2_207_009 | 2_207_010 | 2_207_023 | 2_207_026 | CAROUSEL | 2_207_040 | 2_207_057 => {
            FaultKind::Invalid
        }
        subcode if STALE.contains(&subcode) => FaultKind::NotFound,
        _ => return None,
    })
}

/// A refusal in Instagram's own words.
pub(crate) fn explain(answer: &Response) -> Explained {
    let problem = answer.json::<Answer>().unwrap_or_default().error;
    let (kind, code) = (problem.kind(), problem.name());
    let is_said = |words: &String| !words.trim().is_empty();
    let message = problem.error_user_msg.filter(is_said).or(problem.message);
    let wait_ms = || regain_ms(answer).or_else(|| answer.retry_after_ms()).unwrap_or(LIMITED_MS);
    let retry_after_ms = (kind == Some(FaultKind::RateLimited)).then(wait_ms);
    Explained { kind, code, message, field: None, retry_after_ms }
}

/// A refusal of what takes films, which speaks in a manner of its own, and of tokens like the rest.
pub(crate) fn explain_upload(answer: &Response) -> Explained {
    #[derive(Deserialize)]
    struct Upload {
        debug_info: Debug,
    }
    #[derive(Deserialize)]
    struct Debug {
        #[serde(default)]
        retriable: bool,
        r#type: Option<String>,
        message: Option<String>,
    }
    let Ok(Upload { debug_info: Debug { retriable, r#type: code, message } }) = answer.json() else {
        return explain(answer);
    };
    let kind = if retriable { FaultKind::VendorDown } else { FaultKind::Invalid };
    Explained { kind: Some(kind), code, message, field: None, retry_after_ms: None }
}

/// The fault that the status of a container tells, such as "Error: Media upload has failed with error code 2207026".
pub(crate) fn of_status(status: &str) -> Fault {
    let numbers = status.split(|letter: char| !letter.is_ascii_digit());
    let subcode = numbers.filter(|digits| digits.len() == 7).find_map(|digits| digits.parse().ok());
    let words = status.trim_start_matches("Error:").trim().trim_end_matches('.');
    let kind = match subcode.and_then(of_subcode) {
        // It was there, or there would be no status.
        Some(FaultKind::NotFound) => FaultKind::VendorDown,
        Some(kind) => kind,
        None => FaultKind::Invalid,
    };
    let message = match words {
        "" => "Instagram could not process the medium, and does not say why.".to_owned(),
        words => format!("Instagram could not process the medium: {words}."),
    };
    Fault { code: subcode.map(|subcode| subcode.to_string()), ..Fault::new(kind, message) }
}

/// Whether Instagram does not keep a container any more.
pub(crate) fn is_stale(fault: &Fault) -> bool {
    subcode_of(fault).is_some_and(|subcode| STALE.contains(&subcode))
}

/// Whether Instagram is still working on a container.
pub(crate) fn is_not_ready(fault: &Fault) -> bool {
    subcode_of(fault) == Some(NOT_READY)
}

/// Whether Instagram does not make a carousel of these children.
pub(crate) fn is_carousel(fault: &Fault) -> bool {
    subcode_of(fault) == Some(CAROUSEL)
}

fn subcode_of(fault: &Fault) -> Option<u32> {
    fault.code.as_deref()?.split_once('/')?.1.parse().ok()
}

/// The time until the account may be used again, which is told in minutes:
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
