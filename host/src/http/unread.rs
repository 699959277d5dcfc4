//! Reading on where a request is answered before it has arrived whole: too large, of the wrong type, or from a stranger. A
//! connection that is closed with bytes unread is reset, and the client would see a broken pipe instead of our answer.
//!
//! That is a kindness to anybody, so there is only so much of it at a time. Beyond that, connections are closed at once.

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// What is read on, at most, of a request that nobody wants.
const MOST_BYTES: usize = 64 << 20;
const LONGEST: Duration = Duration::from_secs(30);
/// What is read on of all such requests that are under way.
const MOST_BYTES_OF_ALL: usize = 256 << 20;
/// Most of such requests.
const MOST_REQUESTS: usize = 256;
/// What bytes are counted in.
const UNIT_BYTES: usize = 4 << 10;

/// What may be read on at the same time. A request gives back what was read of it when it ends.
#[derive(Debug, Clone)]
pub(super) struct Allowance {
    units: Arc<Semaphore>,
    requests: Arc<Semaphore>,
}

impl Allowance {
    /// What a host allows.
    pub(super) fn of_a_host() -> Self {
        Self::of(MOST_BYTES_OF_ALL, MOST_REQUESTS)
    }

    fn of(bytes: usize, requests: usize) -> Self {
        Self { units: Arc::new(Semaphore::new(bytes / UNIT_BYTES)), requests: Arc::new(Semaphore::new(requests)) }
    }

    /// Reads the rest of a request, as far as it goes.
    async fn forget(self, rest: Body) {
        let Ok(_one) = self.requests.clone().try_acquire_owned() else { return };
        // Whose end is not to be reached is not begun.
        let left = usize::try_from(rest.size_hint().lower()).unwrap_or(usize::MAX);
        if left > MOST_BYTES || left / UNIT_BYTES > self.units.available_permits() {
            return;
        }
        let (mut rest, mut read, mut taken) = (rest.into_data_stream(), 0, None::<OwnedSemaphorePermit>);
        while let Some(Ok(piece)) = rest.next().await {
            let before = read / UNIT_BYTES;
            read += piece.len();
            let units = u32::try_from(read / UNIT_BYTES - before).unwrap_or(u32::MAX);
            let Ok(more) = self.units.clone().try_acquire_many_owned(units) else { return };
            match &mut taken {
                Some(taken) => taken.merge(more),
                None => taken = Some(more),
            }
            if read > MOST_BYTES {
                return;
            }
        }
    }
}

/// Answers a request, and reads and forgets what was left of its body.
pub(super) async fn read_on(State(allowance): State<Allowance>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (give_back, mut given_back) = oneshot::channel();
    let request = request.map(|body| Body::new(Lent { body, give_back: Some(give_back) }));
    let response = next.run(request).await;
    if let Ok(rest) = given_back.try_recv() {
        // Beside the answer, which the client may take at once.
        tokio::spawn(tokio::time::timeout(LONGEST, allowance.forget(rest)));
    }
    response
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::http::StatusCode;
    use axum::middleware::from_fn_with_state;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    const BODY_BYTES: usize = 4 << 20;
    const PIECE: &[u8] = &[0; 64 << 10];

    /// A server that wants nothing of anybody.
    async fn server(allowance: Allowance) -> std::net::SocketAddr {
        let router =
            Router::new().fallback(async || StatusCode::UNAUTHORIZED).layer(from_fn_with_state(allowance, read_on));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        at
    }

    /// A request whose answer has come, with all of its body still to send.
    async fn answered(at: std::net::SocketAddr, length: &str) -> TcpStream {
        let mut stream = TcpStream::connect(at).await.expect("a server");
        let head = format!("POST / HTTP/1.1\r\nhost: localhost\r\n{length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("a reader");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.expect("an answer"));
        }
        assert!(answer.starts_with(b"HTTP/1.1 401"), "{}", String::from_utf8_lossy(&answer));
        stream
    }

    /// Whether so much of a body is taken before the connection closes.
    async fn takes(stream: &mut TcpStream, bytes: usize) -> bool {
        for _ in 0..bytes / PIECE.len() {
            if stream.write_all(PIECE).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Asserts that the server closes the connection, and not only since it has waited long enough.
    async fn is_closed(mut stream: TcpStream) {
        let mut rest = Vec::new();
        // An end or a reset.
        let closed = tokio::time::timeout(LONGEST / 2, stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "the connection is held open");
    }

    fn length(bytes: usize) -> String {
        format!("content-length: {bytes}")
    }

    async fn is_all_back(allowance: &Allowance, bytes: usize) {
        while allowance.units.available_permits() != bytes / UNIT_BYTES {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_is_left_is_read_and_given_back() {
        let allowance = Allowance::of(2 * BODY_BYTES, 8);
        let at = server(allowance.clone()).await;
        for _ in 0..5 {
            let mut stream = answered(at, &length(BODY_BYTES)).await;
            assert!(takes(&mut stream, BODY_BYTES).await);
            // All of it was read, so the connection serves once more.
            stream
                .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                .await
                .expect("a reader");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
            is_all_back(&allowance, 2 * BODY_BYTES).await;
        }
    }

    #[tokio::test]
    async fn beyond_what_is_allowed_to_all_connections_close_at_once() {
        let allowance = Allowance::of(BODY_BYTES, 8);
        let at = server(allowance.clone()).await;
        // One that has sent nearly all that everybody may, and stays.
        let mut first = answered(at, &length(BODY_BYTES)).await;
        assert!(takes(&mut first, BODY_BYTES - PIECE.len()).await);
        while allowance.units.available_permits() > PIECE.len() / UNIT_BYTES {
            tokio::task::yield_now().await;
        }
        // Who says how much would come is not read at all, and who does not is read as far as it goes.
        is_closed(answered(at, &length(BODY_BYTES)).await).await;
        is_closed(answered(at, &length(usize::MAX >> 1)).await).await;
        let mut chunked = answered(at, "transfer-encoding: chunked").await;
        let chunk = [format!("{:x}\r\n", PIECE.len()).as_bytes(), PIECE, b"\r\n"].concat();
        while chunked.write_all(&chunk).await.is_ok() {}
        assert!(takes(&mut first, PIECE.len()).await);
        is_all_back(&allowance, BODY_BYTES).await;
    }

    #[tokio::test]
    async fn so_many_are_read_on_and_no_more() {
        let allowance = Allowance::of(8 * BODY_BYTES, 2);
        let at = server(allowance.clone()).await;
        let stay = [answered(at, &length(BODY_BYTES)).await, answered(at, &length(BODY_BYTES)).await];
        is_closed(answered(at, &length(BODY_BYTES)).await).await;
        for mut stream in stay {
            assert!(takes(&mut stream, BODY_BYTES).await);
        }
        is_all_back(&allowance, 8 * BODY_BYTES).await;
    }
}
