//! One answer of a model, whichever API it is told through.

use super::caption;
use super::clock;
use super::context::{Context, tokens};
use super::faults::Mode;
use super::format::Format;
use super::problem::Problem;
use super::settings::Settings;

/// What the model says when it refuses.
const REFUSAL: &str = "I'm sorry, but I can't help with that request.";

/// A request that has been found right.
pub(super) struct Ask {
    pub(super) model: String,
    pub(super) context: Context,
    pub(super) format: Option<Format>,
    /// How many tokens the answer may have.
    pub(super) limit: Option<u64>,
    /// The credentials in a sentence, where the answer is to give them away.
    pub(super) echo: Option<String>,
}

/// An answer.
pub(super) struct Generation {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) created_s: u64,
    /// What is said, in pieces as they are streamed.
    pub(super) pieces: Vec<String>,
    pub(super) kind: Kind,
    pub(super) ending: Ending,
    /// Unless it is withheld.
    pub(super) usage: Option<Usage>,
}

/// What an answer is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Refusal,
}

/// Why an answer ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Complete,
    Limit,
    Filtered,
}

/// How many tokens were read and written.
#[derive(Clone, Copy)]
pub(super) struct Usage {
    pub(super) input: u64,
    pub(super) output: u64,
}

impl Generation {
    /// Let the model answer.
    pub(super) fn of(ask: &Ask, settings: &Settings, mode: Option<&Mode>) -> Result<Self, Problem> {
        let (kind, said) = match mode {
            Some(Mode::Refusal) => (Kind::Refusal, REFUSAL.to_owned()),
            _ => (Kind::Text, ask.text(settings)?),
        };
        let (pieces, ending) = match settings.pieces {
            Some(count) => (caption::filler(count, settings.piece_chars), Ending::Complete),
            None => {
                let (said, ending) = ended(said, ask.limit, matches!(mode, Some(Mode::ContentFilter)));
                (split(&said, settings.piece_chars), ending)
            }
        };
        let output = tokens(&pieces.concat());
        let withheld = matches!(mode, Some(Mode::UsageMissing));
        Ok(Self {
            id: format!("{:032x}", rand::random::<u128>()),
            model: ask.model.clone(),
            created_s: clock::unix_s(),
            pieces,
            kind,
            ending,
            usage: (!withheld).then(|| Usage { input: ask.context.tokens(), output }),
        })
    }

    /// What is said, whole.
    pub(super) fn said(&self) -> String {
        self.pieces.concat()
    }
}

impl Ask {
    fn text(&self, settings: &Settings) -> Result<String, Problem> {
        let text = match (&self.echo, &settings.reply) {
            (Some(echo), _) => echo.clone(),
            (None, Some(reply)) => reply.clone(),
            (None, None) => caption::about(&self.context.last, &self.context.text, &self.model),
        };
        self.format.as_ref().map_or(Ok(text.clone()), |format| format.fit(&text))
    }
}

/// As much of a text as gets out: half of it past the filter, no more than the limit of tokens.
fn ended(said: String, limit: Option<u64>, filtered: bool) -> (String, Ending) {
    if filtered {
        let half = said.chars().count() / 2;
        return (said.chars().take(half).collect(), Ending::Filtered);
    }
    match limit {
        Some(limit) if tokens(&said) > limit => {
            let chars = usize::try_from(limit.saturating_mul(4)).unwrap_or(usize::MAX);
            (said.chars().take(chars).collect(), Ending::Limit)
        }
        _ => (said, Ending::Complete),
    }
}

fn split(text: &str, piece_chars: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(piece_chars.max(1)).map(|piece| piece.iter().collect()).collect()
}
