//! What an answer's headers say of how often its sender may be asked.

use crate::clock::Timestamp;
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Nobody is left alone for longer: then it is asked again, and may say so again.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// What Facebook says of an app that has used up its calls has no end. The count falls over an hour.
const APP_USAGE: Duration = Duration::from_secs(5 * 60);
/// A number at least as large is a moment, not a while.
const FIRST_MOMENT_S: f64 = 1_000_000_000.0;
const FIRST_MOMENT_MS: f64 = 1_000_000_000_000.0;

/// For how long the sender wants to be left alone, by whom.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// By whom, it does not say: `Retry-After`.
    pub(super) asked: Option<Duration>,
    /// By the app, whoever it acts for: `X-App-Usage`.
    pub(super) app: Option<Duration>,
    /// By the account: `X-Business-Use-Case-Usage`.
    pub(super) account: Option<Duration>,
    /// By the account, at this place: headers of rate limits, which most vendors count by user and route.
    pub(super) place: Option<Duration>,
}

impl Said {
    pub(super) fn by(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Self {
        let is_refusal = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let asked = if is_refusal { retry_after(headers, now) } else { None };
        let bounded = |wait: Option<Duration>| wait.filter(|wait| !wait.is_zero()).map(|wait| wait.min(LONGEST));
        Self {
            asked: bounded(asked),
            app: bounded(app_usage(headers)),
            account: bounded(use_cases(headers)),
            place: bounded(used_up(headers, now).max(draft(headers))),
        }
    }
}

/// `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds).min(LONGEST));
    }
    let date = OffsetDateTime::from(httpdate::parse_http_date(text).ok()?);
    Some(until(date, now).min(LONGEST))
}

/// The longest wait among limits of which nothing remains: `X-RateLimit-Remaining` with `X-RateLimit-Reset` in their many
/// spellings, such as `x-rate-limit-remaining` (X), `x-ratelimit-remaining-tokens` (OpenAI), `RateLimit-Remaining`.
fn used_up(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let limits = headers.iter().filter(|(name, _)| {
        let name = name.as_str();
        (name.contains("ratelimit-") || name.contains("rate-limit-")) && name.contains("remaining")
    });
    let spent = limits.filter(|(_, rest)| rest.to_str().is_ok_and(|rest| rest.trim().parse() == Ok(0_u64)));
    let resets = spent.filter_map(|(name, _)| {
        let reset = HeaderName::try_from(name.as_str().replace("remaining", "reset")).ok()?;
        moment(headers.get(reset)?.to_str().ok()?.trim(), now)
    });
    resets.max()
}

/// How long it is until a reset: seconds until then, the moment in seconds or milliseconds since 1970, a date, or a
/// duration such as `6m0s`.
fn moment(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(number) = text.parse::<f64>() {
        let now_s = now.millis() as f64 / 1_000.0;
        let seconds = match number {
            ms if ms >= FIRST_MOMENT_MS => ms / 1_000.0 - now_s,
            s if s >= FIRST_MOMENT_S => s - now_s,
            seconds => seconds,
        };
        return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    }
    match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(date) => Some(until(date, now)),
        Err(_) => units(text),
    }
}

fn until(date: OffsetDateTime, now: Timestamp) -> Duration {
    let micros = i64::try_from(date.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX);
    Timestamp(micros).since(now)
}

/// A duration as Go writes them, such as `1h2m3.5s` or `20ms`.
fn units(text: &str) -> Option<Duration> {
    let (mut sum, mut rest) = (Duration::ZERO, text);
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|char: char| char.is_ascii_alphabetic())?);
        let (unit, tail) = tail.split_at(tail.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(tail.len()));
        let seconds = match unit {
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        sum = sum.saturating_add(part);
        rest = tail;
    }
    Some(sum)
}

/// `RateLimit: "name";r=0;t=30` of the IETF's draft (draft-ietf-httpapi-ratelimit-headers): rest, and seconds.
fn draft(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all("ratelimit").iter().filter_map(|value| value.to_str().ok());
    let limits = values.flat_map(|value| value.split(',')).filter_map(|limit| {
        let number = |name: &str| limit.split(';').find_map(|item| item.trim().strip_prefix(name)?.parse::<u64>().ok());
        (number("r=") == Some(0)).then(|| number("t=")).flatten()
    });
    limits.max().map(Duration::from_secs)
}

/// `X-App-Usage: {"call_count":28,"total_time":25,"total_cputime":25}`, in percent
/// (<https://developers.facebook.com/docs/graph-api/overview/rate-limiting>).
fn app_usage(headers: &HeaderMap) -> Option<Duration> {
    let used: BTreeMap<String, f64> = json(headers, "x-app-usage")?;
    used.values().any(|percent| *percent >= 100.0).then_some(APP_USAGE)
}

/// `X-Business-Use-Case-Usage: {"<id>":[{"type":"pages","estimated_time_to_regain_access":5,…}]}`, in minutes.
fn use_cases(headers: &HeaderMap) -> Option<Duration> {
    let used: BTreeMap<String, Vec<Value>> = json(headers, "x-business-use-case-usage")?;
    let minutes = used.values().flatten().filter_map(|case| case["estimated_time_to_regain_access"].as_u64());
    minutes.max().map(|minutes| Duration::from_secs(minutes.saturating_mul(60)))
}

fn json<T: serde::de::DeserializeOwned>(headers: &HeaderMap, name: &str) -> Option<T> {
    serde_json::from_slice(headers.get(name)?.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    /// 2026-01-01T00:00:00Z.
    const NOW: Timestamp = Timestamp(1_767_225_600_000_000);

    fn said(status: u16, headers: &[(&'static str, &str)]) -> [Option<u64>; 4] {
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header's value"))
        });
        let said = Said::by(StatusCode::from_u16(status).expect("a status"), &headers.collect(), NOW);
        [said.asked, said.app, said.account, said.place].map(|wait| wait.map(|wait| wait.as_secs()))
    }

    /// A status, headers, and the seconds of waiting: for who knows whom, the app, the account, the place.
    type Case<'a> = (u16, &'a [(&'static str, &'a str)], [Option<u64>; 4]);

    #[test]
    fn vendors_are_understood() {
        let none = [None; 4];
        let cases: &[Case<'_>] = &[
            (429, &[], none),
            (429, &[("retry-after", "120")], [Some(120), None, None, None]),
            (503, &[("retry-after", "Thu, 01 Jan 2026 00:01:00 GMT")], [Some(60), None, None, None]),
            (503, &[("retry-after", "Wed, 31 Dec 2025 00:01:00 GMT")], none),
            (200, &[("retry-after", "120")], none),
            (429, &[("retry-after", "soon")], none),
            (429, &[("retry-after", "99999999999")], [Some(86_400), None, None, None]),
            (
                200,
                &[("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", "1767225630")],
                [None, None, None, Some(30)],
            ),
            (200, &[("x-rate-limit-remaining", "1"), ("x-rate-limit-reset", "1767225630")], none),
            (200, &[("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", "1767225500")], none),
            (
                200,
                &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1767225630000")],
                [None, None, None, Some(30)],
            ),
            (
                200,
                &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2026-01-01T00:05:00.000000Z")],
                [None, None, None, Some(300)],
            ),
            (200, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "7")], [None, None, None, Some(7)]),
            (200, &[("ratelimit", r#""burst";r=3;t=9, "day";r=0;t=40"#)], [None, None, None, Some(40)]),
            (
                200,
                &[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m1.5s")],
                [None, None, None, Some(361)],
            ),
            (200, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "-5")], none),
            (200, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "NaN")], none),
            (200, &[("x-ratelimit-remaining", "0")], none),
            (200, &[("x-app-usage", r#"{"call_count":28,"total_time":25,"total_cputime":25}"#)], none),
            (
                200,
                &[("x-app-usage", r#"{"call_count":100,"total_time":25,"total_cputime":25}"#)],
                [None, Some(300), None, None],
            ),
            (
                400,
                &[(
                    "x-business-use-case-usage",
                    r#"{"17":[{"type":"pages","call_count":100,"estimated_time_to_regain_access":5}]}"#,
                )],
                [None, None, Some(300), None],
            ),
            (200, &[("x-business-use-case-usage", r#"{"17":[{"estimated_time_to_regain_access":0}]}"#)], none),
            (200, &[("x-app-usage", "[")], none),
        ];
        for (status, headers, wanted) in cases {
            assert_eq!(&said(*status, headers), wanted, "{status} {headers:?}");
        }
    }
}
