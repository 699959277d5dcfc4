//! `fields=id,from{id,name}`: which members of a node are shown (documented under "Field expansion").

use std::iter::Peekable;
use std::str::Chars;

use serde_json::{Map, Value};

use super::gate::Call;
use super::problem::Problem;

/// A selection of fields, in the order in which they were asked for.
struct Fields(Vec<(String, Option<Fields>)>);

/// The members of a node that the call asks for, or these defaults. In `node` is everything that nodes of this type
/// have; what this one lacks is null there, and left out. The id is always shown.
pub(super) fn show(call: &Call, node: &Value, node_type: &str, defaults: &[&str]) -> Result<Value, Problem> {
    let fields = match call.parameters.get("fields") {
        Some(text) => Fields::parse(text)?,
        None => Fields(defaults.iter().map(|&name| (name.to_owned(), None)).collect()),
    };
    fields.select(node, node_type)
}

impl Fields {
    fn parse(text: &str) -> Result<Self, Problem> {
        let mut rest = text.chars().peekable();
        let syntax = || {
            let words = "Syntax error \"Expected end of string\" in the fields";
            Problem::new(2500, format!("{words} \"{text}\", of which the simulator knows names and braces."))
        };
        let fields = Self::parse_list(&mut rest).ok_or_else(syntax)?;
        if rest.next().is_some() { Err(syntax()) } else { Ok(fields) }
    }

    fn parse_list(rest: &mut Peekable<Chars<'_>>) -> Option<Self> {
        let mut fields = Vec::new();
        loop {
            let mut name = String::new();
            while let Some(letter) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                name.push(letter);
            }
            if name.is_empty() {
                return None;
            }
            let inner = match rest.next_if_eq(&'{') {
                Some(_) => {
                    let inner = Self::parse_list(rest)?;
                    rest.next_if_eq(&'}')?;
                    Some(inner)
                }
                None => None,
            };
            fields.push((name, inner));
            if rest.next_if_eq(&',').is_none() {
                return Some(Self(fields));
            }
        }
    }

    fn select(&self, node: &Value, node_type: &str) -> Result<Value, Problem> {
        let mut shown = Map::new();
        for (name, inner) in &self.0 {
            let value = node.get(name).ok_or_else(|| Problem::no_field(name, node_type))?;
            let value = match inner {
                _ if value.is_null() => continue,
                None => value.clone(),
                Some(inner) => inner.select_inside(value, name)?,
            };
            shown.insert(name.clone(), value);
        }
        if let Some(id) = node.get("id").filter(|id| !id.is_null()) {
            shown.insert("id".to_owned(), id.clone());
        }
        Ok(Value::Object(shown))
    }

    /// A selection within a member, which may be a list of nodes.
    fn select_inside(&self, value: &Value, node_type: &str) -> Result<Value, Problem> {
        match value.get("data") {
            Some(Value::Array(items)) => {
                let items: Result<Vec<Value>, Problem> =
                    items.iter().map(|item| self.select(item, node_type)).collect();
                Ok(serde_json::json!({ "data": items? }))
            }
            Some(node @ Value::Object(_)) => Ok(serde_json::json!({ "data": self.select(node, node_type)? })),
            _ => self.select(value, node_type),
        }
    }
}
