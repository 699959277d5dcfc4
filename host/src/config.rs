//! What an operator can set, by environment or in one TOML file (`ORLA_CONFIG`, by default `orla.toml` if it exists).
//!
//! `PORT`, `LISTEN`, `DATABASE_URL`, `FRONTEND_URL` and `PUBLIC_URL` go by those names; every other setting is
//! `ORLA_<NAME>`, with `__` between levels, such as `ORLA_CONNECTORS__X__CLIENT_ID`.

use anyhow::{Context as _, bail};
use figment::Figment;
use figment::providers::{Env, Format as _, Toml};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// The settings of a host.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port to listen on; wins over `port`.
    pub listen: Option<SocketAddr>,
    /// Port to listen on, on all addresses.
    pub port: u16,
    /// `sqlite:path` or `postgres://…`; a SQLite file in the data folder where absent.
    pub database_url: Option<String>,
    /// Origins of the web console, separated by commas: allowed by CORS; OAuth ends on the first.
    #[serde(deserialize_with = "comma_separated")]
    pub frontend_url: Vec<Url>,
    /// Where browsers and vendors reach this host; `http://localhost:<port>` where absent.
    pub public_url: Option<Url>,
    /// Where the host keeps its files: SQLite, blobs, mail, artefacts and, unless configured, the master key.
    pub data: PathBuf,
    /// The file of the master key; `master.key` in the data folder where absent.
    pub master_key_file: Option<PathBuf>,
    /// Folder of connectors (`*.wasm`) to load at start.
    pub connectors_folder: PathBuf,
    /// Credits that a new workspace is granted.
    pub signup_credits: i64,
    /// Addresses inside the operator's own network that requests may go to, as `host:port`, separated by commas.
    #[serde(deserialize_with = "comma_separated")]
    pub egress_allow: Vec<String>,
    /// The proxy that requests to the public Internet go through, such as `http://user:password@proxy.example.com:3128`.
    #[serde(deserialize_with = "secret_text")]
    pub proxy: Option<SecretString>,
    /// A file of PEM certificates that are trusted like the system's roots.
    pub ca_file: Option<PathBuf>,
    /// Settings of each connector, by its id.
    pub connectors: BTreeMap<String, ConnectorConfig>,
    /// Calls of connectors at the same time.
    pub concurrent_calls: u32,
    /// Milliseconds after which a claimed job whose worker fell silent is claimed again.
    pub job_lease_ms: u64,
    /// Milliseconds before the first retry of what failed in passing; each later one waits twice as long.
    pub retry_base_ms: u64,
    /// Jobs worked on at the same time.
    pub concurrent_jobs: usize,
    /// `smtp://…` or `smtps://…`; mail goes to the data folder and the log where absent.
    #[serde(deserialize_with = "secret_text")]
    pub smtp_url: Option<SecretString>,
    /// The bearer token with which `/metrics` is read; where absent, there is no such route.
    #[serde(deserialize_with = "secret_text")]
    pub metrics_token: Option<SecretString>,
    /// Payments.
    pub stripe: Box<StripeConfig>,
    /// The sender of mail.
    pub mail_from: String,
    /// Largest medium that is fetched for a publication, in bytes.
    pub max_media_bytes: u64,
    /// Milliseconds of silence after which a vendor's answer counts as lost.
    pub vendor_silence_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: None,
            port: 8080,
            database_url: None,
            frontend_url: Vec::new(),
            public_url: None,
            data: "data".into(),
            master_key_file: None,
            connectors_folder: "data/connectors".into(),
            signup_credits: 0,
            egress_allow: Vec::new(),
            proxy: None,
            ca_file: None,
            connectors: BTreeMap::new(),
            concurrent_calls: 128,
            job_lease_ms: 30_000,
            retry_base_ms: 5_000,
            concurrent_jobs: 96,
            smtp_url: None,
            metrics_token: None,
            stripe: Box::default(),
            mail_from: "Orla <orla@localhost>".into(),
            max_media_bytes: 1 << 30,
            vendor_silence_ms: 60_000,
        }
    }
}

/// What an operator sets for one connector.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectorConfig {
    /// The app's id at the vendor.
    #[serde(deserialize_with = "text")]
    pub client_id: Option<String>,
    /// The app's secret at the vendor.
    #[serde(deserialize_with = "secret_text")]
    pub client_secret: Option<SecretString>,
    /// The operator's own key at the vendor, with which runs are signed that no connection of a workspace is for.
    #[serde(deserialize_with = "secret_text")]
    pub api_key: Option<SecretString>,
    /// What the manifest lets an operator set, by name.
    #[serde(deserialize_with = "texts")]
    pub settings: BTreeMap<String, String>,
    /// Origins that replace the manifest's, by endpoint. Naming one allows the host to call it, wherever it is.
    pub endpoints: BTreeMap<String, String>,
    /// Milliseconds that replace the manifest's `visible_after_s`.
    pub visible_after_ms: Option<u64>,
}

/// What an operator sets to take payments.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StripeConfig {
    /// A secret or restricted key; without it, the server takes no payments.
    #[serde(deserialize_with = "secret_text")]
    pub secret_key: Option<SecretString>,
    /// The secrets of the webhook endpoint, separated by commas: several while one is exchanged.
    #[serde(deserialize_with = "secret_text")]
    pub webhook_secrets: Option<SecretString>,
    /// Where Stripe's API is.
    pub url: Url,
    /// The API's version.
    pub version: String,
    /// A TOML file of what is for sale; the built-in plans where absent.
    pub plans_file: Option<PathBuf>,
    /// Days for which a workspace's first plan is tried out.
    pub trial_days: u32,
}

/// Where Stripe's API is.
const STRIPE: &str = "https://api.stripe.com/";

impl StripeConfig {
    /// Where the operator moved Stripe's API to, if he did.
    #[must_use]
    pub fn moved(&self) -> Option<&str> {
        Some(self.url.as_str()).filter(|url| *url != STRIPE)
    }
}

impl Default for StripeConfig {
    fn default() -> Self {
        Self {
            secret_key: None,
            webhook_secrets: None,
            #[expect(clippy::unwrap_used, reason = "it is a URL")]
            url: Url::parse(STRIPE).unwrap(),
            version: "2026-10-28.endive".into(),
            plans_file: None,
            trial_days: 0,
        }
    }
}

impl Config {
    /// Reads the file and the environment.
    ///
    /// # Errors
    /// A setting that is unknown, of the wrong type or contradicts another, by name.
    pub fn read() -> anyhow::Result<Self> {
        let plain = Env::raw().only(&["PORT", "LISTEN", "DATABASE_URL", "FRONTEND_URL", "PUBLIC_URL"]);
        let prefixed =
            Env::prefixed("ORLA_").ignore(&["CONFIG", "CRASH_AT", "LOG", "LOG_FORMAT", "PASSWORD"]).split("__");
        let file = Toml::file(Env::var_or("ORLA_CONFIG", "orla.toml"));
        let config: Self = Figment::new()
            .merge(file)
            .merge(plain)
            .merge(prefixed)
            .extract()
            .context("the configuration cannot be read")?;
        config.check()
    }

    fn check(self) -> anyhow::Result<Self> {
        if self.signup_credits < 0 {
            bail!("ORLA_SIGNUP_CREDITS must not be negative");
        }
        if !(1..=1_000).contains(&self.concurrent_calls) {
            bail!("ORLA_CONCURRENT_CALLS must lie between 1 and 1000");
        }
        if self.job_lease_ms < 100 {
            bail!("ORLA_JOB_LEASE_MS must be at least 100");
        }
        if self.stripe.trial_days > 730 {
            bail!("ORLA_STRIPE__TRIAL_DAYS must be at most 730");
        }
        if self.vendor_silence_ms < 100 {
            bail!("ORLA_VENDOR_SILENCE_MS must be at least 100");
        }
        Ok(self)
    }

    /// Where the host listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listen.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), self.port))
    }

    /// The database's URL.
    #[must_use]
    pub fn database(&self) -> String {
        self.database_url.clone().unwrap_or_else(|| format!("sqlite:{}", self.data.join("orla.db").display()))
    }

    /// Where the master key is.
    #[must_use]
    pub fn master_key(&self) -> PathBuf {
        self.master_key_file.clone().unwrap_or_else(|| self.data.join("master.key"))
    }

    /// Where browsers and vendors reach this host, without a slash at the end.
    #[must_use]
    pub fn public(&self) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://localhost:{}", self.address().port()),
        }
    }

    /// What is set for one connector.
    #[must_use]
    pub fn connector(&self, id: &str) -> ConnectorConfig {
        self.connectors.get(id).cloned().unwrap_or_default()
    }

    /// The longest silence of a vendor.
    #[must_use]
    pub fn vendor_silence(&self) -> Duration {
        Duration::from_millis(self.vendor_silence_ms)
    }

    /// How long a job's claim holds without renewal.
    #[must_use]
    pub fn job_lease(&self) -> Duration {
        Duration::from_millis(self.job_lease_ms)
    }
}

/// Accepts a list, or one text with commas.
fn comma_separated<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + std::str::FromStr,
    T::Err: std::fmt::Display,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        List(Vec<String>),
    }
    let items = match Either::deserialize(deserializer)? {
        Either::Text(text) => text.split(',').map(str::to_owned).collect(),
        Either::List(list) => list,
    };
    let items = items.iter().map(|item| item.trim()).filter(|item| !item.is_empty());
    items.map(|item| item.parse().map_err(|error| serde::de::Error::custom(format!("`{item}`: {error}")))).collect()
}

/// A text that may look like something else: the environment has no types.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Truth(bool),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Scalar>::deserialize(deserializer)?.map(Scalar::into_text))
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let scalars = BTreeMap::<String, Scalar>::deserialize(deserializer)?;
    Ok(scalars.into_iter().map(|(name, scalar)| (name, scalar.into_text())).collect())
}

fn secret_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(text(deserializer)?.map(SecretString::from))
}
