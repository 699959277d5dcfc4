//! What a test may choose about the simulated OpenAI, at the start and while it runs.

use serde::{Deserialize, Serialize};

/// Who may call and how the models answer. The default answers at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The one API key that works.
    pub api_key: String,
    /// The models that exist.
    pub models: Vec<String>,
    /// What every model answers. Otherwise the answer is made from the request: the same for the same input, another
    /// for another. Where a JSON schema is asked for, this is the answer only if it fits the schema.
    pub reply: Option<String>,
    /// How many characters a streamed piece has.
    pub piece_chars: usize,
    /// How long a stream rests before each piece.
    pub piece_delay_ms: u64,
    /// How long every answer of a model takes to begin, headers included.
    pub first_byte_delay_ms: u64,
    /// For benchmarks: answer exactly this many pieces of filler, without delays and whatever the limit of tokens.
    pub pieces: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        let models = [
            "gpt-5.4",
            "gpt-5.4-mini",
            "gpt-5.4-nano",
            "gpt-5",
            "gpt-5-mini",
            "gpt-4.1",
            "gpt-4.1-mini",
            "gpt-4.1-nano",
            "o3",
            "o4-mini",
        ];
        Self {
            api_key: "sk-orla-demo".to_owned(),
            models: models.map(str::to_owned).to_vec(),
            reply: None,
            piece_chars: 5,
            piece_delay_ms: 0,
            first_byte_delay_ms: 0,
            pieces: None,
        }
    }
}
