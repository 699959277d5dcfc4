//! From a host in a URL to the addresses that may be called.

use crate::connectors::address;
use futures_util::future::BoxFuture;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

type Asking = BoxFuture<'static, io::Result<Vec<IpAddr>>>;

/// Who knows the addresses of a name: the system, or a test.
#[derive(Clone)]
pub(super) struct Lookup(Arc<dyn Fn(String) -> Asking + Send + Sync>);

/// Where a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reach {
    /// To the public Internet.
    Public,
    /// To wherever it is that the operator named.
    Named,
}

/// What is said of a host whose addresses are not for us.
#[derive(Debug, thiserror::Error)]
#[error("the address is not on the public Internet, so it is not called")]
pub(super) struct NotPublic;

/// Why there are no addresses to call.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAddress {
    #[error(transparent)]
    NotPublic(#[from] NotPublic),
    #[error("the name cannot be looked up")]
    Failed(#[from] io::Error),
    #[error("the name has no address")]
    None,
}

impl Lookup {
    pub(super) fn new(ask: impl Fn(String) -> Asking + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// As the system's resolver has it.
    pub(super) fn system() -> Self {
        Self::new(|name| {
            Box::pin(async move {
                let addresses = tokio::net::lookup_host((name.as_str(), 0)).await?;
                Ok(addresses.map(|address| address.ip()).collect())
            })
        })
    }

    /// The addresses of a host as a URL writes it, each of them within reach.
    ///
    /// # Errors
    /// There are none, or not all of them may be called.
    pub(super) async fn addresses(&self, host: &str, port: u16, reach: Reach) -> Result<Vec<SocketAddr>, NoAddress> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let addresses = match bare.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => (self.0)(bare.to_owned()).await?,
        };
        // One private address among public ones is reason enough: that is how rebinding looks.
        if reach == Reach::Public && !addresses.iter().copied().all(address::is_public) {
            return Err(NotPublic.into());
        }
        if addresses.is_empty() {
            return Err(NoAddress::None);
        }
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }
}
