//! Through a proxy: the address is the one that was checked, the name is TLS's.

use super::super::resolver::Lookup;
use super::super::{ChosenBy, Connection, Egress, Owner, Stage, Unfit};
use super::stage::{PUBLIC, Raw, Relay, body, everything_at, head, names, url};
use crate::config::Config;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use reqwest::{Method, Request};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsAcceptor;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

/// A server that shows a certificate for one name, by a root that only a file knows.
struct Secure {
    server: Raw,
    ca: NamedTempFile,
    /// The names that it was called by.
    called: Arc<Mutex<Vec<Option<String>>>>,
}

impl Secure {
    async fn named(name: &str) -> Self {
        let mut root = CertificateParams::new(Vec::<String>::new()).unwrap();
        root.distinguished_name.push(DnType::CommonName, "a root of the operator's");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &root).unwrap();
        let mut ca = NamedTempFile::new().unwrap();
        ca.write_all(root.pem().as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let (acceptor, called) = (TlsAcceptor::from(Arc::new(config)), Arc::new(Mutex::new(Vec::new())));
        let told = called.clone();
        let server = Raw::doing(move |stream| {
            let (acceptor, told) = (acceptor.clone(), told.clone());
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                told.lock().unwrap().push(stream.get_ref().1.server_name().map(str::to_owned));
                head(&mut stream).await;
                stream.write_all(OK.as_bytes()).await.unwrap();
                let _ = stream.shutdown().await;
            }
        })
        .await;
        Self { server, ca, called }
    }
}

fn egress(relay: &Relay, ca: Option<&NamedTempFile>, lookup: Lookup) -> Egress {
    let ca_file = ca.map(|file| file.path().to_owned());
    let config =
        Config { proxy: Some(relay.url("orla:s%20cret@")), ca_file, vendor_silence_ms: 500, ..Config::default() };
    Egress::with(&config, lookup).unwrap()
}

#[tokio::test]
async fn the_proxy_is_given_the_address_and_the_server_the_name() {
    let secure = Secure::named("public.example").await;
    let relay = Relay::start(Ok(secure.server.at)).await;
    let egress = egress(&relay, Some(&secure.ca), everything_at(&["2606:4700::1111", PUBLIC]));
    let answer = egress.fetch(url("https://public.example/picture.png")).await;
    assert_eq!(body(answer).await.unwrap(), b"hi");
    assert_eq!(relay.targets(), [format!("{PUBLIC}:443")]);
    // `orla:s cret`.
    assert!(relay.asked()[0].contains("\r\nproxy-authorization: basic b3jsytpzignyzxq=\r\n"), "{:?}", relay.asked());
    assert!(!relay.asked()[0].contains("public.example"));
    assert_eq!(*secure.called.lock().unwrap(), [Some("public.example".to_owned())]);
    // The same server is nobody else.
    let none = egress.fetch(url("https://other.example/")).await.unwrap_err();
    assert_eq!(none.stage, Stage::Unreached);
    assert!(none.message.contains("certificate"), "{none}");
}

#[tokio::test]
async fn a_root_that_is_not_the_operators_is_nobodys() {
    let secure = Secure::named("public.example").await;
    let relay = Relay::start(Ok(secure.server.at)).await;
    let egress = egress(&relay, None, everything_at(&[PUBLIC]));
    let none = egress.fetch(url("https://public.example/")).await.unwrap_err();
    assert_eq!(none.stage, Stage::Unreached);
    assert!(none.message.contains("UnknownIssuer") || none.message.contains("certificate"), "{none}");
}

#[tokio::test]
async fn plain_http_goes_through_the_proxy_to_the_address_too() {
    let server = Raw::answering(OK).await;
    let relay = Relay::start(Ok(server.at)).await;
    let answer = egress(&relay, None, everything_at(&[PUBLIC])).fetch(url("http://public.example:8080/a?b#c")).await;
    assert_eq!(body(answer).await.unwrap(), b"hi");
    assert_eq!(relay.targets(), [format!("{PUBLIC}:8080")]);
    let heads = server.heads();
    assert!(heads[0].starts_with("get /a?b http/1.1\r\n"), "{heads:?}");
    assert!(heads[0].contains("\r\nhost: public.example:8080\r\n"), "{heads:?}");
    assert!(!heads[0].contains("proxy-authorization"), "{heads:?}");
}

#[tokio::test]
async fn what_the_operator_named_inside_is_reached_from_inside() {
    let inside = Raw::answering(OK).await;
    let relay = Relay::start(Err(403)).await;
    let config = Config { proxy: Some(relay.url("")), egress_allow: vec![inside.at.to_string()], ..Config::default() };
    let egress = Egress::with(&config, everything_at(&[PUBLIC])).unwrap();
    assert_eq!(body(egress.fetch(inside.url("/")).await).await.unwrap(), b"hi");
    assert_eq!(relay.server.accepted(), 0);
}

#[tokio::test]
async fn a_name_that_moves_inside_after_the_check_is_not_followed() {
    let server = Raw::answering(OK).await;
    let relay = Relay::start(Ok(server.at)).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    // Public at first, and the host itself from then on.
    let lookup = names(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => vec![PUBLIC.parse().unwrap()],
        _ => vec![server.at.ip()],
    });
    let egress = egress(&relay, None, lookup);
    let ask = async || {
        let request = Request::new(Method::GET, url("http://rebinding.example/"));
        egress.send(Owner::Host, request, Connection::Fresh, ChosenBy::User).await
    };
    // One look-up, and the connection goes to what it said.
    assert_eq!(body(ask().await).await.unwrap(), b"hi");
    assert_eq!((asked.load(Ordering::SeqCst), relay.targets()), (1, vec![format!("{PUBLIC}:80")]));
    for _ in 0..3 {
        assert_eq!(ask().await.unwrap_err().stage, Stage::Forbidden);
    }
    assert_eq!((asked.load(Ordering::SeqCst), relay.server.accepted()), (4, 1));
}

#[tokio::test]
async fn a_name_that_was_fine_when_it_was_entered_is_checked_when_it_is_called() {
    let relay = Relay::start(Err(403)).await;
    let asked = AtomicUsize::new(0);
    let lookup = names(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => vec![PUBLIC.parse().unwrap()],
        _ => vec![PUBLIC.parse().unwrap(), "127.0.0.1".parse().unwrap()],
    });
    let egress = egress(&relay, None, lookup);
    let hook = url("https://hooks.example/");
    assert_eq!(egress.look_up(&hook).await, Ok(()));
    let request = Request::new(Method::POST, hook.clone());
    let none = egress.send(Owner::Host, request, Connection::Fresh, ChosenBy::User).await.unwrap_err();
    assert_eq!(none.stage, Stage::Forbidden);
    assert_eq!(egress.look_up(&hook).await, Err(Unfit::NotPublic));
    assert_eq!(relay.server.accepted(), 0);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told_of_without_its_password() {
    for status in [403, 407, 502] {
        let relay = Relay::start(Err(status)).await;
        let none =
            egress(&relay, None, everything_at(&[PUBLIC])).fetch(url("http://public.example/")).await.unwrap_err();
        assert_eq!(none.stage, Stage::Unreached);
        assert!(none.message.contains("the proxy gives no connection"), "{none}");
        assert!(!none.message.contains("cret"), "{none}");
    }
}

#[test]
fn settings_that_cannot_be_used_stop_the_start() {
    let refused = |config: Config| format!("{:#}", Egress::new(&config).unwrap_err());
    for proxy in
        ["proxy", "ftp://orla:s3cret@proxy.example", "http://orla:s3cret@proxy.example/path", "orla:s3cret@proxy"]
    {
        let words = refused(Config { proxy: Some(proxy.to_owned().into()), ..Config::default() });
        assert!(words.starts_with("ORLA_PROXY") && !words.contains("s3cret"), "{words}");
    }
    let mut none = NamedTempFile::new().unwrap();
    let mut broken = NamedTempFile::new().unwrap();
    let mut odd = NamedTempFile::new().unwrap();
    none.write_all(b"no certificate").unwrap();
    broken.write_all(b"-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----\n").unwrap();
    odd.write_all(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    for file in [none.path(), broken.path(), odd.path(), "/nowhere/ca.pem".as_ref()] {
        let words = refused(Config { ca_file: Some(file.to_owned()), ..Config::default() });
        assert!(words.starts_with("ORLA_CA_FILE: ") && words.contains(file.to_str().unwrap()), "{words}");
    }
}
