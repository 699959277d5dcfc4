//! Keys, and sealing bytes under them.
//!
//! XChaCha20-Poly1305 with a random nonce, and the identity of the row as associated data: a sealed value that is copied
//! to another row does not open. Sealed form: one version byte, 16 bytes of key id, 24 bytes of nonce, then ciphertext
//! and tag.

use anyhow::{Context as _, bail};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

const VERSION: u8 = 2;
const ID_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;
const HEAD_BYTES: usize = 1 + ID_BYTES + NONCE_BYTES;

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

impl Key {
    /// A new key.
    pub(crate) fn random() -> Self {
        let mut key = Self::default();
        rand::rng().fill(&mut *key.0);
        key
    }

    /// The key with these bytes.
    pub(super) fn from_bytes(bytes: &[u8]) -> anyhow::Result<Self> {
        let mut key = Self::default();
        anyhow::ensure!(bytes.len() == key.0.len(), "a key has {} bytes, not {}", key.0.len(), bytes.len());
        key.0.copy_from_slice(bytes);
        Ok(key)
    }

    /// The key that is written in hexadecimal.
    pub(super) fn from_hex(text: &str) -> anyhow::Result<Self> {
        let bytes = Zeroizing::new(hex::decode(text).context("a key is 64 hex digits")?);
        Self::from_bytes(&bytes)
    }

    /// A key for one purpose. The same purpose always gives the same key; one key tells nothing of another.
    pub(super) fn derive(&self, purpose: &str) -> Self {
        let mut key = Self::default();
        Hkdf::<Sha256>::new(None, &**self)
            .expand(purpose.as_bytes(), &mut *key.0)
            .expect("32 bytes are within what HKDF-SHA256 expands");
        key
    }
}

/// The name of a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyId(pub(super) [u8; ID_BYTES]);

impl KeyId {
    /// The name that follows from the key itself, without telling anything of it.
    pub(super) fn of(key: &Key) -> Self {
        let digest = Sha256::new().chain_update(b"orla key id").chain_update(**key).finalize();
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&digest[..ID_BYTES]);
        Self(id)
    }

    /// The key that something was sealed under.
    ///
    /// # Errors
    /// It is nothing sealed.
    pub(super) fn under(sealed: &[u8]) -> anyhow::Result<Self> {
        if sealed.len() <= HEAD_BYTES || sealed[0] != VERSION {
            bail!("it is malformed");
        }
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&sealed[1..=ID_BYTES]);
        Ok(Self(id))
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for KeyId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, out)
    }
}

impl std::str::FromStr for KeyId {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut id = [0; ID_BYTES];
        hex::decode_to_slice(text, &mut id).with_context(|| format!("`{text:.40}` is no key id"))?;
        Ok(Self(id))
    }
}

/// Seals bytes for the row that `identity` names.
pub(super) fn seal(key: &Key, id: KeyId, identity: &str, secret: &[u8]) -> Vec<u8> {
    let mut nonce = [0_u8; NONCE_BYTES];
    rand::rng().fill(&mut nonce);
    let payload = Payload { msg: secret, aad: identity.as_bytes() };
    let ciphertext =
        cipher(key).encrypt(&XNonce::from(nonce), payload).expect("XChaCha20-Poly1305 fails only beyond 256 GiB");
    let mut sealed = Vec::with_capacity(HEAD_BYTES + ciphertext.len());
    sealed.push(VERSION);
    sealed.extend_from_slice(&id.0);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    sealed
}

/// Opens what was sealed for the same row under this key.
///
/// # Errors
/// It was sealed for another row, or altered. The message holds no secret.
pub(super) fn open(key: &Key, identity: &str, sealed: &[u8]) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    KeyId::under(sealed).with_context(|| format!("the sealed value of {identity} does not open"))?;
    let (head, ciphertext) = sealed.split_at(HEAD_BYTES);
    let mut nonce = [0_u8; NONCE_BYTES];
    nonce.copy_from_slice(&head[1 + ID_BYTES..]);
    let payload = Payload { msg: ciphertext, aad: identity.as_bytes() };
    match cipher(key).decrypt(&XNonce::from(nonce), payload) {
        Ok(secret) => Ok(Zeroizing::new(secret)),
        Err(_) => bail!("the sealed value of {identity} was altered, or belongs to another row"),
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&**key).into())
}

#[cfg(test)]
mod tests {
    use super::{Key, KeyId, open, seal};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_sealed_opens_for_its_row_only(secret: Vec<u8>, at: prop::sample::Index, bit in 0..8_u32) {
            let key = Key::random();
            let sealed = seal(&key, KeyId::of(&key), "a/1", &secret);
            prop_assert_eq!(KeyId::under(&sealed).expect("a key id"), KeyId::of(&key));
            prop_assert_eq!(&*open(&key, "a/1", &sealed).expect("its row"), &secret);
            prop_assert!(open(&key, "a/2", &sealed).is_err());
            prop_assert!(open(&Key::random(), "a/1", &sealed).is_err());
            let mut altered = sealed.clone();
            let at = at.index(altered.len());
            altered[at] ^= 1 << bit;
            // The key's name is no part of what is authenticated: it only says where to look.
            prop_assert!((1..17).contains(&at) || open(&key, "a/1", &altered).is_err());
            prop_assert!(open(&key, "a/1", &sealed[..at]).is_err());
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        let key = Key::from_hex(&"ab".repeat(32)).expect("a key");
        assert_eq!(format!("{key:?}"), "Key(…)");
        assert!(Key::from_hex("ab").is_err());
    }
}
