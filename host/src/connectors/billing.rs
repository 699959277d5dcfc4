//! What vendors bill the operator for: read by the host from the answers to requests of effect `spend`, at the places
//! that the manifest names. A connector does not report it.

use orla_manifest::Usage;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What the vendor counted, by unit, such as `input_tokens`.
pub(crate) type Units = BTreeMap<String, u64>;

/// What one execution of a run was billed.
#[derive(Debug, Default)]
pub(crate) struct Billing(Mutex<Units>);

impl Billing {
    /// Adds what an answer said.
    pub(crate) fn add(&self, reading: Reading<'_>) {
        let mut units = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (unit, count) in reading.found {
            *units.entry(unit.to_owned()).or_default() += count;
        }
    }

    /// All units so far; `None` where the vendor reported nothing.
    pub(crate) fn units(&self) -> Option<Units> {
        let units = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!units.is_empty()).then(|| units.clone())
    }
}

/// Reading one answer, or the events of one.
#[derive(Debug)]
pub(crate) struct Reading<'manifest> {
    declared: &'manifest [Usage],
    found: BTreeMap<&'manifest str, u64>,
}

impl<'manifest> Reading<'manifest> {
    pub(crate) fn of(declared: &'manifest [Usage]) -> Self {
        Self { declared, found: BTreeMap::new() }
    }

    /// Looks into a JSON text. What it reports replaces what an earlier one of the same answer did: vendors count up.
    pub(crate) fn look(&mut self, json: &str) {
        // Most events of a stream report nothing: they are not worth reading as JSON.
        let members = self.declared.iter().flat_map(|usage| &usage.at).filter_map(|pointer| pointer.rsplit('/').next());
        if !members.into_iter().any(|member| json.contains(member)) {
            return;
        }
        let Ok(document) = serde_json::from_str::<Value>(json) else { return };
        for usage in self.declared {
            if let Some(count) = usage.at.iter().find_map(|pointer| document.pointer(pointer)?.as_u64()) {
                self.found.insert(&usage.unit, count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Billing, Reading, Usage};

    fn declared() -> Vec<Usage> {
        let usage = |unit: &str, at: &[&str]| Usage {
            unit: unit.to_owned(),
            at: at.iter().map(|pointer| (*pointer).to_owned()).collect(),
        };
        vec![usage("input_tokens", &["/usage/prompt", "/response/usage/prompt"]), usage("images", &["/usage/images"])]
    }

    #[test]
    fn the_last_report_of_an_answer_counts_and_answers_add_up() {
        let (billing, declared) = (Billing::default(), declared());
        assert_eq!(billing.units(), None);
        for _ in 0..2 {
            let mut reading = Reading::of(&declared);
            reading.look(r#"{"delta":"prompt"}"#);
            reading.look(r#"{"response":{"usage":{"prompt":3}}}"#);
            reading.look(r#"{"response":{"usage":{"prompt":5}}}"#);
            reading.look(r#"{"usage":null,"prompt"#);
            billing.add(reading);
        }
        assert_eq!(billing.units().unwrap_or_default(), [("input_tokens".to_owned(), 10)].into());
    }

    #[test]
    fn what_is_no_count_is_not_counted() {
        let (billing, declared) = (Billing::default(), declared());
        let mut reading = Reading::of(&declared);
        reading.look(r#"{"usage":{"prompt":-4,"images":"3"}}"#);
        billing.add(reading);
        assert_eq!(billing.units(), None);
    }
}
