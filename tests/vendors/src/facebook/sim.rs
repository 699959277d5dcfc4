//! A running simulator: the HTTP surface of Facebook and the pictures, on one origin.

use std::io;
use std::ops::Deref;

use axum::routing::{any, get, post};
use axum::{Router, middleware};
use tokio::net::ToSocketAddrs;

use super::problem::Problem;
use super::settings::Settings;
use super::state::Facebook;
use super::{control, dialog, graph, instagram, token};
use crate::wire::Server;
use crate::{door, pictures};

/// A simulator that listens until it is dropped. Dereferences to the state it serves.
pub struct Sim {
    facebook: Facebook,
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
        let facebook = Facebook::new(settings);
        let server = Server::start(address, router(facebook.clone())).await?;
        Ok(Self { facebook, server })
    }

    /// Where it listens, such as `http://127.0.0.1:4014`: the dialog, the graph and what receives videos alike.
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// What it knows.
    pub fn state(&self) -> &Facebook {
        &self.facebook
    }
}

impl Deref for Sim {
    type Target = Facebook;

    fn deref(&self) -> &Facebook {
        &self.facebook
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // What hangs would keep the server from ending.
        self.facebook.release();
    }
}

/// Every route in one list; the graph has its own. Control comes last, outside of the log and the faults.
fn router(facebook: Facebook) -> Router {
    Router::new()
        .route("/{version}/dialog/oauth", get(dialog::page).post(dialog::decide))
        .route("/{version}/oauth/access_token", any(token::exchange))
        .route("/{version}/debug_token", any(token::debug))
        .route("/ig-api-upload/{version}/{container}", post(instagram::upload))
        .route("/{version}/{node}", any(graph::node))
        // Facebook's own client asks for nodes with a slash at the end.
        .route("/{version}/{node}/", any(graph::node))
        .route("/{version}/{node}/{edge}", any(graph::edge))
        .route("/{version}/{node}/{edge}/{member}", any(graph::member))
        .merge(pictures::router())
        .method_not_allowed_fallback(async || Problem::no_path(""))
        .fallback(async || Problem::no_path(""))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(facebook.door().clone(), door::receive))
        .merge(control::router())
        .merge(instagram::control())
        .with_state(facebook)
}
