//! Control over HTTP, for tests in other processes and for the demo: the methods of [`Facebook`] as JSON,
//! unauthenticated.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::settings::Settings;
use super::state::Facebook;
use crate::door::Fault;

type Sim = State<Facebook>;
type Wrong = (StatusCode, String);

/// Everything under `/_sim/facebook/`.
pub(super) fn router() -> Router<Facebook> {
    let control = Router::new()
        .route("/posts", look(Facebook::posts))
        .route("/photos", look(Facebook::photos))
        .route("/videos", look(Facebook::videos))
        .route("/comments", look(Facebook::comments).post(comment))
        .route("/made", look(Facebook::made))
        .route("/requests", look(Facebook::requests))
        .route("/counts", look(Facebook::counts))
        .route("/tokens", look(Facebook::tokens).post(issue))
        .route("/settings", look(Facebook::settings).post(settings))
        .route("/redirect_uris", post(redirect_uri))
        .route("/advance", post(advance))
        .route("/remove_app", post(remove_app))
        .route("/change_password", post(change_password))
        .route("/faults", get(pending).post(fault).delete(clear_faults))
        .route("/reset", post(reset));
    Router::new().nest("/_sim/facebook", control)
}

/// A GET that shows one thing.
fn look<T: Serialize + 'static>(what: fn(&Facebook) -> T) -> MethodRouter<Facebook> {
    get(async move |State(sim): Sim| Json(what(&sim)))
}

async fn settings(State(sim): Sim, body: Bytes) -> Result<Json<Settings>, Wrong> {
    let members: Map<String, Value> = read(&body)?;
    let changed = sim.settings().with(members).map_err(wrong)?;
    sim.change(|settings| settings.clone_from(&changed));
    Ok(Json(changed))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewComment {
    below: String,
    author: String,
    message: String,
}

async fn comment(State(sim): Sim, body: Bytes) -> Result<Json<String>, Wrong> {
    let NewComment { below, author, message } = read(&body)?;
    let made = sim.comment(&below, &author, &message);
    made.map(Json).ok_or_else(|| (StatusCode::BAD_REQUEST, format!("there is no post or comment {below}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    person: String,
    scopes: String,
}

async fn issue(State(sim): Sim, body: Bytes) -> Result<Json<String>, Wrong> {
    let Issue { person, scopes } = read(&body)?;
    let issued = sim.issue_token(&person, &scopes);
    issued.map(Json).ok_or_else(|| (StatusCode::BAD_REQUEST, format!("nobody is called {person}")))
}

async fn redirect_uri(State(sim): Sim, body: Bytes) -> Result<StatusCode, Wrong> {
    sim.register_redirect_uri(read::<String>(&body)?);
    Ok(StatusCode::NO_CONTENT)
}

async fn advance(State(sim): Sim, body: Bytes) -> Result<StatusCode, Wrong> {
    sim.advance(read(&body)?);
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_app(State(sim): Sim, body: Bytes) -> Result<StatusCode, Wrong> {
    sim.remove_app(&read::<String>(&body)?);
    Ok(StatusCode::NO_CONTENT)
}

async fn change_password(State(sim): Sim, body: Bytes) -> Result<StatusCode, Wrong> {
    sim.change_password(&read::<String>(&body)?);
    Ok(StatusCode::NO_CONTENT)
}

async fn reset(State(sim): Sim) -> StatusCode {
    sim.reset();
    StatusCode::NO_CONTENT
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
