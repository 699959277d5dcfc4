//! `POST /v1/responses`.

mod events;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;

use self::events::Events;
use super::context::Context;
use super::contract;
use super::delivery::deliver;
use super::faults::Mode;
use super::format::Format;
use super::front::Ordered;
use super::gate;
use super::generation::{Ask, Generation};
use super::problem::Problem;
use super::rules::{self, Harmless, Refused};
use super::settings::Settings;
use super::state::OpenAi;

/// The least that `max_output_tokens` may be (the document).
const LEAST_TOKENS: u64 = 16;

/// Observed; the document allows all of them for all models.
const REFUSED: Refused = Refused { by_reasoning: &["temperature", "top_p"], by_others: &["reasoning"] };

const HARMLESS: &[Harmless] = &[
    ("background", rules::is_false),
    ("conversation", rules::none),
    ("context_management", rules::none),
    ("moderation", rules::none),
    ("previous_response_id", rules::none),
    ("prompt", rules::none),
    ("tool_choice", rules::no_tool_forced),
    ("top_logprobs", |count| count == 0),
];

/// Answer.
pub(super) async fn create(
    State(openai): State<OpenAi>,
    Extension(Ordered(mode)): Extension<Ordered>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let settings = openai.settings();
    let body = gate::json(&headers, &bytes)?;
    let mut ask = read(&body, &settings)?;
    let streamed = rules::streamed(&body)?;
    ask.echo = matches!(mode, Some(Mode::EchoToken)).then(|| gate::echo(&headers));
    let generation = Generation::of(&ask, &settings, mode.as_ref())?;
    Ok(deliver(&openai, Events::new(body, generation), streamed, &settings, mode.as_ref()).await)
}

fn read(body: &Value, settings: &Settings) -> Result<Ask, Problem> {
    let limit = rules::limit(body, "max_output_tokens", LEAST_TOKENS)?;
    contract::RESPONSES.check(body)?;
    let model = rules::model(body, settings)?;
    rules::of_model(body, &model, &REFUSED)?;
    rules::simulated(body, HARMLESS)?;
    let mut context = Context::default();
    context.instruct(body["instructions"].as_str().unwrap_or_default());
    match &body["input"] {
        Value::String(text) => context.say(text),
        Value::Array(items) => items.iter().for_each(|item| context.message(item)),
        // The document requires it of nobody, because a stored prompt could stand in for it.
        _ => return Err(Problem::missing_parameter("input")),
    }
    let format = Format::of_response(&body["text"]["format"], &context)?;
    Ok(Ask { model, context, format, limit, echo: None })
}
