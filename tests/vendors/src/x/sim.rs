//! A running simulator: the HTTP surface of X and the pictures, on one origin.

use std::io;
use std::ops::Deref;

use axum::routing::{delete, get, post};
use axum::{Router, middleware};
use tokio::net::ToSocketAddrs;

use super::problem::Problem;
use super::settings::Settings;
use super::state::X;
use super::{authorize, control, gate, timeline, token, tweets, upload};
use crate::wire::Server;
use crate::{door, pictures};

/// A simulator that listens until it is dropped. Dereferences to the state it serves.
pub struct Sim {
    x: X,
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
        let x = X::new(settings);
        let server = Server::start(address, router(x.clone())).await?;
        Ok(Self { x, server })
    }

    /// Where it listens, such as `http://127.0.0.1:4010`.
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// What it knows.
    pub fn state(&self) -> &X {
        &self.x
    }
}

impl Deref for Sim {
    type Target = X;

    fn deref(&self) -> &X {
        &self.x
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // What hangs would keep the server from ending.
        self.x.release();
    }
}

/// Every route in one list. Control comes last, outside of the log and the faults.
fn router(x: X) -> Router {
    let api = Router::new()
        .route("/2/users/me", get(tweets::me))
        .route("/2/users/{id}/tweets", get(timeline::of_user))
        .route("/2/tweets", post(tweets::create))
        .route("/2/tweets/{id}", get(tweets::lookup).merge(delete(tweets::delete)))
        .route("/2/media/upload", get(upload::status))
        .route("/2/media/upload/initialize", post(upload::initialize))
        .route("/2/media/upload/{id}/append", post(upload::append))
        .route("/2/media/upload/{id}/finalize", post(upload::finalize))
        .route("/2/media/metadata", post(upload::metadata))
        .route_layer(middleware::from_fn_with_state(x.clone(), gate::admit));
    Router::new()
        .route("/i/oauth2/authorize", get(authorize::page).merge(post(authorize::decide)))
        .route("/2/oauth2/token", post(token::token))
        .route("/2/oauth2/revoke", post(token::revoke))
        .merge(api)
        .merge(pictures::router())
        .method_not_allowed_fallback(async || Problem::no_such_method())
        .fallback(async || Problem::no_such_path())
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(x.door().clone(), door::receive))
        .merge(control::router())
        .with_state(x)
}
