//! What a test may choose about a simulated instance, at the start and while it runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The scopes of the token that there is by default: what publishing needs, and nothing more.
const PUBLISHING: &str = "read:accounts read:statuses write:media write:statuses";

/// Who uses an instance and how it behaves. The default is an instance as Mastodon ships it, without any lag.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The name of the instance.
    pub title: String,
    /// The version it claims. It answers as 4.5 whatever it claims.
    pub version: String,
    /// Who has an account here.
    pub accounts: Vec<Account>,
    /// The access tokens that work, or did.
    pub tokens: Vec<Token>,
    /// The longest status, counted as Mastodon counts.
    pub max_characters: usize,
    /// The most attachments of a status.
    pub max_media_attachments: usize,
    /// What a link counts, whatever its length.
    pub characters_reserved_per_url: usize,
    /// The types that can be uploaded.
    pub supported_mime_types: Vec<String>,
    /// Images must be smaller, in bytes.
    pub image_size_limit: u64,
    /// Videos and sounds must be smaller, in bytes.
    pub video_size_limit: u64,
    /// The longest description of an attachment, in characters.
    pub description_limit: usize,
    /// How long images are processed. With 0, as since Mastodon 4.0, they are ready at once and answered with 200.
    pub image_processing_ms: u64,
    /// How long videos, sounds and animations are processed, after a 202.
    pub processing_ms: u64,
    /// Whether that processing fails in the end. Images are always fine.
    pub processing_fails: bool,
    /// How long an idempotency key is remembered: one hour (documented).
    pub idempotency_lifetime_s: u64,
    /// How long a new status stays out of every read. Replies to it and its deletion work at once.
    pub read_lag_ms: u64,
    /// What becomes of parameters that Mastodon does not know.
    pub unknown_parameters: UnknownParameters,
    /// Limits that differ from the documented ones, in requests a window: `{"account": 2}`. The names are `account`
    /// (300 in 5 minutes, anything), `media` (30 in 30 minutes, uploads), `deletions` (30 in 30 minutes), `statuses`
    /// (300 in 3 hours, new ones), `paging` (300 in 15 minutes, reads with a bound) and `address` (300 in 5 minutes,
    /// whoever shows no token).
    pub rate_limits: BTreeMap<String, u32>,
}

/// What becomes of parameters that Mastodon does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownParameters {
    /// They are refused with 422 and a sentence of the simulator's own, so that a misspelt one is found.
    Refuse,
    /// They are ignored, as by Mastodon.
    Ignore,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            title: "Orla's simulated Mastodon".to_owned(),
            version: "4.5.0".to_owned(),
            accounts: vec![
                Account::new("109382006402042919", "orla_demo", "Orla Demo"),
                Account::new("109382006402042920", "second_account", "Second Account"),
            ],
            tokens: vec![Token::new("orla-demo-mastodon-token", "orla_demo", PUBLISHING)],
            max_characters: 500,
            max_media_attachments: 4,
            characters_reserved_per_url: 23,
            supported_mime_types: super::medium::MIME_TYPES.map(str::to_owned).to_vec(),
            image_size_limit: 16 << 20,
            video_size_limit: 99 << 20,
            description_limit: 1_500,
            image_processing_ms: 0,
            processing_ms: 1_000,
            processing_fails: false,
            idempotency_lifetime_s: 3_600,
            read_lag_ms: 0,
            unknown_parameters: UnknownParameters::Refuse,
            rate_limits: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// The account with this name or id.
    pub(super) fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.username == name || account.id == name)
    }
}

/// Somebody on a simulated instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The account id: digits.
    pub id: String,
    /// The name without `@`: letters of ASCII, digits and `_`.
    pub username: String,
    /// The name shown.
    pub display_name: String,
}

impl Account {
    /// An account with this id, name and display name.
    pub fn new(id: &str, username: &str, display_name: &str) -> Self {
        Self { id: id.to_owned(), username: username.to_owned(), display_name: display_name.to_owned() }
    }
}

/// An access token of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// What is sent as `Authorization: Bearer`.
    pub token: String,
    /// Whose it is: the account's name.
    pub account: String,
    /// Its scopes, separated by spaces, such as `read write:statuses`.
    pub scopes: String,
    /// Whether its user has taken it back.
    #[serde(default)]
    pub revoked: bool,
}

impl Token {
    /// A token that works, of this account and with these scopes.
    pub fn new(token: &str, account: &str, scopes: &str) -> Self {
        Self { token: token.to_owned(), account: account.to_owned(), scopes: scopes.to_owned(), revoked: false }
    }

    /// Whether it has this scope, or the one above: `write` grants `write:media` (documented under "OAuth Scopes").
    pub(super) fn grants(&self, scope: &str) -> bool {
        let above = scope.split_once(':').map(|(above, _)| above);
        self.scopes.split(' ').any(|granted| granted == scope || Some(granted) == above)
    }
}
