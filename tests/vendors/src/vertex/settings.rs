//! What can be set.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the simulated Google is like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The project.
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
        Self {
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
