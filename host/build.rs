//! Packs into the program what `orla connector new` hands out: the SDK, the contract and the templates, as they stand in
//! the repository.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

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
    // Asked for as it runs: several clones of the repository may share one target folder, and so this program.
    println!("cargo:rerun-if-env-changed=CARGO_MANIFEST_DIR");
    let host = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).expect("cargo names the folder");
    let root = host.parent().expect("the host lies in the repository");
    let out = env::var_os("OUT_DIR").map(PathBuf::from).expect("cargo names the folder");
    let copies = out.join("packed");
    if copies.exists() {
        fs::remove_dir_all(&copies)?;
    }
    let mut list = String::from("&[\n");
    for path in PACKED {
        println!("cargo:rerun-if-changed=../{path}");
        pack(root, &copies, path, &mut list)?;
    }
    list.push(']');
    fs::write(out.join("packed.rs"), list)
}

/// Copies a file, or all files of a folder in their order, and adds them to the list of paths and contents.
fn pack(root: &Path, copies: &Path, path: &str, list: &mut String) -> io::Result<()> {
    let (whole, copy) = (root.join(path), copies.join(path));
    if !whole.is_dir() {
        fs::create_dir_all(copy.parent().expect("a copy lies in a folder"))?;
        fs::write(copy, fs::read(whole)?)?;
        writeln!(list, "({path:?}, include_str!(concat!(env!(\"OUT_DIR\"), {:?}))),", format!("/packed/{path}"))
            .expect("a text can be written to");
        return Ok(());
    }
    let entries = fs::read_dir(whole)?.map(|entry| entry.map(|entry| entry.file_name()));
    let mut names = entries.collect::<io::Result<Vec<_>>>()?;
    names.sort();
    for name in names {
        let name = name.to_str().ok_or_else(|| io::Error::other("a packed file's name is no UTF-8"))?;
        pack(root, copies, &format!("{path}/{name}"), list)?;
    }
    Ok(())
}
