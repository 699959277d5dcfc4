//! The chat completion, and the chunks that stream it.

use axum::body::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::delivery::{Dialect, obfuscation};
use super::super::generation::{Ending, Generation, Kind, Usage};
use super::super::problem::Problem;

const FINGERPRINT: &str = "fp_5a0a1d3c7e";

/// An answer in the manner of Chat Completions.
pub(super) struct Chunks {
    generation: Generation,
    id: String,
    /// Whether the stream tells its usage: a chunk for it at the end, and null in all others.
    include_usage: bool,
    padded: bool,
}

/// A chunk with a piece of text. A type of its own, because there are so many of them.
#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    service_tier: &'static str,
    system_fingerprint: &'static str,
    choices: [Choice<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    obfuscation: Option<&'static str>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u8,
    delta: Delta<'a>,
    logprobs: Option<()>,
    finish_reason: Option<()>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Delta<'a> {
    Content(&'a str),
    Refusal(&'a str),
}

impl Chunks {
    pub(super) fn new(request: &Value, generation: Generation) -> Self {
        let options = &request["stream_options"];
        Self {
            id: format!("chatcmpl-{}", generation.id),
            include_usage: options["include_usage"] == true && generation.usage.is_some(),
            padded: options["include_obfuscation"] != false,
            generation,
        }
    }

    fn finish_reason(&self) -> &'static str {
        match self.generation.ending {
            Ending::Complete => "stop",
            Ending::Limit => "length",
            Ending::Filtered => "content_filter",
        }
    }

    /// What every answer begins with.
    fn object(&self, object: &str, choices: &Value) -> Value {
        json!({
            "id": self.id,
            "object": object,
            "created": self.generation.created_s,
            "model": self.generation.model,
            "service_tier": "default",
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
        })
    }

    fn chunk(&self, delta: &Value, finish_reason: Option<&str>) -> Bytes {
        let choice = json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason });
        let mut chunk = self.object("chat.completion.chunk", &json!([choice]));
        if self.include_usage {
            chunk["usage"] = Value::Null;
        }
        data(&chunk)
    }
}

impl Dialect for Chunks {
    fn whole(&self) -> Value {
        let said = self.generation.said();
        let (content, refusal) = match self.generation.kind {
            Kind::Text => (Some(said), None),
            Kind::Refusal => (None, Some(said)),
        };
        let message = json!({ "role": "assistant", "content": content, "refusal": refusal, "annotations": [] });
        let reason = self.finish_reason();
        let choice = json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": reason });
        let mut whole = self.object("chat.completion", &json!([choice]));
        if let Some(usage) = self.generation.usage {
            whole["usage"] = spent(usage);
        }
        whole
    }

    fn opening(&self) -> Vec<Bytes> {
        let content = (self.generation.kind == Kind::Text).then_some("");
        vec![self.chunk(&json!({ "role": "assistant", "content": content, "refusal": null }), None)]
    }

    fn piece(&self, _before: usize, text: &str) -> Bytes {
        let delta = match self.generation.kind {
            Kind::Text => Delta::Content(text),
            Kind::Refusal => Delta::Refusal(text),
        };
        data(&Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.generation.created_s,
            model: &self.generation.model,
            service_tier: "default",
            system_fingerprint: FINGERPRINT,
            choices: [Choice { index: 0, delta, logprobs: None, finish_reason: None }],
            usage: self.include_usage.then_some(()),
            obfuscation: self.padded.then(|| obfuscation(text)),
        })
    }

    fn closing(&self, _pieces: usize) -> Vec<Bytes> {
        let mut events = vec![self.chunk(&json!({}), Some(self.finish_reason()))];
        if let Some(usage) = self.generation.usage.filter(|_| self.include_usage) {
            let mut chunk = self.object("chat.completion.chunk", &json!([]));
            chunk["usage"] = spent(usage);
            events.push(data(&chunk));
        }
        events.push(Bytes::from_static(b"data: [DONE]\n\n"));
        events
    }

    fn failing(&self, _pieces: usize) -> Vec<Bytes> {
        vec![data(&Problem::server_error().body())]
    }

    fn generation(&self) -> &Generation {
        &self.generation
    }
}

fn spent(Usage { input, output }: Usage) -> Value {
    json!({
        "prompt_tokens": input,
        "completion_tokens": output,
        "total_tokens": input + output,
        "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
        "completion_tokens_details": {
            "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    })
}

/// The line of one chunk.
fn data(chunk: &impl Serialize) -> Bytes {
    let chunk = serde_json::to_string(chunk).expect("strings and numbers are JSON");
    format!("data: {chunk}\n\n").into()
}
