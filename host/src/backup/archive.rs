//! The file of a backup: a tar, whose first member tells a person what it is, and whose last two are the manifest and its
//! signature. So a file that was cut off has none of both.

use super::manifest::{Digest, FORMAT};
use crate::clock::Timestamp;
use crate::crash;
use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, EntryWriter, Header};

const HEAD: &str = "ORLA-BACKUP";
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const SIGNATURE: &str = "manifest.hmac";
/// Largest member that is read into memory.
const MAX_SMALL_BYTES: u64 = 256 << 20;
/// Bytes that are read at once.
const PIECE_BYTES: usize = 256 << 10;

/// A backup that is being written, under a name of its own until it is whole.
pub(super) struct Writer {
    tar: Builder<BufWriter<File>>,
    partial: PathBuf,
    file: PathBuf,
    at: Timestamp,
}

/// A member that is being written.
pub(super) struct Member<'writer> {
    entry: EntryWriter<'writer>,
    hash: Sha256,
    bytes: u64,
}

impl Write for Member<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.entry.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.entry.flush()
    }
}

impl Writer {
    /// Begins a backup in this file, readable by its owner only.
    ///
    /// # Errors
    /// The file is there already, somebody else writes it, or it cannot be written.
    pub(super) fn begin(file: &Path, at: Timestamp) -> anyhow::Result<Self> {
        ensure!(!file.exists(), "{} is there already: name another file, or a folder", file.display());
        let name = file.file_name().with_context(|| format!("{} names no file", file.display()))?;
        let mut partial = name.to_owned();
        partial.push(".partial");
        let partial = file.with_file_name(partial);
        let cannot = || format!("cannot write {}", partial.display());
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&partial)
            .with_context(cannot)?;
        match opened.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another backup is being written to {}", partial.display()),
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
        }
        // What a backup left that was cut off.
        opened.set_len(0).with_context(cannot)?;
        let tar = Builder::new(BufWriter::with_capacity(1 << 20, opened));
        let mut writer = Self { tar, partial, file: file.to_owned(), at };
        let head = format!(
            "Orla backup, format {FORMAT}\n\nThis is a backup of an installation of Orla. `orla restore <this file>` brings it \
             into an empty one.\nWhat is in it, and which master key opens its secrets, stands in {MANIFEST}.\n"
        );
        writer.add(HEAD, head.as_bytes())?;
        Ok(writer)
    }

    /// Adds a member whose bytes are at hand.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> anyhow::Result<Digest> {
        let mut header = self.header();
        let mut member = Self::member(&mut self.tar, &mut header, name)?;
        member.write_all(bytes)?;
        member.finish()
    }

    /// Adds a member whose bytes are written piece by piece. Also gives what the writing came to.
    pub(super) async fn stream<T>(
        &mut self,
        name: &str,
        write: impl AsyncFnOnce(&mut Member<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<(T, Digest)> {
        let mut header = self.header();
        let mut member = Self::member(&mut self.tar, &mut header, name)?;
        let written = write(&mut member).await?;
        Ok((written, member.finish()?))
    }

    fn header(&self) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(self.at.seconds()).unwrap_or(0));
        header
    }

    fn member<'writer>(
        tar: &'writer mut Builder<BufWriter<File>>,
        header: &'writer mut Header,
        name: &str,
    ) -> anyhow::Result<Member<'writer>> {
        crash::before_write();
        let entry = tar.append_writer(header, name).with_context(|| format!("cannot write {name}"))?;
        Ok(Member { entry, hash: Sha256::new(), bytes: 0 })
    }

    /// Brings all to the disk, and only then gives the file its name. Gives its size in bytes.
    pub(super) fn finish(self) -> anyhow::Result<u64> {
        let Self { tar, partial, file, .. } = self;
        let written = || -> io::Result<u64> {
            let whole = tar.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
            whole.sync_all()?;
            crash::before_write();
            std::fs::rename(&partial, &file)?;
            crash::after_write();
            sync_folder(&file)?;
            Ok(whole.metadata()?.len())
        };
        written().with_context(|| format!("cannot write {}", file.display()))
    }

    /// Where it is until it is whole.
    pub(super) fn partial(&self) -> &Path {
        &self.partial
    }
}

impl Member<'_> {
    fn finish(self) -> anyhow::Result<Digest> {
        self.entry.finish()?;
        Ok(Digest { bytes: self.bytes, sha256: hex::encode(self.hash.finalize()) })
    }
}

/// Brings the name of a file in its folder to the disk.
pub(super) fn sync_folder(file: &Path) -> io::Result<()> {
    match file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

/// A backup that is there.
#[derive(Debug)]
pub(super) struct Archive {
    file: File,
    /// Where each member begins, and its bytes.
    members: HashMap<String, (u64, u64)>,
}

impl Archive {
    /// Opens a backup and finds its members.
    ///
    /// # Errors
    /// It is no backup, was cut off, or is of a newer format, in a sentence that says so.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let file = File::open(path).with_context(|| format!("cannot open {shown}"))?;
        let size = file.metadata()?.len();
        let mut members = HashMap::new();
        let mut tar = tar::Archive::new(&file);
        for (number, entry) in tar.entries_with_seek().with_context(|| format!("cannot read {shown}"))?.enumerate() {
            let foreign = || format!("{shown} is no backup of Orla's");
            let found = entry.and_then(|entry| {
                let name = entry.path()?.to_string_lossy().into_owned();
                Ok((name, entry.raw_file_position(), entry.size()))
            });
            let (name, at, bytes) = match found {
                Ok(found) => found,
                Err(error) if number == 0 => return Err(error).with_context(foreign),
                Err(_) => bail!(cut_off(path)),
            };
            ensure!(number > 0 || name == HEAD, foreign());
            ensure!(at.saturating_add(bytes) <= size, cut_off(path));
            if members.insert(name, (at, bytes)).is_some() {
                bail!("{shown} has a member twice: it was changed after it was made");
            }
        }
        ensure!(!members.is_empty(), "{shown} is no backup of Orla's");
        let archive = Self { file, members };
        archive.check_format()?;
        ensure!(archive.has(MANIFEST) && archive.has(SIGNATURE), cut_off(path));
        Ok(archive)
    }

    fn check_format(&self) -> anyhow::Result<()> {
        let head = self.small(HEAD)?;
        let head = String::from_utf8_lossy(&head);
        let format = head.lines().next().and_then(|line| line.strip_prefix("Orla backup, format "));
        match format.and_then(|format| format.parse::<u64>().ok()) {
            Some(format) if format <= FORMAT => Ok(()),
            Some(newer) => bail!(
                "this backup has the format {newer}, and this program reads the format {FORMAT}: restore it with the program that made it, or a newer one"
            ),
            None => bail!("the backup does not say its format: it was changed after it was made"),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// The names of all members but those that every backup has.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.members.keys().map(String::as_str);
        names.filter(|name| ![HEAD, MANIFEST, SIGNATURE].contains(name))
    }

    /// A member's bytes, to be read one after the other.
    pub(super) fn read(&self, name: &str) -> anyhow::Result<Stretch<'_>> {
        let (at, left) = *self.members.get(name).with_context(|| format!("the backup has no {name}"))?;
        Ok(Stretch { file: &self.file, at, left })
    }

    /// A small member, whole.
    pub(super) fn small(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        let mut stretch = self.read(name)?;
        ensure!(stretch.left <= MAX_SMALL_BYTES, "{name} is too large to be what it should be");
        let mut bytes = Vec::new();
        stretch.read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
        Ok(bytes)
    }

    /// Reads a member to its end, and holds it against what it has to be.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn check(&self, name: &str, wanted: &Digest) -> anyhow::Result<()> {
        let mut stretch = self.read(name)?;
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = stretch.read(&mut piece).with_context(|| format!("cannot read {name}"))?;
            if read == 0 {
                break;
            }
            hash.update(&piece[..read]);
            bytes += read as u64;
        }
        let found = Digest { bytes, sha256: hex::encode(hash.finalize()) };
        ensure!(found == *wanted, "{name} in the backup is not what was written: it is damaged, or was changed");
        Ok(())
    }
}

fn cut_off(path: &Path) -> String {
    format!("{} is not whole: it was cut off while it was made or copied. Take another backup", path.display())
}

/// A stretch of a file.
pub(super) struct Stretch<'file> {
    file: &'file File,
    at: u64,
    left: u64,
}

impl Read for Stretch<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let read = self.file.read_at(&mut into[..wanted], self.at)?;
        if read == 0 && wanted > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}
