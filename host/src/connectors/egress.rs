//! The one way out. Every request of the host goes through here: connectors', OAuth's, and those to URLs that users give.
//!
//! What is called is an address that was checked, and the address that was checked is what is called (`dial`). Redirects
//! are never followed by the client. Addresses inside the operator's network are reachable only where the configuration
//! names host and port.

mod buckets;
mod dial;
mod exchange;
mod leaving;
mod pools;
mod proxy;
pub(crate) mod quota;
mod resolver;
mod said;
#[cfg(test)]
mod tests;
mod tls;
mod unpack;

use super::address;
use crate::config::Config;
use crate::fence::{self, Fence};
use dial::CONNECT_TIMEOUT;
pub(crate) use exchange::broken;
pub use pools::Owner;
use pools::Pools;
use proxy::Proxy;
use quota::Quotas;
use reqwest::{Request, Response};
use resolver::{Lookup, NoAddress, NotPublic, Reach};
pub(crate) use said::retry_after;
use std::collections::BTreeSet;
use std::time::Duration;
use tls::Tls;
use url::{Host, Url};

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
    /// A port at which something else than a web server listens.
    #[error("names a port that belongs to another protocol than the web's")]
    Port,
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

/// An error with all its causes, in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

/// The outbound client.
pub struct Egress {
    pools: Pools,
    lookup: Lookup,
    /// Who is silent for longer is lost.
    silence: Duration,
    fence: Fence,
    /// `host:port` that the operator allows to everybody.
    allowed: BTreeSet<String>,
    /// `host:port` of endpoints that the operator moved: for the connectors that have them, and for Stripe.
    moved: BTreeSet<String>,
    /// What vendors said of how often they may be asked.
    pub(crate) quotas: Quotas,
    /// Writes multipart bodies, and sends nothing: it trusts nobody's certificate.
    forms: reqwest::Client,
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Egress({} allowed, {} moved)", self.allowed.len(), self.moved.len())
    }
}

impl Egress {
    /// A client that reaches public addresses and what the operator named, by the operator's proxy and with his roots.
    ///
    /// # Errors
    /// TLS roots cannot be read, or the proxy's URL is none.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        Self::with(config, Lookup::system())
    }

    fn with(config: &Config, lookup: Lookup) -> anyhow::Result<Self> {
        let proxy = config.proxy.as_ref().map(Proxy::read).transpose()?;
        let tls = Tls::open(config.ca_file.as_deref())?;
        #[expect(clippy::disallowed_methods, reason = "it sends nothing")]
        let forms = reqwest::Client::builder().tls_certs_only([]).build()?;
        Ok(Self {
            pools: Pools::new(lookup.clone(), &tls, proxy),
            lookup,
            silence: config.vendor_silence(),
            fence: Fence::default(),
            allowed: config.egress_allow.iter().map(|entry| entry.to_ascii_lowercase()).collect(),
            moved: moved(config),
            quotas: Quotas::default(),
            forms,
        })
    }

    /// The same client, which sends nothing while this fence stands.
    #[must_use]
    pub fn behind(self, fence: &Fence) -> Self {
        Self { fence: fence.clone(), ..self }
    }

    /// Whether anything may leave.
    ///
    /// # Errors
    /// [`NoAnswer`], since the installation is fenced.
    pub(crate) fn check_fence(&self) -> Result<(), NoAnswer> {
        if self.fence.stands() {
            return Err(NoAnswer { message: fence::WORDS.to_owned(), stage: Stage::Unreached });
        }
        Ok(())
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// [`NoAnswer`], which says whether the request may have arrived.
    pub async fn send(
        &self,
        owner: Owner,
        request: Request,
        connection: Connection,
        chosen_by: ChosenBy,
    ) -> Result<Response, NoAnswer> {
        self.check_fence()?;
        let url = request.url();
        check_form(url)?;
        let reach = if self.is_named(url, chosen_by) { Reach::Named } else { Reach::Public };
        if reach == Reach::Public {
            check_public(url)?;
        }
        let client = self.pools.client(owner, connection, reach);
        Box::pin(exchange::send(&client, request, self.silence)).await
    }

    /// Fetches a URL that a user gave. Redirects are followed, each checked like the first; no credentials are sent.
    ///
    /// # Errors
    /// [`NoAnswer`] with a message for that user.
    pub async fn fetch(&self, url: Url) -> Result<Response, NoAnswer> {
        let mut url = url;
        for _ in 0..=MAX_REDIRECTS {
            let request = Request::new(reqwest::Method::GET, url.clone());
            let response = self.send(Owner::Host, request, Connection::Shared, ChosenBy::User).await?;
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
        let builder = reqwest::RequestBuilder::from_parts(self.forms.clone(), request);
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
            Some(Host::Domain(_)) if url.port().is_some_and(|port| !address::is_for_the_web(port)) => Err(Unfit::Port),
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
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let addresses = self.lookup.addresses(host, port, Reach::Public);
        match tokio::time::timeout(CONNECT_TIMEOUT, addresses).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(NoAddress::NotPublic(_))) => Err(Unfit::NotPublic),
            Ok(Err(NoAddress::Failed(_) | NoAddress::None)) | Err(_) => Err(Unfit::Unknown),
        }
    }

    fn is_named(&self, url: &Url, chosen_by: ChosenBy) -> bool {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return false };
        let address = format!("{host}:{port}");
        self.allowed.contains(&address) || chosen_by == ChosenBy::Operator && self.moved.contains(&address)
    }
}

/// Where the operator moved endpoints to, which names those addresses.
fn moved(config: &Config) -> BTreeSet<String> {
    let endpoints = config.connectors.values().flat_map(|connector| connector.endpoints.values());
    let moved = endpoints.map(String::as_str).chain(config.stripe.moved()).filter_map(|origin| {
        let url = Url::parse(origin).ok()?;
        Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?).to_ascii_lowercase())
    });
    moved.collect()
}

/// Refuses a URL that nobody may call.
fn check_form(url: &Url) -> Result<(), NoAnswer> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(NoAnswer::forbidden("only http and https URLs can be called"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NoAnswer::forbidden("a URL with a user name or password in it is not called"));
    }
    Ok(())
}

/// Refuses a URL that leads inside or to no web server, before any name is looked up. Addresses are checked once more
/// where connections are opened.
fn check_public(url: &Url) -> Result<(), NoAnswer> {
    if url.port().is_some_and(|port| !address::is_for_the_web(port)) {
        return Err(NoAnswer::forbidden("the port belongs to another protocol than the web's, so it is not called"));
    }
    let public = match url.host() {
        Some(Host::Ipv4(address)) => address::is_public(address.into()),
        Some(Host::Ipv6(address)) => address::is_public(address.into()),
        Some(Host::Domain(_)) => true,
        None => false,
    };
    if public { Ok(()) } else { Err(NoAnswer::forbidden(NotPublic.to_string())) }
}
