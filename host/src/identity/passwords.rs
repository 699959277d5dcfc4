//! Passwords: what makes one acceptable, and the work of hashing them.

use super::attempts::Attempts;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use anyhow::{Context as _, anyhow};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

const MIN_CHARACTERS: usize = 8;
const MAX_CHARACTERS: usize = 128;

// Argon2id with 19 MiB, 2 passes, 1 lane: OWASP Password Storage Cheat Sheet.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The hash of a password that nobody has. A login to an unknown account is checked against it, and takes as long.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5aGFzdGhpc29uZQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// How long a request waits for its turn to hash.
const PATIENCE: Duration = Duration::from_secs(10);

/// A password as a person typed it. It shows itself to nobody.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(from = "String")]
#[schema(value_type = String, format = Password)]
pub struct Password(SecretString);

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Password {
    /// # Errors
    /// [`Error::Invalid`] with everything that is missing.
    fn check(&self) -> Result<()> {
        let text = self.0.expose_secret();
        let characters = text.chars().count();
        if characters > MAX_CHARACTERS {
            return Err(Error::invalid("password", format!("A password has at most {MAX_CHARACTERS} characters.")));
        }
        let rules = [
            (characters >= MIN_CHARACTERS, "at least 8 characters"),
            (text.chars().any(char::is_uppercase), "an uppercase letter"),
            (text.chars().any(char::is_lowercase), "a lowercase letter"),
            (text.chars().any(char::is_numeric), "a digit"),
        ];
        let missing: Vec<&str> = rules.into_iter().filter(|(met, _)| !met).map(|(_, rule)| rule).collect();
        match missing.as_slice() {
            [] => Ok(()),
            [one] => Err(Error::invalid("password", format!("The password still needs {one}."))),
            [all @ .., last] => {
                Err(Error::invalid("password", format!("The password still needs {} and {last}.", all.join(", "))))
            }
        }
    }
}

/// Hashes and checks passwords: as many at a time as there are cores, since each takes 19 MiB.
#[derive(Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    attempts: Attempts,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// With nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self { turns: Arc::new(Semaphore::new(cores)), attempts: Attempts::default() }
    }

    /// The hash of a password, as a PHC string.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a password against the rules, [`Error::Unavailable`] when its turn did not come.
    pub async fn hash(&self, password: &Password) -> Result<String> {
        password.check()?;
        let password = password.clone();
        let hash = self.work(move || argon2().hash_password(password.0.expose_secret().as_bytes()));
        Ok(hash.await?.map_err(|error| anyhow!("a password could not be hashed: {error}"))?.to_string())
    }

    /// Whether this is the password of the account, whose hash is `None` when there is no such account: that takes as
    /// long to find out. `account` is what its attempts are counted by.
    ///
    /// # Errors
    /// [`Error::TooMany`] after ten wrong ones in five minutes, [`Error::Unavailable`] when its turn did not come.
    pub async fn matches(
        &self,
        account: &str,
        hash: Option<String>,
        password: &Password,
        now: Timestamp,
    ) -> Result<bool> {
        self.attempts.take(account, now)?;
        let password = password.clone();
        let verdict = self.work(move || verify(&password, hash.as_deref().unwrap_or(NOBODYS_HASH))).await??;
        if verdict {
            self.attempts.forget(account);
        }
        Ok(verdict)
    }

    async fn work<T: Send + 'static>(&self, compute: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let turn = timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| Error::Unavailable("Too many people are signing in at once. Try again in a moment."))?
            .expect("the semaphore is never closed");
        let computed = spawn_blocking(move || {
            // The turn ends with the work, also when the request is gone by then.
            let _turn = turn;
            compute()
        });
        Ok(computed.await.context("hashing a password panicked")?)
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within the bounds of Argon2");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn verify(password: &Password, hash: &str) -> anyhow::Result<bool> {
    let hash = PasswordHash::new(hash).map_err(|error| anyhow!("a stored password hash is malformed: {error}"))?;
    match argon2().verify_password(password.0.expose_secret().as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(anyhow!("a password could not be checked: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{NOBODYS_HASH, Password, Passwords};
    use crate::clock::Timestamp;

    fn complaint(text: &str) -> Option<String> {
        Password::from(text.to_owned()).check().err().map(|error| error.to_string())
    }

    #[test]
    fn a_refused_password_is_told_all_that_it_lacks() {
        assert_eq!(complaint("Passw0rd"), None);
        assert_eq!(complaint("Grüße an 4"), None);
        assert_eq!(complaint("Пароль-2026"), None);
        assert_eq!(complaint("passw0rd").unwrap(), "The password still needs an uppercase letter.");
        assert_eq!(complaint("PASSWORD").unwrap(), "The password still needs a lowercase letter and a digit.");
        assert_eq!(
            complaint("").unwrap(),
            "The password still needs at least 8 characters, an uppercase letter, a lowercase letter and a digit."
        );
        assert_eq!(complaint(&"aB3".repeat(42)), None);
        assert_eq!(complaint(&"aB3".repeat(43)).unwrap(), "A password has at most 128 characters.");
    }

    #[test]
    fn a_password_shows_itself_to_nobody() {
        assert!(!format!("{:?}", Password::from("Passw0rd".to_owned())).contains("Passw0rd"));
    }

    #[tokio::test]
    async fn the_right_password_matches_and_nobodys_costs_the_same() {
        let passwords = Passwords::new();
        let (right, wrong) = (Password::from("Passw0rd".to_owned()), Password::from("Passw0rb".to_owned()));
        let hash = passwords.hash(&right).await.unwrap();
        let parameters = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parameters(&hash), parameters(NOBODYS_HASH));
        assert_eq!(hash.len(), NOBODYS_HASH.len());
        let now = Timestamp(0);
        assert!(passwords.matches("ann", Some(hash.clone()), &right, now).await.unwrap());
        assert!(!passwords.matches("ann", Some(hash), &wrong, now).await.unwrap());
        assert!(!passwords.matches("nobody", None, &right, now).await.unwrap());
    }
}
