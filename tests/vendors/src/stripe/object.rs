//! Reading and changing objects as they are kept: JSON of the shape that Stripe documents.

use serde_json::{Map, Value};

/// A member that is text; empty where it is null or missing.
pub(super) fn text<'a>(object: &'a Value, member: &str) -> &'a str {
    object[member].as_str().unwrap_or_default()
}

/// A member that is a whole number; 0 where it is null or missing.
pub(super) fn number(object: &Value, member: &str) -> i64 {
    object[member].as_i64().unwrap_or_default()
}

/// An object whose members, named between spaces, are null.
pub(super) fn nulls(names: &str) -> Value {
    names.split_whitespace().map(|name| (name.to_owned(), Value::Null)).collect::<Map<_, _>>().into()
}

/// Sets members, and says what those that are different now were before.
pub(super) fn merge(object: &mut Value, members: Value) -> Map<String, Value> {
    let mut before = Map::new();
    if let Value::Object(members) = members {
        for (name, value) in members {
            if object.get(&name) != Some(&value) {
                before.insert(name.clone(), object[&name].take());
                object[&name] = value;
            }
        }
    }
    before
}

/// What a list of parts is where all of it is in there.
pub(super) fn whole_list(data: &[Value], url: &str) -> Value {
    serde_json::json!({ "object": "list", "data": data, "has_more": false, "url": url })
}
