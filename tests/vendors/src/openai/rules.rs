//! What the service refuses although the document allows it, and what the simulator cannot do.

use serde_json::{Value, json};

use super::contract::below;
use super::problem::Problem;
use super::settings::Settings;

/// A parameter, and the values of it (besides null) that ask for nothing the simulator cannot do.
pub(super) type Harmless = (&'static str, fn(&Value) -> bool);

/// Parameters that the models refuse: those that reason, and those that do not.
pub(super) struct Refused {
    pub(super) by_reasoning: &'static [&'static str],
    pub(super) by_others: &'static [&'static str],
}

/// The model asked for, which must exist.
pub(super) fn model(body: &Value, settings: &Settings) -> Result<String, Problem> {
    let name = body["model"].as_str().ok_or_else(|| Problem::missing_parameter("model"))?;
    if settings.models.iter().any(|model| model == name) {
        Ok(name.to_owned())
    } else {
        Err(Problem::no_such_model(name))
    }
}

/// The models that reason: gpt-5 and later of that name, and o1, o3, ….
fn reasons(model: &str) -> bool {
    let digit = |rest: &str| rest.starts_with(|letter: char| letter.is_ascii_digit());
    model.starts_with("gpt-5") || model.strip_prefix('o').is_some_and(digit)
}

/// Parameters that the model does not have.
pub(super) fn of_model(body: &Value, model: &str, refused: &Refused) -> Result<(), Problem> {
    let names = if reasons(model) { refused.by_reasoning } else { refused.by_others };
    match names.iter().find(|name| !body[**name].is_null()) {
        // Said this way by Chat Completions, which is the only one to have the parameter (observed).
        Some(&"max_tokens") => Err(Problem::invalid(
            "max_tokens",
            "unsupported_parameter",
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        )),
        Some(name) => Err(Problem::unsupported_by_model(name)),
        None => Ok(()),
    }
}

/// How many tokens the answer may have.
pub(super) fn limit(body: &Value, name: &str, least: u64) -> Result<Option<u64>, Problem> {
    let given = &body[name];
    match given.as_i64() {
        Some(number) => match u64::try_from(number) {
            Ok(limit) if limit >= least => Ok(Some(limit)),
            _ => Err(below(name, &json!(least), given)),
        },
        // Anything else is null, or left to the schema.
        None => Ok(None),
    }
}

/// Whether the answer is to be streamed.
pub(super) fn streamed(body: &Value) -> Result<bool, Problem> {
    let streamed = body["stream"] == true;
    if !streamed && !body["stream_options"].is_null() {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Problem::invalid("stream_options", "invalid_value", message));
    }
    Ok(streamed)
}

/// Refuse what the simulator cannot do, rather than answer as if it had not been asked for.
pub(super) fn simulated(body: &Value, table: &[Harmless]) -> Result<(), Problem> {
    let beyond = table.iter().find(|(name, harmless)| !body[*name].is_null() && !harmless(&body[*name]));
    beyond.map_or(Ok(()), |(name, _)| Err(Problem::not_simulated(name)))
}

/// No value but null is harmless.
pub(super) fn none(_: &Value) -> bool {
    false
}

pub(super) fn is_false(value: &Value) -> bool {
    value == false
}

/// The model may choose to call no tool, and the simulated one always does.
pub(super) fn no_tool_forced(value: &Value) -> bool {
    value == "auto" || value == "none"
}
