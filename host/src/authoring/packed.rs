//! The repository's files that a new connector is made of; `build.rs` packs them.

/// Each file's path in the repository, and what it holds.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/packed.rs"));

/// All files.
pub(super) fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().copied()
}

/// One file.
///
/// # Panics
/// When no such file is packed.
pub(super) fn file(path: &str) -> &'static str {
    files().find(|(candidate, _)| *candidate == path).expect("a file that is asked for by name is packed").1
}
