//! Where cargo puts the component of a crate.

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `cargo metadata` says (format version 1), as far as it is needed.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

/// The component that cargo builds of the crate in a folder, in the profile `connector`.
///
/// # Errors
/// There is no crate, it is no connector's, or cargo is not at hand.
pub(super) fn component(folder: &Path) -> anyhow::Result<PathBuf> {
    let manifest = folder.join("Cargo.toml");
    let manifest = manifest.canonicalize().with_context(|| {
        format!(
            "there is no {}: name a connector's crate with --path, or its component with --component",
            manifest.display()
        )
    })?;
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(&manifest)
        .output()
        .context("cannot run cargo to find the component: name it with --component")?;
    if !output.status.success() {
        bail!("cargo cannot read {}: {}", manifest.display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    let Metadata { packages, target_directory } =
        serde_json::from_slice(&output.stdout).context("cargo says what this program does not understand")?;
    let package = packages.into_iter().find(|package| package.manifest_path == manifest);
    let targets = package.map(|package| package.targets).unwrap_or_default();
    let library = targets.into_iter().find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"));
    let library = library.with_context(|| {
        format!("{} builds no component: its library needs `crate-type = [\"cdylib\"]`", manifest.display())
    })?;
    let name = library.name.replace('-', "_");
    let component = target_directory.join(format!("wasm32-wasip2/connector/{name}.wasm"));
    ensure!(
        component.is_file(),
        "there is no component {}: build it with `cargo build --target wasm32-wasip2 --profile connector` in {}",
        component.display(),
        folder.display()
    );
    Ok(component)
}
