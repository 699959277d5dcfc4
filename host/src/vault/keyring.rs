//! The file of master keys: 64 hex digits a line, readable by its owner only. Which of them seals is written in the
//! database; the others are there while they are being replaced.

use super::seal::{Key, KeyId};
use crate::crash;
use anyhow::{Context as _, bail, ensure};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use zeroize::Zeroizing;

/// The master keys that this host has.
#[derive(Debug)]
pub(super) struct Keyring {
    file: PathBuf,
    keys: RwLock<Vec<Arc<Key>>>,
}

impl Keyring {
    /// Reads the file; `None` where there is none.
    ///
    /// # Errors
    /// It cannot be read, holds something else than keys, or others than its owner may read it.
    pub(super) fn read(file: &Path) -> anyhow::Result<Option<Self>> {
        let keys = match File::open(file) {
            Ok(opened) => read_keys(opened, file)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot open the master key {}", file.display())),
        };
        Ok(Some(Self { file: file.to_owned(), keys: RwLock::new(keys) }))
    }

    /// The keys of another file, which is to become this one.
    ///
    /// # Errors
    /// It holds something else than keys.
    pub(super) fn carried(file: &Path, bytes: &[u8]) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(bytes).context("the master key in the backup is no text")?;
        Ok(Self { file: file.to_owned(), keys: RwLock::new(parse_keys(text, file)?) })
    }

    /// Writes the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn write(&self) -> anyhow::Result<()> {
        write_keys(&self.file, &self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes the file with one new key.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn make(file: &Path) -> anyhow::Result<Self> {
        let keyring = Self { file: file.to_owned(), keys: RwLock::default() };
        keyring.add(Key::random())?;
        tracing::info!(file = %file.display(), "made a new master key: back it up, without it no stored secret opens");
        Ok(keyring)
    }

    /// The names of all keys, in the order of the file.
    pub(super) fn ids(&self) -> Vec<KeyId> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).iter().map(|key| KeyId::of(key)).collect()
    }

    /// The key of this name. The file is read again where it is not known: somebody may have added it.
    ///
    /// # Errors
    /// The file does not hold it, in a sentence that says what to do.
    pub(super) fn find(&self, id: KeyId) -> anyhow::Result<Arc<Key>> {
        let known = || {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            keys.iter().find(|key| KeyId::of(key) == id).cloned()
        };
        if let Some(key) = known() {
            return Ok(key);
        }
        self.reread()?;
        known().with_context(|| {
            let held: Vec<String> = self.ids().iter().map(ToString::to_string).collect();
            format!(
                "this database's secrets are sealed under the master key {id}, but {} holds {}: put the right file there",
                self.file.display(),
                held.join(", ")
            )
        })
    }

    /// Reads the file again.
    ///
    /// # Errors
    /// As [`Keyring::read`], or it is gone.
    pub(super) fn reread(&self) -> anyhow::Result<()> {
        let Some(Self { keys, .. }) = Self::read(&self.file)? else {
            bail!("the master key {} is gone: put it back", self.file.display());
        };
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) =
            keys.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(())
    }

    /// Adds a key to the file, behind the others.
    ///
    /// # Errors
    /// The file cannot be written; the keys stay as they were.
    pub(super) fn add(&self, key: Key) -> anyhow::Result<KeyId> {
        let id = KeyId::of(&key);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let more: Vec<Arc<Key>> = keys.iter().cloned().chain([Arc::new(key)]).collect();
        write_keys(&self.file, &more)?;
        *keys = more;
        Ok(id)
    }

    /// Takes all keys but one out of the file, each into a file of its own beside it: backups made before need them.
    /// Gives those files.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn keep_only(&self, id: KeyId) -> anyhow::Result<Vec<PathBuf>> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let (kept, retired): (Vec<Arc<Key>>, Vec<Arc<Key>>) =
            keys.iter().cloned().partition(|key| KeyId::of(key) == id);
        let mut files = Vec::with_capacity(retired.len());
        for key in retired {
            let file = self.file.with_extension(format!("retired-{:.8}", KeyId::of(&key).to_string()));
            write_keys(&file, &[key])?;
            files.push(file);
        }
        write_keys(&self.file, &kept)?;
        *keys = kept;
        Ok(files)
    }

    /// Keeps other commands from changing the file at the same time, until what it gives is dropped.
    ///
    /// # Errors
    /// Another does at this moment.
    pub(super) fn lock(&self) -> anyhow::Result<File> {
        let path = self.file.with_extension("lock");
        let lock = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => bail!("another command changes the master key at this moment"),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }
}

fn read_keys(mut opened: File, file: &Path) -> anyhow::Result<Vec<Arc<Key>>> {
    let mode = opened.metadata()?.permissions().mode();
    ensure!(mode & 0o077 == 0, "the master key {} is readable by others: chmod 600 it", file.display());
    let mut text = Zeroizing::new(String::new());
    opened.read_to_string(&mut text).with_context(|| format!("cannot read the master key {}", file.display()))?;
    parse_keys(&text, file)
}

fn parse_keys(text: &str, file: &Path) -> anyhow::Result<Vec<Arc<Key>>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys: Result<Vec<Arc<Key>>, anyhow::Error> = lines.map(|line| Key::from_hex(line).map(Arc::new)).collect();
    let keys = keys.map_err(|_| anyhow::anyhow!("the master key {} is not 64 hex digits a line", file.display()))?;
    ensure!(!keys.is_empty(), "the master key {} is empty", file.display());
    Ok(keys)
}

/// Writes keys so that a crash leaves either the file as it was or the whole new one.
fn write_keys(file: &Path, keys: &[Arc<Key>]) -> anyhow::Result<()> {
    let partial = file.with_extension("new");
    let mut text = Zeroizing::new(String::with_capacity(keys.len() * 65));
    for key in keys {
        text.push_str(&Zeroizing::new(hex::encode(***key)));
        text.push('\n');
    }
    crash::before_write();
    let written = || -> std::io::Result<()> {
        let mut opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        opened.write_all(text.as_bytes())?;
        opened.sync_all()?;
        std::fs::rename(&partial, file)?;
        match file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    };
    written().with_context(|| format!("cannot write the master key {}", file.display()))?;
    crash::after_write();
    Ok(())
}
