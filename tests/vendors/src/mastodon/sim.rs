//! A running instance: the HTTP surface of Mastodon and the pictures, on one origin.

use std::io;
use std::ops::Deref;

use axum::routing::{delete, get, post, put};
use axum::{Router, middleware};
use tokio::net::ToSocketAddrs;

use super::problem::Problem;
use super::settings::Settings;
use super::state::Mastodon;
use super::{accounts, control, gate, instance, statuses, thread, timeline, upload};
use crate::wire::Server;
use crate::{door, pictures};

/// An instance that listens until it is dropped. Dereferences to the state it serves.
pub struct Sim {
    mastodon: Mastodon,
    server: Server,
}

impl Sim {
    /// Listen on an ephemeral port of the loopback address.
    ///
    /// # Panics
    ///
    /// If there is no port to be had.
    pub async fn start(settings: Settings) -> Self {
        Self::bind("127.0.0.1:0", settings).await.expect("the loopback address has an ephemeral port")
    }

    /// Listen on a given address.
    ///
    /// # Errors
    ///
    /// If that address cannot be listened on.
    pub async fn bind(address: impl ToSocketAddrs, settings: Settings) -> io::Result<Self> {
        let mastodon = Mastodon::new(settings);
        let server = Server::start(address, router(mastodon.clone())).await?;
        Ok(Self { mastodon, server })
    }

    /// Where it listens, such as `http://127.0.0.1:4012`.
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// What it knows.
    pub fn state(&self) -> &Mastodon {
        &self.mastodon
    }
}

impl Deref for Sim {
    type Target = Mastodon;

    fn deref(&self) -> &Mastodon {
        &self.mastodon
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // What hangs would keep the server from ending.
        self.mastodon.release();
    }
}

/// Every route in one list. Control comes last, outside of the log and the faults.
fn router(mastodon: Mastodon) -> Router {
    let api = Router::new()
        .route("/api/v1/accounts/verify_credentials", get(accounts::verify_credentials))
        .route("/api/v1/accounts/{id}/statuses", get(timeline::of_account))
        .route("/api/v2/instance", get(instance::show))
        // Clients ask with a slash at the end, too, and Mastodon does not mind (observed).
        .route("/api/v2/instance/", get(instance::show))
        .route("/api/v2/media", post(upload::create))
        .route("/api/v1/media/{id}", get(upload::show).merge(put(upload::update)))
        .route("/api/v1/statuses", post(statuses::create))
        .route("/api/v1/statuses/{id}", get(statuses::show).merge(delete(statuses::delete)))
        .route("/api/v1/statuses/{id}/context", get(thread::context))
        .route("/api/v1/statuses/{id}/source", get(statuses::source))
        .route_layer(middleware::from_fn_with_state(mastodon.clone(), gate::admit));
    Router::new()
        .merge(api)
        .merge(pictures::router())
        .method_not_allowed_fallback(async || Problem::not_found())
        .fallback(async || Problem::not_found())
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(mastodon.door().clone(), door::receive))
        .merge(control::router())
        .with_state(mastodon)
}
