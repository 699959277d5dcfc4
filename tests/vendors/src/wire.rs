//! A TCP listener whose connections a handler can cut.
//!
//! HTTP has no answer that means "the line went dead", and that is the very failure which makes a publication
//! uncertain. So every connection carries a [`Cut`]: once a handler pulls it, nothing more is read from or written
//! to the socket and it closes.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::response::{IntoResponse, Response};
use axum::serve::{IncomingStream, Listener};
use tokio::io::{self, AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::oneshot;

/// The switch of one connection, handed to its handlers as `ConnectInfo<Cut>`.
#[derive(Clone, Default)]
pub(crate) struct Cut(Arc<AtomicBool>);

impl Cut {
    /// Cut the connection. The response only ends the exchange inside the server: no byte of it reaches the caller.
    pub(crate) fn pull(&self) -> Response {
        self.0.store(true, Ordering::Release);
        ().into_response()
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Acquire) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Cut {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().cut.clone()
    }
}

/// A server of connections that can be cut. It ends when it is dropped, and not before what it answers has ended.
pub(crate) struct Server {
    address: SocketAddr,
    /// Dropped along with the server, which is what the task waits for.
    _stop: oneshot::Sender<()>,
}

impl Server {
    /// Listen on an address, and serve.
    pub(crate) async fn start(address: impl ToSocketAddrs, router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let service = router.into_make_service_with_connect_info::<Cut>();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = axum::serve(CuttableListener(listener), service).with_graceful_shutdown(async {
            // Nothing is ever sent: the sender's end is the word.
            let _ = stopped.await;
        });
        tokio::spawn(server.into_future());
        Ok(Self { address, _stop: stop })
    }

    /// Where it listens, such as `http://127.0.0.1:4010`.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Accepts connections that can be cut.
struct CuttableListener(TcpListener);

impl Listener for CuttableListener {
    type Io = Cuttable;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Cuttable, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Small answers should not wait for Nagle's timer; a socket that refuses the option works all the same.
        let _ = stream.set_nodelay(true);
        (Cuttable { stream, cut: Cut::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection that fails every read and write once it is cut, which makes the server drop and so close it.
struct Cuttable {
    stream: TcpStream,
    cut: Cut,
}

impl AsyncRead for Cuttable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.cut.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.cut.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.cut.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
