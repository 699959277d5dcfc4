//! Members that the document does not know. Its schemas leave their objects open; the service refuses what it does not
//! know, at any depth, and so does the simulator.

use serde_json::Value;

/// How often a schema may refer to another before that is taken for a circle.
const REFERENCES: usize = 32;

/// The path of the first member that the named definition does not know, such as `input[0].colour`.
pub(super) fn member(document: &Value, name: &str, body: &Value) -> Option<String> {
    let walk = Walk { document };
    walk.value(body, &walk.definition(name).into_iter().collect::<Vec<_>>(), "")
}

struct Walk<'document> {
    document: &'document Value,
}

impl<'document> Walk<'document> {
    fn definition(&self, name: &str) -> Option<&'document Value> {
        self.document["$defs"].get(name)
    }

    /// Among everything that one of the schemas allows here. Which of them really applies is the validator's business.
    fn value(&self, value: &Value, schemas: &[&'document Value], path: &str) -> Option<String> {
        let mut branches = Vec::new();
        for schema in schemas {
            self.branches(schema, REFERENCES, &mut branches);
        }
        match value {
            Value::Object(members) => members.iter().find_map(|(name, value)| {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let known: Vec<&Value> = branches.iter().filter_map(|branch| branch["properties"].get(name)).collect();
                if !known.is_empty() {
                    self.value(value, &known, &path)
                } else if branches.iter().any(|branch| open(branch)) {
                    None
                } else {
                    Some(path)
                }
            }),
            Value::Array(items) => {
                let known: Vec<&Value> = branches.iter().filter_map(|branch| branch.get("items")).collect();
                let mut items = items.iter().enumerate();
                items.find_map(|(at, item)| self.value(item, &known, &format!("{path}[{at}]")))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
    }

    /// The schema, and all that it refers to or is composed of.
    fn branches(&self, schema: &'document Value, references: usize, found: &mut Vec<&'document Value>) {
        found.push(schema);
        if references == 0 {
            return;
        }
        let referred = schema["$ref"].as_str().and_then(|to| self.definition(to.strip_prefix("#/$defs/")?));
        let composed = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|of| schema[of].as_array()).flatten();
        for inner in referred.into_iter().chain(composed) {
            self.branches(inner, references - 1, found);
        }
    }
}

/// Whether an object may have members that the schema does not name: where it says so, or names none.
fn open(schema: &Value) -> bool {
    match schema.get("additionalProperties") {
        Some(Value::Bool(allowed)) => *allowed,
        Some(_) => true,
        None => match schema {
            Value::Bool(anything) => *anything,
            Value::Object(members) => {
                let says = |name| members.contains_key(name);
                let composed = says("$ref") || says("allOf") || says("anyOf") || says("oneOf");
                !composed && !says("properties") && (members.is_empty() || schema["type"] == "object")
            }
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::member;

    #[test]
    fn a_stranger_is_found_at_any_depth_and_free_objects_are_free() {
        let document = json!({ "$defs": {
            "A": { "allOf": [{ "$ref": "#/$defs/B" }, { "properties": { "free": { "type": "object" } } }] },
            "B": { "properties": { "list": { "anyOf": [{ "type": "string" }, { "items": { "$ref": "#/$defs/C" } }] } } },
            "C": { "oneOf": [{ "properties": { "x": {} } }, { "properties": { "c": { "$ref": "#/$defs/C" } } }] },
        } });
        let unknown = |body| member(&document, "A", &body);
        assert_eq!(unknown(json!({ "list": [{ "x": { "any": 1 } }, { "c": { "c": {} } }], "free": { "y": 1 } })), None);
        assert_eq!(unknown(json!({ "lists": 1 })).as_deref(), Some("lists"));
        assert_eq!(unknown(json!({ "list": [{}, { "c": { "y": 1 } }] })).as_deref(), Some("list[1].c.y"));
    }
}
