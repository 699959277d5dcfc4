//! Vertex AI, Veo: <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation>.
//!
//! A video is a long running operation: one request begins it, and is never sent twice, since Vertex knows no idempotency key. Every
//! execution after that asks how far it is. An account is a service account of Google's, in whose project the video is made.

mod answer;
mod check;
mod operation;
mod place;
mod problem;
#[cfg(test)]
mod tests;

use orla_sdk::manifest::{self, Auth, Endpoint, Limits, Manifest, ServiceAccount};
use orla_sdk::{Account, Api, Connector, Fact, Result, VideoModel, VideoProgress, VideoViolation, VideoWish};

/// The connector.
pub struct Vertex;

orla_sdk::connector!(Vertex);
orla_sdk::export_video_model!(Vertex);

const API: Api = Api::new("api").explain(problem::explain);
const STORAGE: Api = Api::new("storage").explain(problem::explain);

/// The model where neither the caller nor the operator names one.
const DEFAULT_MODEL: &str = "veo-3.1-generate-001";
/// Where it is made unless the operator says otherwise.
const DEFAULT_LOCATION: &str = "us-central1";

impl Connector for Vertex {
    fn manifest() -> Manifest {
        Manifest {
            auth: auth(),
            endpoints: manifest::endpoints([
                (
                    "tokens",
                    Endpoint {
                        host_only: manifest::texts(["/token"]),
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
                requests: 4,
                ..Limits::default()
            },
            ..manifest::bare("vertex", "Vertex AI", env!("CARGO_PKG_VERSION"))
        }
    }
}

/// <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>
fn auth() -> Auth {
    let account = manifest::service_account(
        manifest::place("tokens", "/token"),
        ["https://www.googleapis.com/auth/cloud-platform"],
    );
    match account {
        Auth::ServiceAccount(account) => Auth::ServiceAccount(ServiceAccount {
            obtained_at: Some("https://console.cloud.google.com/iam-admin/serviceaccounts".to_owned()),
            ..account
        }),
        other => other,
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
