//! Control over HTTP, for tests in other processes and for the demo: the methods of [`Mastodon`] as JSON,
//! unauthenticated.

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;

use super::state::Mastodon;
use crate::control::{Wrong, act, bad, faults, look, read, settings, tell};

/// Everything under `/_sim/mastodon/`.
pub(super) fn router() -> Router<Mastodon> {
    let control = Router::new()
        .route("/statuses", look(Mastodon::statuses))
        .route("/media", look(Mastodon::media))
        .route("/requests", look(Mastodon::requests))
        .route("/counts", look(Mastodon::counts))
        .route(
            "/settings",
            settings(Mastodon::settings, |sim, new| {
                sim.change(|settings| *settings = new);
                Ok(())
            }),
        )
        .route("/tokens", post(issue))
        .route("/revoke", tell(|sim: &Mastodon, token: String| sim.revoke(&token)))
        .route("/faults", faults(Mastodon::door))
        .route("/reset", act(Mastodon::reset));
    Router::new().nest("/_sim/mastodon", control)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    account: String,
    scopes: String,
}

async fn issue(State(sim): State<Mastodon>, body: Bytes) -> Result<Json<String>, Wrong> {
    let Issue { account, scopes } = read(&body)?;
    if sim.settings().account(&account).is_none() {
        return Err(bad(format!("nobody is called {account}")));
    }
    Ok(Json(sim.issue_token(&account, &scopes)))
}
