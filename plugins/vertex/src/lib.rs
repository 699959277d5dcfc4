//! Vertex AI, Veo: <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation>.
//!
//! A video is a long running operation: one request begins it, and is never sent twice, since Vertex knows no idempotency key. Every
//! execution after that asks how far it is. An account is a person's, who names one of his projects in Google Cloud, or a service
//! account of Google's, in whose project the video is made.

mod answer;
mod check;
mod operation;
mod person;
mod place;
mod problem;
#[cfg(test)]
mod tests;

use orla_sdk::manifest::{self, Auth, ClientAuth, Endpoint, Limits, Manifest, OAuth2, ServiceAccount};
use orla_sdk::{
    Account, Api, Connector, Fact, Identity, Profile, Result, VideoModel, VideoProgress, VideoViolation, VideoWish,
};

/// The connector.
pub struct Vertex;

orla_sdk::connector!(Vertex);
orla_sdk::export_identity!(Vertex);
orla_sdk::export_video_model!(Vertex);

const API: Api = Api::new("api").explain(problem::explain_video);
const STORAGE: Api = Api::new("storage").explain(problem::explain_video);
const WHO: Api = Api::new("who").explain(problem::explain);
const PROJECTS: Api = Api::new("projects").explain(problem::explain);

const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The model where neither the caller nor the operator names one.
const DEFAULT_MODEL: &str = "veo-3.1-generate-001";
/// Where it is made unless the operator says otherwise.
const DEFAULT_LOCATION: &str = "us-central1";

impl Connector for Vertex {
    fn manifest() -> Manifest {
        Manifest {
            auth: Auth::Oauth2(oauth()),
            endpoints: manifest::endpoints([
                ("web", manifest::unsigned("https://accounts.google.com")),
                (
                    "tokens",
                    Endpoint {
                        host_only: manifest::texts(["/*"]),
                        ..manifest::unsigned("https://oauth2.googleapis.com")
                    },
                ),
                (
                    "api",
                    Endpoint {
                        // The one POST that changes nothing. The one that begins a video is none of them.
                        reads: manifest::texts([
                            "POST /v1/projects/*/locations/*/publishers/google/models/*:fetchPredictOperation",
                        ]),
                        ..manifest::bearer("https://us-central1-aiplatform.googleapis.com")
                    },
                ),
                ("storage", manifest::bearer("https://storage.googleapis.com")),
                ("who", manifest::bearer("https://openidconnect.googleapis.com")),
                ("projects", manifest::bearer("https://cloudresourcemanager.googleapis.com")),
            ]),
            settings: manifest::settings([
                ("model", "The model where the caller names none; `veo-3.1-generate-001` by default."),
                (
                    "location",
                    "Where videos are made; `us-central1` by default. The endpoint `api` has to be the location's own.",
                ),
                (
                    "storage_uri",
                    "A folder in Cloud Storage, such as `gs://bucket/videos/`, that videos are put into; by default Vertex hands \
                     them out itself.",
                ),
                ("look_every_ms", "Milliseconds between two looks at a video that is being made; 10000 by default."),
            ]),
            limits: Limits {
                // A picture goes up with the wish, and a video comes back with the answer.
                fuel: 200_000_000,
                memory_bytes: 16 << 20,
                guest_ms: 5_000,
                total_ms: 10 * 60 * 1_000,
                // A video takes three; of whoever connects, all projects are listed.
                requests: person::MAX_LISTS + 1,
                ..Limits::default()
            },
            ..manifest::bare("vertex", "Vertex AI", env!("CARGO_PKG_VERSION"))
        }
    }
}

/// <https://developers.google.com/identity/protocols/oauth2/web-server>. There is a refresh token only for offline access, and, of
/// somebody who agreed before, only where the consent is asked for again.
fn oauth() -> OAuth2 {
    let params = [("access_type", "offline"), ("prompt", "consent")];
    OAuth2 {
        authorize_params: params.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        revoke: Some(manifest::revoke("tokens", "/revoke")),
        client_auth: ClientAuth::Body,
        service_account: Some(service_account()),
        ..manifest::oauth2(
            manifest::place("web", "/o/oauth2/v2/auth"),
            manifest::place("tokens", "/token"),
            // As Google names them once they are granted: `email` would come back by another name.
            ["openid", "https://www.googleapis.com/auth/userinfo.email", CLOUD_PLATFORM],
        )
    }
}

/// <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>
fn service_account() -> ServiceAccount {
    ServiceAccount {
        obtained_at: Some("https://console.cloud.google.com/iam-admin/serviceaccounts".to_owned()),
        ..manifest::service_account(manifest::place("tokens", "/token"), [CLOUD_PLATFORM])
    }
}

impl Identity for Vertex {
    fn whoami(_account: &Account) -> Result<Profile> {
        person::profile()
    }
}

impl VideoModel for Vertex {
    fn check(wish: &VideoWish, settings: &[Fact]) -> Vec<VideoViolation> {
        check::violations(wish, settings)
    }

    fn generate(account: &Account, wish: &VideoWish, settings: &[Fact]) -> Result<VideoProgress> {
        let place = place::Place::of(account, wish, settings)?;
        let name = operation::begin(&place, wish, settings)?;
        operation::look(&place, &name, settings)
    }
}
