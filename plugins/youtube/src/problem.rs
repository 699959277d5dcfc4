//! What YouTube's refusals mean: <https://developers.google.com/youtube/v3/docs/errors>.
//!
//! The status says little (an allowance that is used up is a 403, as a missing permission is), the reason in the body much.

use crate::no_channel;
use orla_sdk::{Explained, FaultKind, Response, time};
use serde::Deserialize;

/// How long to leave YouTube alone where it asks for that and does not say for how long.
const LIMITED_MS: u64 = 60_000;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// When allowances begin anew, after midnight UTC: at midnight in California, where it is UTC-8. In summer that is an hour
/// late, and never early.
const RESET_MS: u64 = 8 * HOUR_MS;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    error: Problem,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    message: String,
    errors: Vec<Detail>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Detail {
    reason: String,
}

/// A refusal in YouTube's own words.
pub(crate) fn explain(answer: &Response) -> Explained {
    let Answer { error: Problem { message, errors } } = answer.json().unwrap_or_default();
    let reason = errors.into_iter().map(|detail| detail.reason).find(|reason| !reason.is_empty());
    let kind = reason.as_deref().and_then(kind);
    let retry_after_ms = match (kind, reason.as_deref()) {
        // A channel's own limit on uploads ends somewhen within a day.
        (Some(FaultKind::Quota), Some("uploadLimitExceeded")) | (None, _) => None,
        (Some(FaultKind::Quota), _) => Some(until_reset_ms(answer.date_ms().unwrap_or_else(time::now_ms))),
        (Some(FaultKind::RateLimited), _) => Some(answer.retry_after_ms().unwrap_or(LIMITED_MS)),
        _ => None,
    };
    let field = reason.as_deref().and_then(field).map(str::to_owned);
    let message = match reason.as_deref() {
        Some("youtubeSignupRequired") => Some(no_channel().message),
        Some("quotaExceeded" | "dailyLimitExceeded") => Some(
            "What this server may ask of YouTube in a day is used up; it begins anew at midnight Pacific Time."
                .to_owned(),
        ),
        _ => Some(without_tags(&message)).filter(|words| !words.is_empty()),
    };
    Explained { kind, code: reason, message, field, retry_after_ms }
}

/// What a reason means where its status misleads.
fn kind(reason: &str) -> Option<FaultKind> {
    Some(match reason {
        "quotaExceeded" | "dailyLimitExceeded" | "uploadLimitExceeded" => FaultKind::Quota,
        "rateLimitExceeded" | "userRateLimitExceeded" | "uploadRateLimitExceeded" => FaultKind::RateLimited,
        "insufficientPermissions" => FaultKind::ScopeMissing,
        "commentsDisabled" => FaultKind::Conflict,
        "youtubeSignupRequired" => FaultKind::NotFound,
        // The operator has not switched the API on.
        "accessNotConfigured" => FaultKind::Vendor,
        // It says what may not be done, which connecting anew does not change.
        "forbidden" | "forbiddenPrivacySetting" | "forbiddenLicenseSetting" | "forbiddenEmbedSetting" => {
            FaultKind::Invalid
        }
        not_found if not_found.ends_with("NotFound") => FaultKind::NotFound,
        _ => return None,
    })
}

/// The member of a post that a reason is about.
fn field(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "invalidTitle" => "title",
        "invalidDescription" => "parts/0/text",
        "invalidTags" => "extras/tags",
        "invalidCategoryId" => "extras/category",
        "forbiddenPrivacySetting" => "privacy",
        "forbiddenLicenseSetting" => "extras/license",
        "forbiddenEmbedSetting" => "extras/embeddable",
        _ => return None,
    })
}

/// The time until allowances begin anew.
fn until_reset_ms(now_ms: u64) -> u64 {
    let since_ms = (now_ms % DAY_MS + DAY_MS - RESET_MS) % DAY_MS;
    DAY_MS - since_ms
}

/// Words without the links that Google puts into them.
fn without_tags(html: &str) -> String {
    let mut plain = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        plain.push_str(before);
        match tag.split_once('>') {
            Some((_, after)) => rest = after,
            None => return plain + "<" + tag,
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::{until_reset_ms, without_tags};
    use orla_sdk::time;

    #[test]
    fn allowances_begin_anew_at_midnight_in_california() {
        let until_s = |now: &str| until_reset_ms(time::rfc3339_ms(now).unwrap()) / 1_000;
        assert_eq!(until_s("2026-01-15T07:59:00Z"), 60);
        assert_eq!(until_s("2026-01-15T08:00:00Z"), 86_400);
        assert_eq!(until_s("2026-07-15T20:00:00Z"), 12 * 3_600);
    }

    #[test]
    fn links_in_words_are_left_out() {
        let html = r#"You have exceeded your <a href="/youtube/v3#quota">quota</a>."#;
        assert_eq!(without_tags(html), "You have exceeded your quota.");
        assert_eq!(without_tags("1 < 2"), "1 < 2");
    }
}
