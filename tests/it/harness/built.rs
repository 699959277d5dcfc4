//! What is built once for all tests: the connectors as components, and their machine code.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The product's program.
pub(crate) fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_orla-under-test").into()
}

static CONNECTORS: OnceLock<PathBuf> = OnceLock::new();

/// The connectors that hosts of tests load.
const LOADED: [&str; 5] = ["x", "openai", "probe", "fields", "hook"];
/// All that tests use.
const IDS: [&str; 16] = [
    "x",
    "openai",
    "probe",
    "fields",
    "hook",
    "careless",
    "mastodon",
    "webhook",
    "facebook",
    "dropbox",
    "graph",
    "robot",
    "gallery",
    "instagram",
    "youtube",
    "vertex",
];

/// A folder with them, such as `x.wasm`.
pub(super) fn connectors() -> &'static Path {
    CONNECTORS.get_or_init(|| {
        let target = target_folder();
        let status = Command::new(env!("CARGO"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--quiet", "--locked", "--target", "wasm32-wasip2", "--profile", "connector"])
            .args(IDS.iter().flat_map(|id| ["--package".to_owned(), format!("orla-{id}")]))
            .arg("--target-dir")
            .arg(&target)
            .status()
            .unwrap();
        assert!(status.success(), "the connectors build (rustup target add wasm32-wasip2)");
        let folder = tempfile::Builder::new().prefix("orla-connectors-").tempdir().unwrap().keep();
        for id in LOADED {
            std::fs::copy(built(id), folder.join(format!("{id}.wasm"))).unwrap();
        }
        folder
    })
}

/// A connector's component.
pub(crate) fn component(id: &str) -> PathBuf {
    connectors();
    built(id)
}

fn built(id: &str) -> PathBuf {
    target_folder().join(format!("wasm32-wasip2/connector/orla_{id}.wasm"))
}

fn target_folder() -> PathBuf {
    // <target>/debug/orla-under-test
    program().parent().and_then(Path::parent).expect("the program lies in a profile's folder").to_owned()
}
