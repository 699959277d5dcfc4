//! What is in an account: files and folders by path, id and revision.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::settings::{Account, File};

/// A file or a folder.
pub(super) struct Entry {
    pub(super) id: String,
    /// In lower case, as Dropbox compares paths.
    pub(super) path_lower: String,
    pub(super) path_display: String,
    /// What a file is; nothing for a folder.
    pub(super) stored: Option<Stored>,
}

/// A file's revision and what it is made of.
pub(super) struct Stored {
    pub(super) rev: String,
    pub(super) file: File,
}

/// All entries of an account.
#[derive(Default)]
pub(super) struct Tree {
    by_path: BTreeMap<String, Arc<Entry>>,
    by_name: HashMap<String, Arc<Entry>>,
}

impl Tree {
    pub(super) fn of(account: &Account) -> Self {
        let mut tree = Self::default();
        for folder in &account.folders {
            tree.add_folders(folder);
        }
        for file in &account.files {
            let path = clean(&file.path);
            if let Some((parent, _)) = path.rsplit_once('/') {
                tree.add_folders(parent);
            }
            tree.add(&path, Some(file));
        }
        tree
    }

    fn add_folders(&mut self, path: &str) {
        let path = clean(path);
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
        for end in ends.filter(|end| *end > 1) {
            if !self.by_path.contains_key(&lower(&path[..end])) {
                self.add(&path[..end], None);
            }
        }
    }

    fn add(&mut self, path: &str, file: Option<&File>) {
        let path_lower = lower(path);
        let id = format!("id:{}", &BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&path_lower))[..22]);
        let stored = file.map(|file| {
            let all = serde_json::to_vec(file).unwrap_or_default();
            Stored { rev: format!("015f{}", &hex::encode(Sha256::digest(all))[..20]), file: file.clone() }
        });
        let entry = Arc::new(Entry { id, path_lower: path_lower.clone(), path_display: path.to_owned(), stored });
        if let Some(stored) = &entry.stored {
            self.by_name.insert(format!("rev:{}", stored.rev), entry.clone());
        }
        self.by_name.insert(entry.id.clone(), entry.clone());
        self.by_path.insert(path_lower, entry);
    }

    /// The entry at a path in lower case.
    pub(super) fn at(&self, path_lower: &str) -> Option<&Arc<Entry>> {
        self.by_path.get(path_lower)
    }

    /// The entry with this name, which is `id:…` or `rev:…`.
    pub(super) fn called(&self, name: &str) -> Option<&Arc<Entry>> {
        self.by_name.get(name)
    }

    /// Everything in a folder, parents first; `""` is the root.
    pub(super) fn under(&self, path_lower: &str) -> impl Iterator<Item = &Arc<Entry>> {
        let beginning = format!("{path_lower}/");
        let from = self.by_path.range(beginning.clone()..);
        from.take_while(move |(path, _)| path.starts_with(&beginning)).map(|(_, entry)| entry)
    }
}

/// With one slash at the beginning and none at the end.
fn clean(path: &str) -> String {
    let path: String = path.nfc().collect();
    format!("/{}", path.trim_matches('/'))
}

/// A path as it is compared.
pub(super) fn lower(path: &str) -> String {
    path.nfc().collect::<String>().to_lowercase()
}

impl Entry {
    /// The last part of the path.
    pub(super) fn name(&self) -> &str {
        self.path_display.rsplit('/').next().unwrap_or_default()
    }

    /// What changes when the entry does: its revision, or that it is a folder.
    pub(super) fn version(&self) -> &str {
        self.stored.as_ref().map_or("folder", |stored| &stored.rev)
    }
}
