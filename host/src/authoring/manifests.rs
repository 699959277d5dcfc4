//! `Cargo.toml` and `Cargo.lock` of a crate outside of our workspace: what it inherits in the workspace is written out, so
//! that versions stand in one place only.

use super::packed;
use anyhow::Context as _;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TableLike, value};

/// The manifest of a packed crate that inherits from our workspace, on its own feet. `locate` says where another packed
/// crate lies, seen from this one.
pub(super) fn alone(path: &str, locate: impl Fn(&str) -> String) -> anyhow::Result<DocumentMut> {
    let root: DocumentMut = packed::file("Cargo.toml").parse()?;
    let mut manifest: DocumentMut = packed::file(path).parse()?;
    let workspace = root.get("workspace").context("our workspace has no workspace")?;
    for section in ["package", "dependencies"] {
        let Some(entries) = manifest.get_mut(section).and_then(Item::as_table_like_mut) else { continue };
        let inherited: Vec<String> =
            entries.iter().filter(|(_, entry)| inherits(entry)).map(|(name, _)| name.to_owned()).collect();
        for name in inherited {
            let mut entry = from(workspace, section, &name)?.clone();
            if let Some(dependency) = entry.as_table_like_mut()
                && let Some(path) = dependency.get("path").and_then(Item::as_str).map(&locate)
            {
                dependency.insert("path", value(path));
            }
            entries.insert(&name, entry);
        }
    }
    if manifest.get("lints").is_some_and(inherits) {
        let mut lints = workspace.get("lints").context("our workspace has no lints")?.clone().into_table();
        for (_, table) in lints.iter_mut().flat_map(|table| table.iter_mut()) {
            table.as_table_mut().into_iter().for_each(unplaced);
        }
        manifest.insert("lints", lints.map_or(Item::None, Item::Table));
    }
    Ok(manifest)
}

/// The manifest of a new connector, made of a template's.
pub(super) fn of_connector(template: &str, name: &str) -> anyhow::Result<String> {
    let root: DocumentMut = packed::file("Cargo.toml").parse()?;
    let mut manifest = alone(template, |path| format!(".orla/{path}"))?;
    manifest.remove("lints");
    let package = manifest["package"].as_table_mut().context("a template has a package")?;
    package.insert("name", value(name));
    package.insert("description", value("A connector for Orla."));
    package.insert("version", value("0.1.0"));
    // What it is published under is its author's decision.
    package.remove("license");
    let library = manifest["lib"].as_table_mut().context("a template has a library")?;
    // A package may bear the name of a keyword, such as `box`; a library may not.
    library.insert("name", value(format!("{}_connector", name.replace('-', "_"))));
    // A workspace of its own wherever it lies, and without the SDK's crates.
    let mut workspace = Table::new();
    workspace.insert("exclude", value(toml_edit::Array::from_iter([".orla"])));
    manifest.insert("workspace", Item::Table(workspace));
    let mut profile = root["profile"]["connector"].clone();
    profile.as_table_mut().into_iter().for_each(unplaced);
    let mut profiles = Table::new();
    profiles.set_implicit(true);
    profiles.insert("connector", profile);
    manifest.insert("profile", Item::Table(profiles));
    Ok(manifest.to_string())
}

/// Whether it is of the form `{ workspace = true }`.
fn inherits(entry: &Item) -> bool {
    let of_workspace = |entry: &dyn TableLike| entry.get("workspace").and_then(Item::as_bool);
    entry.as_table_like().and_then(of_workspace).unwrap_or(false)
}

fn from<'a>(workspace: &'a Item, section: &str, name: &str) -> anyhow::Result<&'a Item> {
    let found = workspace.get(section).and_then(|section| section.get(name));
    found.with_context(|| format!("our workspace has no {section}.{name}"))
}

/// Forgets where a table stood in the document that it comes from.
fn unplaced(table: &mut Table) {
    table.set_position(usize::MAX);
}

/// The versions that our own lock file pins, for a crate of this name with these dependencies.
pub(super) fn lock(name: &str, dependencies: &[String]) -> anyhow::Result<String> {
    let ours: DocumentMut = packed::file("Cargo.lock").parse()?;
    let ours = ours["package"].as_array_of_tables().context("our lock file has no packages")?;
    let mut pinned = BTreeMap::new();
    let mut wanted: Vec<String> = dependencies.to_vec();
    while let Some(reference) = wanted.pop() {
        let package = find(ours, &reference)?;
        if pinned.insert((text(package, "name"), text(package, "version")), package).is_none() {
            wanted.extend(references(package));
        }
    }
    // As cargo writes it: a dependency bears its version only where there are several.
    let mut names = BTreeSet::new();
    let several: BTreeSet<&str> = pinned.keys().map(|(name, _)| *name).filter(|name| !names.insert(*name)).collect();
    let mut packages: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for (key, package) in &pinned {
        let shortened = references(package).map(|reference| match reference.split_once(' ') {
            Some((name, _)) if !several.contains(name) => name.to_owned(),
            _ => reference,
        });
        packages.insert(*key, written(package.iter().filter_map(|(key, item)| Some((key, item.as_str()?))), shortened));
    }
    let own = [("name", name), ("version", "0.1.0")];
    packages.insert((name, "0.1.0"), written(own.into_iter(), dependencies.iter().cloned()));
    let mut lock = "# This file is automatically @generated by Cargo.\n# It is not intended for manual editing.\n\
                    version = 4\n"
        .to_owned();
    lock.extend(packages.into_values());
    Ok(lock)
}

/// Whether our own lock file has a package of this name.
pub(super) fn locks(name: &str) -> bool {
    packed::file("Cargo.lock").lines().any(|line| line == format!("name = \"{name}\""))
}

fn find<'a>(ours: &'a ArrayOfTables, reference: &str) -> anyhow::Result<&'a Table> {
    let (name, version) = reference.split_once(' ').map_or((reference, None), |(name, version)| (name, Some(version)));
    let of_name = |package: &&Table| {
        text(package, "name") == name && version.is_none_or(|version| text(package, "version") == version)
    };
    ours.iter().find(of_name).with_context(|| format!("our lock file has no {reference}"))
}

fn text<'a>(package: &'a Table, member: &str) -> &'a str {
    package.get(member).and_then(Item::as_str).unwrap_or_default()
}

fn references(package: &Table) -> impl Iterator<Item = String> {
    let references = package.get("dependencies").and_then(Item::as_array).into_iter().flatten();
    references.filter_map(|reference| reference.as_str().map(str::to_owned))
}

fn written<'a>(members: impl Iterator<Item = (&'a str, &'a str)>, references: impl Iterator<Item = String>) -> String {
    let mut package = "\n[[package]]\n".to_owned();
    for (member, words) in members {
        // Writing to a string cannot fail.
        let _ = writeln!(package, "{member} = \"{words}\"");
    }
    let references: Vec<String> = references.map(|reference| format!(" \"{reference}\",\n")).collect();
    if !references.is_empty() {
        let _ = writeln!(package, "dependencies = [\n{}]", references.concat());
    }
    package
}
