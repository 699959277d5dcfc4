//! `POST /v1/chat/completions`.

mod chunks;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use self::chunks::Chunks;
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

/// Observed; the document allows all of them for all models.
const REFUSED: Refused =
    Refused { by_reasoning: &["max_tokens", "temperature", "top_p"], by_others: &["reasoning_effort"] };

const HARMLESS: &[Harmless] = &[
    ("audio", rules::none),
    ("function_call", rules::no_tool_forced),
    ("logprobs", rules::is_false),
    ("modalities", |modalities| *modalities == json!(["text"])),
    ("moderation", rules::none),
    ("n", |count| count == 1),
    ("prediction", rules::none),
    ("stop", rules::none),
    ("tool_choice", rules::no_tool_forced),
    ("top_logprobs", rules::none),
    ("web_search_options", rules::none),
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
    Ok(deliver(&openai, Chunks::new(&body, generation), streamed, &settings, mode.as_ref()).await)
}

fn read(body: &Value, settings: &Settings) -> Result<Ask, Problem> {
    let limits = (rules::limit(body, "max_completion_tokens", 1)?, rules::limit(body, "max_tokens", 1)?);
    contract::CHAT.check(body)?;
    let model = rules::model(body, settings)?;
    rules::of_model(body, &model, &REFUSED)?;
    rules::simulated(body, HARMLESS)?;
    let limit = match limits {
        (Some(_), Some(_)) => {
            let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
            return Err(Problem::invalid("max_tokens", "invalid_parameter_combination", message));
        }
        (one, other) => one.or(other),
    };
    let mut context = Context::default();
    body["messages"].as_array().into_iter().flatten().for_each(|message| context.message(message));
    let format = Format::of_chat(&body["response_format"], &context)?;
    Ok(Ask { model, context, format, limit, echo: None })
}
