//! `orla connector build`: from a new connector to a component that a server would admit.

use crate::desk::{Desk, Tools, refused, succeeded};
use std::path::Path;

/// A new connector passes its tests, is built and would be admitted, and cargo keeps to the versions that came with it.
fn tested_built_and_admitted(name: &str, ability: &str, said: &str) {
    let desk = Desk::new(name);
    desk.begun(name, ability);
    let lock = || std::fs::read_to_string(desk.work.join(name).join("Cargo.lock")).unwrap();
    let pinned = lock();
    let tested = desk.command(Path::new("cargo"), name).args(["test", "--locked"]).output().unwrap();
    let tests = succeeded(&tested);
    assert!(tests.contains("the_manifest_makes_sense ... ok"), "{tests}");
    assert!(!String::from_utf8_lossy(&tested.stderr).contains("warning"), "{tested:?}");

    let built = succeeded(&desk.orla(name, ["build"]).output().unwrap());
    assert!(built.starts_with(said), "{built}");
    let component = desk.work.join(name).join(format!("{name}.wasm"));
    let size = component.metadata().unwrap().len();
    assert!(built.contains(&format!("{name}.wasm: {size} bytes, sha256 ")), "{built}");
    assert!(size < 300_000, "a new connector of {size} bytes");
    let checked = succeeded(&desk.orla(name, ["check", &format!("{name}.wasm")]).output().unwrap());
    assert!(checked.starts_with(said), "{checked}");
    let proven = succeeded(&desk.orla(name, ["test"]).output().unwrap());
    assert!(proven.contains("passed"), "{proven}");
    assert_eq!(lock(), pinned);
}

/// Its name is a keyword of Rust, and a real vendor's.
#[test]
fn a_new_connector_that_publishes() {
    tested_built_and_admitted("box", "publish", "Box (box 0.1.0) would be admitted. It can do: identity, publish.\n");
}

#[test]
fn a_new_connector_whose_accounts_are_connected_by_fields() {
    let said = "Our Servers (our-servers 0.1.0) would be admitted. It can do: identity, publish.\n";
    tested_built_and_admitted("our-servers", "fields", said);
}

#[test]
fn a_new_connector_to_a_text_model() {
    let said = "My Words (my-words 0.1.0) would be admitted. It can do: text-model.\n";
    tested_built_and_admitted("my-words", "text-model", said);
}

#[test]
fn what_does_not_compile_says_where() {
    let desk = Desk::new("broken");
    desk.begun("demo", "publish");
    let library = desk.work.join("demo/src/lib.rs");
    let text = std::fs::read_to_string(&library).unwrap().replace("500", "\"five hundred\"");
    std::fs::write(&library, text).unwrap();
    let output = desk.orla("", ["build", "--path", "demo"]).output().unwrap();
    assert_eq!(refused(&output), "the connector does not build: cargo says above why");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("error[E0308]") && said.contains("src/lib.rs:"), "{said}");
    assert!(!desk.work.join("demo/demo.wasm").exists());
}

#[test]
fn what_is_no_component_or_no_connector_is_told_apart() {
    let desk = Desk::new("other");
    desk.begun("demo", "publish");
    let change = |file: &str, from: &str, to: &str| {
        let file = desk.work.join("demo").join(file);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
    };
    change("src/lib.rs", r#"bare("demo""#, r#"bare("No Name""#);
    let sentence = refused(&desk.orla("demo", ["build"]).output().unwrap());
    assert!(sentence.contains("is no connector for this host: its manifest is flawed: id: must be"), "{sentence}");
    change("Cargo.toml", r#"["cdylib", "rlib"]"#, r#"["rlib"]"#);
    let sentence = refused(&desk.orla("demo", ["build"]).output().unwrap());
    assert!(sentence.contains("builds, but is no component"), "{sentence}");
    let sentence = refused(&desk.orla("", ["build", "--path", "elsewhere"]).output().unwrap());
    assert_eq!(sentence, "there is no folder elsewhere");
    let output = desk.orla("", ["build"]).output().unwrap();
    refused(&output);
    assert!(String::from_utf8_lossy(&output.stderr).contains("could not find `Cargo.toml`"), "{output:?}");
}

#[test]
fn without_rust_or_its_target_the_cure_is_named() {
    let desk = Desk::new("tools");
    desk.begun("demo", "publish");
    let build = |tools: Tools| desk.orla("demo", ["build"]).env("PATH", tools.path()).output().unwrap();
    let sentence = refused(&build(Tools::Nothing));
    assert_eq!(sentence, "there is no Rust on the PATH; install it by https://rustup.rs, then run this again");
    let sentence = refused(&build(Tools::NoTarget));
    assert!(sentence.starts_with("Rust's target wasm32-wasip2 is missing, and there is no rustup"), "{sentence}");
    let output = build(Tools::NoServer);
    assert_eq!(refused(&output), "Rust's target wasm32-wasip2 cannot be installed: rustup says above why");
    assert!(String::from_utf8_lossy(&output.stderr).contains("\ntarget add wasm32-wasip2\n"), "{output:?}");
}
