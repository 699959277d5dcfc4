//! Lists: newest first, in pages.

use serde_json::{Value, json};

use super::event::Event;
use super::gate::Call;
use super::object::text;
use super::problem::Problem;
use super::world::{Kind, World};

const DEFAULT_LIMIT: i64 = 10;
const MAX_LIMIT: i64 = 100;

impl Call {
    /// Refuses parameters of a list that are not known.
    pub(super) fn check_list(&self, filters: &[&str]) -> Result<(), Problem> {
        let paging = ["limit", "starting_after", "expand[#]"];
        self.form.check(&[filters, &paging].concat())
    }

    /// What is to be expanded, of what can be.
    pub(super) fn expand(&self, known: &[&str]) -> Result<bool, Problem> {
        let asked = self.form.all("expand");
        match asked.iter().find(|asked| !known.contains(asked)) {
            Some(other) => Err(Problem::at("expand", format!("This property cannot be expanded ({other})."))),
            None => Ok(!asked.is_empty()),
        }
    }

    /// A page of what is given oldest first.
    pub(super) fn page<'a>(
        &self,
        all: impl DoubleEndedIterator<Item = (&'a str, Value)>,
        what: &str,
    ) -> Result<Value, Problem> {
        let limit = self.form.integer("limit", 1, MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut newest_first = all.rev();
        if let Some(after) = self.form.get("starting_after") {
            let found = newest_first.any(|(id, _)| id == after);
            if !found {
                return Err(Problem::no_such(what, after, "starting_after"));
            }
        }
        let mut data: Vec<Value> = newest_first.take(limit + 1).map(|(_, object)| object).collect();
        let has_more = data.len() > limit;
        data.truncate(limit);
        Ok(json!({ "object": "list", "data": data, "has_more": has_more, "url": self.path }))
    }
}

/// The objects of a kind that are kept for.
pub(super) fn list(
    world: &World,
    call: &Call,
    kind: Kind,
    is_wanted: impl Fn(&Value) -> bool,
) -> Result<Value, Problem> {
    let wanted = world.all(kind).iter().filter(|object| is_wanted(object));
    call.page(wanted.map(|object| (text(object, "id"), object.clone())), "object")
}

/// Those that have what the parameters of the same names say.
pub(super) fn list_by(world: &World, call: &Call, kind: Kind, filters: &[&str]) -> Result<Value, Problem> {
    call.check_list(filters)?;
    call.expand(&[])?;
    list(world, call, kind, |object| call.has_all(object, filters))
}

impl Call {
    /// Whether an object has what the parameters of these names say, where they are given.
    pub(super) fn has_all(&self, object: &Value, filters: &[&str]) -> bool {
        filters.iter().all(|name| self.form.get(name).is_none_or(|wanted| text(object, name) == wanted))
    }
}

pub(super) fn events(world: &World, call: &Call) -> Result<Value, Problem> {
    call.check_list(&["type", "types[#]"])?;
    call.expand(&[])?;
    let (kind, kinds) = (call.form.get("type"), call.form.all("types"));
    if kind.is_some() && !kinds.is_empty() {
        return Err(Problem::at("types", "You may not pass both `type` and `types`."));
    }
    let is_wanted = |event: &&Event| {
        kind.is_none_or(|kind| is_of(&event.kind, kind))
            && (kinds.is_empty() || kinds.iter().any(|kind| *kind == event.kind))
    };
    let wanted = world.events.iter().filter(is_wanted);
    call.page(wanted.map(|event| (event.id.as_str(), json!(event))), "event")
}

/// Whether a type is another, or one of a group such as `invoice.*`.
fn is_of(kind: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(group) => kind.starts_with(group),
        None => kind == wanted,
    }
}

pub(super) fn event(world: &World, call: &Call, id: &str) -> Result<Value, Problem> {
    call.form.check(&[])?;
    let found = world.events.iter().find(|event| event.id == id);
    found.map(|event| json!(event)).ok_or_else(|| Problem::no_such("event", id, "id"))
}
