//! Opening connections: the one place where the host reaches out.
//!
//! The name is looked up once, its addresses are checked, and the connection goes to one of those, directly or through
//! the operator's proxy. So nothing can change between check and connect. TLS keeps the name.

use super::leaving::MOST_UNSENT_BYTES;
use super::proxy::Proxy;
use super::resolver::{Lookup, Reach};
use super::tls::Tls;
use crate::connectors::address;
use futures_util::future::BoxFuture;
use http::Uri;
use http::uri::Scheme;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tower::Service;

/// For everything until the first byte of a request can be sent.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// To the server or the proxy, which may itself be reached by TLS.
pub(super) type Line = MaybeHttpsStream<TokioIo<TcpStream>>;
/// A line, with TLS to the server over it where the URL says so.
pub(super) type Connected = MaybeHttpsStream<Line>;

/// Opens connections of one kind.
#[derive(Clone)]
pub(super) struct Dial {
    pub(super) lookup: Lookup,
    pub(super) reach: Reach,
    pub(super) tls: Tls,
    pub(super) proxy: Option<Arc<Proxy>>,
}

#[derive(Debug, thiserror::Error)]
#[error("no connection within {} seconds", CONNECT_TIMEOUT.as_secs())]
struct TooSlow;

impl Service<Uri> for Dial {
    type Response = Connected;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Connected, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let dial = self.clone();
        Box::pin(async move { tokio::time::timeout(CONNECT_TIMEOUT, dial.open(to)).await.map_err(|_| TooSlow)? })
    }
}

impl Dial {
    async fn open(self, to: Uri) -> Result<Connected, BoxError> {
        let host = to.host().ok_or("the URL names no host")?.to_owned();
        let is_https = to.scheme() == Some(&Scheme::HTTPS);
        let port = to.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let addresses = self.lookup.addresses(&host, port, self.reach).await?;
        let line = match &self.proxy {
            // What the operator named inside his network is reached from inside.
            Some(proxy) if addresses.iter().all(|address| address::is_public(address.ip())) => {
                proxy.tunnel(addresses, &self.tls).await?
            }
            Some(_) | None => direct(to, addresses).await?.into(),
        };
        Ok(if is_https { self.tls.wrap(&host, line).await?.into() } else { line.into() })
    }
}

/// Connects to one of these addresses, the first that answers, with IPv6 and IPv4 raced.
pub(super) async fn direct(to: Uri, addresses: Vec<SocketAddr>) -> Result<TokioIo<TcpStream>, BoxError> {
    let known =
        tower::service_fn(move |_: Name| std::future::ready(Ok::<_, Infallible>(addresses.clone().into_iter())));
    let mut connector = HttpConnector::new_with_resolver(known);
    connector.enforce_http(false);
    connector.set_nodelay(true);
    let line = connector.call(to).await?;
    if let Err(error) = SockRef::from(line.inner()).set_tcp_notsent_lowat(MOST_UNSENT_BYTES) {
        tracing::debug!(%error, "the kernel takes as much of a request as it likes");
    }
    Ok(line)
}
