//! Packs into the program what `orla connector new` hands out: the SDK, the contract and the templates, as they stand in
//! the repository.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

/// What is packed, by its path in the repository.
const PACKED: [&str; 9] = [
    "Cargo.toml",
    "LICENSE",
    "sdk/Cargo.toml",
    "sdk/README.md",
    "sdk/manifest/Cargo.toml",
    "sdk/manifest/src",
    "sdk/src",
    "sdk/template",
    "wit",
];

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the host lies in the repository");
    let mut list = String::from("&[\n");
    for path in PACKED {
        println!("cargo:rerun-if-changed={}", root.join(path).display());
        pack(root, path, &mut list)?;
    }
    list.push(']');
    let out = std::env::var_os("OUT_DIR").expect("cargo names the folder");
    fs::write(Path::new(&out).join("packed.rs"), list)
}

/// Adds a file, or all files of a folder in their order, to the list of paths and contents.
fn pack(root: &Path, path: &str, list: &mut String) -> io::Result<()> {
    let whole = root.join(path);
    if !whole.is_dir() {
        writeln!(list, "({path:?}, include_str!({whole:?})),").expect("a text can be written to");
        return Ok(());
    }
    let entries = fs::read_dir(whole)?.map(|entry| entry.map(|entry| entry.file_name()));
    let mut names = entries.collect::<io::Result<Vec<_>>>()?;
    names.sort();
    for name in names {
        let name = name.to_str().ok_or_else(|| io::Error::other("a packed file's name is no UTF-8"))?;
        pack(root, &format!("{path}/{name}"), list)?;
    }
    Ok(())
}
