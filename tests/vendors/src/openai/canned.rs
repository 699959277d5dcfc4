//! Answers that a test made up, and those that OpenAI is known for.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::faults::Mode;
use super::problem::Problem;

/// An answer that a test made up.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canned {
    /// The status, 200 to 599.
    pub status: u16,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The JSON body; an error of OpenAI's shape unless given.
    #[serde(default)]
    pub body: Option<Value>,
}

impl Canned {
    pub(super) fn check(&self) -> Result<(), String> {
        let header = |(name, value): (&String, &String)| {
            HeaderName::try_from(name.as_str()).is_ok() && HeaderValue::try_from(value.as_str()).is_ok()
        };
        match self.status {
            200..=599 if self.headers.iter().all(header) => Ok(()),
            200..=599 => Err("a header of the fault has an impossible name or value".to_owned()),
            status => Err(format!("{status} is not a status between 200 and 599")),
        }
    }

    fn with(self, name: &str, value: u64) -> Self {
        let Self { status, mut headers, body } = self;
        headers.insert(name.to_owned(), value.to_string());
        Self { status, headers, body }
    }

    fn error(status: StatusCode, kind: &'static str, code: &'static str, message: &str) -> Self {
        let body = Problem::new(status, kind, message).coded(code).body();
        Self { status: status.as_u16(), headers: BTreeMap::new(), body: Some(body) }
    }
}

impl Mode {
    /// An answer with this status and an error that says no more.
    pub fn status(status: u16) -> Self {
        Self::Status(Canned { status, ..Canned::default() })
    }

    /// 401 `invalid_api_key`: the key was revoked.
    pub fn unauthorized() -> Self {
        let body = Problem::wrong_key("sk-revoked-since-yesterday").body();
        Self::Status(Canned { status: 401, headers: BTreeMap::new(), body: Some(body) })
    }

    /// 403 `unsupported_country_region_territory`.
    pub fn forbidden() -> Self {
        let message = "Country, region, or territory not supported";
        let code = "unsupported_country_region_territory";
        Self::Status(Canned::error(StatusCode::FORBIDDEN, "request_forbidden", code, message))
    }

    /// 404 `model_not_found`.
    pub fn not_found() -> Self {
        let body = Problem::no_such_model("gpt-retired").body();
        Self::Status(Canned { status: 404, headers: BTreeMap::new(), body: Some(body) })
    }

    /// 429 `rate_limit_exceeded`: it passes after so many seconds.
    pub fn rate_limited(retry_after_s: u64) -> Self {
        let message = format!(
            "Rate limit reached for requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in \
             {retry_after_s}s. Visit https://platform.openai.com/account/rate-limits to learn more."
        );
        let canned = Canned::error(StatusCode::TOO_MANY_REQUESTS, "requests", "rate_limit_exceeded", &message);
        let canned = canned.with("retry-after", retry_after_s).with("retry-after-ms", retry_after_s * 1_000);
        Self::Status(canned.with("x-ratelimit-remaining-requests", 0))
    }

    /// 429 `insufficient_quota`: nobody has paid, and waiting does not help.
    pub fn insufficient_quota() -> Self {
        let message = "You exceeded your current quota, please check your plan and billing details. For more \
                       information on this error, read the docs: \
                       https://platform.openai.com/docs/guides/error-codes/api-errors.";
        let code = "insufficient_quota";
        Self::Status(Canned::error(StatusCode::TOO_MANY_REQUESTS, code, code, message))
    }

    /// 500 `server_error`.
    pub fn server_error() -> Self {
        let body = Problem::server_error().body();
        Self::Status(Canned { status: 500, headers: BTreeMap::new(), body: Some(body) })
    }

    /// 503 `server_is_overloaded`.
    pub fn overloaded() -> Self {
        let message = "Our servers are currently overloaded. Please try again later.";
        let kind = "service_unavailable_error";
        Self::Status(Canned::error(StatusCode::SERVICE_UNAVAILABLE, kind, "server_is_overloaded", message))
    }
}

impl IntoResponse for Canned {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = match self.body {
            Some(body) => (status, Json(body)).into_response(),
            None => Problem::new(status, "server_error", "The simulator was told to.").into_response(),
        };
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
