//! Control over HTTP, for tests in other processes and for the demo: the methods of [`X`] as JSON, unauthenticated.

use axum::Router;
use axum::extract::State;
use axum::routing::get;

use super::state::X;
use crate::control::{act, faults, look, settings, tell};

/// Everything under `/_sim/`.
pub(super) fn router() -> Router<X> {
    let control = Router::new()
        .route("/posts", look(X::posts))
        .route("/requests", look(X::requests))
        .route("/counts", look(X::counts))
        .route("/tokens", look(X::tokens))
        .route(
            "/settings",
            settings(X::settings, |sim, new| {
                sim.change(|settings| *settings = new);
                Ok(())
            }),
        )
        .route("/redirect_uris", tell(|sim: &X, uri: String| sim.register_redirect_uri(uri)))
        .route("/faults", faults(X::door))
        .route("/expire_access_tokens", act(X::expire_access_tokens))
        .route("/revoke_all", act(X::revoke_all))
        .route("/reset", act(X::reset));
    let script = get(async |State(x): State<X>| -> String { x.settings().script });
    Router::new().nest("/_sim/x", control).route("/_sim/script", script)
}
