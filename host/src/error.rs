//! What can go wrong, and the one table that says how it is told.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;

/// The result of everything a caller may ask for.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One thing that is wrong with the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Trouble {
    /// The member at fault, such as `parts/0/text`.
    pub field: String,
    /// What is wrong with it, and what would be right.
    pub detail: String,
}

impl Trouble {
    /// Something wrong with a member.
    pub fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), detail: detail.into() }
    }

    /// The same, where the member stands inside another.
    #[must_use]
    pub fn within(self, place: &str) -> Self {
        let field = if self.field.is_empty() { place.to_owned() } else { format!("{place}/{}", self.field) };
        Self { field, detail: self.detail }
    }
}

/// A refusal with its reason, or a failure of ours.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be read: not JSON, a wrong type, a malformed parameter.
    #[error("{0}")]
    Malformed(String),
    /// The request can be read, but a member of it makes no sense.
    #[error("{detail}")]
    Invalid {
        /// The member at fault, such as `password`.
        field: String,
        /// What is wrong with it, and what would be right.
        detail: String,
    },
    /// The request can be read, but breaks rules: all of them, at least one.
    #[error("{}", .0.first().map_or("The input breaks a rule.", |trouble| trouble.detail.as_str()))]
    Refused(Vec<Trouble>),
    /// What a person entered to connect an account does not serve.
    #[error("{detail}")]
    Field {
        /// The field's name, such as `token`.
        name: String,
        /// What is wrong with it, by its label, and what would be right.
        detail: String,
    },
    /// No token, or one that does not count.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The account's e-mail address is not proven yet.
    #[error("Verify your e-mail address first: the link is in the mail that we sent you.")]
    Unverified,
    /// Known, but not allowed.
    #[error("{0}")]
    Forbidden(&'static str),
    /// There is no such thing for this caller.
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// The request contradicts the present state.
    #[error("{detail}")]
    Conflict {
        /// The stable code.
        code: &'static str,
        /// The contradiction, and the way out.
        detail: String,
    },
    /// The workspace cannot pay for it.
    #[error("This costs {needed} credits, and {available} are available.")]
    InsufficientCredits {
        /// The price.
        needed: i64,
        /// Credits posted and not held.
        available: i64,
    },
    /// The workspace or its member may not spend that much: which cap, and when it counts anew.
    #[error("{0}")]
    Capped(String),
    /// The operation has no price, so nobody can say what it would cost.
    #[error("`{0}` has no price on this server. An operator must set one first.")]
    Unpriced(String),
    /// The route exists, but not with this method.
    #[error("This route does not take this method.")]
    MethodNotAllowed,
    /// Too many requests of this kind.
    #[error("Too many attempts. Try again in {} seconds.", .0.as_secs().max(1))]
    TooMany(Duration),
    /// The body exceeds what the route takes.
    #[error("The request body is larger than the {0} bytes that this route takes.")]
    TooLarge(usize),
    /// The stretch that is asked for lies behind the end.
    #[error("It has {0} bytes, and the stretch that is asked for lies behind them.")]
    NoSuchRange(u64),
    /// The body is not what the route takes, by its `Content-Type`.
    #[error("{0}")]
    MediaType(&'static str),
    /// An operator has to set something first.
    #[error("{0}")]
    NotConfigured(&'static str),
    /// The server is at its limit, or not ready.
    #[error("{0}")]
    Unavailable(&'static str),
    /// The vendor asks to slow down, or is down for now.
    #[error("{detail}")]
    Busy {
        /// Who is busy with what.
        detail: String,
        /// When another try makes sense.
        after: Duration,
    },
    /// The vendor failed us while the caller waits.
    #[error("{0}")]
    Vendor(String),
    /// A failure of ours. The caller reads a fixed sentence; the log has the cause.
    #[error("internal error")]
    Internal(#[source] anyhow::Error),
}

impl Error {
    /// A refusal of one member of the input.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), detail: detail.into() }
    }

    /// The table: status and stable code of each error.
    #[must_use]
    pub fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed_request"),
            Self::Invalid { .. } | Self::Refused(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_input"),
            Self::Field { .. } => (StatusCode::BAD_REQUEST, "invalid_field"),
            Self::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            Self::Unverified => (StatusCode::FORBIDDEN, "email_unverified"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::Conflict { code, .. } => (StatusCode::CONFLICT, code),
            Self::InsufficientCredits { .. } => (StatusCode::PAYMENT_REQUIRED, "insufficient_credits"),
            Self::Capped(_) => (StatusCode::PAYMENT_REQUIRED, "cap_reached"),
            Self::Unpriced(_) => (StatusCode::SERVICE_UNAVAILABLE, "unknown_price"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::NoSuchRange(_) => (StatusCode::RANGE_NOT_SATISFIABLE, "no_such_range"),
            Self::MediaType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::NotConfigured(_) => (StatusCode::SERVICE_UNAVAILABLE, "not_configured"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Busy { .. } => (StatusCode::SERVICE_UNAVAILABLE, "vendor_busy"),
            Self::Vendor(_) => (StatusCode::BAD_GATEWAY, "vendor_error"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(cause: sqlx::Error) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<anyhow::Error> for Error {
    fn from(cause: anyhow::Error) -> Self {
        Self::Internal(cause)
    }
}

/// The body of every answer that is an error.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// One sentence for a person.
    pub detail: String,
    /// A stable code for a program.
    pub code: &'static str,
    /// The member of the input at fault, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// All that is wrong with a post, the one above first; absent elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Trouble>,
}

impl Error {
    /// What the caller reads of it. The cause of a failure of ours goes into the log.
    #[must_use]
    pub fn into_problem(self) -> Problem {
        let (_, code) = self.status_and_code();
        let mut problem = Problem { detail: self.to_string(), code, field: None, problems: Vec::new() };
        match self {
            Self::Internal(cause) => {
                tracing::error!(error = format!("{cause:#}"), "a request failed inside");
                problem.detail = "Something failed on our side. It is in the server's log.".to_owned();
            }
            Self::Invalid { field, .. } => problem.field = Some(field),
            Self::Refused(troubles) => {
                problem.field = troubles.first().map(|trouble| trouble.field.clone());
                problem.problems = troubles;
            }
            Self::Field { name, .. } => problem.field = Some(format!("fields/{name}")),
            _ => {}
        }
        problem
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, _) = self.status_and_code();
        let mut retry_after = None;
        let mut challenge = None;
        let mut range = None;
        match &self {
            Self::Unauthenticated(_) => challenge = Some(HeaderValue::from_static("Bearer")),
            Self::NoSuchRange(size) => range = HeaderValue::try_from(format!("bytes */{size}")).ok(),
            Self::TooMany(wait) => retry_after = Some(wait.as_secs().max(1)),
            Self::Busy { after, .. } => retry_after = Some(after.as_secs().max(1)),
            Self::Unavailable(_) => retry_after = Some(1),
            _ => {}
        }
        let mut response = (status, Json(self.into_problem())).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(range) = range {
            response.headers_mut().insert(header::CONTENT_RANGE, range);
        }
        if let Some(scheme) = challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
