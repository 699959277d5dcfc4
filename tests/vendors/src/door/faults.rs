//! Faults that a test orders: what goes wrong, on which route, how often and after how many requests. What can go wrong at
//! any vendor is here; one whose answers are of another kind has modes of its own.

use std::collections::{BTreeMap, VecDeque};

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An order for something to go wrong. Faults are consumed in order: the first one that matches a request decides
/// about it, even if only by letting it through because of `skip`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault<M = Mode> {
    /// The method it applies to; `*` stands for any.
    pub method: String,
    /// The path it applies to; `*` stands for any one segment, and the path `**` for any path.
    pub path: String,
    /// What goes wrong.
    pub mode: M,
    /// How many requests it hits.
    #[serde(default = "once")]
    pub times: u32,
    /// How many matching requests pass before.
    #[serde(default)]
    pub skip: u32,
}

fn once() -> u32 {
    1
}

/// What goes wrong. In JSON: `"cut_after"`, `{"delay_ms": 200}`, `{"status": {"status": 503}}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mode {
    /// Not executed; this is answered.
    Status(Canned),
    /// Executed, but this is answered.
    ExecutedThenStatus(Canned),
    /// Executed this much later. A caller who hangs up meanwhile does not stop it.
    DelayMs(u64),
    /// The connection closes before the body is read; not executed.
    CutBefore,
    /// The connection closes within the request, after so many bytes of its body. It is executed where the vendor takes a body
    /// as it comes, with what has come.
    CutWithin {
        /// Those bytes.
        bytes: u64,
    },
    /// The connection closes once the request was received whole, and it is executed this much later.
    CutDuring {
        /// The time in between, in milliseconds.
        ms: u64,
    },
    /// Executed, then the connection closes without an answer.
    CutAfter,
    /// Executed, then the connection closes in the middle of the answer's body.
    TruncatedBody,
    /// No answer, until faults are cleared; then the connection closes.
    Hang {
        /// Whether the request is executed all the same.
        execute: bool,
    },
    /// Not executed; 200 whose headers and body repeat the credentials that the request carried.
    EchoToken,
    /// Not executed; a redirect.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// Where to: any URL.
        location: String,
    },
    /// Executed; the answer's `Link` header leads to another origin, and is there even if it should not be.
    ForeignLink {
        /// That origin, without a slash at the end.
        origin: String,
    },
    /// Not executed; 200 with a page of HTML.
    NotJson,
    /// Not executed; 200 with one JSON string of so many bytes.
    HugeBody {
        /// The length of the body; 2 at least.
        bytes: u64,
    },
    /// Not executed; 200 with a JSON array that never ends.
    EndlessBody {
        /// The pause between two pieces, in milliseconds.
        pause_ms: u64,
    },
    /// Executed; the answer's body comes a byte at a time.
    SlowBody {
        /// The pause before each byte, in milliseconds.
        pause_ms: u64,
    },
}

/// An answer that a test made up.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canned {
    /// The status, 200 to 599.
    pub status: u16,
    /// The `Retry-After` header, in seconds.
    #[serde(default)]
    pub retry_after_s: Option<u64>,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The JSON body; what the vendor says with this status unless given.
    #[serde(default)]
    pub body: Option<Value>,
}

impl<M> Fault<M> {
    /// This mode, for the next request with this method and path.
    pub fn on(method: &str, path: &str, mode: M) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), mode, times: 1, skip: 0 }
    }

    /// This mode, for every request from now on.
    pub fn always(mode: M) -> Self {
        Self::on("*", "**", mode).times(u32::MAX)
    }

    /// For so many requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// After so many requests.
    #[must_use]
    pub fn skip(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let segments_match = || {
            let (mine, theirs) = (self.path.split('/'), path.split('/'));
            mine.clone().count() == theirs.clone().count() && mine.zip(theirs).all(|(m, t)| m == "*" || m == t)
        };
        (self.method == "*" || self.method.eq_ignore_ascii_case(method)) && (self.path == "**" || segments_match())
    }
}

impl Mode {
    /// An answer with this status, without executing the request.
    pub fn status(status: u16) -> Self {
        Self::Status(Canned { status, ..Canned::default() })
    }

    /// An answer with this status, after executing the request.
    pub fn executed_then_status(status: u16) -> Self {
        Self::ExecutedThenStatus(Canned { status, ..Canned::default() })
    }

    /// A redirect to this URL.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::Redirect { status, location: location.to_owned() }
    }

    /// Whether it can be carried out.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::Status(canned) | Self::ExecutedThenStatus(canned) => canned.check(),
            Self::Redirect { status: 301..=303 | 307 | 308, location } if is_header_value(location) => Ok(()),
            Self::Redirect { .. } => Err("a redirect needs 301, 302, 303, 307 or 308 and a URL".to_owned()),
            Self::ForeignLink { origin } if !is_header_value(origin) => Err("that is no origin".to_owned()),
            _ => Ok(()),
        }
    }

    pub(super) fn executes(&self) -> bool {
        match self {
            Self::ExecutedThenStatus(_)
            | Self::DelayMs(_)
            | Self::CutWithin { .. }
            | Self::CutDuring { .. }
            | Self::CutAfter
            | Self::TruncatedBody
            | Self::ForeignLink { .. }
            | Self::SlowBody { .. } => true,
            Self::Hang { execute } => *execute,
            Self::Status(_)
            | Self::CutBefore
            | Self::EchoToken
            | Self::Redirect { .. }
            | Self::NotJson
            | Self::HugeBody { .. }
            | Self::EndlessBody { .. } => false,
        }
    }
}

fn is_header_value(text: &str) -> bool {
    HeaderValue::try_from(text).is_ok()
}

impl Canned {
    /// Whether it can be answered.
    pub(crate) fn check(&self) -> Result<(), String> {
        let header =
            |(name, value): (&String, &String)| HeaderName::try_from(name.as_str()).is_ok() && is_header_value(value);
        match self.status {
            200..=599 if self.headers.iter().all(header) => Ok(()),
            200..=599 => Err("a header of the fault has an impossible name or value".to_owned()),
            status => Err(format!("{status} is not a status between 200 and 599")),
        }
    }

    /// The answer; without a body of its own, the one of the vendor's manner.
    pub(crate) fn into_response(self, manner: fn(StatusCode) -> Response) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = match self.body {
            Some(body) => (status, Json(body)).into_response(),
            None => manner(status),
        };
        let retry_after = self.retry_after_s.map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
        for (name, value) in self.headers.into_iter().chain(retry_after) {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// The faults still to come.
pub(crate) struct Faults<M = Mode>(VecDeque<Fault<M>>);

impl<M> Default for Faults<M> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<M: Clone> Faults<M> {
    pub(crate) fn add(&mut self, fault: Fault<M>) {
        if fault.times > 0 {
            self.0.push_back(fault);
        }
    }

    pub(crate) fn pending(&self) -> Vec<Fault<M>> {
        self.0.iter().cloned().collect()
    }

    /// What goes wrong with this request, if anything.
    pub(crate) fn take(&mut self, method: &str, path: &str) -> Option<M> {
        let at = self.0.iter().position(|fault| fault.matches(method, path))?;
        let fault = self.0.get_mut(at)?;
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        let mode = fault.mode.clone();
        fault.times -= 1;
        if fault.times == 0 {
            self.0.remove(at);
        }
        Some(mode)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Faults, Mode};

    #[test]
    fn faults_are_consumed_in_order_and_stars_stand_for_segments_paths_and_methods() {
        let mut faults = Faults::default();
        faults.add(Fault::on("GET", "/api/v1/media/*", Mode::CutBefore).skip(1));
        faults.add(Fault::on("get", "/api/v1/media/7", Mode::CutAfter));
        faults.add(Fault::always(Mode::NotJson).times(2));
        assert!(faults.take("GET", "/api/v1/media/7").is_none(), "the first fault skips one");
        assert!(matches!(faults.take("GET", "/api/v1/media/7"), Some(Mode::CutBefore)));
        assert!(matches!(faults.take("GET", "/api/v1/media/7"), Some(Mode::CutAfter)));
        assert!(matches!(faults.take("POST", "/"), Some(Mode::NotJson)));
        assert!(matches!(faults.take("DELETE", "/a/b/c"), Some(Mode::NotJson)));
        assert!(faults.pending().is_empty() && faults.take("POST", "/").is_none());
    }

    #[test]
    fn what_cannot_be_carried_out_is_not_ordered() {
        for mode in [Mode::status(99), Mode::redirect(200, "https://a.example"), Mode::redirect(302, "a\nb")] {
            assert!(mode.check().is_err());
        }
        assert!(Mode::redirect(308, "https://a.example").check().is_ok());
    }
}
