//! Captions for posts: what a person wants said, made into a prompt, and what comes back.

use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::writing::{Form, Prompt};
use crate::error::{Error, Result};
use crate::generations::Wish;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The metered operation.
pub const OPERATION: &str = "social_caption";
/// The prompt's file under `prompts/`, whose number goes up with each change of its words.
const PROMPT_VERSION: &str = "social_caption/1";
const INSTRUCTIONS: &str = include_str!("../prompts/social_caption/1.md");
/// A caption is short; hidden reasoning counts as well.
const MAX_OUTPUT_TOKENS: u32 = 2_000;
const MAX_TOPIC_CHARS: usize = 4_000;
const MAX_BRAND_CHARS: usize = 8_000;
const MAX_WORDS_CHARS: usize = 200;

/// What a caption should say.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCaption {
    /// What the post is about, at most 4,000 characters.
    pub topic: String,
    /// The network that it is for, such as `twitter`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// How it should sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tone: Option<String>,
    /// Whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The language to write in; the topic's where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// How the brand speaks, at most 8,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The longest that the caption may be; the network's own length where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_characters: Option<u32>,
    /// Whether the hashtags are wanted apart from the text. Not together with `stream`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub separate_hashtags: bool,
    /// Whether the answer is wanted as server-sent events, piece by piece.
    #[serde(default, skip_serializing)]
    pub stream: bool,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Caption {
    /// The text; of a caption whose stream was hung up on, as far as it came.
    pub caption: String,
    /// The hashtags without `#`, where they were wanted apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashtags: Option<Vec<String>>,
}

impl NewCaption {
    fn check(&self) -> Result<()> {
        if self.topic.trim().is_empty() {
            return Err(Error::invalid("topic", "Say what the post is about."));
        }
        let texts = [
            ("topic", Some(&self.topic), MAX_TOPIC_CHARS),
            ("brand", self.brand.as_ref(), MAX_BRAND_CHARS),
            ("platform", self.platform.as_ref(), MAX_WORDS_CHARS),
            ("tone", self.tone.as_ref(), MAX_WORDS_CHARS),
            ("audience", self.audience.as_ref(), MAX_WORDS_CHARS),
            ("language", self.language.as_ref(), MAX_WORDS_CHARS),
        ];
        for (name, text, limit) in texts {
            if text.is_some_and(|text| text.chars().count() > limit || text.contains('\0')) {
                let detail = format!("It has at most {limit} characters, none of them zero.");
                return Err(Error::invalid(name, detail));
            }
        }
        if self.max_characters.is_some_and(|most| !(20..=10_000).contains(&most)) {
            return Err(Error::invalid("max_characters", "A caption may have 20 to 10000 characters."));
        }
        if self.stream && self.separate_hashtags {
            return Err(Error::invalid("separate_hashtags", "A stream is plain text: ask for either."));
        }
        Ok(())
    }

    /// The text to be written.
    ///
    /// # Errors
    /// The wish makes no sense.
    pub(crate) fn wish(&self, idempotency_key: Option<String>) -> Result<Wish> {
        self.check()?;
        let input = serde_json::to_value(self).map_err(anyhow::Error::from)?;
        let prompt = Prompt {
            instructions: INSTRUCTIONS.to_owned(),
            // As JSON, so that nothing that a person types can pass for the instructions.
            message: serde_json::to_string(self).map_err(anyhow::Error::from)?,
            form: self.separate_hashtags.then(form),
            max_output_tokens: MAX_OUTPUT_TOKENS,
        };
        let read = if self.separate_hashtags { read_form } else { read_text };
        Ok(Wish { operation: OPERATION, prompt_version: PROMPT_VERSION, input, prompt, read, idempotency_key })
    }
}

fn form() -> Form {
    let schema = json!({
        "type": "object",
        "properties": {
            "caption": {"type": "string"},
            "hashtags": {"type": "array", "items": {"type": "string"}}
        },
        "required": ["caption", "hashtags"],
        "additionalProperties": false
    });
    Form { name: "caption".into(), schema }
}

fn read_text(text: &str) -> Result<Value, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Fault::new(FaultKind::Vendor, "the model wrote nothing"));
    }
    Ok(json!({ "caption": text }))
}

fn read_form(text: &str) -> Result<Value, Fault> {
    let read: Caption = serde_json::from_str(text)
        .map_err(|_| Fault::new(FaultKind::Vendor, "the model's answer does not have the form that was asked for"))?;
    let hashtags = read.hashtags.unwrap_or_default();
    let hashtags: Vec<&str> = hashtags.iter().map(|tag| tag.trim_start_matches('#')).collect();
    read_text(&read.caption).map(|plain| json!({ "caption": plain["caption"], "hashtags": hashtags }))
}
