//! Chat Completions: <https://platform.openai.com/docs/api-reference/chat>.

use crate::answer::{Answer, Text, content_filter, parse};
use crate::problem::Problem;
use crate::{API, Ask, SPEND, role};
use orla_sdk::{Completion, Ending, Fault, Result};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What OpenAI's streams end with. Others may leave it away.
const DONE: &str = "[DONE]";

#[derive(Serialize)]
struct NewCompletion<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    r#type: &'static str,
    json_schema: JsonSchema<'a>,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'a str,
    schema: &'a RawValue,
    strict: bool,
}

/// Without this a stream does not say what it cost.
#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl<'a> NewCompletion<'a> {
    fn new(ask: &Ask<'a>) -> Self {
        let instructions = ask.instructions.map(|content| Message { role: role_of_instructions(ask.model), content });
        let messages = ask.prompt.messages.iter();
        let messages = messages.map(|message| Message { role: role(message.role), content: &message.text });
        Self {
            model: ask.model,
            messages: instructions.into_iter().chain(messages).collect(),
            max_completion_tokens: ask.max_output_tokens,
            response_format: ask.form.map(|form| ResponseFormat {
                r#type: "json_schema",
                json_schema: JsonSchema { name: form.name, schema: form.schema, strict: true },
            }),
            stream: ask.streams(),
            stream_options: ask.streams().then_some(StreamOptions { include_usage: true }),
        }
    }
}

/// Reasoning models take their instructions from the developer, others from the system.
fn role_of_instructions(model: &str) -> &'static str {
    let is_numbered_o =
        model.strip_prefix('o').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
    if model.starts_with("gpt-5") || is_numbered_o { "developer" } else { "system" }
}

/// A whole answer, or a chunk of one; they differ in a name.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    model: Option<Text<'a>>,
    #[serde(borrow)]
    choices: Option<Vec<Choice<'a>>>,
    /// What some servers tell with status 200, or within a stream.
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, alias = "message")]
    delta: Option<Words<'a>>,
    #[serde(borrow)]
    finish_reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Words<'a> {
    #[serde(borrow)]
    content: Option<Text<'a>>,
    #[serde(borrow)]
    refusal: Option<Text<'a>>,
}

/// Asks for one answer.
pub(crate) fn complete(ask: &Ask<'_>) -> Result<Completion> {
    let request = API.post("/v1/chat/completions").json(&NewCompletion::new(ask));
    let mut answer = Answer::new(ask.delivery);
    if ask.streams() {
        for event in request.spend_events(SPEND)? {
            match event {
                Ok(event) if event.data == DONE => {}
                Ok(event) => read_chunk(&event.data, &mut answer)?,
                Err(fault) => answer.broke_off(fault),
            }
        }
    } else {
        read_chunk(&request.spend(SPEND)?.text(), &mut answer)?;
        // Some servers do not say how a whole answer ended.
        answer.set_end(Ok(Ending::Complete));
    }
    answer.completion(ask)
}

fn read_chunk(json: &str, answer: &mut Answer) -> Result<()> {
    let chunk: Chunk<'_> = parse(json)?;
    if chunk.error.is_some() {
        answer.set_end(Err(Problem::read(&parse(json)?).fault()));
        return Ok(());
    }
    answer.set_model(&chunk.model.unwrap_or_default().0);
    // We ask for one choice. The last chunk, which says what it cost, has none.
    let Some(choice) = chunk.choices.and_then(|choices| choices.into_iter().next()) else { return Ok(()) };
    if let Some(words) = choice.delta {
        answer.add_text(&words.content.unwrap_or_default().0);
        answer.add_refusal(&words.refusal.unwrap_or_default().0);
    }
    if let Some(Text(reason)) = choice.finish_reason
        && !reason.is_empty()
    {
        answer.set_end(ending(&reason));
    }
    Ok(())
}

fn ending(finish_reason: &str) -> Result<Ending> {
    match finish_reason {
        "length" => Ok(Ending::CutOff),
        "content_filter" => Err(content_filter()),
        "tool_calls" | "function_call" => Err(Fault::vendor("The model called a tool that it was not given.")),
        // `stop`, and the words that other servers have for it.
        _ => Ok(Ending::Complete),
    }
}
