//! The form of the answer that a request asks for: any text, any JSON object, or an instance of a schema.

use jsonschema::Validator;
use serde_json::{Value, json};

use super::context::Context;
use super::instance::Maker;
use super::problem::Problem;
use super::strict;

/// A schema that the answer must fit.
pub(super) struct Format {
    schema: Value,
    validator: Validator,
    /// Where the request names it.
    param: &'static str,
}

impl Format {
    /// From `text.format`.
    pub(super) fn of_response(format: &Value, context: &Context) -> Result<Option<Self>, Problem> {
        Self::read(format, format, ["text.format", "text.format.name", "text.format.schema"], context)
    }

    /// From `response_format`.
    pub(super) fn of_chat(format: &Value, context: &Context) -> Result<Option<Self>, Problem> {
        let params = ["response_format", "response_format.json_schema.name", "response_format"];
        Self::read(format, &format["json_schema"], params, context)
    }

    fn read(
        format: &Value,
        spec: &Value,
        [format_param, name_param, schema_param]: [&'static str; 3],
        context: &Context,
    ) -> Result<Option<Self>, Problem> {
        match format["type"].as_str() {
            Some("json_schema") => {}
            Some("json_object") if context.text.to_lowercase().contains("json") => {
                let schema = json!({ "type": "object", "properties": { "text": { "type": "string" } } });
                return Self::compile(schema, "", format_param).map(Some);
            }
            Some("json_object") => {
                let message =
                    "The input must contain the word 'json' in some form, to use a format of type 'json_object'.";
                return Err(Problem::invalid(format_param, "invalid_value", message));
            }
            _ => return Ok(None),
        }
        let name = spec["name"].as_str().unwrap_or_default();
        let legal = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'_' || letter == b'-';
        if !(1..=64).contains(&name.len()) || !name.bytes().all(legal) {
            let message = format!(
                "Invalid '{name_param}': string does not match pattern. Expected a string that matches the pattern \
                 '^[a-zA-Z0-9_-]{{1,64}}$'."
            );
            return Err(Problem::invalid(name_param, "invalid_value", message));
        }
        let Some(schema) = spec.get("schema") else { return Err(Problem::missing_parameter(schema_param)) };
        if spec["strict"] == true
            && let Some(wrong) = strict::wrong(schema)
        {
            return Err(Self::invalid(name, schema_param, &wrong));
        }
        Self::compile(schema.clone(), name, schema_param).map(Some)
    }

    fn compile(schema: Value, name: &str, param: &'static str) -> Result<Self, Problem> {
        match jsonschema::draft202012::options().should_validate_formats(true).build(&schema) {
            Ok(validator) => Ok(Self { schema, validator, param }),
            Err(error) => Err(Self::invalid(name, param, &error.masked().to_string())),
        }
    }

    fn invalid(name: &str, param: &str, wrong: &str) -> Problem {
        let message = format!("Invalid schema for response_format '{name}': {wrong}");
        Problem::invalid(param, "invalid_json_schema", message)
    }

    /// What the model answers in this form when it wants to say this: the text itself where it fits.
    pub(super) fn fit(&self, text: &str) -> Result<String, Problem> {
        let fits = |value: &Value| self.validator.is_valid(value);
        if serde_json::from_str(text).is_ok_and(|value| fits(&value)) {
            return Ok(text.to_owned());
        }
        let made = Maker::new(&self.schema, text).make();
        if fits(&made) {
            return Ok(made.to_string());
        }
        let message = "The simulator cannot make up an instance of this schema. Order one by the setting `reply`.";
        Err(Problem::invalid(self.param, "invalid_value", message))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Context, Format};

    fn fitted(schema: &Value, text: &str) -> Value {
        let format = json!({ "type": "json_schema", "name": "a", "schema": schema });
        let format = Format::of_response(&format, &Context::default()).expect("the schema is right");
        let answer = format.expect("there is a format").fit(text).expect("there is an instance");
        serde_json::from_str(&answer).expect("the answer is JSON")
    }

    #[test]
    fn an_instance_fits_and_carries_the_text() {
        let schema = json!({
            "type": "object",
            "properties": {
                "caption": { "type": "string", "maxLength": 5 },
                "tags": { "type": "array", "items": { "type": "string" }, "minItems": 2 },
                "score": { "type": "integer", "minimum": 3 },
                "tone": { "enum": ["dry", "warm"] },
                "next": { "anyOf": [{ "$ref": "#" }, { "type": "null" }] },
                "at": { "type": "string", "format": "date-time" },
            },
            "required": ["caption", "tags", "score", "tone"],
        });
        let made = fitted(&schema, "a text of some length");
        assert_eq!(made["caption"], "a tex");
        assert_eq!(made["tags"], json!(["a text of some length", "a text of some length"]));
        assert_eq!((&made["score"], &made["tone"]), (&json!(3), &json!("dry")));
    }

    #[test]
    fn a_reply_that_fits_is_kept() {
        let schema = json!({ "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"] });
        assert_eq!(fitted(&schema, r#"{"a": 7}"#), json!({ "a": 7 }));
        assert_eq!(fitted(&schema, r#"{"a": "seven"}"#), json!({ "a": 0 }));
    }
}
