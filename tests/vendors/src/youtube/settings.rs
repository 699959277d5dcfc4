//! What a test may choose about the simulated YouTube, at the start and while it runs.

use serde::{Deserialize, Serialize};

use super::SCOPES;
use crate::google::Client;

/// Who uses YouTube, and how it behaves. The default is YouTube as documented, without any lag.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The one client that is registered.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Its redirect URIs, compared byte for byte.
    pub redirect_uris: Vec<String>,
    /// Who can sign in.
    pub accounts: Vec<Account>,
    /// The scopes that people decline when they consent to the rest.
    pub declined_scopes: Vec<String>,
    /// How every code and token goes on after its beginning, so that a test can search for leaked ones.
    pub token_mark: String,
    /// How long a code can be exchanged.
    pub code_lifetime_s: u64,
    /// How long an access token works.
    pub access_lifetime_s: u64,
    /// How long an upload can go on after it was begun: about a week.
    pub upload_lifetime_s: u64,
    /// For how long a finished upload still says what it made.
    pub finished_upload_s: u64,
    /// The origin of the addresses of uploads, such as `https://evil.example`. Empty for where the caller came to.
    pub upload_origin: String,
    /// How long a video is processed, on the simulator's clock.
    pub processing_s: u64,
    /// How often the status of a video must have been read, besides, before it is processed.
    pub processing_reads: u32,
    /// Why videos are rejected in the end, such as `duplicate`; empty where they are not.
    pub rejection_reason: String,
    /// Why videos cannot be processed, such as `codec`; empty where they can.
    pub failure_reason: String,
    /// Whether a video with the content of an earlier one of the channel is rejected as a duplicate.
    pub reject_duplicates: bool,
    /// Whether every video is forced to be private, as those of apps without an audit are.
    pub force_private: bool,
    /// Whether nobody can comment.
    pub comments_disabled: bool,
    /// How long a new video stays out of the list of the channel's uploads. It can be asked for by its id at once.
    pub list_lag_ms: u64,
    /// How many videos a project may insert in a day.
    pub uploads_a_day: u64,
    /// How many units all else may cost in a day.
    pub units_a_day: u64,
    /// How many videos a channel may take in a day.
    pub uploads_a_channel: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            client_id: "4016.apps.googleusercontent.com".to_owned(),
            client_secret: "orla-demo-youtube-secret".to_owned(),
            redirect_uris: Vec::new(),
            accounts: vec![
                Account::new(
                    "orla@example.com",
                    Some(Channel::new("UCorlacoffee0000000000001", "Orla Coffee", "@orlacoffee")),
                ),
                Account::new("empty@example.com", None),
            ],
            declined_scopes: Vec::new(),
            token_mark: String::new(),
            code_lifetime_s: 600,
            access_lifetime_s: 3_599,
            upload_lifetime_s: 7 * 86_400,
            finished_upload_s: 7 * 86_400,
            upload_origin: String::new(),
            processing_s: 0,
            processing_reads: 0,
            rejection_reason: String::new(),
            failure_reason: String::new(),
            reject_duplicates: false,
            force_private: false,
            comments_disabled: false,
            list_lag_ms: 0,
            uploads_a_day: 100,
            units_a_day: 10_000,
            uploads_a_channel: 100,
        }
    }
}

impl Settings {
    /// The client, as Google's consent page and tokens know it.
    pub(super) fn client(&self) -> Client {
        let account = |account: &Account| {
            let title = account.channel.as_ref().map_or("no channel", |channel| &channel.title);
            (account.email.clone(), title.to_owned())
        };
        Client {
            id: self.client_id.clone(),
            secret: self.client_secret.clone(),
            redirect_uris: self.redirect_uris.clone(),
            scopes: &SCOPES,
            declined_scopes: self.declined_scopes.clone(),
            token_mark: self.token_mark.clone(),
            code_lifetime_s: self.code_lifetime_s,
            access_lifetime_s: self.access_lifetime_s,
            accounts: self.accounts.iter().map(account).collect(),
        }
    }

    pub(super) fn account(&self, email: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.email == email)
    }
}

/// A Google account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its address.
    pub email: String,
    /// Its channel, if it has begun one.
    #[serde(default)]
    pub channel: Option<Channel>,
}

impl Account {
    /// An account with this address and channel.
    pub fn new(email: &str, channel: Option<Channel>) -> Self {
        Self { email: email.to_owned(), channel }
    }
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The id: `UC` and 22 characters more.
    pub id: String,
    /// The name shown.
    pub title: String,
    /// The handle, with `@`.
    pub handle: String,
    /// Whether it was verified by phone, without which there are no thumbnails of one's own.
    pub verified: bool,
}

impl Channel {
    /// A verified channel.
    pub fn new(id: &str, title: &str, handle: &str) -> Self {
        Self { id: id.to_owned(), title: title.to_owned(), handle: handle.to_owned(), verified: true }
    }

    /// The id of the list of all that it has uploaded.
    pub(super) fn uploads(&self) -> String {
        self.id.replacen("UC", "UU", 1)
    }
}
