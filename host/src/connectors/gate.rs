//! How many calls of one connector run at the same time, and how many wait: a connector that is asked more than it may
//! answer keeps its own callers waiting, and nobody else's.

use super::fault::{Fault, FaultKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Calls that may wait, for each that may run.
const WAITING_PER_RUNNING: usize = 4;
/// Calls that may wait at least.
const MIN_WAITING: usize = 16;
/// How long a call waits for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// When somebody who was turned away should come again.
const COME_AGAIN: Duration = Duration::from_secs(1);

/// The door to a connector.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Calls at the same time.
    pub(crate) concurrency: u32,
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// The right to be one of the calls; given back when dropped.
pub(crate) type Entered = OwnedSemaphorePermit;

impl Gate {
    pub(crate) fn new(concurrency: u32) -> Self {
        let free = Arc::new(Semaphore::new(concurrency as usize));
        Self { concurrency, free, waiting: AtomicUsize::new(0) }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// Fault `busy`: too many wait already, or the wait was too long.
    pub(crate) async fn enter(&self) -> Result<Entered, Fault> {
        if let Ok(entered) = self.free.clone().try_acquire_owned() {
            return Ok(entered);
        }
        let most = (self.concurrency as usize * WAITING_PER_RUNNING).max(MIN_WAITING);
        let waiting = Waiting::begin(&self.waiting);
        if waiting.ahead >= most {
            return Err(busy());
        }
        match tokio::time::timeout(LONGEST_WAIT, self.free.clone().acquire_owned()).await {
            Ok(Ok(entered)) => Ok(entered),
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }

    /// Calls that wait at this moment.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// The fault of a call that found no place.
pub(crate) fn busy() -> Fault {
    let retry_after_ms = u64::try_from(COME_AGAIN.as_millis()).ok();
    Fault { retry_after_ms, ..Fault::new(FaultKind::Busy, "the connector has as many calls as it may have at a time") }
}

/// A place in the queue.
struct Waiting<'gate> {
    count: &'gate AtomicUsize,
    /// Those who came before.
    ahead: usize,
}

impl<'gate> Waiting<'gate> {
    fn begin(count: &'gate AtomicUsize) -> Self {
        Self { ahead: count.fetch_add(1, Ordering::Relaxed), count }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn a_full_queue_turns_away_and_forgets_those_who_leave() {
        let gate = Gate::new(1);
        let entered = gate.enter().await.unwrap();
        let mut queue: Vec<_> = std::iter::repeat_with(|| Box::pin(gate.enter())).take(MIN_WAITING).collect();
        for waiter in &mut queue {
            assert!(waiter.now_or_never().is_none());
        }
        assert_eq!(gate.waiting(), MIN_WAITING);
        assert_eq!(gate.enter().await.unwrap_err().kind, FaultKind::Busy);
        queue.pop();
        assert_eq!(gate.waiting(), MIN_WAITING - 1);
        drop(entered);
        assert!(queue.remove(0).await.is_ok());
    }
}
