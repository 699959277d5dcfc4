//! A new connector: a crate that builds and passes its tests at once, with the SDK beside it.

use super::{manifests, packed};
use anyhow::{Context as _, bail, ensure};
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// What a new connector can do from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ability {
    /// It says whose account it is, and publishes.
    Publish,
    /// The same, with accounts that are connected by an address and a token.
    Fields,
    /// It writes text with a language model.
    TextModel,
}

impl fmt::Display for Ability {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Publish => "publish",
            Self::Fields => "fields",
            Self::TextModel => "text-model",
        })
    }
}

/// Longest name: that of a manifest's id.
const MAX_NAME_CHARS: usize = 32;

/// Makes a crate in a folder that does not exist yet, or is empty. The folder is there whole, or not at all.
///
/// # Errors
/// A sentence that says what is wrong with the name or the folder.
pub fn create(name: &str, ability: Ability, folder: &Path) -> anyhow::Result<()> {
    check_name(name)?;
    let files = files(name, ability)?;
    let parent = match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => bail!("{} cannot be a new folder", folder.display()),
    };
    ensure!(parent.is_dir(), "there is no folder {} to make it in", parent.display());
    ensure!(is_free(folder), "{} is there already; name another folder, or remove it", folder.display());
    let unwritable = || format!("cannot make {}", folder.display());
    // Made aside and moved into place, so that what fails on the way leaves nothing behind.
    let aside = tempfile::Builder::new().prefix(".orla-new-").tempdir_in(parent).with_context(unwritable)?;
    let whole = aside.path().join(name);
    for (path, text) in files {
        let file = whole.join(path);
        file.parent().map_or(Ok(()), fs::create_dir_all).with_context(unwritable)?;
        fs::write(file, text).with_context(unwritable)?;
    }
    fs::rename(whole, folder).with_context(unwritable)
}

fn check_name(name: &str) -> anyhow::Result<()> {
    let words: Vec<&str> = name.split('-').collect();
    let is_word =
        |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let begins_with_letter = name.starts_with(|first: char| first.is_ascii_lowercase());
    ensure!(
        words.iter().all(is_word) && begins_with_letter && name.len() <= MAX_NAME_CHARS,
        "`{name}` cannot be a connector's name; it is made of lowercase letters, digits and single hyphens, begins with \
         a letter and has at most {MAX_NAME_CHARS} characters, such as `my-network`"
    );
    ensure!(!manifests::stands_on(name), "`{name}` is the name of a library that connectors stand on; choose another");
    Ok(())
}

/// Whether a folder can be made here.
fn is_free(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound && folder.symlink_metadata().is_err(),
    }
}

/// The new crate's files.
fn files(name: &str, ability: Ability) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let template = format!("sdk/template/{ability}/");
    let mut files = Vec::new();
    for (path, text) in packed::files() {
        let (path, text) = match (path, path.strip_prefix(&template)) {
            (_, Some("Cargo.toml")) => ("Cargo.toml".to_owned(), manifests::of_connector(path, name)?),
            (_, Some(own)) => (own.to_owned(), named(text, name)),
            ("Cargo.toml", None) => continue,
            (other, None) if other.starts_with("sdk/template/") => continue,
            ("sdk/Cargo.toml" | "sdk/manifest/Cargo.toml", None) => {
                let beside = |path: &str| path.trim_start_matches("sdk/").to_owned();
                (format!(".orla/{path}"), manifests::alone(path, beside)?.to_string())
            }
            (shared, None) => (format!(".orla/{shared}"), text.to_owned()),
        };
        files.push((path.into(), text));
    }
    files.push(("Cargo.lock".into(), manifests::lock(name)));
    files.push((".gitignore".into(), "/target/\n/*.wasm\n".to_owned()));
    Ok(files)
}

/// A template's text with the connector's name in place of its own.
fn named(text: &str, name: &str) -> String {
    let capitalised = |word: &str| word[..1].to_uppercase() + &word[1..];
    let title = name.split('-').map(capitalised).collect::<Vec<_>>().join(" ");
    let titled = text.replace("Acme", &title).replace("ACME", &name.to_uppercase());
    titled.replace(manifests::TEMPLATES_NAME, name)
}
