//! What a test may choose about the simulated Instagram.

use serde::{Deserialize, Serialize};

/// Who is on Instagram, and how it behaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The professional accounts that there are.
    pub accounts: Vec<Account>,
    /// How much each may publish in 24 hours.
    pub media_a_day: u32,
    /// How many containers each may make in 24 hours.
    pub containers_a_day: u32,
    /// How long a container can be published.
    pub container_lifetime_s: u64,
    /// How often the status of a container must have been read before it is finished: of a film, and of an image never.
    pub processing_reads: u32,
    /// How long a film is processed besides, on the simulator's clock.
    pub processing_s: u64,
    /// The subcode with which all processing fails in the end.
    pub processing_error: Option<u32>,
    /// How many bytes of the next upload are taken before it breaks off, once.
    pub upload_breaks_after_bytes: Option<u64>,
    /// How long what is new stays out of every list.
    pub read_lag_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            accounts: vec![
                Account::new("17841400000000001", "orla.coffee", "615500000000001"),
                Account::new("17841400000000003", "orla.archive", "615500000000003"),
            ],
            media_a_day: 100,
            containers_a_day: 400,
            container_lifetime_s: 86_400,
            processing_reads: 1,
            processing_s: 0,
            processing_error: None,
            upload_breaks_after_bytes: None,
            read_lag_ms: 0,
        }
    }
}

impl Settings {
    pub(super) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }
}

/// A professional account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The id: digits.
    pub id: String,
    /// The name by which people find it.
    pub username: String,
    /// The id of the Facebook page that it belongs to.
    pub page_id: String,
}

impl Account {
    /// An account with this id and name, which belongs to a page.
    pub fn new(id: &str, username: &str, page_id: &str) -> Self {
        Self { id: id.to_owned(), username: username.to_owned(), page_id: page_id.to_owned() }
    }
}
