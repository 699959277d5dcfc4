//! Faults as the host keeps them: the contract's record, in JSON and in the API.

use super::bindings::connector::orla::connector::types as wit;
use serde::{Deserialize, Serialize};

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Fault {
    /// What the host acts on.
    pub kind: FaultKind,
    /// One sentence for a person, without secrets.
    pub message: String,
    /// The vendor's own code, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The member of the input at fault, such as `parts/0/text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Milliseconds to wait before another try makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Whether any byte of a commit may have reached the vendor.
    #[serde(default)]
    pub sent: bool,
}

/// The kinds of faults; `wit/types.wit` says what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "documented once, in wit/types.wit")]
pub enum FaultKind {
    AuthExpired,
    ScopeMissing,
    RateLimited,
    Quota,
    Invalid,
    NotFound,
    Conflict,
    TooLarge,
    VendorDown,
    Vendor,
    Uncertain,
    Budget,
    Cancelled,
    Bug,
    /// The host's own: the connector has as many calls as it may have. No connector is told so or says so.
    Busy,
}

/// Longest message that is kept of a connector's.
const MAX_MESSAGE_CHARS: usize = 1_000;
const MAX_WORD_CHARS: usize = 100;

/// A connector's words as logs, databases and people take them: of bounded length and without control characters.
/// PostgreSQL, for one, stores no text with a zero in it.
pub(crate) fn plain(words: &str, most_chars: usize) -> String {
    words.chars().take(most_chars).map(|char| if char.is_control() { ' ' } else { char }).collect()
}

impl Fault {
    /// A fault whose message may quote a connector.
    pub(crate) fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        let message: String = message.into();
        let message = plain(&message, MAX_MESSAGE_CHARS);
        Self { kind, message, code: None, field: None, retry_after_ms: None, sent: false }
    }

    /// The connector broke the contract.
    pub(crate) fn bug(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Bug, message)
    }

    /// Whether the same call may go better later, without anybody doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self.kind {
            FaultKind::RateLimited | FaultKind::VendorDown | FaultKind::Cancelled | FaultKind::Busy => true,
            FaultKind::AuthExpired
            | FaultKind::ScopeMissing
            | FaultKind::Quota
            | FaultKind::Invalid
            | FaultKind::NotFound
            | FaultKind::Conflict
            | FaultKind::TooLarge
            | FaultKind::Vendor
            | FaultKind::Uncertain
            | FaultKind::Budget
            | FaultKind::Bug => false,
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.message)
    }
}

/// Pairs each kind with the contract's.
macro_rules! kinds {
    ($($kind:ident),*) => {
        impl From<wit::FaultKind> for FaultKind {
            fn from(kind: wit::FaultKind) -> Self {
                match kind { $(wit::FaultKind::$kind => Self::$kind),* }
            }
        }

        impl From<FaultKind> for wit::FaultKind {
            fn from(kind: FaultKind) -> Self {
                match kind {
                    $(FaultKind::$kind => Self::$kind,)*
                    FaultKind::Busy => Self::VendorDown,
                }
            }
        }
    };
}

kinds!(
    AuthExpired,
    ScopeMissing,
    RateLimited,
    Quota,
    Invalid,
    NotFound,
    Conflict,
    TooLarge,
    VendorDown,
    Vendor,
    Uncertain,
    Budget,
    Cancelled,
    Bug
);

impl From<wit::Fault> for Fault {
    fn from(fault: wit::Fault) -> Self {
        Self {
            kind: fault.kind.into(),
            message: plain(&fault.message, MAX_MESSAGE_CHARS),
            code: fault.code.map(|code| plain(&code, MAX_WORD_CHARS)),
            field: fault.field.map(|field| plain(&field, MAX_WORD_CHARS)),
            retry_after_ms: fault.retry_after_ms,
            sent: fault.sent,
        }
    }
}

impl From<Fault> for wit::Fault {
    fn from(fault: Fault) -> Self {
        Self {
            kind: fault.kind.into(),
            code: fault.code,
            message: fault.message,
            field: fault.field,
            retry_after_ms: fault.retry_after_ms,
            sent: fault.sent,
        }
    }
}
