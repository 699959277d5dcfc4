//! Control over HTTP, for tests in other processes and for the demo: the methods of [`OpenAi`] as JSON,
//! unauthenticated.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::faults::Fault;
use super::state::OpenAi;
use crate::control::{Wrong, act, bad, look, read, settings};

/// Everything under `/_sim/`.
pub(super) fn router() -> Router<OpenAi> {
    let control = Router::new()
        .route("/requests", look(OpenAi::requests))
        .route("/counts", look(counts))
        .route(
            "/settings",
            settings(OpenAi::settings, |sim, new| {
                sim.change(|settings| *settings = new);
                Ok(())
            }),
        )
        .route("/faults", get(pending).post(fault).delete(clear_faults))
        .route("/reset", act(OpenAi::reset));
    Router::new().nest("/_sim/openai", control)
}

fn counts(openai: &OpenAi) -> Value {
    json!({
        "requests": openai.counts(), "generations": openai.generations(), "hung_up": openai.hung_up(),
        "open_streams": openai.open_streams(),
    })
}

async fn pending(State(openai): State<OpenAi>) -> Json<Vec<Fault>> {
    Json(openai.world().faults.pending())
}

async fn fault(State(openai): State<OpenAi>, body: Bytes) -> Result<StatusCode, Wrong> {
    let fault: Fault = read(&body)?;
    fault.mode.check().map_err(bad)?;
    openai.fault(fault);
    Ok(StatusCode::NO_CONTENT)
}

async fn clear_faults(State(openai): State<OpenAi>) -> StatusCode {
    openai.clear_faults();
    StatusCode::NO_CONTENT
}
