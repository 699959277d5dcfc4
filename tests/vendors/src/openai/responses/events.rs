//! The Response object, and the events that stream it.

use axum::body::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::delivery::{Dialect, obfuscation};
use super::super::generation::{Ending, Generation, Kind, Usage};

/// How many events come before the first piece of text.
const OPENING: usize = 4;

/// An answer in the manner of Responses.
pub(super) struct Events {
    request: Value,
    generation: Generation,
    item: String,
    padded: bool,
}

/// `response.output_text.delta` and `response.refusal.delta`. A type of its own, because there are so many of them.
#[derive(Serialize)]
struct Delta<'a> {
    r#type: &'static str,
    content_index: u8,
    delta: &'a str,
    item_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<[u8; 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    obfuscation: Option<&'static str>,
    output_index: u8,
    sequence_number: usize,
}

impl Events {
    pub(super) fn new(request: Value, generation: Generation) -> Self {
        let item = format!("msg_{}", generation.id);
        let padded = request["stream_options"]["include_obfuscation"] != false;
        Self { request, generation, item, padded }
    }

    /// How the answer ended, and the name of the event that says so.
    fn end(&self) -> (&'static str, &'static str) {
        match self.generation.ending {
            Ending::Complete => ("completed", "response.completed"),
            Ending::Limit | Ending::Filtered => ("incomplete", "response.incomplete"),
        }
    }

    /// The object as it is in this status, with the request's parameters or their defaults repeated.
    fn response(&self, status: &str, output: &[Value]) -> Value {
        let Self { request, generation, .. } = self;
        let given = |name: &str, default: Value| if request[name].is_null() { default } else { request[name].clone() };
        let reason = match generation.ending {
            Ending::Limit => Some("max_output_tokens"),
            Ending::Filtered => Some("content_filter"),
            Ending::Complete => None,
        };
        let incomplete = reason.filter(|_| status == "incomplete").map(|reason| json!({ "reason": reason }));
        let format = request["text"].get("format").cloned().unwrap_or(json!({ "type": "text" }));
        let verbosity = request["text"].get("verbosity").cloned().unwrap_or("medium".into());
        let mut response = json!({
            "id": format!("resp_{}", generation.id),
            "object": "response",
            "created_at": generation.created_s,
            "status": status,
            "background": false,
            "completed_at": (status == "completed").then_some(generation.created_s),
            "error": null,
            "incomplete_details": incomplete,
            "instructions": request["instructions"],
            "max_output_tokens": request["max_output_tokens"],
            "max_tool_calls": request["max_tool_calls"],
            "metadata": given("metadata", json!({})),
            "model": generation.model,
            "output": output,
            "parallel_tool_calls": given("parallel_tool_calls", true.into()),
            "previous_response_id": null,
            "prompt_cache_key": request["prompt_cache_key"],
            "reasoning": given("reasoning", json!({ "effort": null, "summary": null })),
            "safety_identifier": request["safety_identifier"],
            "service_tier": "default",
            "store": given("store", true.into()),
            "temperature": given("temperature", 1.0.into()),
            "text": { "format": format, "verbosity": verbosity },
            "tool_choice": given("tool_choice", "auto".into()),
            "tools": given("tools", json!([])),
            "top_logprobs": 0,
            "top_p": given("top_p", 1.0.into()),
            "truncation": given("truncation", "disabled".into()),
        });
        if let Some(usage) = generation.usage {
            response["usage"] = if incomplete.is_some() || status == "completed" { spent(usage) } else { Value::Null };
        }
        response
    }

    fn item(&self, status: &str, content: &[Value]) -> Value {
        json!({ "type": "message", "id": self.item, "role": "assistant", "status": status, "content": content })
    }

    fn part(&self, text: &str) -> Value {
        match self.generation.kind {
            Kind::Text => json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] }),
            Kind::Refusal => json!({ "type": "refusal", "refusal": text }),
        }
    }

    /// The `.done` of the text.
    fn said(&self, text: &str) -> (&'static str, Value) {
        match self.generation.kind {
            Kind::Text => ("response.output_text.done", self.placed(json!({ "text": text, "logprobs": [] }))),
            Kind::Refusal => ("response.refusal.done", self.placed(json!({ "refusal": text }))),
        }
    }

    /// These members, and where in the output they belong.
    fn placed(&self, mut members: Value) -> Value {
        members["item_id"] = self.item.as_str().into();
        members["output_index"] = 0.into();
        members["content_index"] = 0.into();
        members
    }
}

impl Dialect for Events {
    fn whole(&self) -> Value {
        let (status, _) = self.end();
        self.response(status, &[self.item(status, &[self.part(&self.generation.said())])])
    }

    fn opening(&self) -> Vec<Bytes> {
        let begun = self.response("in_progress", &[]);
        let item = self.item("in_progress", &[]);
        numbered(
            0,
            [
                ("response.created", json!({ "response": begun })),
                ("response.in_progress", json!({ "response": begun })),
                ("response.output_item.added", json!({ "output_index": 0, "item": item })),
                ("response.content_part.added", self.placed(json!({ "part": self.part("") }))),
            ],
        )
    }

    fn piece(&self, before: usize, text: &str) -> Bytes {
        let (name, logprobs) = match self.generation.kind {
            Kind::Text => ("response.output_text.delta", Some([])),
            Kind::Refusal => ("response.refusal.delta", None),
        };
        let delta = Delta {
            r#type: name,
            content_index: 0,
            delta: text,
            item_id: &self.item,
            logprobs,
            obfuscation: self.padded.then(|| obfuscation(text)),
            output_index: 0,
            sequence_number: OPENING + before,
        };
        event(name, &delta)
    }

    fn closing(&self, pieces: usize) -> Vec<Bytes> {
        let text = self.generation.said();
        let (status, last) = self.end();
        let part = self.part(&text);
        let item = self.item(status, std::slice::from_ref(&part));
        let response = self.response(status, std::slice::from_ref(&item));
        numbered(
            OPENING + pieces,
            [
                self.said(&text),
                ("response.content_part.done", self.placed(json!({ "part": part }))),
                ("response.output_item.done", json!({ "output_index": 0, "item": item })),
                (last, json!({ "response": response })),
            ],
        )
    }

    fn failing(&self, pieces: usize) -> Vec<Bytes> {
        let mut response = self.response("failed", &[]);
        let message = "The server had an error while processing your request. Sorry about that!";
        response["error"] = json!({ "code": "server_error", "message": message });
        numbered(OPENING + pieces, [("response.failed", json!({ "response": response }))])
    }

    fn generation(&self) -> &Generation {
        &self.generation
    }
}

fn spent(Usage { input, output }: Usage) -> Value {
    json!({
        "input_tokens": input,
        "input_tokens_details": { "cached_tokens": 0, "cache_write_tokens": 0 },
        "output_tokens": output,
        "output_tokens_details": { "reasoning_tokens": 0 },
        "total_tokens": input + output,
    })
}

/// Events with their types, and numbers that count up from the first.
fn numbered<const N: usize>(first: usize, events: [(&'static str, Value); N]) -> Vec<Bytes> {
    let numbered = events.into_iter().enumerate().map(|(at, (name, mut data))| {
        data["type"] = name.into();
        data["sequence_number"] = (first + at).into();
        event(name, &data)
    });
    numbered.collect()
}

/// The lines of one event.
fn event(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).expect("strings and numbers are JSON");
    format!("event: {name}\ndata: {data}\n\n").into()
}
