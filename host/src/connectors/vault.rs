//! Secrets at rest.
//!
//! Owns the master key and what is derived from it. A secret is sealed by XChaCha20-Poly1305 under a key derived for its
//! purpose, with the identity of its row as associated data: a sealed value that is copied to another row does not open.
//! Sealed form: one version byte, 8 bytes of key id, 24 bytes of nonce, then ciphertext and tag.

use anyhow::{Context as _, bail, ensure};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use rand::RngExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
const HEAD_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_BYTES;

/// A 256-bit key that is wiped when dropped and cannot be printed.
#[derive(Default)]
pub struct Key(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Key(…)")
    }
}

impl std::ops::Deref for Key {
    type Target = [u8; 32];

    fn deref(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::ops::DerefMut for Key {
    fn deref_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }
}

/// Seals and opens secrets.
pub struct Vault {
    master: Key,
    key_id: [u8; KEY_ID_BYTES],
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Vault({})", hex::encode(self.key_id))
    }
}

impl Vault {
    /// Opens the vault whose master key is in this file (64 hex digits), made with mode 0600 when absent.
    ///
    /// # Errors
    /// The file cannot be read or made, is no key, or others than its owner may read it.
    pub fn open(file: &Path) -> anyhow::Result<Self> {
        let master = match File::open(file) {
            Ok(opened) => read_key(opened, file)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_key(file)?,
            Err(error) => return Err(error).with_context(|| format!("cannot open the master key {}", file.display())),
        };
        Ok(Self::from_master(master))
    }

    fn from_master(master: Key) -> Self {
        let digest = Sha256::new().chain_update(b"orla key id").chain_update(*master).finalize();
        let mut key_id = [0; KEY_ID_BYTES];
        key_id.copy_from_slice(&digest[..KEY_ID_BYTES]);
        Self { master, key_id }
    }

    /// A key for one purpose. The same purpose always gives the same key; one key tells nothing of another.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Key {
        let mut key = Key::default();
        Hkdf::<Sha256>::new(None, &*self.master)
            .expand(purpose.as_bytes(), &mut *key)
            .expect("32 bytes are within what HKDF-SHA256 expands");
        key
    }

    /// Seals bytes for the row that `identity` names.
    #[must_use]
    pub fn seal(&self, identity: &str, secret: &[u8]) -> Vec<u8> {
        let mut nonce = [0_u8; NONCE_BYTES];
        rand::rng().fill(&mut nonce);
        let payload = Payload { msg: secret, aad: identity.as_bytes() };
        let ciphertext =
            self.cipher().encrypt(&XNonce::from(nonce), payload).expect("XChaCha20-Poly1305 fails only beyond 256 GiB");
        let mut sealed = Vec::with_capacity(HEAD_BYTES + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.key_id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// Opens what was sealed for the same row.
    ///
    /// # Errors
    /// It was sealed under another master key, for another row, or was altered. The message holds no secret.
    pub fn unseal(&self, identity: &str, sealed: &[u8]) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        ensure!(sealed.len() > HEAD_BYTES && sealed[0] == VERSION, "the sealed value of {identity} is malformed");
        let (head, ciphertext) = sealed.split_at(HEAD_BYTES);
        if head[1..=KEY_ID_BYTES] != self.key_id {
            bail!("{identity} is sealed under the master key {}", hex::encode(&head[1..=KEY_ID_BYTES]));
        }
        let mut nonce = [0_u8; NONCE_BYTES];
        nonce.copy_from_slice(&head[1 + KEY_ID_BYTES..]);
        let payload = Payload { msg: ciphertext, aad: identity.as_bytes() };
        match self.cipher().decrypt(&XNonce::from(nonce), payload) {
            Ok(secret) => Ok(Zeroizing::new(secret)),
            Err(_) => bail!("the sealed value of {identity} was altered, or belongs to another row"),
        }
    }

    /// Opens a sealed text.
    ///
    /// # Errors
    /// As [`Vault::unseal`], or the secret is no UTF-8.
    pub fn unseal_text(&self, identity: &str, sealed: &[u8]) -> anyhow::Result<SecretString> {
        let bytes = self.unseal(identity, sealed)?;
        let text = std::str::from_utf8(&bytes).with_context(|| format!("the sealed value of {identity} is no text"))?;
        Ok(SecretString::from(text))
    }

    /// Seals a text.
    #[must_use]
    pub fn seal_text(&self, identity: &str, secret: &SecretString) -> Vec<u8> {
        self.seal(identity, secret.expose_secret().as_bytes())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.derive("orla/v1/rows")).into())
    }
}

fn read_key(mut opened: File, file: &Path) -> anyhow::Result<Key> {
    let mode = opened.metadata()?.permissions().mode();
    ensure!(mode & 0o077 == 0, "the master key {} is readable by others: chmod 600 it", file.display());
    let mut text = Zeroizing::new(String::new());
    opened.read_to_string(&mut text).with_context(|| format!("cannot read the master key {}", file.display()))?;
    let mut key = Key::default();
    hex::decode_to_slice(text.trim(), &mut *key)
        .map_err(|_| anyhow::anyhow!("the master key {} is not 64 hex digits", file.display()))?;
    Ok(key)
}

/// Writes a new key so that a crash leaves either no file or a whole one.
fn make_key(file: &Path) -> anyhow::Result<Key> {
    let mut key = Key::default();
    rand::rng().fill(&mut *key);
    let partial = file.with_extension("new");
    let mut opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&partial)
        .with_context(|| format!("cannot make the master key {}", partial.display()))?;
    opened.write_all(Zeroizing::new(hex::encode(*key)).as_bytes())?;
    opened.sync_all()?;
    std::fs::rename(&partial, file)?;
    tracing::info!(file = %file.display(), "made a new master key: back it up, without it no stored secret opens");
    Ok(key)
}
