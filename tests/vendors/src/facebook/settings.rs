//! What a test may choose about the simulated Facebook, at the start and while it runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::instagram;
use super::usage::Throttle;

/// Who uses Facebook, and how it behaves. The default is Facebook as documented, without any lag.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The one app that is registered.
    pub app_id: String,
    /// Its secret.
    pub app_secret: String,
    /// Its name.
    pub app_name: String,
    /// Its redirect URIs, compared byte for byte. None are accepted that are not listed.
    pub redirect_uris: Vec<String>,
    /// Whether the app has "Require App Secret" on: then every call needs an `appsecret_proof`. A wrong one is refused
    /// in any case.
    pub require_proof: bool,
    /// The versions that are alive, oldest first, such as `v25.0`.
    pub versions: Vec<String>,
    /// Who can log in.
    pub people: Vec<Person>,
    /// The pages that there are.
    pub pages: Vec<Page>,
    /// The permissions that people decline when they consent to the rest.
    pub declined_scopes: Vec<String>,
    /// How every code and token begins, so that a test can search logs and databases for leaked ones.
    pub token_prefix: String,
    /// How long a code can be exchanged.
    pub code_lifetime_s: u64,
    /// How long a short-lived user token works: one to two hours (documented).
    pub short_lifetime_s: u64,
    /// How long a long-lived user token works: about 60 days (documented).
    pub long_lifetime_s: u64,
    /// Whether a post is refused that is the same as the one before (code 506).
    pub refuse_duplicates: bool,
    /// How long a new post stays out of every list. It can be read by its id, replied to and deleted at once.
    pub read_lag_ms: u64,
    /// The most bytes of one piece of a resumable upload.
    pub video_chunk_bytes: u64,
    /// How long a video is processed, on the simulator's clock.
    pub video_processing_s: u64,
    /// How often the status of a video must have been read, besides, before it is ready.
    pub video_processing_reads: u32,
    /// Whether that processing fails in the end.
    pub video_processing_fails: bool,
    /// How many calls the app may make in an hour, and besides how many for each page.
    pub calls_an_hour: u32,
    /// Refuse every call that shows a token, as if this limit had been reached.
    pub throttle: Option<Throttle>,
    /// Who is on Instagram, and how that behaves.
    pub instagram: instagram::Settings,
    /// Where `paging.next` leads, such as `https://evil.example`. Empty for where the caller came to.
    pub paging_origin: String,
    /// Whether the first page of every list is empty and has a `next` all the same, which Facebook reserves the right
    /// to.
    pub empty_first_pages: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let everything = ["MANAGE", "CREATE_CONTENT", "MODERATE", "MESSAGING", "ADVERTISE", "ANALYZE"];
        let (first, second) = ("122100000000000001", "122100000000000002");
        Self {
            app_id: "4014000000000001".to_owned(),
            app_secret: "orla-demo-facebook-secret".to_owned(),
            app_name: "Orla".to_owned(),
            redirect_uris: Vec::new(),
            require_proof: false,
            versions: vec!["v25.0".to_owned(), "v26.0".to_owned()],
            people: vec![Person::new(first, "Orla Demo"), Person::new(second, "Second Person")],
            pages: vec![
                Page::new("615500000000001", "Orla Coffee")
                    .with_role(first, &everything)
                    .with_role(second, &everything),
                Page::new("615500000000002", "Orla Roastery").with_role(first, &everything),
                Page::new("615500000000003", "Orla Archive").with_role(first, &["ANALYZE"]),
            ],
            declined_scopes: Vec::new(),
            token_prefix: String::new(),
            code_lifetime_s: 600,
            short_lifetime_s: 5_100,
            long_lifetime_s: 5_183_944,
            refuse_duplicates: true,
            read_lag_ms: 0,
            video_chunk_bytes: 4 << 20,
            video_processing_s: 0,
            video_processing_reads: 1,
            video_processing_fails: false,
            calls_an_hour: 4_800,
            throttle: None,
            instagram: instagram::Settings::default(),
            paging_origin: String::new(),
            empty_first_pages: false,
        }
    }
}

impl Settings {
    /// The person with this name or id.
    pub(super) fn person(&self, name: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.name == name || person.id == name)
    }

    pub(super) fn page(&self, id: &str) -> Option<&Page> {
        self.pages.iter().find(|page| page.id == id)
    }

    pub(super) fn latest(&self) -> &str {
        self.versions.last().map_or("v26.0", String::as_str)
    }
}

/// Somebody on the simulated Facebook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The id, which at Facebook is the app's own for this person: digits.
    pub id: String,
    /// The name shown.
    pub name: String,
}

impl Person {
    /// A person with this id and name.
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned() }
    }
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The id: digits.
    pub id: String,
    /// The name shown.
    pub name: String,
    /// Who has a role, by the person's id, with the tasks that it allows: `MANAGE`, `CREATE_CONTENT`, `MODERATE`,
    /// `MESSAGING`, `ADVERTISE`, `ANALYZE`.
    pub roles: BTreeMap<String, Vec<String>>,
}

impl Page {
    /// A page with this id and name, on which nobody has a role.
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), roles: BTreeMap::new() }
    }

    /// The same page, on which this person (by id) has these tasks.
    #[must_use]
    pub fn with_role(mut self, person_id: &str, tasks: &[&str]) -> Self {
        self.roles.insert(person_id.to_owned(), tasks.iter().map(|&task| task.to_owned()).collect());
        self
    }

    pub(super) fn allows(&self, person_id: &str, task: &str) -> bool {
        self.roles.get(person_id).is_some_and(|tasks| tasks.iter().any(|has| has == task))
    }
}
