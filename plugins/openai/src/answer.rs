//! What the model says, as it comes, and what that amounts to.

use crate::Ask;
use orla_sdk::{Completion, Delivery, Ending, Fault, FaultKind, Result, text};
use serde::Deserialize;
use std::borrow::Cow;

/// Most characters of the vendor's or the model's own words that go into a message.
const MAX_WORDS: usize = 500;

/// What the model has said so far.
pub(crate) struct Answer {
    delivery: Delivery,
    text: String,
    /// The model's words where it declines.
    refusal: String,
    model: Option<String>,
    end: Option<Result<Ending>>,
}

impl Answer {
    pub(crate) fn new(delivery: Delivery) -> Self {
        Self { delivery, text: String::new(), refusal: String::new(), model: None, end: None }
    }

    pub(crate) fn has_text(&self) -> bool {
        !self.text.is_empty()
    }

    /// Adds to the text, and hands the piece on where pieces are wanted.
    pub(crate) fn add_text(&mut self, piece: &str) {
        if !piece.is_empty() && self.delivery == Delivery::Pieces {
            text::write(piece);
        }
        self.text.push_str(piece);
    }

    pub(crate) fn add_refusal(&mut self, words: &str) {
        self.refusal.push_str(words);
    }

    /// Which model it is; the first word counts.
    pub(crate) fn set_model(&mut self, model: &str) {
        if self.model.is_none() && !model.is_empty() {
            self.model = Some(model.to_owned());
        }
    }

    /// How it ended; the first word counts, since an error is often told twice.
    pub(crate) fn set_end(&mut self, end: Result<Ending>) {
        self.end.get_or_insert(end);
    }

    /// Takes a fault of the stream. It no longer matters once the vendor has said how the answer ended: some servers
    /// hang up without a word.
    pub(crate) fn broke_off(&mut self, fault: Fault) {
        self.set_end(Err(fault));
    }

    /// What the answer amounts to.
    pub(crate) fn completion(self, ask: &Ask<'_>) -> Result<Completion> {
        let broke_off = || Fault::new(FaultKind::VendorDown, "The vendor's answer broke off before its end.");
        if !self.refusal.trim().is_empty() {
            return Err(Fault::new(FaultKind::Invalid, words(&self.refusal)).with_code("refused"));
        }
        let ending = self.end.unwrap_or_else(|| Err(broke_off()))?;
        match (self.text.is_empty(), ending) {
            (false, _) => {
                let model = self.model.unwrap_or_else(|| ask.model.to_owned());
                Ok(Completion { text: self.text, model, ending })
            }
            (true, Ending::Complete) => Err(Fault::vendor("The model answered without a text.")),
            (true, Ending::CutOff) => {
                let message = "The model used up all its tokens before it wrote a word; allow it more.";
                Err(Fault::invalid("max_output_tokens", message))
            }
        }
    }
}

/// The vendor withholds the answer.
pub(crate) fn content_filter() -> Fault {
    Fault::new(FaultKind::Invalid, "OpenAI withheld the answer: its content filter objects.")
        .with_code("content-filter")
}

/// The vendor's or the model's own words, at a length that fits a message.
pub(crate) fn words(text: &str) -> String {
    text.trim().chars().take(MAX_WORDS).collect()
}

/// Text in an answer, copied only where JSON escapes something in it.
#[derive(Deserialize, Default)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Reads JSON of the vendor's.
///
/// # Errors
/// `vendor` when it is not of this shape.
pub(crate) fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| Fault::vendor(format!("OpenAI's answer cannot be read: {error}.")))
}
