//! Acme, API v1: <https://developer.acme.example>.

use orla_sdk::manifest::{self, Manifest};
use orla_sdk::{
    Api, Completion, Connector, Delivery, Ending, Explained, Fact, Fault, Prompt, Response, Result, TextModel,
    TextOptions, setting, text,
};
use serde::Deserialize;
use serde_json::json;

#[cfg(test)]
mod tests;

/// The connector.
pub struct Vendor;

orla_sdk::connector!(Vendor);
orla_sdk::export_text_model!(Vendor);

const API: Api = Api::new("api").explain(explain);

/// The model that answers where nobody chose one.
const MODEL: &str = "small";

impl Connector for Vendor {
    fn manifest() -> Manifest {
        Manifest {
            auth: manifest::api_key("https://developer.acme.example/keys"),
            endpoints: manifest::endpoints([("api", manifest::bearer("https://api.acme.example"))]),
            usage: manifest::usage([("input_tokens", &["/usage/input"]), ("output_tokens", &["/usage/output"])]),
            settings: manifest::settings([("model", "The model that answers; `small` by default.")]),
            ..manifest::bare("acme", "Acme", env!("CARGO_PKG_VERSION"))
        }
    }
}

/// An event of an answer: a piece of the text, or why there are no more of them.
#[derive(Deserialize)]
struct Piece {
    #[serde(default)]
    text: String,
    stop: Option<String>,
}

impl TextModel for Vendor {
    fn complete(prompt: &Prompt, options: &TextOptions, settings: &[Fact]) -> Result<Completion> {
        let model = options.model.clone().or_else(|| setting(settings, "model")).unwrap_or_else(|| MODEL.to_owned());
        let messages: Vec<&str> = prompt.messages.iter().map(|message| message.text.as_str()).collect();
        let asked = json!({
            "model": model,
            "instructions": prompt.instructions,
            "messages": messages,
            "max_tokens": options.max_output_tokens,
        });
        let (mut whole, mut stop) = (String::new(), None);
        for event in API.post("/v1/write").json(&asked).spend_events("complete")? {
            let piece: Piece = serde_json::from_str(&event?.data)
                .map_err(|error| Fault::vendor(format!("An event of the answer cannot be read: {error}.")))?;
            if options.delivery == Delivery::Pieces && !piece.text.is_empty() {
                text::write(&piece.text);
            }
            whole.push_str(&piece.text);
            stop = piece.stop.or(stop);
        }
        let ending = match stop.as_deref() {
            Some("length") => Ending::CutOff,
            Some(_) => Ending::Complete,
            None => return Err(Fault::vendor("The answer ended before its end.")),
        };
        Ok(Completion { text: whole, model, ending })
    }
}

/// What the vendor's refusals mean in its own words. The kind of fault comes from the status.
fn explain(answer: &Response) -> Explained {
    #[derive(Deserialize, Default)]
    struct Problem {
        code: Option<String>,
        message: Option<String>,
    }
    let Problem { code, message } = answer.json().unwrap_or_default();
    Explained { code, message, ..Explained::default() }
}
