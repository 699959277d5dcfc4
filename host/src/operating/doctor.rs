//! The doctor: what each connector needs of its operator, what keeps it from working, and what to do about it. It looks at this
//! installation; only on request it also asks vendors whether they take this host's keys.

pub use super::finding::Finding;
use crate::app::App;
use crate::config::ConnectorConfig;
use crate::connecting;
use crate::connectors::apps::{Owner, VendorApp};
use crate::connectors::asks::Grant;
use crate::connectors::oauth::Client;
use crate::connectors::oauth::keys::{self, Verdict};
use crate::connectors::registry::{self, StoredConnector, StoredRelease};
use crate::connectors::release::Release;
use crate::error::{Error, Result};
use crate::id::AppId;
use orla_manifest::{Auth, ClientAuth, Manifest, OAuth2};
use serde::Serialize;
use url::{Host, Url};
use utoipa::ToSchema;

/// How far the doctor looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// At what is here.
    Here,
    /// Also at what vendors say of this host's keys.
    Live,
}

/// What the doctor found about a connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Examination {
    /// The connector.
    pub connector: String,
    /// Its name for a person.
    pub name: String,
    /// `enabled` or `disabled`.
    pub state: String,
    /// The version that is active; absent where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Whether this node runs it.
    pub serves_here: bool,
    /// How accounts are connected: `oauth2`, `fields` (each workspace enters its own), `service_account`, `api_key` (the operator's
    /// own) or `none`. Where it is `oauth2` and there is `keys_at`, service accounts are connected as well.
    pub auth: &'static str,
    /// What to enter as redirect URI at the vendor, to the letter; where it serves, and its accounts are connected by OAuth.
    pub redirect_uris: Vec<String>,
    /// The scopes that the app has to be allowed; where accounts are connected by OAuth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<AskedScopes>,
    /// The settings that it cannot work without and that are not set, by their names in the environment.
    pub missing_settings: Vec<String>,
    /// The page where the keys are made, where the connector names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_at: Option<String>,
    /// What there is, and what to do about it.
    pub findings: Vec<Finding>,
}

/// The scopes that people are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AskedScopes {
    /// Without these it cannot work.
    pub needed: Vec<String>,
    /// A person may leave these out.
    pub optional: Vec<String>,
    /// The parameter `scope` as it is sent.
    pub sent: String,
}

impl Examination {
    /// Whether something has to be done before it works.
    #[must_use]
    pub fn has_problem(&self) -> bool {
        self.findings.iter().any(Finding::is_problem)
    }

    fn add(&mut self, weight: &'static str, sentence: String) {
        self.findings.push(Finding { weight, sentence });
    }

    fn problem(&mut self, sentence: String) {
        self.add("problem", sentence);
    }
}

/// Looks at every connector, or at one.
///
/// # Errors
/// There is no such connector, or the database failed. What a vendor says or does not say is a finding.
pub async fn examine(app: &App, id: Option<&str>, look: Look) -> Result<Vec<Examination>> {
    let mut tx = app.db().read().await?;
    let mut stored = registry::connectors(&mut tx).await?;
    let releases = registry::releases(&mut tx).await?;
    drop(tx);
    stored.retain(|connector| id.is_none_or(|id| connector.id == id));
    if stored.is_empty() && id.is_some() {
        return Err(Error::NotFound("connector"));
    }
    let examined = stored.iter().map(|connector| examine_one(app, connector, &releases, look));
    futures_util::future::join_all(examined).await.into_iter().collect()
}

async fn examine_one(
    app: &App,
    connector: &StoredConnector,
    releases: &[StoredRelease],
    look: Look,
) -> Result<Examination> {
    let granted = connector.grant()?;
    let its: Vec<&StoredRelease> = releases.iter().filter(|release| release.connector == connector.id).collect();
    let active = its.iter().find(|release| connector.active.as_ref() == Some(&release.digest));
    let serving = app.connectors().active(&connector.id);
    let shown = active.or(its.last());
    let manifest = match (&serving, shown) {
        (Some(release), _) => Some(release.manifest.clone()),
        (None, Some(release)) => as_granted(release, &granted),
        (None, None) => None,
    };
    let mut found = blank(connector, manifest.as_ref());
    found.release = active.map(|release| release.version.clone());
    found.serves_here = serving.is_some();
    look_at_releases(&mut found, &its, &granted);
    if !connector.is_enabled() {
        let id = &connector.id;
        found.add("note", format!("{id} is disabled: `orla connector enable {id}` lets it serve."));
    } else if active.is_none() {
        let id = &connector.id;
        found.problem(format!("{id} has no active release: `orla connector activate {id} <version>` makes one serve."));
    } else if let Some(release) = &serving {
        look_at_keys(app, &mut found, release);
        let pulls = release.manifest.publishing.iter().flat_map(|publishing| &publishing.media).any(|rule| rule.pulled);
        if let (true, Some(sentence)) = (pulls, app.connectors().unreachable_by(release)) {
            found.add("note", sentence);
        }
        if look == Look::Live && found.missing_settings.is_empty() {
            ask_vendor(app, &mut found, release).await;
        }
    } else if let Some(active) = active {
        found.problem(format!(
            "{} {} cannot be made ready on this node; the log says why.",
            connector.id, active.version
        ));
    }
    if found.findings.is_empty() {
        let sentence = format!("{} is in order.", connector.id);
        found.add("fine", sentence);
    }
    Ok(found)
}

/// What a release asks for and was granted; all that it asks for where that is not enough to work.
fn as_granted(release: &StoredRelease, granted: &Grant) -> Option<Manifest> {
    let asked = Manifest::parse(&release.manifest).ok()?;
    Some(granted.effective(&asked).unwrap_or(asked))
}

/// An examination without findings.
fn blank(connector: &StoredConnector, manifest: Option<&Manifest>) -> Examination {
    let (auth, scopes, keys_at) = match manifest.map(|manifest| &manifest.auth) {
        Some(Auth::Oauth2(oauth)) => {
            let keys_at = oauth.service_account.as_ref().and_then(|account| account.obtained_at.clone());
            ("oauth2", Some(AskedScopes::of(oauth)), keys_at)
        }
        Some(Auth::ApiKey(key)) => ("api_key", None, Some(key.obtained_at.clone())),
        Some(Auth::Fields(fields)) => ("fields", None, fields.obtained_at.clone()),
        Some(Auth::ServiceAccount(account)) => ("service_account", None, account.obtained_at.clone()),
        Some(Auth::None) | None => ("none", None, None),
    };
    Examination {
        connector: connector.id.clone(),
        name: manifest.map_or_else(|| connector.id.clone(), |manifest| manifest.name.clone()),
        state: connector.state.clone(),
        release: None,
        serves_here: false,
        auth,
        redirect_uris: Vec::new(),
        scopes,
        missing_settings: Vec::new(),
        keys_at,
        findings: Vec::new(),
    }
}

impl AskedScopes {
    fn of(oauth: &OAuth2) -> Self {
        Self { needed: oauth.scopes.clone(), optional: oauth.optional_scopes.clone(), sent: oauth.asked_scopes() }
    }
}

fn look_at_releases(found: &mut Examination, releases: &[&StoredRelease], granted: &Grant) {
    let id = found.connector.clone();
    for release in releases {
        let version = &release.version;
        if release.distrusted_at.is_some() {
            found.add("note", format!("{id} {version} was taken back because it trapped time and again."));
        }
        let asks_more = Manifest::parse(&release.manifest).map(|asked| granted.lacks(&asked)).unwrap_or_default();
        if release.activated_at.is_none() && !asks_more.is_empty() {
            let asks: Vec<String> = asks_more.iter().map(ToString::to_string).collect();
            let asks = asks.join("; ");
            found.add("note", format!("{id} {version} waits for consent, since it asks for more: {asks}."));
        }
    }
}

/// The name of a connector's setting in the environment.
fn variable(id: &str, setting: &str) -> String {
    format!("ORLA_CONNECTORS__{}__{setting}", id.to_ascii_uppercase())
}

fn look_at_keys(app: &App, found: &mut Examination, release: &Release) {
    let id = &release.manifest.id;
    let settings = app.config().connector(id);
    match &release.manifest.auth {
        Auth::Oauth2(oauth) => {
            let uri = connecting::redirect_uri(app, release.manifest.platform());
            let wanted = [
                ("CLIENT_ID", settings.client_id.is_none()),
                ("CLIENT_SECRET", settings.client_secret.is_none() && oauth.client_auth != ClientAuth::None),
            ];
            let is_optional = oauth.service_account.is_some() && settings.client_id.is_none();
            let missing = wanted.into_iter().filter(|(_, is_missing)| *is_missing);
            let missing: Vec<String> = missing.map(|(setting, _)| variable(id, setting)).collect();
            let app = format!("make one there with the redirect URI {uri}, and set {}.", missing.join(" and "));
            if is_optional {
                found.add(
                    "note",
                    format!(
                        "{id} has no app at its vendor, so people can connect service accounts only, by their keys. For \
                         accounts of their own {app}"
                    ),
                );
            } else if !missing.is_empty() {
                found.problem(format!("{id} has no app at its vendor: {app}"));
                found.missing_settings = missing;
            }
            if let Some(sentence) = unreachable(&uri) {
                found.add("note", sentence);
            }
            found.redirect_uris = vec![uri];
        }
        Auth::ApiKey(key) if settings.api_key.is_none() => {
            let missing = variable(id, "API_KEY");
            found.problem(format!("{id} has no key: make one at {} and set {missing}.", key.obtained_at));
            found.missing_settings = vec![missing];
        }
        Auth::ApiKey(_) | Auth::Fields(_) | Auth::ServiceAccount(_) | Auth::None => {}
    }
}

/// What is unusual about a redirect URI, for a server that others use.
fn unreachable(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    if leads_here_only(&url) {
        let sentence =
            "The redirect URI leads only browsers of this machine back: set PUBLIC_URL to where others reach it.";
        return Some(sentence.to_owned());
    }
    let sentence =
        "The redirect URI is not https, which most vendors refuse: put TLS in front and set PUBLIC_URL to it.";
    (url.scheme() != "https").then(|| sentence.to_owned())
}

/// Whether only programs of this machine get there.
pub(super) fn leads_here_only(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Asks the vendor whether it takes the keys, where that needs no user.
async fn ask_vendor(app: &App, found: &mut Examination, release: &Release) {
    let id = &release.manifest.id;
    let services = app.connectors().services();
    let (verdict, settings) = match &release.manifest.auth {
        Auth::Oauth2(oauth) => {
            let ConnectorConfig { client_id, client_secret, .. } = app.config().connector(id);
            let Some(client_id) = client_id else { return };
            let vendor_app = VendorApp { id: AppId::new(), client_id, client_secret, owner: Owner::Installation };
            let client = Client { services, release, oauth, app: &vendor_app };
            let uri = connecting::redirect_uri(app, release.manifest.platform());
            let names = ["CLIENT_ID", "CLIENT_SECRET"].map(|setting| variable(id, setting));
            (Box::pin(client.check_app(&uri)).await, names.join(" and "))
        }
        Auth::ApiKey(key) => {
            let Some(secret) = services.api_key(id) else { return };
            let Some(verdict) = Box::pin(keys::check_key(services, release, key, secret)).await else {
                found.add("note", format!("{id} names no way to try its key out without using it."));
                return;
            };
            (verdict, variable(id, "API_KEY"))
        }
        Auth::Fields(_) | Auth::ServiceAccount(_) | Auth::None => return,
    };
    tracing::info!(connector = id, "the vendor of {id} was asked whether it takes this server's keys: {verdict:?}");
    let (weight, sentence) = told(id, &settings, &verdict);
    found.add(weight, sentence);
}

/// What the vendor's verdict means for the operator.
fn told(id: &str, settings: &str, verdict: &Verdict) -> (&'static str, String) {
    match verdict {
        Verdict::Accepted => ("fine", format!("The vendor of {id} is reached and takes the keys.")),
        Verdict::Refused(words) => {
            ("problem", format!("The vendor of {id} refuses the keys ({words}): copy them anew into {settings}."))
        }
        Verdict::Alike(words) => (
            "problem",
            format!(
                "The vendor of {id} says the same of these keys as of wrong ones ({words}): compare {settings} with what it \
                 shows."
            ),
        ),
        Verdict::Unclear(words) => {
            ("note", format!("The vendor of {id} does not say whether it takes the keys; it says: {words}."))
        }
        Verdict::Unwell(words) => {
            ("problem", format!("The vendor of {id} does not serve at the moment ({words}): ask again later."))
        }
        Verdict::Unreached(words) => {
            ("problem", format!("The vendor of {id} cannot be reached: {} ({words}).", hindrance(words)))
        }
        Verdict::Unsent(words) => ("problem", format!("The vendor of {id} could not be asked: {words}.")),
    }
}

/// What keeps a request from arriving, and what to do about it, by what the network layers said.
fn hindrance(words: &str) -> &'static str {
    let words = words.to_lowercase();
    let says = |some: &[&str]| some.iter().any(|one| words.contains(one));
    if says(&["dns error", "lookup address", "no such host"]) {
        "its name cannot be found, so look at this machine's DNS and the endpoints that are set"
    } else if says(&["certificate", "tls", "handshake", "ssl"]) {
        "no secure connection comes about, so look at this machine's clock and at what stands in between"
    } else if says(&["not on the public internet"]) {
        "its address is inside your network, so name it in ORLA_EGRESS_ALLOW if that is right"
    } else if says(&["timed out", "timeout", "deadline"]) {
        "it does not answer in time, so look at this machine's firewall and at the vendor's status page"
    } else if says(&["refused"]) {
        "nobody listens at its address, so look at the endpoints that are set and at the vendor's status page"
    } else {
        "the connection fails, so look at this machine's network"
    }
}

#[cfg(test)]
mod tests {
    use super::{hindrance, unreachable};

    #[test]
    fn what_hinders_a_request_is_told_by_what_the_network_says() {
        for (words, wanted) in [
            ("error sending request: client error (Connect): dns error: failed to lookup address information", "DNS"),
            (
                "error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)",
                "listens",
            ),
            ("error sending request: operation timed out", "in time"),
            ("client error (Connect): invalid peer certificate: UnknownIssuer", "clock"),
            ("the address is not on the public Internet, so it is not called", "ORLA_EGRESS_ALLOW"),
            ("connection closed before message completed", "network"),
        ] {
            assert!(hindrance(words).contains(wanted), "{words}: {}", hindrance(words));
        }
    }

    #[test]
    fn a_redirect_uri_that_vendors_or_browsers_do_not_take_is_noted() {
        let told = |uri: &str| unreachable(uri).unwrap_or_default();
        assert!(told("http://localhost:8080/social/oauth/x/callback").contains("PUBLIC_URL"));
        assert!(told("http://[::1]/social/oauth/x/callback").contains("this machine"));
        assert!(told("http://orla.example/social/oauth/x/callback").contains("https"));
        assert_eq!(told("https://orla.example/social/oauth/x/callback"), "");
    }
}
