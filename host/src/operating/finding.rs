//! What a doctor says of something.

use serde::Serialize;
use utoipa::ToSchema;

/// Something that the doctor found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// `fine`, `note`, or `problem`: it does not work until somebody does something.
    pub weight: &'static str,
    /// What there is, and what to do about it.
    pub sentence: String,
}

impl Finding {
    pub(super) fn fine(sentence: impl Into<String>) -> Self {
        Self { weight: "fine", sentence: sentence.into() }
    }

    pub(super) fn note(sentence: impl Into<String>) -> Self {
        Self { weight: "note", sentence: sentence.into() }
    }

    pub(super) fn problem(sentence: impl Into<String>) -> Self {
        Self { weight: "problem", sentence: sentence.into() }
    }

    /// Whether something has to be done before it works.
    #[must_use]
    pub fn is_problem(&self) -> bool {
        self.weight == "problem"
    }
}
