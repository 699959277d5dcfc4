//! How often the password of an account may be guessed.
//!
//! A generic cell rate algorithm on the host's own clock: an account may be tried ten times at once, and once more
//! every half minute after that. Each node counts for itself. Keys are hashed, so no addresses lie in memory.

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(5 * 60);
const BURST: u32 = 10;
/// Beyond as many accounts the counts start anew: to reset ten guesses, a hundred thousand must be made.
const MAX_ACCOUNTS: usize = 100_000;

/// For each account that was tried of late, when all of its attempts will be free again.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    hasher: RandomState,
    free_at: Mutex<HashMap<u64, Timestamp>>,
}

impl Attempts {
    /// Counts an attempt, before anything is known about it: guesses made in parallel count like any others.
    ///
    /// # Errors
    /// [`Error::TooMany`] with the time until the next may be made.
    pub(super) fn take(&self, account: &str, now: Timestamp) -> Result<()> {
        let account = self.hasher.hash_one(account);
        let mut free_at = self.lock();
        let taken = free_at.get(&account).copied().unwrap_or(now).max(now).after(WINDOW / BURST);
        let ahead = taken.since(now);
        if ahead > WINDOW {
            return Err(Error::TooMany(ahead - WINDOW));
        }
        if free_at.len() >= MAX_ACCOUNTS {
            free_at.retain(|_, free_at| *free_at > now);
        }
        if free_at.len() >= MAX_ACCOUNTS {
            free_at.clear();
        }
        free_at.insert(account, taken);
        Ok(())
    }

    /// Forgets the attempts of an account, after the right password: only wrong ones count.
    pub(super) fn forget(&self, account: &str) {
        self.lock().remove(&self.hasher.hash_one(account));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Timestamp>> {
        self.free_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Attempts;
    use crate::clock::Timestamp;
    use crate::error::Error;
    use std::time::Duration;

    #[test]
    fn ten_at_once_and_then_one_every_half_minute() {
        let attempts = Attempts::default();
        let start = Timestamp(1_000_000_000);
        for _ in 0..10 {
            attempts.take("ann", start).unwrap();
        }
        assert!(matches!(attempts.take("ann", start), Err(Error::TooMany(wait)) if wait == Duration::from_secs(30)));
        attempts.take("bob", start).unwrap();
        let later = start.after(Duration::from_secs(30));
        attempts.take("ann", later).unwrap();
        attempts.take("ann", later).unwrap_err();
        attempts.forget("ann");
        attempts.take("ann", later).unwrap();
    }
}
