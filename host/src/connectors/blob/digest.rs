//! The digest of a stream of bytes, computed beside it once there is much of it: else a large file would wait for the processor
//! and the network in turns.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

/// What is computed at once: less than this is not worth a thread.
const AT_ONCE: usize = 512 << 10;
/// Batches on their way to the thread, which bounds what is kept in memory.
const BATCHES: usize = 8;

/// A digest that grows.
pub(super) struct Streamed {
    /// The digest so far, while there is no thread that has it.
    here: Sha256,
    beside: Option<(mpsc::Sender<Vec<Bytes>>, JoinHandle<Sha256>)>,
    batch: Vec<Bytes>,
    batched: usize,
}

impl Streamed {
    pub(super) fn new() -> Self {
        Self { here: Sha256::new(), beside: None, batch: Vec::new(), batched: 0 }
    }

    /// Adds the next bytes.
    pub(super) async fn add(&mut self, chunk: Bytes) {
        self.batched += chunk.len();
        self.batch.push(chunk);
        if self.batched >= AT_ONCE {
            self.hand_over().await;
        }
    }

    async fn hand_over(&mut self) {
        let (batch, here) = (std::mem::take(&mut self.batch), &mut self.here);
        self.batched = 0;
        let (batches, _) = self.beside.get_or_insert_with(|| {
            let mut digest = std::mem::take(here);
            let (batches, mut coming) = mpsc::channel::<Vec<Bytes>>(BATCHES);
            let thread = spawn_blocking(move || {
                while let Some(batch) = coming.blocking_recv() {
                    batch.iter().for_each(|chunk| digest.update(chunk));
                }
                digest
            });
            (batches, thread)
        });
        // A thread that has died is noticed in the end.
        let _ = batches.send(batch).await;
    }

    /// The digest of all bytes, in hex.
    ///
    /// # Errors
    /// The thread has died.
    pub(super) async fn finish(self) -> anyhow::Result<String> {
        let mut digest = match self.beside {
            None => self.here,
            Some((batches, thread)) => {
                drop(batches);
                thread.await?
            }
        };
        self.batch.iter().for_each(|chunk| digest.update(chunk));
        Ok(hex::encode(digest.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::{AT_ONCE, Streamed};
    use bytes::Bytes;
    use sha2::{Digest as _, Sha256};

    #[tokio::test]
    async fn it_is_that_of_all_bytes_in_their_order() {
        for (pieces, length) in [(0, 0), (1, 1), (3, 7), (1, AT_ONCE), (40, AT_ONCE / 3 + 1), (5, 3 * AT_ONCE)] {
            let (mut streamed, mut whole) = (Streamed::new(), Vec::new());
            for piece in 0..pieces {
                let bytes = vec![u8::try_from(piece).unwrap(); length];
                whole.extend_from_slice(&bytes);
                streamed.add(Bytes::from(bytes)).await;
            }
            assert_eq!(streamed.finish().await.unwrap(), hex::encode(Sha256::digest(&whole)), "{pieces} of {length}");
        }
    }
}
