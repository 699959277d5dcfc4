//! Control over HTTP, for tests in other processes and for the demo: the methods of [`X`] as JSON, unauthenticated.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::faults::Fault;
use super::grants::Issued;
use super::posts::Posted;
use super::settings::Settings;
use super::state::X;
use super::traffic::Received;

type Wrong = (StatusCode, String);

/// Everything under `/_sim/`.
pub(super) fn router() -> Router<X> {
    let control = Router::new()
        .route("/posts", get(async |State(x): State<X>| -> Json<Vec<Posted>> { Json(x.posts()) }))
        .route("/requests", get(async |State(x): State<X>| -> Json<Vec<Received>> { Json(x.requests()) }))
        .route("/counts", get(async |State(x): State<X>| -> Json<BTreeMap<String, u64>> { Json(x.counts()) }))
        .route("/tokens", get(async |State(x): State<X>| -> Json<Vec<Issued>> { Json(x.tokens()) }))
        .route("/settings", get(async |State(x): State<X>| -> Json<Settings> { Json(x.settings()) }).post(settings))
        .route("/redirect_uris", post(redirect_uri))
        .route("/faults", get(pending).post(fault).delete(clear_faults))
        .route("/expire_access_tokens", act(X::expire_access_tokens))
        .route("/revoke_all", act(X::revoke_all))
        .route("/reset", act(X::reset));
    let script = get(async |State(x): State<X>| -> String { x.settings().script });
    Router::new().nest("/_sim/x", control).route("/_sim/script", script)
}

/// A POST that does one thing and answers 204.
fn act(action: fn(&X)) -> MethodRouter<X> {
    post(async move |State(x): State<X>| {
        action(&x);
        StatusCode::NO_CONTENT
    })
}

async fn settings(State(x): State<X>, body: Bytes) -> Result<Json<Settings>, Wrong> {
    let members: Map<String, Value> = read(&body)?;
    let changed = x.settings().with(members).map_err(wrong)?;
    x.change(|settings| settings.clone_from(&changed));
    Ok(Json(changed))
}

async fn redirect_uri(State(x): State<X>, body: Bytes) -> Result<StatusCode, Wrong> {
    x.register_redirect_uri(read::<String>(&body)?);
    Ok(StatusCode::NO_CONTENT)
}

async fn pending(State(x): State<X>) -> Json<Vec<Fault>> {
    Json(x.world().faults.pending())
}

async fn clear_faults(State(x): State<X>) -> StatusCode {
    x.clear_faults();
    StatusCode::NO_CONTENT
}

async fn fault(State(x): State<X>, body: Bytes) -> Result<StatusCode, Wrong> {
    let fault: Fault = read(&body)?;
    fault.check().map_err(|reason| (StatusCode::BAD_REQUEST, reason))?;
    x.fault(fault);
    Ok(StatusCode::NO_CONTENT)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Wrong> {
    serde_json::from_slice(body).map_err(wrong)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn wrong(error: serde_json::Error) -> Wrong {
    (StatusCode::BAD_REQUEST, error.to_string())
}
