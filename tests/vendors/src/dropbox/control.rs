//! Control over HTTP, for tests in other processes and for the demo: the methods of [`Dropbox`] as JSON,
//! unauthenticated.

use axum::Router;

use super::state::Dropbox;
use crate::control::{act, faults, look, settings, tell};

/// Everything under `/_sim/dropbox/`.
pub(super) fn router() -> Router<Dropbox> {
    let control = Router::new()
        .route("/tally", look(Dropbox::tally))
        .route("/requests", look(Dropbox::requests))
        .route("/counts", look(Dropbox::counts))
        .route("/tokens", look(Dropbox::tokens))
        .route(
            "/settings",
            settings(Dropbox::settings, |sim, new| {
                sim.change(|settings| *settings = new);
                Ok(())
            }),
        )
        .route("/redirect_uris", tell(|sim: &Dropbox, uri: String| sim.register_redirect_uri(uri)))
        .route("/advance", tell(|sim: &Dropbox, seconds: u64| sim.advance(seconds)))
        .route("/faults", faults(Dropbox::door))
        .route("/expire_access_tokens", act(Dropbox::expire_access_tokens))
        .route("/revoke_all", act(Dropbox::revoke_all))
        .route("/reset", act(Dropbox::reset));
    Router::new().nest("/_sim/dropbox", control)
}
