//! What Google's refusals mean: `google.rpc.Status` under `error`, <https://cloud.google.com/apis/design/errors>.

use orla_sdk::{Explained, FaultKind, Response};
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    error: Problem,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    message: String,
    status: Option<String>,
    details: Vec<Detail>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    /// Of `google.rpc.RetryInfo`, such as `33s`.
    retry_delay: Option<String>,
    /// Of `google.rpc.ErrorInfo`, such as `SERVICE_DISABLED`.
    reason: Option<String>,
}

/// Reasons of a 403 with which Google says itself what to do.
const SELF_EXPLAINING: [&str; 3] = ["ACCESS_TOKEN_SCOPE_INSUFFICIENT", "SERVICE_DISABLED", "BILLING_DISABLED"];

/// A refusal in Google's own words.
pub(crate) fn explain(answer: &Response) -> Explained {
    let Answer { error: Problem { message, status, details } } = answer.json().unwrap_or_default();
    Explained {
        code: status,
        message: Some(message.trim().to_owned()).filter(|words| !words.is_empty()),
        retry_after_ms: details.iter().find_map(|detail| seconds_ms(detail.retry_delay.as_deref()?)),
        ..Explained::default()
    }
}

/// A refusal of what is asked of a model or of Cloud Storage, with what to do about it.
pub(crate) fn explain_video(answer: &Response) -> Explained {
    let explained = explain(answer);
    let is_beginning = answer.asked().ends_with(":predictLongRunning");
    let words = explained.message.clone().unwrap_or_default();
    let message = |words: String| Some(words.trim().to_owned());
    match answer.status() {
        404 if is_beginning => Explained {
            kind: Some(FaultKind::Invalid),
            code: explained.code.or_else(|| Some("NOT_FOUND".to_owned())),
            message: message(format!(
                "{words} Google retires models: the caller's `model` or the connector's setting `model` names another, and \
                 `location` where it is to be had."
            )),
            field: Some("model".to_owned()),
            ..explained
        },
        404 => Explained { message: message(format!("Google no longer knows this video. {words}")), ..explained },
        403 if is_beginning && !says_what_to_do(answer) => Explained {
            message: message(format!(
                "{words} Let whoever owns the project give the account the roles Vertex AI User and Service Usage Consumer there."
            )),
            ..explained
        },
        _ => explained,
    }
}

/// Whether Google says itself what is to be done about a 403: `reason` of `google.rpc.ErrorInfo`.
fn says_what_to_do(answer: &Response) -> bool {
    let Answer { error: Problem { details, .. } } = answer.json().unwrap_or_default();
    let reasons = details.iter().filter_map(|detail| detail.reason.as_deref());
    reasons.into_iter().any(|reason| SELF_EXPLAINING.contains(&reason))
}

/// A duration as Google writes it, such as `33s` or `1.5s`.
fn seconds_ms(text: &str) -> Option<u64> {
    let seconds: f64 = text.trim().strip_suffix('s')?.parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then(|| (seconds * 1_000.0).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::seconds_ms;

    #[test]
    fn durations_as_google_writes_them() {
        for (text, wait_ms) in
            [("33s", Some(33_000)), ("1.5s", Some(1_500)), ("0s", Some(0)), ("-1s", None), ("33", None), ("", None)]
        {
            assert_eq!(seconds_ms(text), wait_ms, "{text}");
        }
    }
}
