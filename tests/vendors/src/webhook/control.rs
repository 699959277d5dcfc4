//! Control over HTTP, for tests in other processes and for the demo: the methods of [`Webhook`] as JSON,
//! unauthenticated.

use axum::Router;

use super::state::Webhook;
use crate::control::{act, faults, look, settings};

/// Everything under `/_sim/webhook/`.
pub(super) fn router() -> Router<Webhook> {
    let control = Router::new()
        .route("/deliveries", look(Webhook::deliveries))
        .route("/messages", look(Webhook::messages))
        .route("/requests", look(Webhook::requests))
        .route("/counts", look(Webhook::counts))
        .route(
            "/settings",
            settings(Webhook::settings, |sim, new| {
                new.check()?;
                sim.change(|settings| *settings = new);
                Ok(())
            }),
        )
        .route("/faults", faults(Webhook::door))
        .route("/reset", act(Webhook::reset));
    Router::new().nest("/_sim/webhook", control)
}
