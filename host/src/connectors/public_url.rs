//! Media that a network fetches from this host instead of taking them.
//!
//! A guest gets a text that stands for a URL. It is the same in every execution of the run, so the digest of a request that
//! holds it is, too. The URL is made as a request leaves: sealed, for one blob, good for a few hours, and unlike any other.
//! It is all that opens the blob, so guests do not see it, and it is blanked where a vendor tells it back.

use super::Connectors;
use super::address;
use super::blob::{self, Blob};
use super::fault::{Fault, FaultKind};
use super::release::Release;
use super::run::{Run, Services};
use crate::clock::Timestamp;
use crate::config::{Config, ConnectorConfig};
use crate::id::{BlobId, WorkspaceId};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use url::{Host, Url};

/// How long a URL is good for. The contract promises two hours from the moment in which the vendor gets it.
const GOOD_FOR: Duration = Duration::from_secs(3 * 60 * 60);
/// What a token is sealed for.
const IDENTITY: &str = "media";
/// Where the host serves them.
const PATH: &str = "/media/";
/// What stands for a URL begins like this. None of it is written otherwise in a URL or in JSON.
const STAND_IN: &str = "orla-media-";

/// Where vendors fetch from.
#[derive(Debug)]
pub(crate) struct PublicUrls {
    /// Where the host is reached, without a slash at the end.
    base: String,
    /// Whether that is on the public Internet, by https.
    is_outside: bool,
    /// Where URLs lead that are written down before they are made, by the digest of the bytes.
    by_content: OnceLock<&'static str>,
}

impl PublicUrls {
    pub(crate) fn new(config: &Config) -> Self {
        let base = config.public();
        let is_outside = Url::parse(&base).is_ok_and(|url| is_outside(&url));
        Self { base, is_outside, by_content: OnceLock::new() }
    }

    /// From now on, URLs are made of the bytes' digest alone and lead there: the cases of a connector's author name them.
    pub(crate) fn name_by_content(&self, base: &'static str) {
        self.by_content.get_or_init(|| base);
    }

    /// Whether the vendor of a connector can fetch from this host. A vendor that the operator moved inside is inside, too.
    fn serves(&self, connector: Option<&ConnectorConfig>) -> bool {
        let is_inside = |origin: &String| Url::parse(origin).is_ok_and(|url| !is_outside(&url));
        self.is_outside || connector.is_some_and(|connector| connector.endpoints.values().any(is_inside))
    }

    /// Makes a URL. What it is opened with is a secret.
    fn make(&self, services: &Services, blob: &Blob) -> (String, Option<SecretString>) {
        if let Some(base) = self.by_content.get() {
            return (format!("{base}/{}", blob.sha256), None);
        }
        // A blob store that signs URLs itself, as S3 does, would give its own here. A folder has none.
        let until = services.clock.now().after(GOOD_FOR);
        let plain = [&blob.workspace_id.0.as_bytes()[..], blob.id.0.as_bytes(), &until.0.to_be_bytes()].concat();
        let token = URL_SAFE_NO_PAD.encode(services.vault.seal_token(IDENTITY, &plain));
        (format!("{}{PATH}{token}", self.base), Some(token.into()))
    }
}

/// Whether a URL leads to the public Internet by https, as far as it tells by itself.
fn is_outside(url: &Url) -> bool {
    let is_public = match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let is_local = ["localhost", "local", "internal", "lan", "home.arpa"]
                .iter()
                .any(|end| name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
            name.contains('.') && !is_local
        }
        Some(Host::Ipv4(address)) => address::is_public(address.into()),
        Some(Host::Ipv6(address)) => address::is_public(address.into()),
        None => false,
    };
    is_public && url.scheme() == "https"
}

/// What a token opens, where it is ours and still good.
fn open(services: &Services, token: &str) -> Option<(WorkspaceId, BlobId)> {
    let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
    let plain = services.vault.open_token(IDENTITY, &sealed).ok()?;
    let (workspace, rest) = plain.split_first_chunk::<16>()?;
    let (blob, until) = rest.split_first_chunk::<16>()?;
    let until = Timestamp(i64::from_be_bytes(until.try_into().ok()?));
    let ids = (WorkspaceId(uuid::Uuid::from_bytes(*workspace)), BlobId(uuid::Uuid::from_bytes(*blob)));
    (services.clock.now() < until).then_some(ids)
}

impl Connectors {
    /// Why the vendor of a release cannot fetch media from this host, and what to do; `None` where it can.
    pub(crate) fn unreachable_by(&self, release: &Release) -> Option<String> {
        unreachable_by(&self.services, release)
    }

    /// The blob that a URL of ours leads to.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn published_blob(&self, token: &str) -> sqlx::Result<Option<Blob>> {
        let Some((workspace, id)) = open(&self.services, token) else { return Ok(None) };
        blob::find(&mut self.services.db.read().await?, workspace, id).await
    }
}

fn unreachable_by(services: &Services, release: &Release) -> Option<String> {
    let urls = &services.public_urls;
    if urls.serves(services.apps.get(&release.manifest.id)) {
        return None;
    }
    Some(format!(
        "{} fetches such media from this server, and cannot reach it at {}. Whoever runs the server has to set PUBLIC_URL to \
         an https address under which the Internet reaches it.",
        release.manifest.name, urls.base
    ))
}

/// The blobs of which an execution wants URLs, by what stands for those.
#[derive(Debug, Default)]
pub(crate) struct Pulled(Mutex<BTreeMap<String, Arc<Blob>>>);

impl Run {
    /// What stands for a URL of a blob.
    ///
    /// # Errors
    /// The vendor could not reach this host.
    pub(super) fn public_url(&self, blob: Arc<Blob>) -> Result<String, Fault> {
        if let Some(why) = unreachable_by(&self.services, &self.release) {
            return Err(Fault::new(FaultKind::Invalid, why));
        }
        // Named by the run, so that no text of a person's can be taken for one.
        let stand_in = format!("{STAND_IN}{}-{}", self.id, blob.sha256);
        self.pulled.0.lock().unwrap_or_else(PoisonError::into_inner).insert(stand_in.clone(), blob);
        Ok(stand_in)
    }
}

/// Puts URLs in place of what stands for them.
pub(super) struct Writing<'run> {
    run: &'run Run,
    stand_ins: BTreeMap<String, Arc<Blob>>,
}

impl<'run> Writing<'run> {
    pub(super) fn of(run: &'run Run) -> Self {
        Self { run, stand_ins: run.pulled.0.lock().unwrap_or_else(PoisonError::into_inner).clone() }
    }

    /// The text with its URLs.
    pub(super) fn text<'text>(&self, text: &'text str) -> Cow<'text, str> {
        self.replaced(text, |url| url)
    }

    /// The query of a URL with its URLs.
    pub(super) fn query(&self, url: &mut Url) {
        let encoded = |url: String| url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
        if let Some(Cow::Owned(query)) = url.query().map(|query| self.replaced(query, encoded)) {
            url.set_query(Some(&query));
        }
    }

    /// Headers with their URLs.
    pub(super) fn headers(&self, headers: &mut HeaderMap) {
        for value in headers.values_mut() {
            if let Ok(text) = value.to_str()
                && let Cow::Owned(text) = self.text(text)
                && let Ok(written) = HeaderValue::try_from(text)
            {
                *value = written;
            }
        }
    }

    fn replaced<'text>(&self, text: &'text str, write: impl Fn(String) -> String) -> Cow<'text, str> {
        let mut text = Cow::Borrowed(text);
        for (stand_in, blob) in &self.stand_ins {
            if text.contains(stand_in) {
                let (url, token) = self.run.services.public_urls.make(&self.run.services, blob);
                if let Some(token) = &token {
                    self.run.secrets.add(token);
                }
                text = Cow::Owned(text.replace(stand_in, &write(url)));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Blob, BlobId, IDENTITY, PublicUrls, URL_SAFE_NO_PAD, WorkspaceId, is_outside, open};
    use crate::app::App;
    use crate::clock::Clock;
    use crate::config::{Config, ConnectorConfig};
    use crate::connectors::{Memories, Setup};
    use base64::Engine as _;
    use secrecy::ExposeSecret as _;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use url::Url;

    fn outside(url: &str) -> bool {
        is_outside(&Url::parse(url).expect("a URL"))
    }

    #[test]
    fn only_https_to_a_public_name_or_address_is_outside() {
        for url in
            ["https://orla.example.com", "https://orla.example.com:8443", "https://1.1.1.1", "https://[2606:4700::1]"]
        {
            assert!(outside(url), "{url}");
        }
        for url in [
            "http://orla.example.com",
            "https://localhost:8080",
            "https://orla.localhost",
            "https://orla",
            "https://orla.local.",
            "https://orla.internal",
            "https://127.0.0.1",
            "https://10.0.0.7",
            "https://169.254.169.254",
            "https://[::1]",
            "https://[fd00::1]",
        ] {
            assert!(!outside(url), "{url}");
        }
    }

    #[test]
    fn a_vendor_that_was_moved_inside_reaches_a_host_inside() {
        let at = |public_url: &str| {
            PublicUrls::new(&Config { public_url: Some(public_url.parse().expect("a URL")), ..Config::default() })
        };
        let moved = |origin: &str| ConnectorConfig {
            endpoints: [("api".to_owned(), origin.to_owned())].into(),
            ..ConnectorConfig::default()
        };
        let inside = at("http://localhost:8080");
        assert!(!inside.serves(None));
        assert!(!inside.serves(Some(&ConnectorConfig::default())));
        assert!(!inside.serves(Some(&moved("https://graph.example.com"))), "moved, but not inside");
        assert!(inside.serves(Some(&moved("http://127.0.0.1:4014"))));
        assert!(at("https://orla.example.com/").serves(None));
    }

    /// A host that serves nobody, and the clock that it goes by.
    async fn host(data: &std::path::Path) -> (App, Arc<AtomicI64>) {
        let moment = Arc::new(AtomicI64::new(1_000_000));
        let public_url = Some("https://orla.example.com/".parse().expect("a URL"));
        let config = Config { data: data.to_owned(), public_url, ..Config::default() };
        let setup = Setup { program: "orla".into(), memories: Memories::Pooled };
        let opened = Box::pin(App::open(config, Clock::Manual(moment.clone()), setup)).await;
        (opened.expect("a host opens in an empty folder"), moment)
    }

    fn a_blob() -> Blob {
        Blob {
            id: BlobId::new(),
            workspace_id: WorkspaceId::new(),
            sha256: "ab".repeat(32),
            size_bytes: 7,
            content_type: "image/jpeg".to_owned(),
            shape: crate::connectors::blob::Shape::default(),
        }
    }

    #[tokio::test]
    async fn a_url_opens_its_blob_for_hours_and_nothing_else_does() {
        let data = tempfile::tempdir().expect("a folder");
        let (app, moment) = host(data.path()).await;
        let services = app.connectors().services();
        let (mine, other) = (a_blob(), a_blob());
        let (url, secret) = services.public_urls.make(services, &mine);
        let token = url.strip_prefix("https://orla.example.com/media/").expect("it leads to this host");
        assert_eq!(secret.expect("it is a secret").expose_secret(), token);
        let again = services.public_urls.make(services, &mine).0;
        assert_ne!(url, again, "no two are alike");
        assert_eq!(open(services, token), Some((mine.workspace_id, mine.id)));
        let (foreign, _) = services.public_urls.make(services, &other);
        assert_eq!(
            foreign.rsplit('/').next().and_then(|token| open(services, token)),
            Some((other.workspace_id, other.id))
        );
        // Sealed by this host, for something else; and of another length.
        let plain = [&mine.workspace_id.0.as_bytes()[..], mine.id.0.as_bytes(), &i64::MAX.to_be_bytes()].concat();
        let seal = |identity: &str, plain: &[u8]| URL_SAFE_NO_PAD.encode(services.vault.seal_token(identity, plain));
        assert!(open(services, &seal(IDENTITY, &plain)).is_some());
        assert_eq!(open(services, &seal("link", &plain)), None);
        assert_eq!(open(services, &seal(IDENTITY, &plain[..39])), None);
        assert_eq!(open(services, &seal(IDENTITY, &[&plain[..], &[0]].concat())), None);
        // Two hours are promised, and it ends.
        moment.fetch_add(2 * 60 * 60 * 1_000_000, Ordering::SeqCst);
        assert!(open(services, token).is_some());
        moment.fetch_add(60 * 60 * 1_000_000, Ordering::SeqCst);
        assert_eq!(open(services, token), None);
        let (fresh, _) = services.public_urls.make(services, &mine);
        assert!(fresh.rsplit('/').next().is_some_and(|token| open(services, token).is_some()));
        app.stop().await;
    }
}
