//! What OpenAI means by an error: <https://platform.openai.com/docs/guides/error-codes>.

use crate::answer::words;
use orla_sdk::{Explained, Fault, FaultKind, Response};
use serde_json::Value;

/// An error in OpenAI's words. Other servers are read as far as they follow.
#[derive(Debug, Default)]
pub(crate) struct Problem {
    message: Option<String>,
    r#type: Option<String>,
    code: Option<String>,
    param: Option<String>,
}

impl Problem {
    /// Reads an error, or a document that holds one under `error`.
    pub(crate) fn read(document: &Value) -> Self {
        let error = match &document["error"] {
            Value::String(message) => return Self { message: Some(message.clone()), ..Self::default() },
            error @ Value::Object(_) => error,
            _ => document,
        };
        let text = |member: &str| match &error[member] {
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let message = text("message").or_else(|| text("detail"));
        Self { message, r#type: text("type"), code: text("code"), param: text("param") }
    }

    fn of(answer: &Response) -> Self {
        Self::read(&answer.json().unwrap_or_default())
    }

    /// The fault of an error that came without a status.
    pub(crate) fn fault(self) -> Fault {
        let unspecific = if self.is("invalid_request_error") { FaultKind::Invalid } else { FaultKind::Vendor };
        let message = self.message.as_deref().unwrap_or("OpenAI's answer failed, and it does not say why.");
        Fault {
            code: self.own_code(),
            field: self.param.clone(),
            ..Fault::new(self.kind().unwrap_or(unspecific), words(message))
        }
    }

    fn is(&self, word: &str) -> bool {
        self.code.as_deref() == Some(word) || self.r#type.as_deref() == Some(word)
    }

    /// What the error means where it says so itself.
    fn kind(&self) -> Option<FaultKind> {
        const MEANINGS: [(&str, FaultKind); 13] = [
            ("invalid_api_key", FaultKind::AuthExpired),
            // Told with 429, like a rate limit; but waiting does not help.
            ("insufficient_quota", FaultKind::Quota),
            ("billing_not_active", FaultKind::Quota),
            ("billing_hard_limit_reached", FaultKind::Quota),
            ("model_not_found", FaultKind::NotFound),
            ("context_length_exceeded", FaultKind::TooLarge),
            ("content_policy_violation", FaultKind::Invalid),
            ("content_filter", FaultKind::Invalid),
            ("invalid_prompt", FaultKind::Invalid),
            ("rate_limit_exceeded", FaultKind::RateLimited),
            ("server_is_overloaded", FaultKind::VendorDown),
            ("service_unavailable_error", FaultKind::VendorDown),
            ("server_error", FaultKind::VendorDown),
        ];
        MEANINGS.into_iter().find(|(word, _)| self.is(word)).map(|(_, kind)| kind)
    }

    /// The code: the contract's own where the vendor withholds an answer, else the vendor's.
    fn own_code(&self) -> Option<String> {
        // `invalid_prompt` is what a flagged prompt is called.
        if ["content_policy_violation", "content_filter", "invalid_prompt"].into_iter().any(|word| self.is(word)) {
            return Some("content-filter".to_owned());
        }
        self.code.clone().or_else(|| self.r#type.clone())
    }
}

/// What a refusal means.
pub(crate) fn explain(answer: &Response) -> Explained {
    let problem = Problem::of(answer);
    Explained {
        kind: problem.kind(),
        code: problem.own_code(),
        message: message(answer, &problem),
        retry_after_ms: retry_after_ms(answer, &problem),
        field: problem.param,
    }
}

/// OpenAI's words, and what the operator can do about them.
fn message(answer: &Response, problem: &Problem) -> Option<String> {
    let said = problem.message.as_deref().map(words);
    if answer.status() != 404 && !problem.is("model_not_found") {
        return said;
    }
    let about_model =
        problem.is("model_not_found") || said.as_deref().unwrap_or_default().to_lowercase().contains("model");
    let hint = match answer.asked() {
        _ if about_model => "The connector's setting `model` names the model that is used by default.",
        "POST /v1/responses" => "A server that only speaks Chat Completions needs the setting `api=chat_completions`.",
        _ => return said,
    };
    let said = said.unwrap_or_else(|| format!("The server does not know {}.", answer.asked()));
    Some(format!("{said} {hint}"))
}

/// How long to wait, where OpenAI says it more precisely than with `Retry-After`, or only otherwise.
fn retry_after_ms(answer: &Response, problem: &Problem) -> Option<u64> {
    if let Some(wait_ms) = answer.header("retry-after-ms").and_then(|text| text.trim().parse::<f64>().ok()) {
        return Some(wait_ms.max(0.0).ceil() as u64);
    }
    // Every answer tells when the limits reset; only a rate limit makes it a wait.
    let is_rate_limit = answer.status() == 429 && problem.kind() != Some(FaultKind::Quota);
    if answer.retry_after_ms().is_some() || !is_rate_limit {
        return None;
    }
    let resets = ["x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"];
    let [requests, tokens] = resets.map(|name| answer.header(name).and_then(duration_ms));
    if problem.is("tokens") { tokens.or(requests) } else { requests.or(tokens) }
}

/// Reads a duration as Go writes it, such as `6m0s`, `1.5s` or `120ms`.
fn duration_ms(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total_ms = 0.0;
    while !rest.is_empty() {
        let number = &rest[..rest.find(|character: char| !character.is_ascii_digit() && character != '.')?];
        rest = &rest[number.len()..];
        let unit = &rest[..rest.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(rest.len())];
        rest = &rest[unit.len()..];
        let unit_ms = match unit {
            "ms" => 1.0,
            "s" => 1_000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            "d" => 86_400_000.0,
            _ => return None,
        };
        total_ms += number.parse::<f64>().ok()? * unit_ms;
    }
    (!text.trim().is_empty()).then_some(f64::round(total_ms) as u64)
}

#[cfg(test)]
mod tests {
    use super::duration_ms;

    #[test]
    fn durations_as_go_writes_them() {
        let expected = [
            ("6m0s", 360_000),
            ("1s", 1_000),
            ("120ms", 120),
            ("1m30.951s", 90_951),
            ("1h2m3s", 3_723_000),
            ("2d", 172_800_000),
            ("0s", 0),
            (" 17ms ", 17),
        ];
        for (text, wait_ms) in expected {
            assert_eq!(duration_ms(text), Some(wait_ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration() {
        for text in ["", " ", "6", "s", "6x", "1.2.3s", "-1s", "é", "1sé"] {
            assert_eq!(duration_ms(text), None, "{text}");
        }
    }
}
