//! What a test may choose about the simulated X, at the start and while it runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Who uses X and how X behaves. The default is X as documented, without any lag.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The one OAuth client that is registered.
    pub client_id: String,
    /// Its secret: the client is a confidential one.
    pub client_secret: String,
    /// Its redirect URIs, compared byte for byte. None are accepted that are not listed.
    pub redirect_uris: Vec<String>,
    /// Who can sign in on the consent page.
    pub accounts: Vec<Account>,
    /// How every code and token begins, so that a test can search logs and databases for leaked ones.
    pub token_prefix: String,
    /// The `error` of a refused refresh. RFC 6749 says `invalid_grant`; the real service has been observed to say
    /// `invalid_request`, so a client must survive both.
    pub refresh_refusal: String,
    /// How long a code can be exchanged: 30 s (documented).
    pub code_lifetime_s: u64,
    /// How long an access token works: 2 h (documented).
    pub access_lifetime_s: u64,
    /// How long a refresh token works: six months.
    pub refresh_lifetime_s: u64,
    /// How long a new post stays out of every read. Replies to it and its deletion work at once.
    pub read_lag_ms: u64,
    /// Whether the API shows links as `https://t.co/…`, the link of attached media and escaped `&`, `<` and `>`, as
    /// the real one does. What was sent stays readable through [`X::posts`](super::X::posts).
    pub rewrite_text: bool,
    /// Whether answers with tokens leave out the refresh token, as if `offline.access` had not been granted. A refresh then
    /// leaves the token valid that was presented.
    pub omit_refresh_token: bool,
    /// How long the same text is refused as a duplicate.
    pub duplicate_window_s: u64,
    /// How long uploaded media can be attached.
    pub media_lifetime_s: u64,
    /// How long videos and animated GIFs are processed after `finalize`.
    pub processing_ms: u64,
    /// Whether that processing ends in `failed`.
    pub processing_fails: bool,
    /// The window of the rate limits: 15 min (documented).
    pub rate_window_s: u64,
    /// Limits a window and user that differ from the documented ones, by route: `{"POST /2/tweets": 2}`.
    pub rate_limits: BTreeMap<String, u32>,
    /// What `GET /_sim/script` answers: the commands of a connector that tests let misbehave. No part of X.
    pub script: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            client_id: "orla-demo".to_owned(),
            client_secret: "orla-demo-secret".to_owned(),
            redirect_uris: Vec::new(),
            accounts: vec![
                Account::new("1800000000000000001", "orla_demo", "Orla Demo"),
                Account::new("1800000000000000002", "second_account", "Second Account"),
            ],
            token_prefix: String::new(),
            refresh_refusal: "invalid_grant".to_owned(),
            code_lifetime_s: 30,
            access_lifetime_s: 7_200,
            refresh_lifetime_s: 182 * 86_400,
            read_lag_ms: 0,
            rewrite_text: true,
            omit_refresh_token: false,
            duplicate_window_s: 86_400,
            media_lifetime_s: 86_400,
            processing_ms: 1_000,
            processing_fails: false,
            rate_window_s: 15 * 60,
            rate_limits: BTreeMap::new(),
            script: String::new(),
        }
    }
}

impl Settings {
    /// The account with this handle (with or without `@`) or id.
    pub(super) fn account(&self, name: &str) -> Option<&Account> {
        let name = name.strip_prefix('@').unwrap_or(name);
        self.accounts.iter().find(|account| account.username == name || account.id == name)
    }
}

/// Somebody on the simulated X.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The user id: digits.
    pub id: String,
    /// The handle, without `@`.
    pub username: String,
    /// The name shown.
    pub name: String,
}

impl Account {
    /// An account with this id, handle and name.
    pub fn new(id: &str, username: &str, name: &str) -> Self {
        Self { id: id.to_owned(), username: username.to_owned(), name: name.to_owned() }
    }
}
