//! Pages of lists, as a call returned them and as a case expects them.

use crate::connectors::{drive, engagement};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A page of a list.
#[derive(Debug)]
pub(super) struct Listed {
    items: Vec<Value>,
    /// Whether there is a next page. Its cursor may be another each time.
    more: bool,
}

/// A page that is expected.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedList {
    /// The items in order, each with at least these members.
    items: Vec<Map<String, Value>>,
    /// Whether there is a next page.
    #[serde(default)]
    more: bool,
}

impl WantedList {
    pub(super) fn is(&self, found: &Listed) -> bool {
        let same = |(wanted, found): (&Map<String, Value>, &Value)| {
            wanted.iter().all(|(name, value)| found.get(name) == Some(value))
        };
        self.more == found.more
            && self.items.len() == found.items.len()
            && self.items.iter().zip(&found.items).all(same)
    }
}

impl From<drive::Page> for Listed {
    fn from(page: drive::Page) -> Self {
        let item = |entry: drive::Entry| {
            json!({
                "id": entry.id, "name": entry.name, "kind": entry.kind, "size": entry.size_bytes,
                "content_type": entry.content_type, "modified_at": entry.modified_at, "fetchable": entry.fetchable,
            })
        };
        Self { items: page.entries.into_iter().map(item).collect(), more: page.next.is_some() }
    }
}

impl From<engagement::CommentPage> for Listed {
    fn from(page: engagement::CommentPage) -> Self {
        let item = |comment: engagement::Comment| {
            let author = comment.author.map(|author| json!({ "id": author.id, "name": author.name }));
            json!({
                "id": comment.id, "author": author, "text": comment.text, "created_at": comment.created_at,
                "parent": comment.parent, "url": comment.url, "can_reply": comment.can_reply, "likes": comment.likes,
                "replies": comment.replies,
            })
        };
        Self { items: page.comments.into_iter().map(item).collect(), more: page.next.is_some() }
    }
}

impl std::fmt::Display for Listed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "a page of {} items{}", self.items.len(), if self.more { ", with more to come" } else { "" })?;
        self.items.iter().try_for_each(|item| write!(out, "; {item}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Listed, WantedList};
    use serde_json::{Value, json};

    fn is(wanted: Value, items: &[Value], more: bool) -> bool {
        let wanted: WantedList = serde_json::from_value(wanted).expect("a wanted list");
        wanted.is(&Listed { items: items.to_vec(), more })
    }

    #[test]
    fn items_have_at_least_the_members_that_are_named() {
        let items = [json!({ "id": "1", "parent": null }), json!({ "id": "2", "parent": "1" })];
        assert!(is(json!({ "items": [{ "id": "1", "parent": null }, { "id": "2" }] }), &items, false));
        assert!(is(json!({ "items": [], "more": true }), &[], true));
        for (wanted, more) in [
            (json!({ "items": [{ "id": "1" }] }), false),
            (json!({ "items": [{ "id": "2" }, { "id": "1" }] }), false),
            (json!({ "items": [{ "id": "1" }, { "id": "2", "name": "x" }] }), false),
            (json!({ "items": [{ "id": "1" }, { "id": "2" }] }), true),
        ] {
            assert!(!is(wanted, &items, more));
        }
    }
}
