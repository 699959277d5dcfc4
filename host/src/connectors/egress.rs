//! The one way out. Every request of the host goes through here: connectors', OAuth's, and those to URLs that users give.
//!
//! Names are resolved by our own resolver, which passes on public addresses only, so the connection goes to the address
//! that was checked; addresses written into a URL are checked as well. Redirects are never followed by the client.
//! Addresses inside the operator's network are reachable only where the configuration names host and port.

use super::address;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Request, Response, redirect, retry};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 5;

/// Whether a request may ride a connection that was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// Kept open for later requests.
    Shared,
    /// Opened for this request alone. A kept connection may be half dead, and then nobody can say whether a request on it
    /// arrived: for a commit that would be an uncertain outcome without need.
    Fresh,
}

/// Who chose where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChosenBy {
    /// The operator: a connector that he loaded says so, or his configuration.
    Operator,
    /// Somebody who uses this server. Endpoints that the operator moved inwards are none of his business.
    User,
}

/// Why an address that a person entered is not called. Reads on after the name of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// What is sent there would be readable on the way.
    #[error("must begin with https://")]
    NotHttps,
    /// A URL with a user name or password in it.
    #[error("must not hold a user name or password")]
    HasUser,
    /// An address in digits.
    #[error("must name a host such as example.com, not an IP address")]
    Literal,
    /// A name inside some network.
    #[error("leads to an address that is not on the public Internet: only the operator of this server can allow it")]
    NotPublic,
    /// A name without an address.
    #[error("names a host that cannot be found: check how it is written, or try again later")]
    Unknown,
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct NoAnswer {
    /// For a person; without the URL, which may hold secrets.
    pub message: String,
    /// How far it got.
    pub stage: Stage,
}

/// How far a request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// We do not make such requests.
    Forbidden,
    /// The other side was not reached: not a byte of the request left.
    Unreached,
    /// Some of it may have arrived.
    Lost,
}

impl NoAnswer {
    fn forbidden(message: impl Into<String>) -> Self {
        Self { message: message.into(), stage: Stage::Forbidden }
    }
}

/// What our resolver says of a name whose addresses are not for us.
#[derive(Debug, thiserror::Error)]
#[error("the address is not on the public Internet, so it is not called")]
struct NotPublic;

impl From<reqwest::Error> for NoAnswer {
    fn from(error: reqwest::Error) -> Self {
        let mut stage = if error.is_connect() || error.is_builder() { Stage::Unreached } else { Stage::Lost };
        let error = error.without_url();
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            message = format!("{message}: {inner}");
            if inner.is::<NotPublic>() {
                stage = Stage::Forbidden;
                message = inner.to_string();
            }
            cause = inner.source();
        }
        Self { message, stage }
    }
}

/// The outbound client.
#[derive(Debug)]
pub struct Egress {
    guarded: Pair,
    /// For what the operator named: no check of addresses.
    trusted: Pair,
    /// `host:port` that the operator allows to everybody.
    allowed: BTreeSet<String>,
    /// `host:port` of endpoints that the operator moved: for the connectors that have them.
    moved: BTreeSet<String>,
}

#[derive(Debug)]
struct Pair {
    shared: Client,
    fresh: Client,
}

impl Egress {
    /// A client that reaches public addresses, and what the operator named as `host:port`: for everybody, and for the
    /// endpoints that he moved. Who is silent for longer than `silence` is lost.
    ///
    /// # Errors
    /// The system's TLS roots cannot be read.
    pub fn new(
        allowed: impl IntoIterator<Item = String>,
        moved: impl IntoIterator<Item = String>,
        silence: Duration,
    ) -> anyhow::Result<Self> {
        let guarded = Arc::new(Guarded);
        let pair = |guarded: Option<&Arc<Guarded>>| -> anyhow::Result<Pair> {
            let shared = client(guarded, Connection::Shared, silence)?;
            Ok(Pair { shared, fresh: client(guarded, Connection::Fresh, silence)? })
        };
        Ok(Self {
            guarded: pair(Some(&guarded))?,
            trusted: pair(None)?,
            allowed: allowed.into_iter().map(|entry| entry.to_ascii_lowercase()).collect(),
            moved: moved.into_iter().map(|entry| entry.to_ascii_lowercase()).collect(),
        })
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// [`NoAnswer`], which says whether the request may have arrived.
    pub async fn send(
        &self,
        request: Request,
        connection: Connection,
        chosen_by: ChosenBy,
    ) -> Result<Response, NoAnswer> {
        let pair = if self.is_named(request.url(), chosen_by) {
            &self.trusted
        } else {
            check(request.url())?;
            &self.guarded
        };
        let client = match connection {
            Connection::Shared => &pair.shared,
            Connection::Fresh => &pair.fresh,
        };
        client.execute(request).await.map_err(NoAnswer::from)
    }

    /// Fetches a URL that a user gave. Redirects are followed, each checked like the first.
    ///
    /// # Errors
    /// [`NoAnswer`] with a message for that user.
    pub async fn fetch(&self, url: Url) -> Result<Response, NoAnswer> {
        let mut url = url;
        for _ in 0..=MAX_REDIRECTS {
            let request = Request::new(reqwest::Method::GET, url.clone());
            let response = self.send(request, Connection::Shared, ChosenBy::User).await?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            let target = response.headers().get(reqwest::header::LOCATION).and_then(|target| target.to_str().ok());
            let target = target.ok_or_else(|| NoAnswer::forbidden("a redirect leads nowhere"))?;
            url = url.join(target).map_err(|_| NoAnswer::forbidden("a redirect leads to no URL"))?;
        }
        Err(NoAnswer::forbidden(format!("more than {MAX_REDIRECTS} redirects")))
    }

    /// Gives a request a multipart body, with its length where that is known.
    ///
    /// # Errors
    /// The form cannot be written.
    pub(crate) fn multipart(&self, request: Request, form: reqwest::multipart::Form) -> anyhow::Result<Request> {
        let builder = reqwest::RequestBuilder::from_parts(self.guarded.fresh.clone(), request);
        Ok(builder.multipart(form).build()?)
    }

    /// Whether secrets may go to an address that a person entered: by https to a name, or to where the operator allows.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn is_fit(&self, url: &Url) -> Result<(), Unfit> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Unfit::HasUser);
        }
        if self.is_named(url, ChosenBy::User) {
            return Ok(());
        }
        match url.host() {
            _ if url.scheme() != "https" => Err(Unfit::NotHttps),
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => Err(Unfit::Literal),
            Some(Host::Domain(_)) => Ok(()),
            None => Err(Unfit::Unknown),
        }
    }

    /// As [`Egress::is_fit`], and looks up whether the name has public addresses. They are checked again at each request.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) async fn look_up(&self, url: &Url) -> Result<(), Unfit> {
        self.is_fit(url)?;
        if self.is_named(url, ChosenBy::User) {
            return Ok(());
        }
        let addresses = tokio::time::timeout(CONNECT_TIMEOUT, public_addresses(url.host_str().unwrap_or_default()));
        match addresses.await {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(()),
            Ok(Err(error)) if error.is::<NotPublic>() => Err(Unfit::NotPublic),
            Ok(_) | Err(_) => Err(Unfit::Unknown),
        }
    }

    fn is_named(&self, url: &Url, chosen_by: ChosenBy) -> bool {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return false };
        let address = format!("{host}:{port}");
        self.allowed.contains(&address) || chosen_by == ChosenBy::Operator && self.moved.contains(&address)
    }
}

fn client(guarded: Option<&Arc<Guarded>>, connection: Connection, silence: Duration) -> anyhow::Result<Client> {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes a client")]
    let mut builder = Client::builder()
        .user_agent(concat!("Orla/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(silence);
    if let Some(guarded) = guarded {
        builder = builder.dns_resolver(guarded.clone());
    }
    if connection == Connection::Fresh {
        builder = builder.pool_max_idle_per_host(0).http1_only();
    }
    Ok(builder.build()?)
}

/// Refuses a URL that must not be called, before any name is resolved.
fn check(url: &Url) -> Result<(), NoAnswer> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(NoAnswer::forbidden("only http and https URLs can be called"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NoAnswer::forbidden("a URL with a user name or password in it is not called"));
    }
    let public = match url.host() {
        Some(Host::Ipv4(address)) => address::is_public(address.into()),
        Some(Host::Ipv6(address)) => address::is_public(address.into()),
        Some(Host::Domain(_)) => true,
        None => false,
    };
    if public { Ok(()) } else { Err(NoAnswer::forbidden(NotPublic.to_string())) }
}

/// Resolves names to public addresses only.
#[derive(Debug)]
struct Guarded;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let resolved: BoxFuture<'static, Result<Addrs, BoxError>> =
            Box::pin(async move { Ok(Box::new(public_addresses(name.as_str()).await?.into_iter()) as Addrs) });
        resolved
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The addresses of a name, all of them public.
async fn public_addresses(name: &str) -> Result<Vec<SocketAddr>, BoxError> {
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
    // One private address among public ones is reason enough: that is how rebinding looks.
    if addresses.iter().any(|address| !address::is_public(address.ip())) {
        return Err(NotPublic.into());
    }
    Ok(addresses)
}
