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
}

/// A refusal in Google's own words.
pub(crate) fn explain(answer: &Response) -> Explained {
    let Answer { error: Problem { message, status, details } } = answer.json().unwrap_or_default();
    let retry_after_ms = details.iter().find_map(|detail| seconds_ms(detail.retry_delay.as_deref()?));
    let is_beginning = answer.asked().ends_with(":predictLongRunning");
    let (kind, message) = match answer.status() {
        404 if is_beginning => (
            Some(FaultKind::Invalid),
            format!(
                "{message} Google retires models: the caller's `model` or the connector's setting `model` names another, and \
                 `location` where it is to be had."
            ),
        ),
        404 => (None, format!("Google no longer knows this video. {message}")),
        _ => (None, message),
    };
    Explained {
        kind,
        code: status.or_else(|| (answer.status() == 404 && is_beginning).then(|| "NOT_FOUND".to_owned())),
        message: Some(message.trim().to_owned()).filter(|words| !words.is_empty()),
        field: (answer.status() == 404 && is_beginning).then(|| "model".to_owned()),
        retry_after_ms,
    }
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
