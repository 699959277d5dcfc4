//! Control over HTTP, for tests in other processes and for the demo: the methods of [`OpenAi`] as JSON,
//! unauthenticated.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::faults::Fault;
use super::settings::Settings;
use super::state::OpenAi;
use super::traffic::Received;

type Wrong = (StatusCode, String);

/// Everything under `/_sim/`.
pub(super) fn router() -> Router<OpenAi> {
    let control = Router::new()
        .route(
            "/requests",
            get(async |State(openai): State<OpenAi>| -> Json<Vec<Received>> { Json(openai.requests()) }),
        )
        .route("/counts", get(counts))
        .route("/settings", get(async |State(openai): State<OpenAi>| Json(openai.settings())).post(settings))
        .route("/faults", get(pending).post(fault).delete(clear_faults))
        .route("/reset", post(reset));
    Router::new().nest("/_sim/openai", control)
}

async fn counts(State(openai): State<OpenAi>) -> Json<Value> {
    Json(json!({
        "requests": openai.counts(), "generations": openai.generations(), "hung_up": openai.hung_up(),
        "open_streams": openai.open_streams(),
    }))
}

async fn settings(State(openai): State<OpenAi>, body: Bytes) -> Result<Json<Settings>, Wrong> {
    let members: Map<String, Value> = read(&body)?;
    let changed = openai.settings().with(members).map_err(wrong)?;
    openai.change(|settings| settings.clone_from(&changed));
    Ok(Json(changed))
}

async fn pending(State(openai): State<OpenAi>) -> Json<Vec<Fault>> {
    Json(openai.world().faults.pending())
}

async fn fault(State(openai): State<OpenAi>, body: Bytes) -> Result<StatusCode, Wrong> {
    let fault: Fault = read(&body)?;
    fault.check().map_err(|reason| (StatusCode::BAD_REQUEST, reason))?;
    openai.fault(fault);
    Ok(StatusCode::NO_CONTENT)
}

async fn clear_faults(State(openai): State<OpenAi>) -> StatusCode {
    openai.clear_faults();
    StatusCode::NO_CONTENT
}

async fn reset(State(openai): State<OpenAi>) -> StatusCode {
    openai.reset();
    StatusCode::NO_CONTENT
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Wrong> {
    serde_json::from_slice(body).map_err(wrong)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn wrong(error: serde_json::Error) -> Wrong {
    (StatusCode::BAD_REQUEST, error.to_string())
}
