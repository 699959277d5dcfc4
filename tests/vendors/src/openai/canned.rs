//! Answers that OpenAI is known for.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::faults::Mode;
use super::problem::Problem;
use crate::door::Canned;

impl Mode {
    /// An answer with this status and an error that says no more.
    pub fn status(status: u16) -> Self {
        Self::Status(Canned { status, ..Canned::default() })
    }

    /// 401 `invalid_api_key`: the key was revoked.
    pub fn unauthorized() -> Self {
        let body = Problem::wrong_key("sk-revoked-since-yesterday").body();
        Self::Status(said(401, body))
    }

    /// 403 `unsupported_country_region_territory`.
    pub fn forbidden() -> Self {
        let message = "Country, region, or territory not supported";
        let code = "unsupported_country_region_territory";
        Self::Status(error(StatusCode::FORBIDDEN, "request_forbidden", code, message))
    }

    /// 404 `model_not_found`.
    pub fn not_found() -> Self {
        let body = Problem::no_such_model("gpt-retired").body();
        Self::Status(said(404, body))
    }

    /// 429 `rate_limit_exceeded`: it passes after so many seconds.
    pub fn rate_limited(retry_after_s: u64) -> Self {
        let message = format!(
            "Rate limit reached for requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in \
             {retry_after_s}s. Visit https://platform.openai.com/account/rate-limits to learn more."
        );
        let canned = error(StatusCode::TOO_MANY_REQUESTS, "requests", "rate_limit_exceeded", &message);
        let canned = with(canned, "retry-after-ms", retry_after_s * 1_000);
        let canned = Canned { retry_after_s: Some(retry_after_s), ..canned };
        Self::Status(with(canned, "x-ratelimit-remaining-requests", 0))
    }

    /// 429 `insufficient_quota`: nobody has paid, and waiting does not help.
    pub fn insufficient_quota() -> Self {
        let message = "You exceeded your current quota, please check your plan and billing details. For more \
                       information on this error, read the docs: \
                       https://platform.openai.com/docs/guides/error-codes/api-errors.";
        let code = "insufficient_quota";
        Self::Status(error(StatusCode::TOO_MANY_REQUESTS, code, code, message))
    }

    /// 500 `server_error`.
    pub fn server_error() -> Self {
        let body = Problem::server_error().body();
        Self::Status(said(500, body))
    }

    /// 503 `server_is_overloaded`.
    pub fn overloaded() -> Self {
        let message = "Our servers are currently overloaded. Please try again later.";
        let kind = "service_unavailable_error";
        Self::Status(error(StatusCode::SERVICE_UNAVAILABLE, kind, "server_is_overloaded", message))
    }
}

fn with(mut canned: Canned, name: &str, value: u64) -> Canned {
    canned.headers.insert(name.to_owned(), value.to_string());
    canned
}

fn error(status: StatusCode, kind: &'static str, code: &'static str, message: &str) -> Canned {
    said(status.as_u16(), Problem::new(status, kind, message).coded(code).body())
}

fn said(status: u16, body: Value) -> Canned {
    Canned { status, body: Some(body), ..Canned::default() }
}

/// An answer with this status in OpenAI's manner.
pub(super) fn manner(status: StatusCode) -> Response {
    Problem::new(status, "server_error", "The simulator was told to.").into_response()
}
