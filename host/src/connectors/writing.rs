//! Writing text with a language model: the contract's `text-model` in the host's own words.

use super::Connectors;
use super::bindings::connector::orla::connector::types::Fact;
use super::bindings::writes::exports::orla::connector::text_model as wit;
use super::fault::{Fault, FaultKind, plain};
use super::meter::Meter;
use super::run::Run;
use super::runtime::Called;
use super::sink;
use serde_json::Value;
use std::sync::Arc;

/// What a model is asked: what to be and do, then the user's words.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    pub(crate) instructions: String,
    pub(crate) message: String,
    /// The form of the answer, where it must be JSON.
    pub(crate) form: Option<Form>,
    /// Most tokens of the answer, hidden reasoning included.
    pub(crate) max_output_tokens: u32,
}

/// The form of a JSON answer.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) name: &'static str,
    /// JSON Schema.
    pub(crate) schema: Value,
}

/// How the text is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// Through the run's sink, as it is written.
    Pieces,
}

/// A model's answer.
#[derive(Debug, Clone)]
pub(crate) struct Completion {
    pub(crate) text: String,
    pub(crate) model: String,
    /// Whether it ended because it might not be longer.
    pub(crate) cut_off: bool,
}

impl Connectors {
    /// Asks a language model.
    pub(crate) async fn complete(&self, run: &Arc<Run>, prompt: &Prompt, delivery: Delivery) -> Called<Completion> {
        let Some(indices) = &run.release.writes else {
            return Called { result: Err(Fault::bug("the connector does not write text")), meter: Meter::default() };
        };
        let (asked, options) = (asked(prompt), options(prompt, delivery));
        let settings = run.release.settings.iter();
        let settings: Vec<Fact> = settings
            .map(|(name, text)| Fact { name: name.clone(), value: Value::from(text.as_str()).to_string() })
            .collect();
        let called = self
            .runtime
            .run(run.clone(), async |store, instance| {
                let world = indices.load(&mut *store, instance)?;
                let answer =
                    world.orla_connector_text_model().call_complete(store, &asked, &options, &settings).await?;
                Ok(answer.map_err(Fault::from))
            })
            .await;
        run.settle().await;
        Called { result: called.result.and_then(|completion| verify(run, delivery, completion)), meter: called.meter }
    }
}

fn asked(prompt: &Prompt) -> wit::Prompt {
    wit::Prompt {
        instructions: Some(prompt.instructions.clone()),
        messages: vec![wit::Message { role: wit::Role::User, text: prompt.message.clone() }],
    }
}

fn options(prompt: &Prompt, delivery: Delivery) -> wit::Options {
    wit::Options {
        model: None,
        max_output_tokens: Some(prompt.max_output_tokens),
        form: prompt
            .form
            .as_ref()
            .map(|form| wit::JsonForm { name: form.name.to_owned(), schema: form.schema.to_string() }),
        delivery: match delivery {
            Delivery::Whole => wit::Delivery::Whole,
            Delivery::Pieces => wit::Delivery::Pieces,
        },
    }
}

/// Holds a result against what was written, so that nobody pays for another text than the one they read.
fn verify(run: &Run, delivery: Delivery, completion: wit::Completion) -> Result<Completion, Fault> {
    if completion.text.is_empty() {
        return Err(Fault::bug("the connector returned an empty text"));
    }
    if completion.text.len() > sink::MAX_TEXT_BYTES {
        return Err(Fault::new(FaultKind::TooLarge, "the connector returned a text of more than 1 MiB"));
    }
    if completion.text.contains('\0') {
        return Err(Fault::bug("the connector returned a text with a zero in it, which no database stores"));
    }
    if delivery == Delivery::Pieces && completion.text != run.sink.written() {
        return Err(Fault::bug("the connector returned another text than it wrote piece by piece"));
    }
    Ok(Completion {
        text: completion.text,
        model: plain(&completion.model, 100),
        cut_off: completion.ending == wit::Ending::CutOff,
    })
}
