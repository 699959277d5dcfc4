//! The Responses API: <https://platform.openai.com/docs/api-reference/responses>.

use crate::answer::{Answer, Text, content_filter, parse, words};
use crate::problem::Problem;
use crate::{API, Ask, SPEND, role};
use orla_sdk::{Completion, Ending, Event, Fault, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Serialize)]
struct NewResponse<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a str>,
    input: Vec<InputMessage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<TextConfig<'a>>,
    /// OpenAI would keep the answer for 30 days.
    store: bool,
    stream: bool,
}

/// A message whose content is plain text. Lists of parts would do for the user's, but those of an earlier answer need
/// OpenAI's ids, which we do not have.
#[derive(Serialize)]
struct InputMessage<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct TextConfig<'a> {
    format: TextFormat<'a>,
}

#[derive(Serialize)]
struct TextFormat<'a> {
    r#type: &'static str,
    name: &'a str,
    schema: &'a RawValue,
    strict: bool,
}

impl<'a> NewResponse<'a> {
    fn new(ask: &Ask<'a>) -> Self {
        let messages = ask.prompt.messages.iter();
        Self {
            model: ask.model,
            instructions: ask.instructions,
            input: messages.map(|message| InputMessage { role: role(message.role), content: &message.text }).collect(),
            max_output_tokens: ask.max_output_tokens,
            text: ask.form.map(|form| {
                let format = TextFormat { r#type: "json_schema", name: form.name, schema: form.schema, strict: true };
                TextConfig { format }
            }),
            store: false,
            stream: ask.streams(),
        }
    }
}

/// The state of a response.
#[derive(Deserialize)]
struct Reply {
    status: Option<String>,
    model: Option<String>,
    error: Option<Value>,
    incomplete_details: Option<Incomplete>,
}

#[derive(Deserialize)]
struct Incomplete {
    reason: Option<String>,
}

/// What a response says.
#[derive(Deserialize)]
struct Output {
    output: Option<Vec<Item>>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Item {
    Message {
        content: Option<Vec<Part>>,
    },
    /// Reasoning, and calls of tools that we do not offer.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    OutputText {
        text: String,
    },
    Refusal {
        refusal: String,
    },
    #[serde(other)]
    Other,
}

/// What the events of a stream carry a response in.
#[derive(Deserialize)]
struct Envelope<T> {
    response: T,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    delta: Text<'a>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
}

/// Asks for one answer.
pub(crate) fn complete(ask: &Ask<'_>) -> Result<Completion> {
    let request = API.post("/v1/responses").json(&NewResponse::new(ask));
    let mut answer = Answer::new(ask.delivery);
    if ask.streams() {
        for event in request.spend_events(SPEND)? {
            match event {
                Ok(event) => read_event(&event, &mut answer)?,
                Err(fault) => answer.broke_off(fault),
            }
        }
    } else {
        let response = request.spend(SPEND)?;
        let json = response.text();
        let reply: Reply = parse(&json)?;
        let told_by_error = if reply.error.is_some() { "failed" } else { "completed" };
        answer.set_end(ending(reply.status.as_deref().unwrap_or(told_by_error), &reply));
        answer.set_model(reply.model.as_deref().unwrap_or_default());
        read_output(parse(&json)?, &mut answer);
    }
    answer.completion(ask)
}

fn read_event(event: &Event, answer: &mut Answer) -> Result<()> {
    // Some servers leave the line `event:` away and name the event in its data alone. What is no JSON names none.
    let named: Option<Named<'_>> = if event.name == "message" { serde_json::from_str(&event.data).ok() } else { None };
    match named.as_ref().map_or(event.name.as_str(), |named| &named.r#type.0) {
        "response.output_text.delta" => answer.add_text(&parse::<Delta<'_>>(&event.data)?.delta.0),
        "response.refusal.delta" => answer.add_refusal(&parse::<Delta<'_>>(&event.data)?.delta.0),
        "response.completed" => read_end("completed", event, answer)?,
        "response.incomplete" => read_end("incomplete", event, answer)?,
        "response.failed" => read_end("failed", event, answer)?,
        "error" => answer.set_end(Err(Problem::read(&parse(&event.data)?).fault())),
        _ => {}
    }
    Ok(())
}

/// Reads an event that ends a stream.
fn read_end(status: &str, event: &Event, answer: &mut Answer) -> Result<()> {
    let Envelope { response }: Envelope<Reply> = parse(&event.data)?;
    answer.set_end(ending(status, &response));
    answer.set_model(response.model.as_deref().unwrap_or_default());
    if !answer.has_text()
        && let Ok(Envelope { response }) = parse::<Envelope<Output>>(&event.data)
    {
        // A server that sends no pieces, or a refusal that was not told before.
        read_output(response, answer);
    }
    Ok(())
}

fn read_output(said: Output, answer: &mut Answer) {
    for item in said.output.unwrap_or_default() {
        let Item::Message { content } = item else { continue };
        for part in content.unwrap_or_default() {
            match part {
                Part::OutputText { text } => answer.add_text(&text),
                Part::Refusal { refusal } => answer.add_refusal(&refusal),
                Part::Other => {}
            }
        }
    }
}

/// How a response of this status ended.
fn ending(status: &str, reply: &Reply) -> Result<Ending> {
    match status {
        "completed" => Ok(Ending::Complete),
        "incomplete" => match reply.incomplete_details.as_ref().and_then(|details| details.reason.as_deref()) {
            Some("max_output_tokens") => Ok(Ending::CutOff),
            Some("content_filter") => Err(content_filter()),
            reason => {
                let reason = words(reason.unwrap_or("it does not say why"));
                Err(Fault::vendor(format!("The model stopped before its end: {reason}.")))
            }
        },
        "failed" => Err(Problem::read(reply.error.as_ref().unwrap_or(&Value::Null)).fault()),
        status => Err(Fault::vendor(format!("OpenAI answered with a response that is {}.", words(status)))),
    }
}
