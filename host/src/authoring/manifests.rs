//! `Cargo.toml` and `Cargo.lock` of a crate outside of our workspace: what it inherits in the workspace is written out, so
//! that versions stand in one place only.

use super::packed;
use anyhow::Context as _;
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

/// A part of our own lock file, as cargo cuts it; a test holds them against each other.
const TEMPLATES_LOCK: &str = "sdk/template/Cargo.lock";

/// The name that the templates bear.
pub(super) const TEMPLATES_NAME: &str = "acme";

/// What stands before each package of a lock file.
const PACKAGE: &str = "\n[[package]]\n";

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
    workspace
        .decor_mut()
        .set_prefix("\n# A workspace of its own, wherever it lies; what is in .orla is no part of it.\n");
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

/// The lock file of the templates, a part of our own, for a crate of this name.
pub(super) fn lock(name: &str) -> String {
    let lock = packed::file(TEMPLATES_LOCK);
    let (head, packages) = lock.split_once(PACKAGE).unwrap_or((lock, ""));
    let named = |package: &str| package.trim_end().replace(&name_line(TEMPLATES_NAME), &name_line(name));
    let mut packages: Vec<String> = packages.split(PACKAGE).map(named).collect();
    // Cargo keeps them in the order of their names, and takes no other for its own.
    packages.sort();
    packages.into_iter().fold(head.to_owned(), |lock, package| lock + PACKAGE + &package + "\n")
}

/// Whether a new connector stands on a package of this name.
pub(super) fn stands_on(name: &str) -> bool {
    name != TEMPLATES_NAME && packed::file(TEMPLATES_LOCK).lines().any(|line| line == name_line(name))
}

fn name_line(name: &str) -> String {
    format!("name = \"{name}\"")
}
