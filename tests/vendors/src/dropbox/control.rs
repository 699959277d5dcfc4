//! Control over HTTP, for tests in other processes and for the demo: the methods of [`Dropbox`] as JSON,
//! unauthenticated.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::grants::Issued;
use super::settings::Settings;
use super::state::Dropbox;
use super::tally::Tally;
use crate::door::{Fault, Received};

type Sim = State<Dropbox>;
type Wrong = (StatusCode, String);

/// Everything under `/_sim/dropbox/`.
pub(super) fn router() -> Router<Dropbox> {
    let control = Router::new()
        .route("/tally", get(async |State(sim): Sim| -> Json<Tally> { Json(sim.tally()) }))
        .route("/requests", get(async |State(sim): Sim| -> Json<Vec<Received>> { Json(sim.requests()) }))
        .route("/counts", get(async |State(sim): Sim| -> Json<BTreeMap<String, u64>> { Json(sim.counts()) }))
        .route("/tokens", get(async |State(sim): Sim| -> Json<Vec<Issued>> { Json(sim.tokens()) }))
        .route("/settings", get(async |State(sim): Sim| -> Json<Settings> { Json(sim.settings()) }).post(settings))
        .route("/redirect_uris", post(redirect_uri))
        .route("/advance", post(advance))
        .route("/faults", get(pending).post(fault).delete(clear_faults))
        .route("/expire_access_tokens", act(Dropbox::expire_access_tokens))
        .route("/revoke_all", act(Dropbox::revoke_all))
        .route("/reset", act(Dropbox::reset));
    Router::new().nest("/_sim/dropbox", control)
}

/// A POST that does one thing and answers 204.
fn act(action: fn(&Dropbox)) -> MethodRouter<Dropbox> {
    post(async move |State(sim): Sim| {
        action(&sim);
        StatusCode::NO_CONTENT
    })
}

async fn settings(State(sim): Sim, body: Bytes) -> Result<Json<Settings>, Wrong> {
    let members: Map<String, Value> = read(&body)?;
    let changed = sim.settings().with(members).map_err(wrong)?;
    sim.change(|settings| settings.clone_from(&changed));
    Ok(Json(changed))
}

async fn redirect_uri(State(sim): Sim, body: Bytes) -> Result<StatusCode, Wrong> {
    sim.register_redirect_uri(read::<String>(&body)?);
    Ok(StatusCode::NO_CONTENT)
}

async fn advance(State(sim): Sim, body: Bytes) -> Result<StatusCode, Wrong> {
    sim.advance(read::<u64>(&body)?);
    Ok(StatusCode::NO_CONTENT)
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

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Wrong> {
    serde_json::from_slice(body).map_err(wrong)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn wrong(error: serde_json::Error) -> Wrong {
    (StatusCode::BAD_REQUEST, error.to_string())
}
