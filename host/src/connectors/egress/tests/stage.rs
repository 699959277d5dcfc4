//! The other sides: raw servers, a proxy, and a table of names.

use super::super::resolver::Lookup;
use super::super::{Egress, NoAnswer};
use crate::config::Config;
use futures_util::future::BoxFuture;
use reqwest::Response;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// An address that is anybody's.
pub(super) const PUBLIC: &str = "93.184.216.34";

/// Looks names up as this function has them; no address at all is a name that is not known.
pub(super) fn names(table: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Lookup {
    Lookup::new(move |name| {
        let found = table(&name);
        let known = if found.is_empty() { Err(std::io::ErrorKind::NotFound.into()) } else { Ok(found) };
        Box::pin(std::future::ready(known))
    })
}

/// Every name is at these addresses.
pub(super) fn everything_at(addresses: &'static [&'static str]) -> Lookup {
    names(move |_| addresses.iter().map(|address| address.parse().expect("an address")).collect())
}

/// An egress that gives up on silence soon, with these servers allowed to everybody.
pub(super) fn egress(allowed: &[&Raw]) -> Egress {
    egress_with_silence(allowed, 500)
}

/// An egress that gives up on so long a silence.
pub(super) fn egress_with_silence(allowed: &[&Raw], silence_ms: u64) -> Egress {
    let allowed = allowed.iter().map(|server| server.at.to_string()).collect();
    let config = Config { egress_allow: allowed, vendor_silence_ms: silence_ms, ..Config::default() };
    Egress::with(&config, everything_at(&["127.0.0.1"])).expect("an egress")
}

pub(super) fn url(text: &str) -> Url {
    text.parse().expect("a URL")
}

/// The whole body, or why there is none.
pub(super) async fn body(answer: Result<Response, NoAnswer>) -> Result<Vec<u8>, String> {
    let answer = answer.map_err(|none| none.message)?;
    answer.bytes().await.map(Vec::from).map_err(|error| super::super::broken(&error))
}

/// A server that is given each connection as it comes.
pub(super) struct Raw {
    pub(super) at: SocketAddr,
    accepted: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Raw {
    /// A server that does this with every connection.
    pub(super) async fn doing<F>(serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::on(TcpListener::bind("127.0.0.1:0").await.expect("a port"), serve)
    }

    pub(super) fn on<F>(listener: TcpListener, serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let at = listener.local_addr().expect("an address");
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = accepted.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Self { at, accepted, heads: Arc::default() }
    }

    /// A server that answers every request with these bytes, on connections that it keeps.
    pub(super) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let (answer, heads): (Arc<[u8]>, _) = (Into::<Vec<u8>>::into(answer).into(), Arc::new(Mutex::new(Vec::new())));
        let told = heads.clone();
        let server = Self::doing(move |mut stream| {
            let (answer, told) = (answer.clone(), told.clone());
            async move {
                while let Some(head) = head(&mut stream).await {
                    told.lock().expect("no panic").push(head);
                    if stream.write_all(&answer).await.is_err() {
                        return;
                    }
                }
            }
        })
        .await;
        Self { heads, ..server }
    }

    /// A server that sends this once, and then keeps still.
    pub(super) async fn stalling_after(answer: &'static str) -> Self {
        Self::doing(move |mut stream| async move {
            head(&mut stream).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            std::future::pending::<()>().await;
        })
        .await
    }

    /// A server that sends a beginning, and then the same for as long as anybody listens.
    pub(super) async fn repeating(beginning: &'static str, then: &'static str) -> Self {
        Self::doing(move |mut stream| async move {
            head(&mut stream).await;
            let mut next = beginning;
            while stream.write_all(next.as_bytes()).await.is_ok() {
                next = then;
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    pub(super) fn url(&self, path: &str) -> Url {
        url(&format!("http://{}{path}", self.at))
    }

    /// Connections so far.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// The heads of the requests so far.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic").clone()
    }
}

/// The head of a request, in lower case; `None` at the end of the connection.
pub(super) async fn head(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).expect("text").to_ascii_lowercase())
}

/// A proxy that connects to one place, whatever it is asked for.
pub(super) struct Relay {
    pub(super) server: Raw,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    /// A proxy that leads to `to`, or refuses with this status.
    pub(super) async fn start(to: Result<SocketAddr, u16>) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = asked.clone();
        let server = Raw::doing(move |stream| relay(stream, to, told.clone())).await;
        Self { server, asked }
    }

    pub(super) fn url(&self, user: &str) -> secrecy::SecretString {
        format!("http://{user}{}", self.server.at).into()
    }

    /// The heads of what it was asked.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }

    /// Where it was asked to connect to.
    pub(super) fn targets(&self) -> Vec<String> {
        let asked = self.asked();
        asked.iter().map(|head| head.split(' ').nth(1).expect("a target").to_owned()).collect()
    }
}

fn relay(mut stream: TcpStream, to: Result<SocketAddr, u16>, told: Arc<Mutex<Vec<String>>>) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let Some(asked) = head(&mut stream).await else { return };
        assert!(asked.starts_with("connect "), "a proxy is only asked to connect: {asked}");
        told.lock().expect("no panic").push(asked);
        match to {
            Ok(to) => {
                let mut onward = TcpStream::connect(to).await.expect("a server");
                stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.expect("a listener");
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
            }
            Err(status) => {
                let _ = stream.write_all(format!("HTTP/1.1 {status} No\r\n\r\n").as_bytes()).await;
            }
        }
    })
}
