//! What became of a publication's pieces, each by its name.

use crate::connectors::work::PartOutcome;
use serde::Serialize;
use utoipa::ToSchema;

/// What became of a part, or of the first comment.
#[derive(Serialize, ToSchema)]
pub(crate) struct Outcome {
    /// What this is the outcome of: `parts/0`, `parts/1` and so on, or `first_comment`.
    of: String,
    #[serde(flatten)]
    outcome: PartOutcome,
}

/// Labels the outcomes of a receipt: the last is the first comment's, where there is one.
pub(crate) fn labelled(outcomes: Vec<PartOutcome>, has_comment: bool) -> Vec<Outcome> {
    let parts = outcomes.len() - usize::from(has_comment).min(outcomes.len());
    let label = |at: usize| if at < parts { format!("parts/{at}") } else { "first_comment".to_owned() };
    outcomes.into_iter().enumerate().map(|(at, outcome)| Outcome { of: label(at), outcome }).collect()
}
