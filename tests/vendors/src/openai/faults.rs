//! Faults that a test orders: what goes wrong, on which route, how often and after how many requests.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::canned::Canned;

/// An order for something to go wrong. Faults are consumed in order: the first one that matches a request decides
/// about it, even if only by letting it through because of `skip`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The method it applies to.
    pub method: String,
    /// The path it applies to; `*` stands for any one segment.
    pub path: String,
    /// What goes wrong.
    pub mode: Mode,
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
///
/// The modes that name a stream hit answers that are streamed, and leave others alone. Everything but [`Mode::Status`],
/// [`Mode::CutBefore`] and [`Mode::NotJson`] is executed, and so billed, if the request itself is right.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mode {
    /// Not executed; this is answered.
    Status(Canned),
    /// Not executed; 200 with a page of HTML, as of a proxy in between.
    NotJson,
    /// The connection closes before the body is read; not executed.
    CutBefore,
    /// Executed, then the connection closes without an answer.
    CutAfter,
    /// Executed, and the answer begins this much later.
    DelayMs(u64),
    /// The connection dies within the stream.
    TruncateStream {
        /// How many pieces of text come before.
        after_pieces: u32,
    },
    /// The stream says that the service failed, and ends: `response.failed` (Responses), an `error` (Chat).
    FailStream {
        /// How many pieces of text come before.
        after_pieces: u32,
    },
    /// The stream falls silent until faults are cleared (then the connection closes) or the caller leaves.
    StallStream {
        /// How many pieces of text come before.
        after_pieces: u32,
    },
    /// One event of the stream has a text of this size, before the genuine ones.
    HugeEvent {
        /// The size of its text.
        bytes: usize,
    },
    /// The model refuses.
    Refusal,
    /// A filter stops the answer half way.
    ContentFilter,
    /// The answer does not tell its usage.
    UsageMissing,
    /// The headers and the text of the answer repeat the credentials that the request carried.
    EchoToken,
}

impl Fault {
    /// This mode, for the next request with this method and path.
    pub fn on(method: &str, path: &str, mode: Mode) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), mode, times: 1, skip: 0 }
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

    /// Whether it can be carried out.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Mode::Status(canned) = &self.mode { canned.check() } else { Ok(()) }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let segments_match = || {
            let (mine, theirs) = (self.path.split('/'), path.split('/'));
            mine.clone().count() == theirs.clone().count() && mine.zip(theirs).all(|(m, t)| m == "*" || m == t)
        };
        self.method.eq_ignore_ascii_case(method) && segments_match()
    }
}

/// The faults still to come.
#[derive(Default)]
pub(super) struct Faults(VecDeque<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        if fault.times > 0 {
            self.0.push_back(fault);
        }
    }

    pub(super) fn pending(&self) -> Vec<Fault> {
        self.0.iter().cloned().collect()
    }

    /// What goes wrong with this request, if anything.
    pub(super) fn take(&mut self, method: &str, path: &str) -> Option<Mode> {
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
