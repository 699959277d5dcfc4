//! Servers that take what they are sent slowly, or not at all.

use super::super::{ChosenBy, Connection, NoAnswer, Owner, Stage};
use super::stage::{Raw, body, egress_with_silence, head};
use reqwest::{Method, Request, Response};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};

const SILENCE_MS: u64 = 2_000;
/// Three times as long on its way as silence may last.
const BODY_BYTES: usize = 8 << 20;
const TAKEN_AT_ONCE: usize = 32 << 10;
const PAUSE: Duration = Duration::from_millis(25);

/// Where the kernel takes little for who does not read.
fn listener() -> TcpListener {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(16 << 10).expect("a size");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    socket.listen(16).expect("a listener")
}

/// A server that takes so many bytes of a request, a little at a time, and answers if that was all.
fn taking(bytes: usize) -> Raw {
    Raw::on(listener(), move |mut stream| async move {
        head(&mut stream).await;
        let mut piece = vec![0; TAKEN_AT_ONCE];
        for _ in 0..bytes / TAKEN_AT_ONCE {
            if stream.read_exact(&mut piece).await.is_err() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        if bytes == BODY_BYTES {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
        }
        std::future::pending::<()>().await;
    })
}

async fn sent(server: &Raw, connection: Connection) -> Result<Response, NoAnswer> {
    let mut request = Request::new(Method::POST, server.url("/"));
    *request.body_mut() = Some(vec![b'x'; BODY_BYTES].into());
    egress_with_silence(&[server], SILENCE_MS).send(Owner::Host, request, connection, ChosenBy::User).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_may_take_longer_than_silence_may_last() {
    let server = taking(BODY_BYTES);
    let began = Instant::now();
    let (shared, fresh) = tokio::join!(sent(&server, Connection::Shared), sent(&server, Connection::Fresh));
    for answer in [shared, fresh] {
        assert_eq!(body(answer).await.expect("an answer"), b"hi");
    }
    assert!(began.elapsed() > Duration::from_millis(2 * SILENCE_MS), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_nothing_more_is_lost() {
    let server = taking(BODY_BYTES / 4);
    let none = sent(&server, Connection::Fresh).await.expect_err("silence");
    assert_eq!((none.stage, none.message.as_str()), (Stage::Lost, "the other side was silent for 2000 ms"));
}
