//! Control over HTTP, for tests in other processes and for the demo: the methods of [`Webhook`] as JSON,
//! unauthenticated.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::deliveries::Delivery;
use super::settings::Settings;
use super::state::Webhook;
use crate::door::{Fault, Received};

type Sim = State<Webhook>;
type Wrong = (StatusCode, String);

/// Everything under `/_sim/webhook/`.
pub(super) fn router() -> Router<Webhook> {
    let control = Router::new()
        .route("/deliveries", get(async |State(sim): Sim| -> Json<Vec<Delivery>> { Json(sim.deliveries()) }))
        .route("/messages", get(async |State(sim): Sim| -> Json<BTreeMap<String, u32>> { Json(sim.messages()) }))
        .route("/requests", get(async |State(sim): Sim| -> Json<Vec<Received>> { Json(sim.requests()) }))
        .route("/counts", get(async |State(sim): Sim| -> Json<BTreeMap<String, u64>> { Json(sim.counts()) }))
        .route("/settings", get(async |State(sim): Sim| -> Json<Settings> { Json(sim.settings()) }).post(settings))
        .route("/faults", get(pending).post(fault).delete(clear_faults))
        .route("/reset", post(reset));
    Router::new().nest("/_sim/webhook", control)
}

async fn settings(State(sim): Sim, body: Bytes) -> Result<Json<Settings>, Wrong> {
    let members: Map<String, Value> = read(&body)?;
    let changed = sim.settings().with(members).map_err(|reason| (StatusCode::BAD_REQUEST, reason))?;
    sim.change(|settings| settings.clone_from(&changed));
    Ok(Json(changed))
}

async fn pending(State(sim): Sim) -> Json<Vec<Fault>> {
    Json(sim.door().faults())
}

async fn clear_faults(State(sim): Sim) -> StatusCode {
    sim.clear_faults();
    StatusCode::NO_CONTENT
}

async fn fault(State(sim): Sim, body: Bytes) -> Result<StatusCode, Wrong> {
    let fault: Fault = read(&body)?;
    fault.check().map_err(|reason| (StatusCode::BAD_REQUEST, reason))?;
    sim.fault(fault);
    Ok(StatusCode::NO_CONTENT)
}

async fn reset(State(sim): Sim) -> StatusCode {
    sim.reset();
    StatusCode::NO_CONTENT
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Wrong> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}
