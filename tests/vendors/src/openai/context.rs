//! What a model is given to read: the texts of a request, whichever API they came through.

use serde_json::Value;

/// What an image costs (the price of `detail: low` in OpenAI's guide to images).
const IMAGE_TOKENS: u64 = 85;

/// The texts of a request, in order.
#[derive(Default)]
pub(super) struct Context {
    /// All of them, a line each.
    pub(super) text: String,
    /// The last that the user said.
    pub(super) last: String,
    images: u64,
}

impl Context {
    pub(super) fn instruct(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// What the user said in one string.
    pub(super) fn say(&mut self, text: &str) {
        self.instruct(text);
        text.clone_into(&mut self.last);
    }

    /// A message of Chat Completions, or an item of Responses.
    pub(super) fn message(&mut self, message: &Value) {
        let mut texts: Vec<&str> = message["content"].as_str().into_iter().collect();
        for part in message["content"].as_array().into_iter().flatten() {
            texts.extend(part["text"].as_str());
            self.images += u64::from(part["type"] == "input_image" || part["type"] == "image_url");
        }
        texts.extend(message["output"].as_str());
        let text = texts.join(" ");
        if message["role"] == "user" { self.say(&text) } else { self.instruct(&text) }
    }

    pub(super) fn tokens(&self) -> u64 {
        tokens(&self.text) + self.images * IMAGE_TOKENS
    }
}

/// About as many tokens as a text has: one in four characters.
pub(super) fn tokens(text: &str) -> u64 {
    (text.chars().count() as u64).div_ceil(4)
}
