//! A vendor's answer.

use crate::bindings::connector::orla::connector::http;
use crate::{Fault, Result, time};
use serde::de::DeserializeOwned;
use std::borrow::Cow;

/// A vendor's answer with its body in memory.
///
/// ```
/// use orla_sdk::{Api, Response, Result};
///
/// fn remaining() -> Result<Option<u32>> {
///     let answer: Response = Api::new("api").get("/v1/me").read()?;
///     Ok(answer.header("x-remaining").and_then(|count| count.parse().ok()))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// What was asked, such as `POST /2/tweets`, for messages.
    asked: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    /// An answer from its parts, for tests of an [`Api`](crate::Api)'s `explain`. Header names are lowercase.
    ///
    /// ```
    /// let answer = orla_sdk::Response::new(429, &[("retry-after", "7")], r#"{"title":"Too Many Requests"}"#);
    /// assert_eq!(answer.header("retry-after"), Some("7"));
    /// ```
    #[must_use]
    pub fn new(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { asked: "a request".to_owned(), status, headers, body: body.into() }
    }

    /// Takes an answer off the wire, and the blobs that the host stored from it.
    pub(crate) fn take(asked: String, raw: http::Response) -> (Self, Vec<crate::Blob>) {
        let (body, blobs) = match raw.body {
            // Events have no body to hold; who asked for them has taken them before.
            http::Answer::None | http::Answer::Events(_) => (Vec::new(), Vec::new()),
            http::Answer::Bytes(bytes) => (bytes, Vec::new()),
            http::Answer::Blob(blob) => (Vec::new(), vec![blob]),
            http::Answer::JsonAndBlobs((json, blobs)) => (json.into_bytes(), blobs),
        };
        (Self { asked, status: raw.status, headers: raw.headers, body }, blobs)
    }

    /// What was asked, such as `POST /2/tweets`.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let played = play(|_line| answer(200, &serde_json::json!({})), || Api::new("api").get("/v1/me").read());
    /// assert_eq!(played.result.unwrap().asked(), "GET /v1/me");
    /// ```
    #[must_use]
    pub fn asked(&self) -> &str {
        &self.asked
    }

    /// The HTTP status.
    ///
    /// ```
    /// assert_eq!(orla_sdk::Response::new(201, &[], "").status(), 201);
    /// ```
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is 2xx.
    ///
    /// ```
    /// assert!(orla_sdk::Response::new(201, &[], "").is_success());
    /// assert!(!orla_sdk::Response::new(404, &[], "").is_success());
    /// ```
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name, which is given in lowercase.
    ///
    /// ```
    /// let answer = orla_sdk::Response::new(200, &[("etag", "\"7\"")], "");
    /// assert_eq!((answer.header("etag"), answer.header("date")), (Some("\"7\""), None));
    /// ```
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// All headers, with lowercase names.
    ///
    /// ```
    /// let answer = orla_sdk::Response::new(200, &[("x-limit", "17"), ("x-remaining", "3")], "");
    /// let limits = answer.headers().iter().filter(|(name, _)| name.starts_with("x-"));
    /// assert_eq!(limits.count(), 2);
    /// ```
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The link with this relation, where the manifest declares it by
    /// [`link_header`](crate::manifest::link_header) and the answer has it: to be kept as a cursor, or given to
    /// [`Api::follow`](crate::Api::follow).
    ///
    /// ```
    /// let header = r#"<orla-link:abc>; rel="next", <orla-link:def>; rel="prev""#;
    /// let answer = orla_sdk::Response::new(200, &[("link", header)], "[]");
    /// assert_eq!(answer.link("prev"), Some("orla-link:def"));
    /// assert_eq!(answer.link("first"), None);
    /// ```
    #[must_use]
    pub fn link(&self, relation: &str) -> Option<&str> {
        // The host has read the vendor's header, and writes this one in one form, whose links hold no comma.
        self.header("link")?.split(", ").find_map(|link| {
            let (sealed, rest) = link.strip_prefix('<')?.split_once(">; rel=\"")?;
            (rest.strip_suffix('"')? == relation).then_some(sealed)
        })
    }

    /// The body.
    ///
    /// ```
    /// assert_eq!(orla_sdk::Response::new(200, &[], vec![1, 2]).bytes(), [1, 2]);
    /// ```
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as text; what is no UTF-8 becomes U+FFFD.
    ///
    /// ```
    /// assert_eq!(orla_sdk::Response::new(200, &[], "Zoë").text(), "Zoë");
    /// ```
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body, read as JSON.
    ///
    /// ```
    /// #[derive(serde::Deserialize)]
    /// struct User {
    ///     username: String,
    /// }
    ///
    /// let user: User = orla_sdk::Response::new(200, &[], r#"{ "username": "ada" }"#).json()?;
    /// assert_eq!(user.username, "ada");
    /// # Ok::<(), orla_sdk::Fault>(())
    /// ```
    ///
    /// # Errors
    /// `vendor` when the body is not JSON of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Fault::vendor(format!("The vendor's answer to {} ({}) cannot be read: {error}.", self.asked, self.status))
        })
    }

    /// When the vendor wrote the answer, in milliseconds since 1970-01-01T00:00Z, by its own clock.
    ///
    /// ```
    /// let answer = orla_sdk::Response::new(200, &[("date", "Sun, 06 Nov 1994 08:49:37 GMT")], "");
    /// assert_eq!(answer.date_ms(), Some(784_111_777_000));
    /// ```
    #[must_use]
    pub fn date_ms(&self) -> Option<u64> {
        self.header("date").and_then(time::http_date_ms)
    }

    /// The milliseconds from this answer until a point in time that the vendor named; 0 when it has passed.
    ///
    /// Both ends are of the vendor's clock, so that a wrong clock of ours cannot shorten a wait. None when the answer
    /// bears no date.
    ///
    /// ```
    /// let answer = orla_sdk::Response::new(429, &[("date", "Sun, 06 Nov 1994 08:49:37 GMT")], "");
    /// assert_eq!(answer.ms_until(784_111_780_000), Some(3_000));
    /// ```
    #[must_use]
    pub fn ms_until(&self, at_ms: u64) -> Option<u64> {
        self.date_ms().map(|now_ms| at_ms.saturating_sub(now_ms))
    }

    /// The wait that `Retry-After` asks for, in either of its forms (RFC 9110 section 10.2.3).
    ///
    /// A date is held against the answer's own, and only where the answer bears none against the run's clock
    /// ([`time::now_ms`]). That stands at the run's beginning, so that such a wait may be longer than the vendor
    /// asked for, and never shorter.
    ///
    /// ```
    /// assert_eq!(orla_sdk::Response::new(429, &[("retry-after", "7")], "").retry_after_ms(), Some(7_000));
    /// ```
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        let value = self.header("retry-after")?.trim();
        match value.parse::<u64>() {
            Ok(seconds) => Some(seconds.saturating_mul(1_000)),
            Err(_) => {
                let now_ms = self.date_ms().unwrap_or_else(time::now_ms);
                Some(time::http_date_ms(value)?.saturating_sub(now_ms))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Response;
    use crate::{FaultKind, testing, time};

    const DATE: (&str, &str) = ("date", "Sat, 22 Aug 2026 10:00:00 GMT");

    #[test]
    fn retry_after_in_seconds() {
        assert_eq!(Response::new(429, &[("retry-after", "120")], "").retry_after_ms(), Some(120_000));
        assert_eq!(Response::new(429, &[("retry-after", " 0 ")], "").retry_after_ms(), Some(0));
    }

    #[test]
    fn retry_after_as_a_date_counts_from_the_answers_own() {
        let later = ("retry-after", "Sat, 22 Aug 2026 10:01:30 GMT");
        assert_eq!(Response::new(429, &[DATE, later], "").retry_after_ms(), Some(90_000));
        let earlier = ("retry-after", "Sat, 22 Aug 2026 09:00:00 GMT");
        assert_eq!(Response::new(429, &[DATE, earlier], "").retry_after_ms(), Some(0));
    }

    #[test]
    fn retry_after_as_a_date_counts_from_the_runs_clock_where_the_answer_has_no_date() {
        let began_ms = time::rfc3339_ms("2026-08-22T10:01:00Z").unwrap();
        let later = || Response::new(429, &[("retry-after", "Sat, 22 Aug 2026 10:01:30 GMT")], "").retry_after_ms();
        assert_eq!(testing::play_at(began_ms, |_line| unreachable!(), later).result, Some(30_000));
        assert_eq!(testing::play_at(began_ms + 60_000, |_line| unreachable!(), later).result, Some(0));
    }

    #[test]
    fn retry_after_that_says_nothing() {
        assert_eq!(Response::new(429, &[DATE, ("retry-after", "soon")], "").retry_after_ms(), None);
        assert_eq!(Response::new(429, &[DATE], "").retry_after_ms(), None);
    }

    #[test]
    fn a_body_of_another_shape_is_the_vendors_fault() {
        let fault = Response::new(200, &[], "<html>").json::<serde_json::Value>().unwrap_err();
        assert_eq!(fault.kind, FaultKind::Vendor);
        assert!(fault.message.starts_with("The vendor's answer to a request (200) cannot be read: "), "{fault}");
    }
}
