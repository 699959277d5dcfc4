//! OpenAI, Responses API and Chat Completions: <https://platform.openai.com/docs/api-reference>.
//!
//! OpenAI prefers the Responses API. Chat Completions is what the servers of others speak, which an operator may put in
//! OpenAI's place.

mod answer;
mod chat;
mod problem;
mod responses;

use orla_sdk::manifest::{self, ApiKey, Auth, Limits, Manifest, Meaning, Verdict};
use orla_sdk::{
    Api, Completion, Connector, Delivery, Fact, Fault, Prompt, Result, Role, TextModel, TextOptions, setting,
};
use serde_json::value::RawValue;

/// The connector.
pub struct OpenAi;

orla_sdk::connector!(OpenAi);
orla_sdk::export_text_model!(OpenAi);

const API: Api = Api::new("api").explain(problem::explain);

/// The model that answers where neither the caller nor the operator names one.
const DEFAULT_MODEL: &str = "gpt-5.4-mini";

/// The key of the one request that a completion is.
const SPEND: &str = "complete";

impl Connector for OpenAi {
    fn manifest() -> Manifest {
        Manifest {
            auth: Auth::ApiKey(ApiKey {
                obtained_at: "https://platform.openai.com/api-keys".to_owned(),
                // <https://platform.openai.com/docs/api-reference/models/list>
                check: Some(manifest::place("api", "/v1/models")),
            }),
            endpoints: manifest::endpoints([("api", manifest::bearer("https://api.openai.com"))]),
            verdicts: vec![
                // A conflict is found before the work begins (RFC 9110 section 15.5.10).
                Verdict { status: 409, pointer: None, contains: None, means: Meaning::Refused },
                // OpenAI documents this code for requests that it did not take on. Any other 5xx may hide a generation.
                Verdict {
                    status: 503,
                    pointer: Some("/error/code".to_owned()),
                    contains: Some("server_is_overloaded".to_owned()),
                    means: Meaning::Refused,
                },
            ],
            // Of the Responses API, of its streams, and of Chat Completions in either form.
            usage: manifest::usage([
                ("input_tokens", &["/usage/input_tokens", "/response/usage/input_tokens", "/usage/prompt_tokens"]),
                (
                    "cached_input_tokens",
                    &[
                        "/usage/input_tokens_details/cached_tokens",
                        "/response/usage/input_tokens_details/cached_tokens",
                        "/usage/prompt_tokens_details/cached_tokens",
                    ],
                ),
                (
                    "output_tokens",
                    &["/usage/output_tokens", "/response/usage/output_tokens", "/usage/completion_tokens"],
                ),
                (
                    "reasoning_tokens",
                    &[
                        "/usage/output_tokens_details/reasoning_tokens",
                        "/response/usage/output_tokens_details/reasoning_tokens",
                        "/usage/completion_tokens_details/reasoning_tokens",
                    ],
                ),
            ]),
            settings: manifest::settings([
                (
                    "api",
                    "`responses`, or `chat_completions` for a server that only speaks that; `responses` by default.",
                ),
                ("model", "The model that answers where the caller names none; `gpt-5.4-mini` by default."),
            ]),
            limits: Limits {
                // Some 20,000 events of a stream, several times over.
                fuel: 2_000_000_000,
                memory_bytes: 32 << 20,
                guest_ms: 10_000,
                total_ms: 5 * 60 * 1_000,
                requests: 1,
                ..Limits::default()
            },
            ..manifest::bare("openai", "OpenAI", env!("CARGO_PKG_VERSION"))
        }
    }
}

impl TextModel for OpenAi {
    fn complete(prompt: &Prompt, options: &TextOptions, settings: &[Fact]) -> Result<Completion> {
        let model = options.model.clone().or_else(|| setting(settings, "model"));
        let ask = Ask::new(model.as_deref().unwrap_or(DEFAULT_MODEL), prompt, options)?;
        match setting(settings, "api").as_deref() {
            None | Some("responses") => responses::complete(&ask),
            Some("chat_completions") => chat::complete(&ask),
            Some(other) => {
                let message = format!("The setting `api` is `responses` or `chat_completions`, not `{other}`.");
                Err(Fault::invalid("settings/api", message))
            }
        }
    }
}

/// What is asked, before either API has its way with it.
struct Ask<'a> {
    model: &'a str,
    instructions: Option<&'a str>,
    prompt: &'a Prompt,
    max_output_tokens: Option<u32>,
    form: Option<Form<'a>>,
    delivery: Delivery,
}

/// The form of a JSON answer, whose schema goes out as it came.
#[derive(Clone, Copy)]
struct Form<'a> {
    name: &'a str,
    schema: &'a RawValue,
}

impl<'a> Ask<'a> {
    fn new(model: &'a str, prompt: &'a Prompt, options: &'a TextOptions) -> Result<Self> {
        let form = options.form.as_ref().map(|form| match serde_json::from_str(&form.schema) {
            Ok(schema) => Ok(Form { name: &form.name, schema }),
            Err(error) => Err(Fault::invalid("form/schema", format!("The schema is no JSON: {error}."))),
        });
        Ok(Self {
            model,
            instructions: prompt.instructions.as_deref().filter(|instructions| !instructions.is_empty()),
            prompt,
            max_output_tokens: options.max_output_tokens,
            form: form.transpose()?,
            delivery: options.delivery,
        })
    }

    fn streams(&self) -> bool {
        self.delivery == Delivery::Pieces
    }
}

/// The name that both APIs have for who says a message.
fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

#[cfg(test)]
mod tests;
