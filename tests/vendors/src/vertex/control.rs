//! What the simulator can be told over HTTP.

use axum::Router;

use super::settings::Settings;
use super::state::Vertex;
use crate::control::{act, faults, look, settings, tell};

/// Everything under `/_sim/vertex/`.
pub(super) fn router() -> Router<Vertex> {
    let put = |vertex: &Vertex, settings: Settings| {
        vertex.change(|known| *known = settings);
        Ok(())
    };
    Router::new()
        .route("/_sim/vertex/operations", look(Vertex::operations))
        .route("/_sim/vertex/key_file", look(Vertex::key_file))
        .route("/_sim/vertex/made", look(Vertex::made))
        .route("/_sim/vertex/requests", look(Vertex::requests))
        .route("/_sim/vertex/counts", look(Vertex::counts))
        .route("/_sim/vertex/settings", settings(Vertex::settings, put))
        .route("/_sim/vertex/faults", faults(Vertex::door))
        .route("/_sim/vertex/redirect_uris", tell(|sim: &Vertex, uri: String| sim.register_redirect_uri(uri)))
        .route("/_sim/vertex/revoke", tell(|sim: &Vertex, person: String| sim.revoke(&person)))
        .route("/_sim/vertex/advance", tell(Vertex::advance))
        .route("/_sim/vertex/expire_access_tokens", act(Vertex::expire_access_tokens))
        .route("/_sim/vertex/reset", act(Vertex::reset))
}
