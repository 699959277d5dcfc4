//! What can be set.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SCOPES;
use crate::google::Client;

/// What the simulated Google is like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The one client that is registered for people.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Its redirect URIs, compared byte for byte.
    pub redirect_uris: Vec<String>,
    /// Who can sign in.
    pub people: Vec<Person>,
    /// The scopes that people decline when they consent to the rest.
    pub declined_scopes: Vec<String>,
    /// How every code and token of a person's goes on after its beginning, so that a test can search for leaked ones.
    pub token_mark: String,
    /// How long a code can be exchanged.
    pub code_lifetime_s: u64,
    /// How many projects a page of a list has at most.
    pub projects_a_page: usize,
    /// The service account's project.
    pub project: String,
    /// The one location that it serves.
    pub location: String,
    /// The address of the service account.
    pub account: String,
    /// The account's public keys in PEM, by their names.
    pub keys: BTreeMap<String, String>,
    /// The models that there are.
    pub models: Vec<String>,
    /// How long an access token works.
    pub access_lifetime_s: u64,
    /// How many looks find a video still being made.
    pub looks: u32,
    /// Whether it is told how much is done.
    pub tells_progress: bool,
    /// The length of a video.
    pub video_bytes: u64,
    /// How every video fails in the end: a code of `google.rpc.Code` and words.
    pub fails_with: Option<(i32, String)>,
    /// Why every video is withheld; empty where none is.
    pub withheld: Vec<String>,
    /// Whether operations are forgotten as soon as they were begun.
    pub forgets: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let models = ["veo-3.1-generate-001", "veo-3.1-fast-generate-001", "veo-3.1-lite-generate-001"];
        let films = [Project::new("orla-films", "Films"), Project::new("orla-trials", "Trials")];
        Self {
            client_id: "4017.apps.googleusercontent.com".to_owned(),
            client_secret: "orla-demo-vertex-secret".to_owned(),
            redirect_uris: Vec::new(),
            people: vec![
                Person::new("100000000000000000001", "orla@example.com", [Project::new("orla-demo", "Orla Demo")]),
                Person::new("100000000000000000002", "several@example.com", films),
                Person::new("100000000000000000003", "empty@example.com", []),
            ],
            declined_scopes: Vec::new(),
            token_mark: String::new(),
            code_lifetime_s: 600,
            projects_a_page: 100,
            project: "orla-demo".to_owned(),
            location: "us-central1".to_owned(),
            account: "maker@orla-demo.iam.gserviceaccount.com".to_owned(),
            keys: BTreeMap::new(),
            models: models.map(str::to_owned).to_vec(),
            access_lifetime_s: 3_599,
            looks: 2,
            tells_progress: true,
            video_bytes: 100_000,
            fails_with: None,
            withheld: Vec::new(),
            forgets: false,
        }
    }
}

impl Settings {
    /// The client, as Google's consent page and tokens know it.
    pub(super) fn client(&self) -> Client {
        let account = |person: &Person| {
            let projects: Vec<&str> = person.projects.iter().map(|project| project.id.as_str()).collect();
            let word = if projects.is_empty() { "no project".to_owned() } else { projects.join(", ") };
            (person.email.clone(), word)
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
            accounts: self.people.iter().map(account).collect(),
        }
    }
}

/// A Google account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Google's id of it, which never changes.
    pub sub: String,
    /// Its address.
    pub email: String,
    /// The projects in Google Cloud that it may see.
    pub projects: Vec<Project>,
}

impl Person {
    /// An account with this id, address and projects.
    pub fn new<const N: usize>(sub: &str, email: &str, projects: [Project; N]) -> Self {
        Self { sub: sub.to_owned(), email: email.to_owned(), projects: projects.into() }
    }
}

/// A project in Google Cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: u64,
    /// What people call it; empty where nobody has named it.
    pub name: String,
    /// Whether it is there, and not being deleted.
    pub is_active: bool,
    /// Whether whoever sees it may have videos made in it, too.
    pub may_use: bool,
}

impl Project {
    /// A project that may be used.
    pub fn new(id: &str, name: &str) -> Self {
        let number =
            id.bytes().fold(400_000_000_000, |number: u64, byte| number * 31 % 1_000_000_007 + u64::from(byte));
        Self { id: id.to_owned(), number, name: name.to_owned(), is_active: true, may_use: true }
    }
}
