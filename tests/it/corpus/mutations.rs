//! Foreign bytes at random: what reads them refuses or accepts, quickly, and never panics.

use super::forged;
use orla::connectors::check_size;
use orla_manifest::Manifest;
use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Longest that one look may take, on a busy machine.
const LIMIT: Duration = Duration::from_secs(1);

/// The same cases each time.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}

/// A change of some bytes.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    /// A stretch is put somewhere else.
    Splice(Index, Index, usize),
    Remove(Index, usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let count = bytes.len();
        let stretch = |from: usize, length: usize| from..(from + length).min(count);
        match self {
            Self::Flip(at, bits) => bytes[at.index(count)] ^= bits,
            Self::Cut(at) => bytes.truncate(at.index(count)),
            Self::Splice(from, to, length) => {
                let piece = bytes[stretch(from.index(count), *length)].to_vec();
                let to = to.index(count);
                bytes.splice(to..to, piece);
            }
            Self::Remove(from, length) => drop(bytes.drain(stretch(from.index(count), *length))),
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        6 => (any::<Index>(), 1..=u8::MAX).prop_map(|(at, bits)| Change::Flip(at, bits)),
        1 => any::<Index>().prop_map(Change::Cut),
        2 => (any::<Index>(), any::<Index>(), 1..4_096_usize).prop_map(|(from, to, length)| Change::Splice(from, to, length)),
        2 => (any::<Index>(), 1..256_usize).prop_map(|(from, length)| Change::Remove(from, length)),
    ];
    vec(change, 1..8)
}

#[test]
fn a_component_with_changed_bytes_is_refused_or_taken_quickly() {
    let whole = forged::connector(&["unreachable"]);
    check_size(&whole).unwrap();
    let outcome = runner(2_000).run(&changes(), |changes| {
        let mut bytes = whole.clone();
        changes.iter().for_each(|change| change.apply(&mut bytes));
        let began = Instant::now();
        let _ = check_size(&bytes);
        assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// Any JSON, of names that manifests have and others.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![".*", "https://[a-z]{1,8}\\.example", "/[a-z*/]{0,12}", "[a-z_-]{0,40}"].prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(prop_oneof!["[a-z_]{1,12}", ".*"], inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Every place of a document, as a pointer.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| pointers(item, &format!("{at}/{index}"), all));
        }
        Value::Object(members) => members.iter().for_each(|(name, item)| pointers(item, &format!("{at}/{name}"), all)),
        _ => {}
    }
}

#[test]
fn a_manifest_with_any_json_in_it_is_refused_with_its_flaws_or_taken_as_it_is() {
    let whole = serde_json::to_value(forged::manifest("forged")).unwrap();
    let mut places = Vec::new();
    pointers(&whole, "", &mut places);
    assert!(places.len() > 20);
    let outcome = runner(3_000).run(&vec((any::<Index>(), document()), 1..4), |changes| {
        let mut manifest = whole.clone();
        for (place, value) in changes {
            if let Some(member) = manifest.pointer_mut(&places[place.index(places.len())]) {
                *member = value;
            }
        }
        let text = manifest.to_string();
        let began = Instant::now();
        match Manifest::parse(&text) {
            Ok(taken) => {
                assert!(taken.validate().is_empty());
                let again = Manifest::parse(&serde_json::to_string(&taken).unwrap()).unwrap();
                assert_eq!(again, taken);
            }
            Err(flaws) => assert!(!flaws.is_empty()),
        }
        assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_manifest_whose_text_is_changed_is_refused_or_taken() {
    let whole = serde_json::to_string(&forged::manifest("forged")).unwrap();
    let nested = json!({"schema": 1}).to_string().replace('1', &"[".repeat(100_000));
    assert!(Manifest::parse(&nested).is_err());
    let outcome = runner(3_000).run(&changes(), |changes| {
        let mut bytes = whole.clone().into_bytes();
        changes.iter().for_each(|change| change.apply(&mut bytes));
        let _ = Manifest::parse(&String::from_utf8_lossy(&bytes));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
