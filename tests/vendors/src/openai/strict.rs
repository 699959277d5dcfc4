//! The subset of JSON Schema that `strict: true` demands, as OpenAI's guide to structured outputs tells it.

use serde_json::Value;

/// Keywords that the subset leaves out (the guide under "Supported schemas"; `oneOf` observed).
const LEFT_OUT: &[&str] = &[
    "allOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
    "contains",
    "uniqueItems",
];

/// What is wrong with the schema, in OpenAI's words.
pub(super) fn wrong(schema: &Value) -> Option<String> {
    if schema["type"] != "object" {
        let kind = schema["type"].as_str().unwrap_or("None");
        return Some(format!("schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."));
    }
    within(schema, &mut Vec::new())
}

fn within(schema: &Value, context: &mut Vec<String>) -> Option<String> {
    let Some(members) = schema.as_object() else { return Some(said(context, "schema must be an object.")) };
    if let Some(keyword) = LEFT_OUT.iter().find(|keyword| members.contains_key(**keyword)) {
        return Some(said(context, &format!("'{keyword}' is not permitted.")));
    }
    if !["type", "$ref", "anyOf", "enum", "const"].iter().any(|keyword| members.contains_key(*keyword)) {
        return Some(said(context, "schema must have a 'type' key."));
    }
    let names_object =
        |kinds: &Value| kinds == "object" || kinds.as_array().is_some_and(|all| all.contains(&"object".into()));
    if (names_object(&schema["type"]) || members.contains_key("properties"))
        && let Some(wrong) = object(schema)
    {
        return Some(said(context, &wrong));
    }
    for keyword in ["properties", "$defs", "definitions"] {
        for (name, inner) in schema[keyword].as_object().into_iter().flatten() {
            if let Some(wrong) = deeper(inner, context, &[keyword, name]) {
                return Some(wrong);
            }
        }
    }
    for (at, inner) in schema["anyOf"].as_array().into_iter().flatten().enumerate() {
        if let Some(wrong) = deeper(inner, context, &["anyOf", &at.to_string()]) {
            return Some(wrong);
        }
    }
    members.get("items").and_then(|items| deeper(items, context, &["items"]))
}

fn deeper(schema: &Value, context: &mut Vec<String>, steps: &[&str]) -> Option<String> {
    let before = context.len();
    context.extend(steps.iter().map(|step| format!("'{step}'")));
    let wrong = within(schema, context);
    context.truncate(before);
    wrong
}

/// Closed, and everything required.
fn object(schema: &Value) -> Option<String> {
    if schema["additionalProperties"] != false {
        return Some("'additionalProperties' is required to be supplied and to be false.".to_owned());
    }
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|given| given == name));
    let missing = schema["properties"].as_object().into_iter().flatten().find(|(name, _)| !is_required(name));
    missing.map(|(name, _)| {
        format!(
            "'required' is required to be supplied and to be an array including every key in properties. Missing \
             '{name}'."
        )
    })
}

fn said(context: &[String], what: &str) -> String {
    format!("In context=({}), {what}", context.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::wrong;

    fn object(properties: &Value, required: &[&str]) -> Value {
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
    }

    #[test]
    fn a_strict_schema_is_closed_and_complete_to_its_depth() {
        let inner = object(&json!({ "b": { "type": ["string", "null"] } }), &["b"]);
        assert_eq!(wrong(&object(&json!({ "a": { "type": "array", "items": inner } }), &["a"])), None);
        let refused = |schema: &Value| wrong(schema).expect("the schema is refused");
        assert!(refused(&json!({ "type": "array", "items": inner })).contains("got 'type: \"array\"'"));
        assert!(refused(&json!({ "type": "object" })).contains("context=(), 'additionalProperties'"));
        let open = object(&json!({ "a": { "type": "array", "items": { "type": "object" } } }), &["a"]);
        assert!(refused(&open).contains("context=('properties', 'a', 'items'), 'additionalProperties'"));
        assert!(refused(&object(&json!({ "a": { "type": "string" } }), &[])).contains("Missing 'a'"));
        assert!(refused(&object(&json!({ "a": { "oneOf": [] } }), &["a"])).contains("'oneOf' is not permitted"));
        assert!(refused(&object(&json!({ "a": {} }), &["a"])).contains("must have a 'type'"));
    }
}
