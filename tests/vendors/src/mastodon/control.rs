//! Control over HTTP, for tests in other processes and for the demo: the methods of [`Mastodon`] as JSON,
//! unauthenticated.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::medium::Uploaded;
use super::posts::Posted;
use super::settings::Settings;
use super::state::Mastodon;
use crate::door::{Fault, Received};

type Sim = State<Mastodon>;
type Wrong = (StatusCode, String);

/// Everything under `/_sim/mastodon/`.
pub(super) fn router() -> Router<Mastodon> {
    let control = Router::new()
        .route("/statuses", get(async |State(sim): Sim| -> Json<Vec<Posted>> { Json(sim.statuses()) }))
        .route("/media", get(async |State(sim): Sim| -> Json<Vec<Uploaded>> { Json(sim.media()) }))
        .route("/requests", get(async |State(sim): Sim| -> Json<Vec<Received>> { Json(sim.requests()) }))
        .route("/counts", get(async |State(sim): Sim| -> Json<BTreeMap<String, u64>> { Json(sim.counts()) }))
        .route("/settings", get(async |State(sim): Sim| -> Json<Settings> { Json(sim.settings()) }).post(settings))
        .route("/tokens", post(issue))
        .route("/revoke", post(revoke))
        .route("/faults", get(pending).post(fault).delete(clear_faults))
        .route("/reset", act(Mastodon::reset));
    Router::new().nest("/_sim/mastodon", control)
}

/// A POST that does one thing and answers 204.
fn act(action: fn(&Mastodon)) -> MethodRouter<Mastodon> {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    account: String,
    scopes: String,
}

async fn issue(State(sim): Sim, body: Bytes) -> Result<Json<String>, Wrong> {
    let Issue { account, scopes } = read(&body)?;
    if sim.settings().account(&account).is_none() {
        return Err((StatusCode::BAD_REQUEST, format!("nobody is called {account}")));
    }
    Ok(Json(sim.issue_token(&account, &scopes)))
}

async fn revoke(State(sim): Sim, body: Bytes) -> Result<StatusCode, Wrong> {
    sim.revoke(&read::<String>(&body)?);
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
