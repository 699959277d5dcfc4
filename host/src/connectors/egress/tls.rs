//! TLS: rustls, the system's roots and the operator's.

use super::dial::BoxError;
use anyhow::Context as _;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How to speak TLS.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Trusts the system's roots, and those in the operator's file.
    ///
    /// # Errors
    /// The file has no certificate that can be used, or the system has no roots.
    pub(super) fn open(ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = match ca_file {
            None => Verifier::new(provider.clone()).context("the system's TLS roots cannot be read")?,
            Some(file) => Verifier::new_with_extra_roots(certificates(file)?, provider.clone()).with_context(|| {
                format!("ORLA_CA_FILE: a certificate in {} cannot be used as a root", file.display())
            })?,
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous() // rustls' word for any verifier that is not its own; this one asks the system.
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Offers these protocols, by their names in ALPN.
    pub(super) fn offering(&self, protocols: &[&str]) -> Self {
        let mut config = ClientConfig::clone(&self.0);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Self(Arc::new(config))
    }

    /// Speaks TLS over a line with a host as a URL writes it.
    ///
    /// # Errors
    /// The other side cannot show a certificate for that name.
    pub(super) async fn wrap<L>(&self, host: &str, line: L) -> Result<TlsStream<TokioIo<L>>, BoxError>
    where
        L: Read + Write + Unpin,
    {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(bare.to_owned())?;
        Ok(TlsConnector::from(self.0.clone()).connect(name, TokioIo::new(line)).await?)
    }
}

fn certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let pem = std::fs::read(file).with_context(|| format!("ORLA_CA_FILE: {} cannot be read", file.display()))?;
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .with_context(|| format!("ORLA_CA_FILE: {} is no file of PEM certificates", file.display()))?;
    anyhow::ensure!(!certificates.is_empty(), "ORLA_CA_FILE: there is no PEM certificate in {}", file.display());
    Ok(certificates)
}
