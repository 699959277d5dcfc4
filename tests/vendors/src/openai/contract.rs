//! The published contract: bodies against OpenAI's own schemas.

use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Value, json};

use super::problem::Problem;
use super::unknown;

/// The document's component schemas, under `$defs`.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../openai/schemas.json")).expect("the schemas are JSON: a test reads them")
});

/// The body of `POST /v1/responses`.
pub(super) static RESPONSES: LazyLock<Contract> = LazyLock::new(|| Contract::of("CreateResponse"));

/// The body of `POST /v1/chat/completions`.
pub(super) static CHAT: LazyLock<Contract> = LazyLock::new(|| Contract::of("CreateChatCompletionRequest"));

/// One schema of the document, compiled.
pub(super) struct Contract {
    name: &'static str,
    validator: Validator,
}

impl Contract {
    fn of(name: &'static str) -> Self {
        let schema = json!({ "$ref": format!("#/$defs/{name}"), "$defs": DOCUMENT["$defs"] });
        let validator = jsonschema::draft202012::options().build(&schema);
        Self { name, validator: validator.expect("the schemas compile: a test does it") }
    }

    /// Whether the body is one that the document allows, without members that it does not know.
    pub(super) fn check(&self, body: &Value) -> Result<(), Problem> {
        if let Some(param) = unknown::member(&DOCUMENT, self.name, body) {
            return Err(Problem::unknown_parameter(&param));
        }
        match self.validator.validate(body) {
            Ok(()) => Ok(()),
            Err(error) => Err(refusal(cause(&error))),
        }
    }
}

/// Why no branch of a choice fits: the error that goes deepest, or else one that is not about the type. Branches whose
/// tag (a member with fixed values, such as `role`) is another were not meant.
fn cause<'error>(error: &'error ValidationError<'error>) -> &'error ValidationError<'error> {
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) = error.kind() else {
        return error;
    };
    let depth = |error: &ValidationError<'_>| error.instance_path().as_str().matches('/').count();
    let is_tag = |inner: &ValidationError<'_>| {
        let fixed = matches!(inner.kind(), ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. });
        fixed && depth(inner) == depth(error) + 1
    };
    let is_type = |inner: &ValidationError<'_>| matches!(inner.kind(), ValidationErrorKind::Type { .. });
    let any_meant = context.iter().any(|branch| !branch.iter().any(is_tag));
    let meant = context.iter().filter(|branch| !any_meant || !branch.iter().any(is_tag));
    let causes = meant.flatten().map(|inner| cause(inner));
    causes.max_by_key(|inner| (depth(inner), !is_type(inner))).unwrap_or(error)
}

/// The error as OpenAI says it.
fn refusal(error: &ValidationError<'_>) -> Problem {
    let param = parameter(error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let member = property.as_str().unwrap_or_default();
            Problem::missing_parameter(&if param.is_empty() { member.to_owned() } else { format!("{param}.{member}") })
        }
        ValidationErrorKind::Type { .. } => {
            Problem::invalid(&param, "invalid_type", format!("Invalid type for '{param}': {}.", error.masked()))
        }
        ValidationErrorKind::Minimum { limit } => below(&param, limit, error.instance()),
        ValidationErrorKind::Maximum { limit } => {
            let given = error.instance();
            let message =
                format!("Invalid '{param}': above maximum value. Expected a value <= {limit}, but got {given}.");
            Problem::invalid(&param, "integer_above_max_value", message)
        }
        ValidationErrorKind::MinItems { .. } => {
            Problem::invalid(&param, "empty_array", format!("Invalid '{param}': empty array."))
        }
        _ => Problem::invalid(&param, "invalid_value", format!("Invalid value for '{param}': {}.", error.masked())),
    }
}

/// What OpenAI says of a number that is too small.
pub(super) fn below(param: &str, limit: &Value, given: &Value) -> Problem {
    let message = format!(
        "Invalid '{param}': integer below minimum value. Expected a value >= {limit}, but got {given} instead."
    );
    Problem::invalid(param, "integer_below_min_value", message)
}

/// `/input/0/content` as OpenAI writes it: `input[0].content`.
fn parameter(pointer: &str) -> String {
    pointer.split('/').skip(1).fold(String::new(), |path, segment| {
        if !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("{path}[{segment}]")
        } else if path.is_empty() {
            segment.to_owned()
        } else {
            format!("{path}.{segment}")
        }
    })
}
