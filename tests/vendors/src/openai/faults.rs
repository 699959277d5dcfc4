//! What a test can order to go wrong, for answers that may be streams.

use serde::{Deserialize, Serialize};

use crate::door::{self, Canned};

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

/// An order for something to go wrong.
pub type Fault = door::Fault<Mode>;

impl Mode {
    /// Whether it can be carried out.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Self::Status(canned) = self { canned.check() } else { Ok(()) }
    }
}
