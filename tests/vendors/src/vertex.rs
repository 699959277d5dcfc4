//! Vertex AI's video models, Google's tokens for people and for service accounts, who somebody is, a person's projects and Cloud
//! Storage's downloads, as described by
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation>, the discovery document of
//! `aiplatform.v1` (November 2026), <https://developers.google.com/identity/protocols/oauth2/web-server>,
//! <https://developers.google.com/identity/protocols/oauth2/service-account>,
//! <https://developers.google.com/identity/openid-connect/openid-connect>,
//! <https://cloud.google.com/resource-manager/reference/rest/v3/projects/search> and
//! <https://cloud.google.com/storage/docs/json_api/v1/objects/get>.
//!
//! # What is known how
//!
//! - *Documented*: routes, members of requests and answers, that an operation is asked about by a POST to the model, the durations,
//!   aspect ratios and resolutions of Veo 3.1, that a video comes in the answer or in Cloud Storage, the claims of an assertion, what
//!   `userinfo` says by which scope, the members and pages of a list of projects, that `email` comes back by its long name.
//! - *From memory*, and so the least certain: the words of refusals, the largest picture, that a seed has 32 bits.
//! - *Made up*: `metadata.progressPercent` and `metadata.progressMessage`. Google documents nothing about how far an operation is.
//!
//! It is stricter than Vertex where that finds mistakes: members that are unknown are refused, an assertion counts once, an
//! operation is asked about at the model that has it, and a person's call says whose quota it uses (`x-goog-user-project`). There is no key by which a repetition would be known: whoever begins twice has
//! two videos, and pays for both.
//!
//! # In a test
//!
//! ```no_run
//! # async fn example() {
//! use orla_vendors::vertex::{Fault, Mode, Settings, Sim};
//!
//! let sim = Sim::start(Settings::default()).await;
//! // Three looks find it at work, and then it fails:
//! sim.change(|settings| {
//!     settings.looks = 3;
//!     settings.fails_with = Some((13, "Internal error.".to_owned()));
//! });
//! // Or the answer to the beginning is lost:
//! sim.fault(Fault::on("POST", &sim.method("predictLongRunning"), Mode::CutAfter));
//! assert_eq!(sim.operations().len(), 0);
//! # }
//! ```
//!
//! # Control
//!
//! Under `/_sim/vertex/`, without authentication, and as methods of [`Vertex`]: `GET operations`, `made`, `requests`, `counts`,
//! `settings`, `faults`, `key_file` (of the demo's account); `POST settings` (the members to change), `redirect_uris` (one), `advance`
//! (seconds), `revoke` (a person's address), `expire_access_tokens`, `faults`, `reset`; `DELETE faults`.

mod body;
mod control;
mod demo;
mod gate;
mod models;
mod people;
mod problem;
mod settings;
mod sim;
mod state;
mod storage;
mod token;

pub use crate::door::{Answer, Canned, Fault, Mode, Received};
pub use settings::{Person, Project, Settings};
pub use sim::Sim;
pub use state::{Made, Operation, Vertex};

/// The scopes that people can be asked for.
const SCOPES: [&str; 6] =
    ["openid", "email", "profile", EMAIL, "https://www.googleapis.com/auth/userinfo.profile", CLOUD_PLATFORM];
const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
/// The one scope of service accounts.
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
