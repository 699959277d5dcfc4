//! Narrower secrets that vendors hand out in answers, such as the token of one page. They go into slots of the connection,
//! and a request may be signed by one; no guest sees them.

use super::credentials::{self, Credentials, Stored};
use super::run::Run;
use orla_manifest::Slot;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Most slots that one answer fills.
const MAX_SLOTS: usize = 1_000;
const MAX_ID_BYTES: usize = 200;

/// What the answers to one execution put into slots.
#[derive(Debug, Default)]
pub(crate) struct Slots(Mutex<BTreeMap<String, SecretString>>);

impl Slots {
    pub(crate) fn find(&self, slot: &str) -> Option<SecretString> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(slot).cloned()
    }

    /// All of them.
    pub(crate) fn all(&self) -> BTreeMap<String, SecretString> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Takes out of an answer what the manifest says goes into slots. It stands in the answer still.
pub(super) fn take(run: &Run, endpoint: &str, document: &Value) {
    let rules = run.release.manifest.slots.iter().filter(|rule| rule.from == endpoint);
    let filled: Vec<(String, SecretString)> = rules.flat_map(|rule| read(rule, document)).collect();
    filled.iter().for_each(|(_, secret)| run.secrets.add(secret));
    run.slots.0.lock().unwrap_or_else(PoisonError::into_inner).extend(filled);
}

fn read(rule: &Slot, document: &Value) -> Vec<(String, SecretString)> {
    let elements: Vec<&Value> = match &rule.each {
        None => vec![document],
        Some(each) => match document.pointer(each) {
            Some(Value::Array(elements)) => elements.iter().take(MAX_SLOTS).collect(),
            _ => Vec::new(),
        },
    };
    let one = |element: &Value| {
        let id = match element.pointer(&rule.id)? {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return None,
        };
        let secret = element.pointer(&rule.secret)?.as_str().filter(|secret| !secret.is_empty())?;
        let is_plain = id.len() <= MAX_ID_BYTES && !id.contains(char::is_control);
        is_plain.then(|| (format!("{}:{id}", rule.name), SecretString::from(secret)))
    };
    elements.into_iter().filter_map(one).collect()
}

/// Stores what the answers of a connection's execution put into slots, where it is new.
pub(super) async fn keep(run: &Run) {
    let Credentials::Connection(connection, _) = &run.credentials else { return };
    let mut filled = run.slots.all();
    if filled.is_empty() {
        return;
    }
    let written: anyhow::Result<()> = async {
        let services = &run.services;
        let mut tx = services.db.begin().await?;
        let stored = Stored::read(&mut tx, &services.vault, run.workspace, *connection).await?;
        filled.retain(|slot, secret| {
            stored.slot(slot).is_none_or(|stored| stored.expose_secret() != secret.expose_secret())
        });
        if filled.is_empty() {
            return Ok(());
        }
        let now = services.clock.now();
        credentials::store_slots(&mut tx, &services.vault, run.workspace, *connection, &filled, now).await?;
        Ok(tx.commit().await?)
    }
    .await;
    if let Err(error) = written {
        // This execution has them still, and the next answer fills them again.
        tracing::error!(%connection, error = format!("{error:#}"), "slots could not be stored");
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use orla_manifest::Slot;
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    #[test]
    fn each_element_with_id_and_secret_fills_a_slot() {
        let rule = Slot {
            from: "api".to_owned(),
            name: "page".to_owned(),
            each: Some("/data".to_owned()),
            id: "/id".to_owned(),
            secret: "/access_token".to_owned(),
        };
        let document = json!({"data": [
            {"id": "1", "access_token": "one"},
            {"id": 2, "access_token": "two"},
            {"id": "3"},
            {"id": "4", "access_token": ""},
            {"id": "5\n", "access_token": "five"},
        ]});
        let filled = read(&rule, &document);
        let filled: Vec<(&str, &str)> =
            filled.iter().map(|(slot, secret)| (slot.as_str(), secret.expose_secret())).collect();
        assert_eq!(filled, [("page:1", "one"), ("page:2", "two")]);
        let alone = Slot { each: None, ..rule };
        assert_eq!(read(&alone, &json!({"id": "9", "access_token": "nine"})).len(), 1);
        assert!(read(&alone, &json!([])).is_empty());
    }
}
