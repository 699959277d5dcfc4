//! Control over HTTP, for tests in other processes and for the demo: the methods of [`YouTube`] as JSON, unauthenticated.

use axum::body::Bytes;
use axum::extract::State;
use axum::{Json, Router};
use serde::Deserialize;

use super::state::YouTube;
use crate::control::{Wrong, act, bad, faults, look, read, settings, tell};

/// Everything under `/_sim/youtube/`.
pub(super) fn router() -> Router<YouTube> {
    let control = Router::new()
        .route("/videos", look(YouTube::videos))
        .route("/comments", look(YouTube::comments).post(comment))
        .route("/uploads", look(YouTube::uploads))
        .route("/made", look(YouTube::made))
        .route("/requests", look(YouTube::requests))
        .route("/counts", look(YouTube::counts))
        .route("/tokens", look(YouTube::tokens).post(issue))
        .route(
            "/settings",
            settings(YouTube::settings, |sim, new| {
                sim.change(|settings| *settings = new);
                Ok(())
            }),
        )
        .route("/redirect_uris", tell(|sim: &YouTube, uri: String| sim.register_redirect_uri(uri)))
        .route("/advance", tell(|sim: &YouTube, seconds: u64| sim.advance(seconds)))
        .route("/revoke", tell(|sim: &YouTube, account: String| sim.revoke(&account)))
        .route("/expire_access_tokens", act(YouTube::expire_access_tokens))
        .route("/expire_uploads", act(YouTube::expire_uploads))
        .route("/faults", faults(YouTube::door))
        .route("/reset", act(YouTube::reset));
    Router::new().nest("/_sim/youtube", control)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewComment {
    below: String,
    author: String,
    text: String,
}

async fn comment(State(sim): State<YouTube>, body: Bytes) -> Result<Json<String>, Wrong> {
    let NewComment { below, author, text } = read(&body)?;
    let made = sim.comment(&below, &author, &text);
    made.map(Json).ok_or_else(|| bad(format!("there is no video or comment {below}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    account: String,
    scopes: String,
}

async fn issue(State(sim): State<YouTube>, body: Bytes) -> Result<Json<String>, Wrong> {
    let Issue { account, scopes } = read(&body)?;
    let issued = sim.issue_token(&account, &scopes);
    issued.map(Json).ok_or_else(|| bad(format!("nobody has the address {account}")))
}
