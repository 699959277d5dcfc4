//! Where a text goes while a connector writes it: to whoever waits for it, and into a copy to hold the result against.

use super::bindings::writes::orla::connector::text_sink;
use super::guest::{Guest, powerless};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc;

/// Longest text of one call.
pub(super) const MAX_TEXT_BYTES: usize = 1 << 20;

/// A text on its way.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    written: Mutex<String>,
    /// Bytes of it that the reader has taken.
    handed_out: AtomicUsize,
    /// Nobody where the text is wanted as a whole.
    reader: Option<mpsc::Sender<String>>,
}

impl Sink {
    /// A sink whose pieces somebody reads.
    pub(crate) fn to(reader: mpsc::Sender<String>) -> Self {
        Self { reader: Some(reader), ..Self::default() }
    }

    /// All that was written so far.
    pub(crate) fn written(&self) -> String {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What of it went to the reader.
    pub(crate) fn handed_out(&self) -> String {
        let mut text = self.written();
        text.truncate(self.handed_out.load(Ordering::Relaxed));
        text
    }

    fn keep(&self, piece: &str) -> wasmtime::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.len() + piece.len() > MAX_TEXT_BYTES {
            return Err(wasmtime::Error::msg("a text has at most 1 MiB"));
        }
        written.push_str(piece);
        Ok(())
    }
}

impl text_sink::Host for Guest {
    async fn write(&mut self, piece: String) -> wasmtime::Result<()> {
        self.pace().await;
        let Some(run) = &self.run else { return Err(powerless()) };
        if piece.is_empty() {
            return Ok(());
        }
        let piece = run.secrets.blank_text(piece);
        run.sink.keep(&piece)?;
        if let Some(reader) = &run.sink.reader {
            let waiting = self.waiting.begin();
            let length = piece.len();
            // A reader who has left stops the run by other means.
            if reader.send(piece).await.is_ok() {
                run.sink.handed_out.fetch_add(length, Ordering::Relaxed);
            }
            drop(waiting);
        }
        Ok(())
    }
}
