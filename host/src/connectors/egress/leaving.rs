//! The body of a request on its way out: in small pieces, each of which shows by leaving that the other side takes them. So
//! a large body over a thin line may take its time, while one that stops is noticed.

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use reqwest::Body;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::time::Instant;

/// Largest piece.
const PIECE_BYTES: usize = 16 << 10;
/// Bytes that the kernel takes before it can send them. What it holds has left for us: were it as much as it likes, megabytes,
/// nobody could tell a thin line from silence.
pub(super) const MOST_UNSENT_BYTES: u32 = 128 << 10;

/// When a piece left last.
#[derive(Debug, Clone)]
pub(super) struct Signs(Arc<Mutex<Instant>>);

impl Signs {
    /// Counts from now on.
    pub(super) fn begin() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    pub(super) fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// A body that says when a piece of it leaves.
pub(super) struct Leaving {
    body: Body,
    /// What is left of the last piece that the body gave.
    rest: Bytes,
    signs: Signs,
}

impl Leaving {
    pub(super) fn of(body: Body, signs: Signs) -> Self {
        Self { body, rest: Bytes::new(), signs }
    }
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        let Self { body, rest, signs } = self.get_mut();
        if rest.is_empty() {
            match ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => *rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        // It is asked for when there is room again, so the one before has left.
        signs.give();
        let piece = rest.split_to(rest.len().min(PIECE_BYTES));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (of_body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(of_body.lower() + rest);
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}
