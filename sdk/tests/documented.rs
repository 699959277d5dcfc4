//! Every public item of the SDK is shown in use: its documentation has an example, which the doctests run.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that it does not expect")]

use std::path::{Path, PathBuf};

/// Beginnings of lines that make an item public.
const PUBLIC: [&str; 9] = [
    "pub fn ",
    "pub const fn ",
    "pub struct ",
    "pub enum ",
    "pub trait ",
    "pub type ",
    "macro_rules! ",
    "pub use orla_manifest::",
    "pub use crate::bindings::",
];

#[test]
fn every_public_item_has_an_example() {
    let mut without = Vec::new();
    let mut items = 0;
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let source = std::fs::read_to_string(&file).unwrap();
        // What is generated from the contract is shown in `contract.rs`, and tests are nobody's interface.
        if file.ends_with("bindings.rs") {
            continue;
        }
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        let mut shown = false;
        for line in source.lines().map(str::trim) {
            if PUBLIC.iter().any(|beginning| line.starts_with(beginning)) {
                items += 1;
                if !shown {
                    without.push(format!("{}: {line}", file.display()));
                }
            }
            shown = match line.strip_prefix("///") {
                Some(words) => shown || words.trim() == "```",
                // Attributes stand between an item and its documentation.
                None => shown && (line.starts_with("#[") || line.ends_with(")]")),
            };
        }
    }
    assert!(items > 100, "only {items} items were found: does this test still look in the right place?");
    assert!(without.is_empty(), "without an example:\n{}", without.join("\n"));
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
