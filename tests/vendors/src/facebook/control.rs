//! Control over HTTP, for tests in other processes and for the demo: the methods of [`Facebook`] as JSON,
//! unauthenticated.

use axum::body::Bytes;
use axum::extract::State;
use axum::{Json, Router};
use serde::Deserialize;

use super::state::Facebook;
use crate::control::{Wrong, act, bad, faults, look, read, settings, tell};

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
        .route(
            "/settings",
            settings(Facebook::settings, |sim, new| {
                sim.change(|settings| *settings = new);
                Ok(())
            }),
        )
        .route("/redirect_uris", tell(|sim: &Facebook, uri: String| sim.register_redirect_uri(uri)))
        .route("/advance", tell(|sim: &Facebook, seconds: u64| sim.advance(seconds)))
        .route("/remove_app", tell(|sim: &Facebook, person: String| sim.remove_app(&person)))
        .route("/change_password", tell(|sim: &Facebook, person: String| sim.change_password(&person)))
        .route("/faults", faults(Facebook::door))
        .route("/reset", act(Facebook::reset));
    Router::new().nest("/_sim/facebook", control)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewComment {
    below: String,
    author: String,
    message: String,
}

async fn comment(State(sim): State<Facebook>, body: Bytes) -> Result<Json<String>, Wrong> {
    let NewComment { below, author, message } = read(&body)?;
    let made = sim.comment(&below, &author, &message);
    made.map(Json).ok_or_else(|| bad(format!("there is no post or comment {below}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    person: String,
    scopes: String,
}

async fn issue(State(sim): State<Facebook>, body: Bytes) -> Result<Json<String>, Wrong> {
    let Issue { person, scopes } = read(&body)?;
    let issued = sim.issue_token(&person, &scopes);
    issued.map(Json).ok_or_else(|| bad(format!("nobody is called {person}")))
}
