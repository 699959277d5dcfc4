//! The operator's proxy. It is asked by CONNECT for an address that was checked, never for a name: a proxy that looks
//! names up itself would undo the check.
//!
//! That holds for plain http as well, since a proxy that is given an absolute URL has to replace the header `Host` by what
//! stands there (RFC 9112, section 3.2.2), so that the name would be lost or the address unchecked.

use super::chain;
use super::dial::{BoxError, Line, direct};
use super::tls::Tls;
use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use std::net::SocketAddr;
use std::sync::Arc;
use tower::Service as _;
use url::Url;
use zeroize::Zeroizing;

/// Most addresses of a name that are tried.
const MAX_ADDRESSES: usize = 4;

/// A proxy that speaks CONNECT.
pub(super) struct Proxy {
    at: Uri,
    /// User name and password as the header has them.
    authorization: Option<HeaderValue>,
}

impl Proxy {
    /// Reads a proxy's URL, such as `http://user:password@proxy.example.com:3128`.
    ///
    /// # Errors
    /// It is none; the message does not repeat it.
    pub(super) fn read(url: &SecretString) -> anyhow::Result<Self> {
        let mut url = Url::parse(url.expose_secret()).context("ORLA_PROXY is no URL")?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            bail!("ORLA_PROXY must begin with http:// or https:// and name a host");
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            bail!("ORLA_PROXY names scheme, host and port, and has no path");
        }
        let authorization = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => {
                let decoded = |text: &str| Zeroizing::new(percent_decode_str(text).collect::<Vec<u8>>());
                let (user, password) = (decoded(user), decoded(password.unwrap_or_default()));
                let pair = Zeroizing::new([user.as_slice(), b":", password.as_slice()].concat());
                let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(&*pair)));
                let mut value = HeaderValue::from_str(&value)?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let bare = url.set_username("").and_then(|()| url.set_password(None));
        bare.map_err(|()| anyhow::anyhow!("ORLA_PROXY names no host"))?;
        let at = url.as_str().parse::<Uri>().map_err(|_| anyhow::anyhow!("ORLA_PROXY is no URL that can be called"))?;
        Ok(Self { at, authorization })
    }

    /// A line through the proxy to one of these addresses.
    ///
    /// # Errors
    /// The proxy cannot be reached, or connects to none of them.
    pub(super) async fn tunnel(self: &Arc<Self>, mut addresses: Vec<SocketAddr>, tls: &Tls) -> Result<Line, BoxError> {
        // The host cannot race what the proxy connects to, and more proxies have IPv4 than IPv6.
        addresses.sort_by_key(SocketAddr::is_ipv6);
        let mut refused: BoxError = "there is no address to connect to".into();
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            let (proxy, tls) = (self.clone(), tls.offering(&[]));
            let reach = tower::service_fn(move |_: Uri| {
                let (proxy, tls) = (proxy.clone(), tls.clone());
                async move { proxy.reach(&tls).await }
            });
            let mut tunnel = Tunnel::new(self.at.clone(), reach);
            if let Some(authorization) = &self.authorization {
                tunnel = tunnel.with_auth(authorization.clone());
            }
            match tunnel.call(format!("http://{address}").parse()?).await {
                Ok(line) => return Ok(line),
                Err(error) => refused = format!("the proxy gives no connection: {}", chain(&error)).into(),
            }
        }
        Err(refused)
    }

    /// A line to the proxy itself, wherever it is: the operator named it.
    async fn reach(&self, tls: &Tls) -> Result<Line, BoxError> {
        let host = self.at.host().ok_or("the proxy's URL names no host")?;
        let is_https = self.at.scheme_str() == Some("https");
        let port = self.at.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let bare = host.trim_matches(['[', ']']);
        let addresses = tokio::net::lookup_host((bare, port)).await?.collect();
        let line = direct(self.at.clone(), addresses).await?;
        Ok(if is_https { tls.wrap(host, line).await?.into() } else { line.into() })
    }
}
