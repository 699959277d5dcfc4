//! Kept connections, apart for each connector: one that holds many, or whose vendor is slow, takes nothing from another,
//! and no request rides a connection that another connector opened.

use super::Connection;
use super::dial::Dial;
use super::leaving::Leaving;
use super::proxy::Proxy;
use super::resolver::{Lookup, Reach};
use super::tls::Tls;
use hyper_util::client::legacy::Client as Legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Connections to one host that wait for a next request, in one pool.
const MAX_IDLE_PER_HOST: usize = 64;
/// How long they wait.
const IDLE: Duration = Duration::from_secs(60);
/// Most headers of an answer over HTTP/1.1.
const MAX_HEADERS: usize = 128;
/// Most bytes of an answer's head.
pub(super) const MAX_HEAD_BYTES: u32 = 128 << 10;

pub(super) type Client = Legacy<Dial, Leaving>;

/// Whose connections are kept together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The host itself: media that users name, tokens.
    Host,
    /// The host, as it tells of events: whoever is told chose the address.
    Webhooks,
    /// A connector, by its id.
    Connector(String),
}

/// Clients, made when they are first needed.
pub(super) struct Pools {
    lookup: Lookup,
    tls: Tls,
    proxy: Option<Arc<Proxy>>,
    shared: Mutex<HashMap<(Owner, Reach), Client>>,
    /// They keep nothing, so everybody has the same.
    fresh_public: Client,
    fresh_named: Client,
}

impl Pools {
    pub(super) fn new(lookup: Lookup, tls: &Tls, proxy: Option<Proxy>) -> Self {
        let proxy = proxy.map(Arc::new);
        let fresh = |reach| {
            let (lookup, tls, proxy) = (lookup.clone(), tls.offering(&["http/1.1"]), proxy.clone());
            client(Dial { lookup, reach, tls, proxy }, 0)
        };
        let (fresh_public, fresh_named) = (fresh(Reach::Public), fresh(Reach::Named));
        let tls = tls.offering(&["h2", "http/1.1"]);
        Self { lookup, tls, proxy, shared: Mutex::default(), fresh_public, fresh_named }
    }

    pub(super) fn client(&self, owner: Owner, connection: Connection, reach: Reach) -> Client {
        match (connection, reach) {
            (Connection::Fresh, Reach::Public) => self.fresh_public.clone(),
            (Connection::Fresh, Reach::Named) => self.fresh_named.clone(),
            (Connection::Shared, _) => {
                let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
                let made = shared.entry((owner, reach)).or_insert_with(|| {
                    let (lookup, tls, proxy) = (self.lookup.clone(), self.tls.clone(), self.proxy.clone());
                    client(Dial { lookup, reach, tls, proxy }, MAX_IDLE_PER_HOST)
                });
                made.clone()
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that makes a client")]
fn client(dial: Dial, max_idle_per_host: usize) -> Client {
    Legacy::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(max_idle_per_host)
        .http1_max_headers(MAX_HEADERS)
        .http1_max_buf_size(MAX_HEAD_BYTES as usize)
        .http2_max_header_list_size(MAX_HEAD_BYTES)
        .build(dial)
}
