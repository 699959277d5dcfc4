//! What can be set.

use serde::{Deserialize, Serialize};

/// What the simulated account is like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The one secret key that works.
    pub api_key: String,
    /// The one version that callers may speak.
    pub version: String,
    /// Whether ids and objects are those of live mode.
    pub livemode: bool,
    /// The name of the account, which Checkout and the portal show.
    pub business: String,
    /// Where people's browsers reach the simulator, without a slash at the end; where it listens if it is not said.
    pub origin: Option<String>,
    /// The time at which the clock stands until it is advanced, in seconds since 1970; the machine's clock if it is not said.
    pub now: Option<i64>,
    /// Where events are delivered to; nowhere if it is not said.
    pub webhook_url: Option<String>,
    /// What deliveries are signed with: the whole of it is the key.
    pub webhook_secret: String,
    /// The pauses before the second and each further attempt at a delivery, in milliseconds.
    pub webhook_pauses_ms: Vec<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            api_key: "sk_test_orla_demo".to_owned(),
            version: "2026-10-28.endive".to_owned(),
            livemode: false,
            business: "Orla demo".to_owned(),
            origin: None,
            now: None,
            webhook_url: None,
            webhook_secret: "whsec_orla_demo".to_owned(),
            webhook_pauses_ms: vec![200, 1_000, 5_000, 15_000, 60_000],
        }
    }
}

impl Settings {
    /// Whether these are settings of an account at all.
    pub(super) fn check(&self) -> Result<(), String> {
        if !self.webhook_secret.starts_with("whsec_") || self.api_key.is_empty() {
            return Err("a webhook's secret begins with whsec_, and an API key is not empty".to_owned());
        }
        match self.webhook_url.as_deref().map(url::Url::parse) {
            Some(Err(wrong)) => Err(format!("the webhook's URL is none: {wrong}")),
            _ => Ok(()),
        }
    }
}
