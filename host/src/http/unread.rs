//! Reading on where a request is answered before it has arrived whole: too large, of the wrong type, or from a stranger. A
//! connection that is closed with bytes unread is reset, and the client would see a broken pipe instead of our answer.

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;

/// What is read on, at most, of a request that nobody wants.
const MOST_BYTES: usize = 64 << 20;
const LONGEST: Duration = Duration::from_secs(30);

/// Answers a request, and reads and forgets what was left of its body.
pub(super) async fn read_on(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (give_back, mut given_back) = oneshot::channel();
    let request = request.map(|body| Body::new(Lent { body, give_back: Some(give_back) }));
    let response = next.run(request).await;
    if let Ok(rest) = given_back.try_recv() {
        // Beside the answer, which the client may take at once.
        tokio::spawn(tokio::time::timeout(LONGEST, forget(rest)));
    }
    response
}

async fn forget(rest: Body) {
    let (mut rest, mut read) = (rest.into_data_stream(), 0);
    while let Some(Ok(piece)) = rest.next().await {
        read += piece.len();
        if read > MOST_BYTES {
            return;
        }
    }
}

/// A body that comes back when its reader drops it with something left.
struct Lent {
    body: Body,
    give_back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(give_back) = self.give_back.take().filter(|_| !self.body.is_end_stream()) {
            // Nobody waits for it where the answer has left already.
            let _ = give_back.send(std::mem::take(&mut self.body));
        }
    }
}
