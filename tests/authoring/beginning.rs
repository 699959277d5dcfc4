//! `orla connector new`: what is made, and what is refused.

use crate::desk::{Desk, refused, succeeded};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The files below a folder, by their path in it.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_new_connector_brings_the_repositorys_own_sdk_and_contract() {
    let desk = Desk::new("own-sdk");
    desk.begun("demo", "publish");
    let brought = |folder: &str| files(&desk.work.join("demo/.orla").join(folder));
    for folder in ["wit", "sdk/src", "sdk/manifest/src"] {
        assert_eq!(brought(folder), files(&repository().join(folder)), "{folder}");
    }
    let names: Vec<String> =
        files(&desk.work.join("demo")).into_keys().filter(|name| !name.contains(".orla")).collect();
    let cases = ["check", "publish", "whoami"].map(|case| format!("cases/{case}.json"));
    let expected = [".gitignore", "Cargo.lock", "Cargo.toml", "README.md"].map(str::to_owned).into_iter();
    let expected: Vec<String> =
        expected.chain(cases).chain(["src/lib.rs", "src/tests.rs"].map(str::to_owned)).collect();
    assert_eq!(names, expected);
    let text = std::fs::read_to_string(desk.work.join("demo/src/lib.rs")).unwrap();
    assert!(text.contains(r#"manifest::bare("demo", "Demo", env!("CARGO_PKG_VERSION"))"#), "{text}");
    assert!(!files(&desk.work.join("demo/src")).values().any(|text| text.to_lowercase().contains("acme")));
}

#[test]
fn every_version_is_the_one_that_we_test() {
    let desk = Desk::new("versions");
    // The name that the templates bear.
    desk.begun("acme", "text-model");
    let lock = desk.work.join("acme/Cargo.lock");
    let theirs = std::fs::read_to_string(&lock).unwrap();
    // Cargo cuts our own lock file down to what the new connector needs, and keeps its versions.
    std::fs::copy(repository().join("Cargo.lock"), &lock).unwrap();
    succeeded(&desk.command(Path::new("cargo"), "acme").args(["metadata", "--format-version", "1"]).output().unwrap());
    let ours = std::fs::read_to_string(&lock).unwrap();
    assert!(theirs == ours, "copy {} over sdk/template/Cargo.lock", lock.display());
}

#[test]
fn the_readme_shows_what_the_command_makes() {
    let readme = std::fs::read_to_string(repository().join("sdk/README.md")).unwrap();
    for ability in ["publish", "text-model"] {
        let template = repository().join("sdk/template").join(ability).join("src/lib.rs");
        let template = std::fs::read_to_string(template).unwrap();
        assert!(readme.contains(&format!("```rust\n{template}```\n")), "sdk/README.md shows another {ability}");
    }
}

#[test]
fn a_name_that_cannot_be_is_refused_in_one_sentence() {
    let desk = Desk::new("names");
    let too_long = "a".repeat(33);
    for name in ["", "Demo", "my_network", "1st", "-demo", "a--b", "demo-", "../demo", "de mo", "dé", &too_long] {
        let sentence = refused(&desk.orla("", ["new", "--", name]).output().unwrap());
        assert!(sentence.contains("cannot be a connector's name"), "{name}: {sentence}");
    }
    let sentence = refused(&desk.orla("", ["new", "orla-sdk"]).output().unwrap());
    assert!(sentence.contains("the name of a library"), "{sentence}");
    assert_eq!(desk.lies_there(), [""; 0]);
}

#[test]
fn what_is_there_stays_as_it_is() {
    let desk = Desk::new("there");
    desk.begun("demo", "publish");
    let before = files(&desk.work);
    let sentence = refused(&desk.orla("", ["new", "demo", "--ability", "text-model"]).output().unwrap());
    assert_eq!(sentence, "demo is there already; name another folder, or remove it");
    std::fs::write(desk.work.join("file"), "").unwrap();
    refused(&desk.orla("", ["new", "file"]).output().unwrap());
    std::fs::remove_file(desk.work.join("file")).unwrap();
    assert_eq!(files(&desk.work), before);
    assert_eq!(desk.lies_there(), ["demo"]);
}

#[test]
fn an_empty_folder_is_filled() {
    let desk = Desk::new("empty");
    std::fs::create_dir(desk.work.join("here")).unwrap();
    let said = succeeded(&desk.orla("", ["new", "demo", "--path", "here"]).output().unwrap());
    assert!(said.contains("cd here"), "{said}");
    assert!(desk.work.join("here/src/lib.rs").is_file());
    assert_eq!(desk.lies_there(), ["here"]);
}

#[test]
fn where_nothing_can_be_written_nothing_is_left() {
    let desk = Desk::new("unwritable");
    let sentence = refused(&desk.orla("", ["new", "demo", "--path", "/proc/demo"]).output().unwrap());
    assert!(sentence.starts_with("cannot make /proc/demo: "), "{sentence}");
    let sentence = refused(&desk.orla("", ["new", "demo", "--path", "no/such/demo"]).output().unwrap());
    assert_eq!(sentence, "there is no folder no/such to make it in");
    assert_eq!(desk.lies_there(), [""; 0]);
}
