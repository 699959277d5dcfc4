//! A small instance of a JSON schema, with a given text wherever a string may stand.

use serde_json::{Map, Value, json};

/// How deep optional members are filled in; required ones may go as deep as the schema recurses, within reason.
const OPTIONAL_DEPTH: usize = 6;
const DEPTH: usize = 32;

/// Makes instances of the parts of one schema.
pub(super) struct Maker<'schema> {
    root: &'schema Value,
    text: &'schema str,
}

impl<'schema> Maker<'schema> {
    pub(super) fn new(root: &'schema Value, text: &'schema str) -> Self {
        Self { root, text }
    }

    /// An instance of the whole. Whether it fits is for a validator to say: patterns, for one, are not read.
    pub(super) fn make(&self) -> Value {
        self.instance(self.root, 0).unwrap_or_default()
    }

    fn instance(&self, schema: &'schema Value, depth: usize) -> Option<Value> {
        if depth > DEPTH {
            return None;
        }
        if let Some(constant) = schema.get("const").or_else(|| schema["enum"].as_array()?.first()) {
            return Some(constant.clone());
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.root.pointer(reference.strip_prefix('#')?)?;
            return self.instance(target, depth + 1);
        }
        for choice in ["anyOf", "oneOf"] {
            if let Some(branches) = schema[choice].as_array() {
                return branches.iter().find_map(|branch| self.instance(branch, depth + 1));
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            return self.all(schema, parts, depth);
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "integer" => Some(json!(number(schema).ceil() as i64)),
            "number" => Some(json!(number(schema))),
            "boolean" => Some(json!(true)),
            "null" => Some(Value::Null),
            _ => Some(self.string(schema).into()),
        }
    }

    fn object(&self, schema: &'schema Value, depth: usize) -> Option<Value> {
        let required = schema["required"].as_array();
        let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|given| given == name));
        let mut members = Map::new();
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            let value = if is_required(name) {
                Some(self.instance(inner, depth + 1)?)
            } else if depth < OPTIONAL_DEPTH {
                self.instance(inner, depth + 1)
            } else {
                None
            };
            if let Some(value) = value {
                members.insert(name.clone(), value);
            }
        }
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            members.entry(name).or_insert_with(|| self.text.into());
        }
        Some(members.into())
    }

    fn array(&self, schema: &'schema Value, depth: usize) -> Option<Value> {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX);
        let mut items = Vec::new();
        for inner in schema["prefixItems"].as_array().into_iter().flatten() {
            items.push(self.instance(inner, depth + 1)?);
        }
        let Some(inner) = schema.get("items") else { return Some(items.into()) };
        while (items.len() as u64) < least.max(1).min(most) {
            match self.instance(inner, depth + 1) {
                Some(item) => items.push(item),
                // An empty list ends a schema that recurses through it.
                None if least == 0 => break,
                None => return None,
            }
        }
        Some(items.into())
    }

    /// The objects of all parts, in one.
    fn all(&self, schema: &'schema Value, parts: &'schema [Value], depth: usize) -> Option<Value> {
        let mut members = Map::new();
        for part in parts {
            match self.instance(part, depth + 1)? {
                Value::Object(more) => members.extend(more),
                other => return Some(other),
            }
        }
        if let Some(Value::Object(own)) = self.object(schema, depth) {
            members.extend(own);
        }
        Some(members.into())
    }

    fn string(&self, schema: &Value) -> String {
        match schema["format"].as_str() {
            Some("date-time") => "2026-01-31T12:00:00Z".to_owned(),
            Some("date") => "2026-01-31".to_owned(),
            Some("time") => "12:00:00Z".to_owned(),
            Some("duration") => "PT1M".to_owned(),
            Some("email") => "somebody@example.com".to_owned(),
            Some("uri") => "https://example.com/".to_owned(),
            Some("hostname") => "example.com".to_owned(),
            Some("ipv4") => "192.0.2.1".to_owned(),
            Some("ipv6") => "2001:db8::1".to_owned(),
            Some("uuid") => "00000000-0000-4000-8000-000000000000".to_owned(),
            _ => self.fitted(schema),
        }
    }

    /// The text, cut or repeated to the length that is asked for.
    fn fitted(&self, schema: &Value) -> String {
        let length = |name: &str| schema[name].as_u64().and_then(|chars| usize::try_from(chars).ok());
        let least = length("minLength").unwrap_or(0);
        let wanted = self.text.chars().count().max(least).min(length("maxLength").unwrap_or(usize::MAX));
        let text = if self.text.is_empty() { "." } else { self.text };
        text.chars().cycle().take(wanted).collect()
    }
}

/// The type, or the first of several; where none is named, what the other keywords are about.
fn kind(schema: &Value) -> &str {
    let named = schema["type"].as_str().or_else(|| schema["type"].as_array()?.first()?.as_str());
    named.unwrap_or_else(|| match schema {
        Value::Object(members) if members.contains_key("properties") => "object",
        Value::Object(members) if members.contains_key("items") => "array",
        _ => "string",
    })
}

/// The smallest number that is not too small, counted from zero where zero will do.
fn number(schema: &Value) -> f64 {
    let bound = |name: &str| schema[name].as_f64();
    let above = bound("minimum").or_else(|| Some(bound("exclusiveMinimum")? + 1.0));
    let below = bound("maximum").or_else(|| Some(bound("exclusiveMaximum")? - 1.0));
    let near = above.unwrap_or(f64::MIN).max(0.0).min(below.unwrap_or(f64::MAX));
    match bound("multipleOf") {
        Some(step) if step > 0.0 => (near / step).ceil() * step,
        _ => near,
    }
}
